package store

import (
	"context"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/models"
)

// InsertActivity keeps what the user did around an expense in which RoleOf gave
// them this role.
func (tx *Tx) InsertActivity(a models.Activity, role models.Role) error {
	tx.wrote = true
	err := tx.run(tx.orm().Create(&a))
	if err != nil || role != models.RoleOwner { // what is shared has dependents already
		return err
	}
	return tx.markDependents(a.ExpenseID)
}

// markDependents notes that rows of other tables belong to an expense.
func (tx *Tx) markDependents(expenseID string) error {
	return tx.run(tx.orm().Model(&models.Expense{}).Where("id = ? AND traces = 0", expenseID).UpdateColumn("traces", 1))
}

// CommentsFull reports whether an expense has so many activities, or the user has so
// many around all expenses.
func (tx *Tx) CommentsFull(expenseID string, ofExpense, ofUser int) (bool, error) {
	ofThis, err := tx.atLeast(ofExpense, "expense_id = ?", expenseID)
	if err != nil || ofThis {
		return ofThis, err
	}
	return tx.atLeast(ofUser, "user_id = ?", tx.user.ID)
}

// atLeast reports whether there are so many activities, and counts no more of them.
func (tx *Tx) atLeast(n int, condition, id string) (bool, error) {
	few := tx.orm().Model(&models.Activity{}).Select("1").Where(condition, id).Limit(n)
	found, err := tx.count(tx.orm().Table("(?) AS few", few))
	return found >= int64(n), err
}

// Activities returns one page of what was said and done around an expense, newest
// first, from page 1, and how much there is in all. Whether the reader may is the
// business of RightTo.
func (s *Store) Activities(ctx context.Context, expenseID string, page, limit int) ([]models.Activity, int64, error) {
	all := s.db.Read(ctx).Model(&models.Activity{}).Where("expense_id = ?", expenseID)
	total, offset, err := find.Page(all, page, limit)
	if err != nil || offset < 0 {
		return []models.Activity{}, total, err
	}
	found, err := find.All[models.Activity](s.db.Read(ctx).Table("activities a").
		Select(rows.Of(models.Activity{}).NamesOf("a")+", u.name AS user_name").
		Joins("JOIN users u ON u.id = a.user_id").Where("a.expense_id = ?", expenseID).
		Order("a.created_at DESC, a.id DESC").Limit(limit).Offset(offset))
	return found, total, err
}
