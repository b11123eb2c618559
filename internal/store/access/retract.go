package access

import (
	"context"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/find"
	"expenseflow/models"
)

// shown returns those of ids, other users' expenses, that the user has today.
func shown(ctx context.Context, db *database.DB, userID string, ids []string) (map[string]bool, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := find.All[models.Share](db.Read(ctx).Where("user_id = ? AND role <> ''", userID).
		Where(db.In("expense_id", ids)))
	shown := make(map[string]bool, len(ids))
	for _, s := range found {
		shown[s.ExpenseID] = true
	}
	return shown, err
}

// Retract takes out of a log what its user has no right to any more.
func Retract(ctx context.Context, db *database.DB, userID string, changes []models.Change) error {
	var ids []string
	for i := range changes {
		if changes[i].Expense.Role != models.NoRole {
			ids = append(ids, changes[i].EntityID)
		}
	}
	shown, err := shown(ctx, db, userID, ids)
	for i := range changes {
		if c := &changes[i]; c.Expense.Role != models.NoRole && !shown[c.EntityID] {
			c.Kind, c.Expense, c.Author, c.ActorID = models.ExpenseRetracted, models.Expense{}, models.Author{}, ""
		}
	}
	return err
}

// Redact takes out of stored operations what their user has no right to any more.
func Redact(ctx context.Context, db *database.DB, userID string, ops []models.QueuedOperation) error {
	var ids []string
	for i := range ops {
		for _, e := range ops[i].Result.SharedExpenses() {
			ids = append(ids, (*e).ID)
		}
	}
	shown, err := shown(ctx, db, userID, ids)
	for i := range ops {
		for _, e := range ops[i].Result.SharedExpenses() {
			if !shown[(*e).ID] {
				*e = nil
			}
		}
	}
	return err
}
