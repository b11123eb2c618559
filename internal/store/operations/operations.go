// Package operations has the entries of the offline queues as the server keeps them: the table,
// and reads of those that are parked.
package operations

import (
	"context"
	"errors"
	"time"

	"expenseflow/internal/store/access"
	"expenseflow/internal/store/database"
	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

// Operations reads the operations of a database.
type Operations struct{ db *database.DB }

// New returns the operations of a database.
func New(db *database.DB) Operations { return Operations{db} }

// errFull ends a read that has as many bytes as its reader wants.
var errFull = errors.New("the page is full")

// A Row is one entry of the offline queue as the server keeps it.
type Row struct {
	models.QueuedOperation
	Size int64 `gorm:"index:operations_parked_size,priority:2"` // models.QueuedOperation.Size
}

// TableName implements GORM's Tabler.
func (Row) TableName() string { return "operations" }

// CountParked returns how many operations of all users are parked.
func (o Operations) CountParked(ctx context.Context) (int64, error) {
	return find.One[int64](o.db.Read(ctx).Model(&Row{}).Select("COUNT(*)").Where("state = 'parked'"))
}

// Parked returns how many operations of the user are parked, and how many bytes of clients' they
// hold.
func (o Operations) Parked(ctx context.Context, userID string) (count, bytes int64, err error) {
	p, err := find.One[ParkedSum](SumOfParked(o.db.Read(ctx), userID))
	return p.Count, p.Bytes, err
}

// A ParkedSum is the row of SumOfParked: how many operations, and how many bytes of clients' they
// hold.
type ParkedSum struct{ Count, Bytes int64 }

// SumOfParked selects the sum of a user's parked operations.
func SumOfParked(session *gorm.DB, userID string) *gorm.DB {
	return ParkedOf(session.Model(&Row{}), userID).
		Select("COUNT(*) AS count, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes")
}

// SyncStatus returns when an operation of the user's queue was last applied, nil for
// never, and how many are parked.
func (o Operations) SyncStatus(ctx context.Context, userID string) (lastSync *time.Time, pending int64, err error) {
	type status struct {
		LastAppliedAt time.Time `gorm:"serializer:zeroableTime"`
		Pending       int64
	}
	st, err := find.OfUser[status](o.db.Read(ctx), userID,
		"last_applied_at, (SELECT COUNT(*) FROM operations WHERE user_id = users.id AND state = 'parked') AS pending")
	if err == nil && !st.LastAppliedAt.IsZero() {
		lastSync = &st.LastAppliedAt
	}
	return lastSync, st.Pending, err
}

// ParkedRows and ParkedBytes are how much EachParked holds in memory, but for a single
// operation that is larger: databases have them from before they had a bound. Up to the
// short ones reading takes no longer than any other read.
const (
	ParkedRows       = 200
	ParkedBytes      = 1 << 20
	parkedShortRows  = 32
	parkedShortBytes = 64 << 10
)

// EachParked calls fn with each of the user's parked operations,
// oldest first, without expenses that the user has no right to any more, in constant
// memory. An error of fn ends it and is returned as it is. If there are many, each page
// of them is a long read; while fn works it holds neither a connection nor a place.
func (o Operations) EachParked(ctx context.Context, userID string, fn func(models.QueuedOperation) error) error {
	page, more, err := PageIn(ctx, o.db, o.db.Reader, userID, models.ParkedPlace{}, parkedShortRows, parkedShortBytes)
	for err == nil && len(page) > 0 {
		for i := range page {
			if err := fn(page[i]); err != nil {
				return err
			}
		}
		if !more {
			break
		}
		page, more, err = o.longParkedPage(ctx, userID, page[len(page)-1].Place(), ParkedRows, ParkedBytes)
	}
	return err
}

// ParkedPage returns what EachParked yields after a place: at most limit operations, and as
// many as hold so many bytes, but at least one; and whether there may be more.
func (o Operations) ParkedPage(
	ctx context.Context, userID string, after models.ParkedPlace, limit int, bytes int64,
) (page []models.QueuedOperation, more bool, err error) {
	page, more, err = PageIn(ctx, o.db, o.db.Reader, userID, after, min(limit, parkedShortRows), min(bytes, parkedShortBytes))
	if err != nil || !more || limit <= parkedShortRows && bytes <= parkedShortBytes {
		return page, more, err
	}
	return o.longParkedPage(ctx, userID, after, limit, bytes)
}

// longParkedPage is PageIn as a long read.
func (o Operations) longParkedPage(
	ctx context.Context, userID string, after models.ParkedPlace, limit int, bytes int64,
) (page []models.QueuedOperation, more bool, err error) {
	done, err := o.db.LongRead(ctx, userID)
	if err != nil {
		return nil, false, err
	}
	defer func() { done(int64(len(page))) }()
	return PageIn(ctx, o.db, o.db.Long, userID, after, limit, bytes)
}

// PageIn is ParkedPage of a session, however long it is.
func PageIn(
	ctx context.Context, db *database.DB, from *gorm.DB, userID string, after models.ParkedPlace, limit int, bytes int64,
) (page []models.QueuedOperation, more bool, err error) {
	page = []models.QueuedOperation{}
	held, full := int64(0), false
	parked := from.WithContext(ctx).Where("user_id = ? AND state = 'parked'", userID).
		Where("(created_at, id) > (?, ?)", after.CreatedAt, after.ID).Order("created_at, id").Limit(limit)
	err = find.Each(parked, func(op Row) error {
		if held += op.QueuedOperation.Size(); len(page) > 0 && held > bytes {
			full = true
			return errFull
		}
		page = append(page, op.QueuedOperation)
		return nil
	})
	if err == nil || full {
		err = access.Redact(ctx, db, userID, page)
	}
	return page, full || len(page) == limit, err
}
