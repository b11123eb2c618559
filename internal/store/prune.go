package store

import (
	"context"
	"time"

	"expenseflow/internal/store/access"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/operations"
	"expenseflow/internal/store/processes"
	"expenseflow/internal/store/record"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
)

// Prune forgets what is older than before and no longer needed beside the logs:
// operations, those that nobody decided about in all that time too, names of devices
// for expenses, unclaimed posts, rooms of pages that did not come back, imports, notifications;
// and tokens that have expired by now. It
// removes at most limit rows of each kind and returns how many in all; whoever calls
// it again until it returns 0 never holds a lock for long.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (total int64, err error) {
	for _, rule := range retentionRules {
		than := before
		if rule.hasOwnEnd {
			than = s.opts.Now()
		}
		n, err := s.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
			return deleteKeys(db, rule.row, db.Model(rule.row).Where(rule.old, than.UnixMilli()).Limit(limit))
		})
		if err != nil {
			return total, err
		}
		total += n
	}
	users := s.db.Read(ctx).Model(&models.Notification{}).Distinct("user_id").
		Where("created_at < ?", before.UnixMilli()).Limit(limit)
	n, err := s.pruneUsers(ctx, users, before, limit, (*Tx).pruneNotifications)
	return total + n, err
}

// A retentionRule selects the rows of a table that may be deleted: those older than a
// moment, or with hasOwnEnd those whose own end, which the row names, has passed.
type retentionRule struct {
	row       any
	old       string // a condition with the moment as its parameter
	hasOwnEnd bool
}

var retentionRules = []retentionRule{
	{&operations.Row{}, "updated_at < ?", false},
	{&Post{}, "received_at < ?", false},
	{&alias{}, "created_at < ?", false},
	{&access.ShareRow{}, "role = '' AND updated_at < ?", false}, // that had ended when those were still kept
	{&processes.KeptRooms{}, "updated_at < ?", false},
	{&models.Import{}, "updated_at < ?", false},
	{&models.ImportedRow{}, "created_at < ?", false},
	{&revokedToken{}, "expires_at < ?", true},
	{&access.InvitationRow{}, "state = 'gone' AND ends_at < ?", true},
	{&userDevice{}, "expires_at < ?", true},
}

// deleteKeys deletes the rows whose primary keys a query of the same table selects.
func deleteKeys(db *gorm.DB, row any, query *gorm.DB) *gorm.DB {
	key := rows.Of(row).Key()
	return db.Where("("+key+") IN (?)", query.Select(key)).Delete(row)
}

// PruneLogs cuts what is older than before off the logs, so that a log stays
// without holes and always knows where it starts. Like Prune, it removes at most
// limit changes and returns how many.
func (s *Store) PruneLogs(ctx context.Context, before time.Time, limit int) (total int64, err error) {
	users := s.db.Read(ctx).Model(&models.User{}).Select("id").Where("log_start < seq AND "+
		"(SELECT at FROM changes WHERE user_id = users.id AND changes.seq = users.log_start + 1) < ?", before.UnixMilli()).Limit(limit)
	return s.pruneUsers(ctx, users, before, limit, (*Tx).pruneLog)
}

// pruneUsers has what is older than before removed, at most limit rows, user by user under
// their locks. which selects at most so many users who have some.
func (s *Store) pruneUsers(
	ctx context.Context, which *gorm.DB, before time.Time, limit int, prune func(*Tx, time.Time, int) (int64, error),
) (total int64, err error) {
	users, err := find.All[string](which)
	for _, userID := range users {
		if err != nil || total >= int64(limit) {
			break
		}
		var n int64
		err = s.Write(ctx, userID, func(tx *Tx) (err error) {
			n, err = prune(tx, before, limit-int(total))
			return err
		})
		if err == nil {
			total += n
		}
	}
	return total, err
}

// pruneLog removes the oldest changes, at most limit.
func (tx *Tx) pruneLog(before time.Time, limit int) (n int64, err error) {
	start := tx.user.LogStart
	end, _, err := oneIn[int64](tx, tx.orm().Model(&record.ChangeRow{}).Select("COALESCE(MAX(seq), 0)").
		Where("user_id = ? AND seq > ? AND seq <= ? AND at < ?", tx.user.ID, start, start+int64(limit), before.UnixMilli()))
	if err != nil || end <= start {
		return 0, err
	}
	if err := tx.run(tx.orm().Where("user_id = ? AND seq <= ?", tx.user.ID, end).Delete(&record.ChangeRow{})); err != nil {
		return 0, err
	}
	return end - start, tx.run(tx.orm().Model(&models.User{}).Where("id = ?", tx.user.ID).UpdateColumn("log_start", end))
}
