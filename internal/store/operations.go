package store

import (
	"expenseflow/internal/store/operations"
	"expenseflow/models"

	"gorm.io/gorm"
)

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
	found, err := findIn[operations.Row](tx, query)
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
	p, _, err := oneIn[operations.ParkedSum](tx, operations.SumOfParked(tx.orm(), tx.user.ID))
	return p.Count, p.Bytes, err
}

// InsertOperation saves a new operation.
func (tx *Tx) InsertOperation(op models.QueuedOperation) { tx.saveOperation(op, false) }

// UpdateOperation saves an operation that Operation or OperationByKey returned.
func (tx *Tx) UpdateOperation(op models.QueuedOperation) { tx.saveOperation(op, true) }

func (tx *Tx) saveOperation(op models.QueuedOperation, stored bool) {
	tx.operations.Put(op.ID, operations.Row{QueuedOperation: op, Size: op.Size()}, stored)
	if op.Key != "" {
		tx.keys.Put(op.Key, op.ID, stored)
	}
	if op.State == models.Applied {
		tx.user.AppliedAt = tx.Now()
	}
}

// DiscardParked discards the oldest parked operations of the user that are not after a
// place, at most limit, and returns how many these were and how many of them are left. The
// transaction must not have read operations before.
func (tx *Tx) DiscardParked(through models.ParkedPlace, limit int) (discarded, left int64, err error) {
	count := func() (int64, error) {
		return tx.count(operations.NotAfter(operations.ParkedOf(tx.orm().Model(&operations.Row{}), tx.user.ID), through))
	}
	before, err := count()
	if err != nil || before == 0 {
		return 0, 0, err
	}
	oldest := operations.NotAfter(operations.ParkedOf(tx.orm().Model(&operations.Row{}), tx.user.ID), through).
		Select("id").Order("created_at, id").Limit(limit)
	err = tx.run(tx.orm().Model(&operations.Row{}).Where("id IN (?)", oldest).
		UpdateColumns(map[string]any{"state": models.Discarded, "updated_at": tx.Now().UnixMilli()}))
	if err != nil {
		return 0, 0, err
	}
	left, err = count()
	return before - left, left, err
}
