package store

import (
	"context"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/operations"
	"expenseflow/internal/store/record"
	"expenseflow/models"
)

// Owners returns whose the rows with these ids are, of those that are there: a map of ids to
// users. row is the struct of the table, whose key is an id and which has a user_id. It reads
// what is written, so not what the transaction has buffered.
func (tx *Tx) Owners(row any, ids []string) (map[string]string, error) {
	type owned struct{ ID, UserID string }
	owners := make(map[string]string, len(ids))
	found, err := findIn[owned](tx, tx.orm().Model(row).Select("id, user_id").Where(tx.s.db.In("id", ids)))
	for _, o := range found {
		owners[o.ID] = o.UserID
	}
	return owners, err
}

// OperationTable is the row of Owners for operations.
func OperationTable() any { return &operations.Row{} }

// DeletedExpenses returns which of these ids, of expenses that are not there, are of expenses
// that the user had and lost, as far as the log goes back.
func (tx *Tx) DeletedExpenses(ids []string) (map[string]bool, error) {
	deleted := map[string]bool{}
	found, err := findIn[string](tx, tx.orm().Model(&record.ChangeRow{}).Distinct("entity_id").
		Where("user_id = ? AND kind = ?", tx.user.ID, models.ExpenseDeleted).Where(tx.s.db.In("entity_id", ids)))
	for _, id := range found {
		deleted[id] = true
	}
	return deleted, err
}

// UsersByIDOrEmail returns the users of this id and of this address: at most two.
func (s *Store) UsersByIDOrEmail(ctx context.Context, id, email string) ([]models.User, error) {
	return find.All[models.User](s.db.Read(ctx).Where("id = ? OR email = ?", id, email))
}

// An ExpenseAmount is what an expense adds to which sum.
type ExpenseAmount struct {
	UserID, Type, Category, Currency string
	Amount                           models.Money
}

// ExpenseAmounts returns the amounts of the expenses with these ids that are there.
func (s *Store) ExpenseAmounts(ctx context.Context, ids []string) ([]ExpenseAmount, error) {
	return find.All[ExpenseAmount](s.db.Read(ctx).Model(&models.Expense{}).
		Select("user_id, type, category, currency, amount").Where(s.db.In("id", ids)))
}
