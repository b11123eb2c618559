package store

import (
	"expenseflow/internal/store/access"
	"expenseflow/models"
)

// Expense returns the expense of this id if the user has it, in their view;
// models.NotFound, all alike, if there is none, if it is another user's and not, or
// no longer, shared with this one, and for what is no id at all. A shared expense
// needs the locks of all who have it (see Write).
func (tx *Tx) Expense(id string) (models.Expense, error) {
	if err := tx.loadExpenses([]string{id}); err != nil {
		return models.Expense{}, err
	}
	e, exists, _ := tx.expenses.Get(id)
	if !exists {
		return models.Expense{}, access.ErrNoExpense
	}
	if err := tx.entitled(&e); err != nil {
		return models.Expense{}, err
	}
	return tx.View(e), nil
}

func (tx *Tx) loadExpenses(ids []string) error {
	ids = tx.expenses.Unknown(ids, models.IsID)
	if len(ids) == 0 {
		return tx.failed
	}
	// The user is compared elsewhere: as a condition, it tempts a planner to read
	// all of a busy user's expenses.
	found, err := findIn[models.Expense](tx, tx.orm().Where(tx.s.db.In("id", ids)))
	for _, e := range found {
		tx.expenses.Load(e.ID, e, true)
	}
	tx.expenses.LoadAbsent(ids)
	if err != nil {
		return err
	}
	return tx.loadShares(ids)
}

// InsertExpense saves a new expense.
func (tx *Tx) InsertExpense(e models.Expense) {
	tx.totalsDelta(&e, 1)
	tx.expenses.Put(e.ID, e, false)
}

// UpdateExpense saves an expense that Expense returned, whoever's it is.
func (tx *Tx) UpdateExpense(e models.Expense) {
	if before, exists, _ := tx.expenses.Get(e.ID); exists {
		tx.of[e.UserID].adjustTotals(&before, &e)
		e.Shares, e.HasDependents = before.Shares, before.HasDependents
	}
	e.Role, e.SharedBy = models.NoRole, ""
	tx.expenses.Put(e.ID, e, true)
}

// DeleteExpense removes an expense that Expense returned, with its shares and what
// was said about it.
func (tx *Tx) DeleteExpense(e models.Expense) error {
	before, exists, _ := tx.expenses.Get(e.ID)
	if exists {
		tx.of[e.UserID].totalsDelta(&before, -1)
	}
	tx.expenses.Remove(e.ID)
	if !before.HasDependents {
		return nil
	}
	return tx.deleteDependents(e.ID)
}
