package ledger

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"expenseflow/models"
)

// A BudgetCreation is a new budget as a door received it. RequestID is the client's
// own name for this request, as that of a Creation; "" if it has none.
type BudgetCreation struct {
	Draft     models.BudgetDraft
	Author    models.Author
	RequestID string
}

// CodeBudgetLimit is the code of one budget too many.
const CodeBudgetLimit = "BUDGET_LIMIT"

// CreateBudget stores a new budget, and alerts at once if more than its
// threshold is spent already. Errors: *models.InvalidError for a draft that
// breaks a rule, models.Invalid with CodeBudgetLimit for more than
// models.MaxBudgets, models.Conflict for other data under a name that was used,
// and store.Write's.
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
	key, data := nameKey(w.Tx.User().ID, c.RequestID, "", ""), budgetHash(c.Draft)
	first, again, err := w.Tx.OperationByKey(key)
	switch {
	case err != nil:
		return models.Budget{}, err
	case again && (string(first.Data) != quoted(data) || first.Result.Budget == nil):
		return models.Budget{}, reused(c.RequestID, "budget")
	case again:
		return *first.Result.Budget, nil
	}
	b, err := w.createBudget(c)
	if err == nil && key != "" {
		w.remember(key, "budget", data, c.Author.DeviceID, models.Result{ResourceID: c.RequestID, Budget: &b})
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
		return models.Budget{}, &models.Error{
			Kind: models.Invalid, Code: CodeBudgetLimit,
			Msg: "There can be at most " + strconv.Itoa(models.MaxBudgets) + " budgets",
		}
	}
	b.ID, b.UserID, b.Version, b.CreatedAt, b.UpdatedAt = NewID(), user.ID, 1, now, now
	w.Tx.InsertBudget(b)
	w.announceBudget(models.BudgetCreated, b, c.Author)
	return b, nil
}

// UpdateBudget changes the fields that p names, and alerts if that raises the
// budget's level. seen is the version that the client last read, nil if it named
// none: if a newer one is stored, nothing changes and the error is a
// *models.ConflictError with the stored budget. Other errors:
// *models.InvalidError, models.NotFound, and store.Write's.
func (l *Ledger) UpdateBudget(ctx context.Context, userID, id string, seen *int64, p models.BudgetPatch, by models.Author) (models.Budget, error) {
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
	w.announceBudget(models.BudgetUpdated, b, by)
	return b, nil
}

// DeleteBudget removes a budget and gives its last state. Errors:
// models.NotFound, also for what is deleted already, and store.Write's.
func (l *Ledger) DeleteBudget(ctx context.Context, userID, id string, by models.Author) (models.Budget, error) {
	var b models.Budget
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		if b, err = w.Tx.Budget(id); err != nil {
			return err
		}
		w.Tx.DeleteBudget(b)
		w.announceBudget(models.BudgetDeleted, b, by)
		return nil
	})
	if err != nil {
		return models.Budget{}, fmt.Errorf("delete budget: %w", err)
	}
	return b, nil
}

func (w *Work) announceBudget(kind models.ChangeKind, b models.Budget, by models.Author) {
	w.Tx.Append(models.Change{Kind: kind, EntityID: b.ID, Budget: &b, Author: by})
	w.Tx.TouchDevice(by)
}

// budgetHash names a draft's normalized data.
func budgetHash(d models.BudgetDraft) string {
	b := d.Budget(time.UTC)
	return Key("budget", b.Name, b.Category, b.Amount.String(), string(b.Period),
		b.Start.Format(time.RFC3339Nano), b.End.Format(time.RFC3339Nano), strconv.Itoa(b.Threshold))
}
