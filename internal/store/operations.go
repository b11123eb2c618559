package store

import (
	"context"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

// An operationRow is one entry of the offline queue as the server keeps it.
type operationRow struct {
	models.QueuedOperation
	Size int64 `gorm:"index:operations_parked_size,priority:2"` // models.QueuedOperation.Size
}

func (operationRow) TableName() string { return "operations" }

// OperationByKey returns the stored operation of an idempotency key; "" finds none.
func (tx *Tx) OperationByKey(key string) (models.QueuedOperation, bool, error) {
	if err := tx.loadKeys([]string{key}); err != nil {
		return models.QueuedOperation{}, false, err
	}
	id, exists, _ := tx.keys.Get(key)
	if !exists {
		return models.QueuedOperation{}, false, nil
	}
	op, _, _ := tx.operations.Get(id)
	return op.QueuedOperation, true, nil
}

func (tx *Tx) loadKeys(keys []string) error {
	keys = tx.keys.Unknown(keys, func(k string) bool { return k != "" })
	if len(keys) == 0 {
		return nil
	}
	err := tx.loadOperations(tx.s.operationsByKey(tx.orm(), tx.user.ID, keys))
	tx.keys.LoadAbsent(keys)
	return err
}

func (tx *Tx) loadOperations(query *gorm.DB) error {
	found, err := findIn[operationRow](tx, query)
	for _, op := range found {
		tx.operations.Load(op.ID, op, true)
		if op.Key != "" {
			tx.keys.Load(op.Key, op.ID, true)
		}
	}
	return err
}

// Operation returns the user's stored operation of this id; models.NotFound if there
// is none.
func (tx *Tx) Operation(id string) (models.QueuedOperation, error) {
	if _, _, known := tx.operations.Get(id); !known && models.IsID(id) {
		if err := tx.loadOperations(tx.orm().Where("id = ? AND user_id = ?", id, tx.user.ID)); err != nil {
			return models.QueuedOperation{}, err
		}
	}
	op, exists, _ := tx.operations.Get(id)
	if !exists {
		return models.QueuedOperation{}, models.E(models.NotFound, "Operation not found")
	}
	return op.QueuedOperation, nil
}

// Parked returns how many operations of the user are parked, and how many bytes of
// clients' they hold, without those of this transaction that are not written yet.
func (tx *Tx) Parked() (count, bytes int64, err error) {
	p, _, err := oneIn[parkedSum](tx, sumOfParked(tx.orm(), tx.user.ID))
	return p.Count, p.Bytes, err
}

// Parked is Tx.Parked outside of a transaction.
func (s *Store) Parked(ctx context.Context, userID string) (count, bytes int64, err error) {
	p, err := find.One[parkedSum](sumOfParked(s.db.Read(ctx), userID))
	return p.Count, p.Bytes, err
}

type parkedSum struct{ Count, Bytes int64 }

func sumOfParked(db *gorm.DB, userID string) *gorm.DB {
	return parkedOf(db.Model(&operationRow{}), userID).
		Select("COUNT(*) AS count, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes")
}

// InsertOperation saves a new operation.
func (tx *Tx) InsertOperation(op models.QueuedOperation) { tx.saveOperation(op, false) }

// UpdateOperation saves an operation that Operation or OperationByKey returned.
func (tx *Tx) UpdateOperation(op models.QueuedOperation) { tx.saveOperation(op, true) }

func (tx *Tx) saveOperation(op models.QueuedOperation, stored bool) {
	tx.operations.Put(op.ID, operationRow{op, op.Size()}, stored)
	if op.Key != "" {
		tx.keys.Put(op.Key, op.ID, stored)
	}
	if op.State == models.Applied {
		tx.user.AppliedAt = tx.Now()
	}
}

// SyncStatus returns when an operation of the user's queue was last applied, nil for
// never, and how many are parked.
func (s *Store) SyncStatus(ctx context.Context, userID string) (lastSync *time.Time, pending int64, err error) {
	type status struct {
		LastAppliedAt time.Time `gorm:"serializer:zeroableTime"`
		Pending       int64
	}
	st, err := find.OfUser[status](s.db.Read(ctx), userID,
		"last_applied_at, (SELECT COUNT(*) FROM operations WHERE user_id = users.id AND state = 'parked') AS pending")
	if err == nil && !st.LastAppliedAt.IsZero() {
		lastSync = &st.LastAppliedAt
	}
	return lastSync, st.Pending, err
}

// parkedRows and parkedBytes are how much EachParked holds in memory, but for a single
// operation that is larger: databases have them from before they had a bound. Up to the
// short ones reading takes no longer than any other read.
const (
	parkedRows       = 200
	parkedBytes      = 1 << 20
	parkedShortRows  = 32
	parkedShortBytes = 64 << 10
)

// EachParked calls fn with each of the user's parked operations,
// oldest first, without expenses that the user has no right to any more, in constant
// memory. An error of fn ends it and is returned as it is. If there are many, each page
// of them is a long read; while fn works it holds neither a connection nor a place.
func (s *Store) EachParked(ctx context.Context, userID string, fn func(models.QueuedOperation) error) error {
	page, more, err := s.parkedPage(ctx, s.db.Reader, userID, models.ParkedPlace{}, parkedShortRows, parkedShortBytes)
	for err == nil && len(page) > 0 {
		for i := range page {
			if err := fn(page[i]); err != nil {
				return err
			}
		}
		if !more {
			break
		}
		page, more, err = s.longParkedPage(ctx, userID, page[len(page)-1].Place(), parkedRows, parkedBytes)
	}
	return err
}

// ParkedPage returns what EachParked yields after a place: at most limit operations, and as
// many as hold so many bytes, but at least one; and whether there may be more.
func (s *Store) ParkedPage(
	ctx context.Context, userID string, after models.ParkedPlace, limit int, bytes int64,
) (page []models.QueuedOperation, more bool, err error) {
	page, more, err = s.parkedPage(ctx, s.db.Reader, userID, after, min(limit, parkedShortRows), min(bytes, parkedShortBytes))
	if err != nil || !more || limit <= parkedShortRows && bytes <= parkedShortBytes {
		return page, more, err
	}
	return s.longParkedPage(ctx, userID, after, limit, bytes)
}

// longParkedPage is parkedPage as a long read.
func (s *Store) longParkedPage(
	ctx context.Context, userID string, after models.ParkedPlace, limit int, bytes int64,
) (page []models.QueuedOperation, more bool, err error) {
	done, err := s.db.LongRead(ctx, userID)
	if err != nil {
		return nil, false, err
	}
	defer func() { done(int64(len(page))) }()
	return s.parkedPage(ctx, s.db.Long, userID, after, limit, bytes)
}

func (s *Store) parkedPage(
	ctx context.Context, from *gorm.DB, userID string, after models.ParkedPlace, limit int, bytes int64,
) (page []models.QueuedOperation, more bool, err error) {
	page = []models.QueuedOperation{}
	held, full := int64(0), false
	parked := from.WithContext(ctx).Where("user_id = ? AND state = 'parked'", userID).
		Where("(created_at, id) > (?, ?)", after.CreatedAt, after.ID).Order("created_at, id").Limit(limit)
	err = find.Each(parked, func(op operationRow) error {
		if held += op.QueuedOperation.Size(); len(page) > 0 && held > bytes {
			full = true
			return errLong
		}
		page = append(page, op.QueuedOperation)
		return nil
	})
	if err == nil || full {
		err = s.redact(ctx, userID, page)
	}
	return page, full || len(page) == limit, err
}
