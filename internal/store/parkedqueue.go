package store

import (
	"expenseflow/internal/store/operations"
	"expenseflow/models"
)

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
