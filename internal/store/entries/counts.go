package entries

import (
	"context"

	"expenseflow/internal/store/find"
	"expenseflow/models"
)

// expenseCounts are how many expenses a user owns and how many of others they have, as of
// a sequence of the user's log.
type expenseCounts struct {
	Own    int64 `gorm:"column:expenses"`
	Shared int64
	Seq    int64
}

func (c expenseCounts) all() int64 { return c.Own + c.Shared }

// expenseCounts reads them; all are 0 for a user who is not there.
func (s Entries) expenseCounts(ctx context.Context, userID string) (expenseCounts, error) {
	c, err := find.OfUser[expenseCounts](s.db.Read(ctx), userID, "seq, expenses, CASE WHEN received = 0 THEN 0 ELSE "+
		"(SELECT COUNT(*) FROM shares WHERE user_id = users.id AND role <> '') END AS shared")
	if find.IsNotFound(err) {
		err = nil
	}
	return c, err
}

// isShortAfter reports whether what was stored for the user after a moment fits into
// one chunk. It looks at no more than that.
func (s Entries) isShortAfter(ctx context.Context, userID string, millis int64) (bool, error) {
	n, err := s.expenseCounts(ctx, userID)
	if err != nil || n.Shared > StreamChunk {
		return false, err
	}
	var own int64
	few := s.db.Read(ctx).Model(&models.Expense{}).Select("1").
		Where("user_id = ? AND last_synced_at > ?", userID, millis).Limit(StreamChunk + 1)
	err = s.db.Read(ctx).Table("(?) AS few", few).Count(&own).Error
	return own+n.Shared <= StreamChunk, err
}
