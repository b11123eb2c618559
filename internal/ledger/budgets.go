package ledger

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"expenseflow/models"
)

// A BudgetCreation is a request to create a budget. RequestID is as in ExpenseCreation.
type BudgetCreation struct {
	Draft     models.BudgetDraft
	Author    models.Author
	RequestID string
}

// CodeBudgetLimit is the error code if a user has models.MaxBudgets budgets already.
const CodeBudgetLimit = "BUDGET_LIMIT"

// CreateBudget stores a new budget. It raises an alert if the budget's threshold is
// reached already. Errors: *models.InvalidError, models.Invalid with CodeBudgetLimit,
// models.Conflict with CodeKeyReused, and those of store.Write.
func (l *Ledger) CreateBudget(ctx context.Context, userID string, c BudgetCreation) (models.Budget, error) {
	var b models.Budget
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		b, err = w.createBudgetOnce(c)
		return err
	})
	if err != nil {
		return models.Budget{}, fmt.Errorf("create budget: %w", err)
	}
	return b, nil
}

func (w *Work) createBudgetOnce(c BudgetCreation) (models.Budget, error) {
	key, data := creationKey(w.Tx.User().ID, c.RequestID, "", ""), budgetHash(c.Draft)
	first, again, err := w.Tx.OperationByKey(key)
	switch {
	case err != nil:
		return models.Budget{}, err
	case again && (string(first.Data) != quoteHex(data) || first.Result.Budget == nil):
		return models.Budget{}, keyReusedError(c.RequestID, "budget")
	case again:
		return *first.Result.Budget, nil
	}
	b, err := w.createBudget(c)
	if err == nil && key != "" {
		w.storeCreation(key, "budget", data, c.Author.DeviceID, models.Result{ResourceID: c.RequestID, Budget: &b})
	}
	return b, err
}

func (w *Work) createBudget(c BudgetCreation) (models.Budget, error) {
	b := c.Draft.Budget(w.Tx.Zone())
	if err := models.InvalidIf(b.Check()); err != nil {
		return models.Budget{}, err
	}
	user, now := w.Tx.User(), w.Tx.Now()
	if user.Budgets >= models.MaxBudgets {
		return models.Budget{}, budgetLimitError()
	}
	b.ID, b.UserID, b.Version, b.CreatedAt, b.UpdatedAt = NewID(), user.ID, 1, now, now
	w.Tx.InsertBudget(b)
	w.appendBudgetChange(models.BudgetCreated, b, c.Author)
	return b, nil
}

func budgetLimitError() error {
	return limitError(CodeBudgetLimit, "There can be at most "+strconv.Itoa(models.MaxBudgets)+" budgets")
}

// UpdateBudget changes the fields of p. It raises an alert if that raises the budget's
// level. seen is the version that the client last read, nil to overwrite any. If a newer
// version is stored, nothing changes and the error is a *models.ConflictError with the
// stored budget. Other errors: *models.InvalidError, models.NotFound, and those of
// store.Write.
func (l *Ledger) UpdateBudget(
	ctx context.Context, userID, id string, seen *int64, p models.BudgetPatch, by models.Author,
) (models.Budget, error) {
	var b models.Budget
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		b, err = w.updateBudget(id, seen, p, by)
		return err
	})
	if err != nil {
		return models.Budget{}, fmt.Errorf("update budget: %w", err)
	}
	return b, nil
}

func (w *Work) updateBudget(id string, seen *int64, p models.BudgetPatch, by models.Author) (models.Budget, error) {
	b, err := w.Tx.Budget(id)
	switch {
	case err != nil:
		return models.Budget{}, err
	case seen != nil && b.Version > *seen:
		return models.Budget{}, &models.ConflictError{Budget: &b}
	}
	p.Apply(&b, w.Tx.Zone())
	if err := models.InvalidIf(b.Check()); err != nil {
		return models.Budget{}, err
	}
	b.Version, b.UpdatedAt = b.Version+1, w.Tx.Now()
	w.Tx.UpdateBudget(b)
	w.appendBudgetChange(models.BudgetUpdated, b, by)
	return b, nil
}

// DeleteBudget removes a budget and returns its last state. Errors: models.NotFound,
// also if it was deleted before, and those of store.Write.
func (l *Ledger) DeleteBudget(ctx context.Context, userID, id string, by models.Author) (models.Budget, error) {
	var b models.Budget
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		if b, err = w.Tx.Budget(id); err != nil {
			return err
		}
		w.Tx.DeleteBudget(b)
		w.appendBudgetChange(models.BudgetDeleted, b, by)
		return nil
	})
	if err != nil {
		return models.Budget{}, fmt.Errorf("delete budget: %w", err)
	}
	return b, nil
}

func (w *Work) appendBudgetChange(kind models.ChangeKind, b models.Budget, by models.Author) {
	w.Tx.Append(models.Change{Kind: kind, EntityID: b.ID, Budget: &b, Author: by})
	w.Tx.TouchDevice(by)
}

// budgetHash returns a hash of a draft's normalized data.
func budgetHash(d models.BudgetDraft) string {
	b := d.Budget(time.UTC)
	return HashKey("budget", b.Name, b.Category, b.Amount.String(), string(b.Period),
		b.Start.Format(time.RFC3339Nano), b.End.Format(time.RFC3339Nano), strconv.Itoa(b.Threshold))
}
