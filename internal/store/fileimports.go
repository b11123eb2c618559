package store

import (
	"context"
	"time"

	"expenseflow/internal/store/access"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/operations"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
)

// A row of imports or imported_rows changes only under the lock of its user.

// An Imports reads what imports are compared with, in a transaction or outside.
type Imports interface {
	// ImportedRows returns those of the user's rows that have one of these keys.
	ImportedRows(ctx context.Context, userID string, keys []string) ([]models.ImportedRow, error)

	// ExpensesBetween returns those of the user's own expenses from one time until before another
	// that have one of these amounts, the oldest first and at most limit.
	ExpensesBetween(
		ctx context.Context, userID string, from, to time.Time, amounts []models.Money, limit int,
	) ([]models.Expense, error)

	// ExistingExpenses returns which of these ids are of expenses.
	ExistingExpenses(ctx context.Context, ids []string) ([]string, error)

	// OperationsByKey returns those of the user's operations that have one of these keys.
	OperationsByKey(ctx context.Context, userID string, keys []string) ([]models.QueuedOperation, error)
}

// ImportedRows implements Imports.
func (s *Store) ImportedRows(ctx context.Context, userID string, keys []string) ([]models.ImportedRow, error) {
	return find.All[models.ImportedRow](s.importedRows(s.db.Read(ctx), userID, keys))
}

// ExpensesBetween implements Imports.
func (s *Store) ExpensesBetween(
	ctx context.Context, userID string, from, to time.Time, amounts []models.Money, limit int,
) ([]models.Expense, error) {
	return find.All[models.Expense](expensesBetween(s.db.Read(ctx), userID, from, to, amounts, limit))
}

// ExistingExpenses implements Imports.
func (s *Store) ExistingExpenses(ctx context.Context, ids []string) ([]string, error) {
	return find.All[string](s.existingExpenses(s.db.Read(ctx), ids))
}

// OperationsByKey implements Imports.
func (s *Store) OperationsByKey(ctx context.Context, userID string, keys []string) ([]models.QueuedOperation, error) {
	found, err := find.All[operations.Row](s.operationsByKey(s.db.Read(ctx), userID, keys))
	return find.Mapped(found, func(op operations.Row) models.QueuedOperation { return op.QueuedOperation }), err
}

// txImports is Imports in a transaction.
type txImports struct{ tx *Tx }

// Imports reads what imports are compared with as it is now.
func (tx *Tx) Imports() Imports { return txImports{tx} }

func (t txImports) ImportedRows(_ context.Context, userID string, keys []string) ([]models.ImportedRow, error) {
	return findIn[models.ImportedRow](t.tx, t.tx.s.importedRows(t.tx.orm(), userID, keys))
}

func (t txImports) ExpensesBetween(
	_ context.Context, userID string, from, to time.Time, amounts []models.Money, limit int,
) ([]models.Expense, error) {
	return findIn[models.Expense](t.tx, expensesBetween(t.tx.orm(), userID, from, to, amounts, limit))
}

func (t txImports) ExistingExpenses(_ context.Context, ids []string) ([]string, error) {
	return findIn[string](t.tx, t.tx.s.existingExpenses(t.tx.orm(), ids))
}

func (t txImports) OperationsByKey(_ context.Context, _ string, keys []string) (all []models.QueuedOperation, err error) {
	err = t.tx.Preload(Preload{OperationKeys: keys})
	for i := 0; err == nil && i < len(keys); i++ {
		op, found, failed := t.tx.OperationByKey(keys[i])
		if err = failed; found {
			all = append(all, op)
		}
	}
	return all, err
}

func (s *Store) operationsByKey(db *gorm.DB, userID string, keys []string) *gorm.DB {
	return db.Where("user_id = ? AND key <> ''", userID).Where(s.db.In("key", keys))
}

func (s *Store) importedRows(db *gorm.DB, userID string, keys []string) *gorm.DB {
	return db.Where("user_id = ?", userID).Where(s.db.In("row_key", keys))
}

func (s *Store) existingExpenses(db *gorm.DB, ids []string) *gorm.DB {
	return db.Model(&models.Expense{}).Select("id").Where(s.db.In("id", ids))
}

func expensesBetween(db *gorm.DB, userID string, from, to time.Time, amounts []models.Money, limit int) *gorm.DB {
	return db.Where("user_id = ? AND date >= ? AND date < ?", userID, from.UnixMilli(), to.UnixMilli()).
		Where("amount IN ?", amounts).Order("date, id").Limit(limit)
}

// maxImports is how many imports Imports returns.
const maxImports = 100

// ListImports returns the user's imports, the newest first; at most 100.
func (s *Store) ListImports(ctx context.Context, userID string) ([]models.Import, error) {
	return find.All[models.Import](s.db.Read(ctx).Where("user_id = ?", userID).Order("created_at DESC, id DESC").Limit(maxImports))
}

var errNoImport = models.E(models.NotFound, "Import not found")

// Import returns the user's import of this id; models.NotFound if there is none.
func (tx *Tx) Import(id string) (models.Import, error) {
	if !models.IsID(id) {
		return models.Import{}, errNoImport
	}
	i, found, err := oneIn[models.Import](tx, tx.orm().Where("user_id = ? AND id = ?", tx.user.ID, id))
	if err == nil && !found {
		err = errNoImport
	}
	return i, err
}

// InterruptedImport returns the user's import of a file that did not end; false if there is none.
func (s *Store) InterruptedImport(ctx context.Context, userID, digest string) (models.Import, bool, error) {
	i, err := find.One[models.Import](s.db.Read(ctx).
		Where("user_id = ? AND digest = ? AND state = ?", userID, digest, models.ImportRunning).Order("created_at DESC").Limit(1))
	if find.IsNotFound(err) {
		return i, false, nil
	}
	return i, err == nil, err
}

// SaveImport stores an import of the user's, new or not.
func (tx *Tx) SaveImport(i models.Import) error {
	tx.wrote = true
	i.UserID = tx.user.ID
	return tx.run(tx.orm().Clauses(rows.Overwrite(i)).Create(&i))
}

// SaveImportedRows stores what rows of the user's became, in place of what they were before.
func (tx *Tx) SaveImportedRows(all []models.ImportedRow) error {
	for i := range all {
		all[i].UserID, all[i].CreatedAt, all[i].Version = tx.user.ID, tx.Now(), max(all[i].Version, 1)
	}
	return insert(tx, all, overwriteAll(rows.Of(models.ImportedRow{})))
}

// RowsOfImport returns rows of an import of the user's after a key, in the order of keys; at
// most limit.
func (s *Store) RowsOfImport(ctx context.Context, userID, importID, after string, limit int) ([]models.ImportedRow, error) {
	return find.All[models.ImportedRow](s.db.Read(ctx).
		Where("import_id = ? AND row_key > ? AND user_id = ?", importID, after, userID).Order("row_key").Limit(limit))
}

// CountImportedRows returns how many rows of an import of the user's are known.
func (tx *Tx) CountImportedRows(importID string) (int64, error) {
	return tx.count(tx.orm().Model(&models.ImportedRow{}).Where("import_id = ? AND user_id = ?", importID, tx.user.ID))
}

// DeleteImportedRows forgets rows of the user's, so that they can be imported again.
func (tx *Tx) DeleteImportedRows(keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	return tx.run(tx.orm().Where("user_id = ?", tx.user.ID).Where(tx.s.db.In("row_key", keys)).Delete(&models.ImportedRow{}))
}

// Unreferenced reports whether an expense of the user's is not shared and was not, nobody is invited
// to it, and nothing was said about it.
func (tx *Tx) Unreferenced(expenseID string) (bool, error) {
	for _, row := range []any{&access.ShareRow{}, &access.InvitationRow{}, &models.Activity{}} {
		if n, err := tx.count(tx.orm().Model(row).Where("expense_id = ?", expenseID)); err != nil || n > 0 {
			return false, err
		}
	}
	return true, nil
}

// DeleteActivity removes what the user said, and returns whether it was there.
func (tx *Tx) DeleteActivity(id string) (bool, error) {
	done := tx.orm().Where("id = ? AND user_id = ?", id, tx.user.ID).Delete(&models.Activity{})
	tx.wrote = true
	return done.RowsAffected > 0, tx.run(done)
}

// DeleteOperation removes an operation that Operation returned, so that nothing is known of it.
func (tx *Tx) DeleteOperation(op models.QueuedOperation) { tx.operations.Remove(op.ID) }
