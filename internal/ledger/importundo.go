package ledger

import "expenseflow/models"

// A Fate is what became of an imported entity when its import was undone.
type Fate uint8

// The fates.
const (
	Gone    Fate = iota // its owner has deleted it before
	Kept                // it was changed, shared or commented since
	Removed             // it was deleted now
)

// TakeBack deletes what became of an imported row if it is as it was imported. Errors are the
// store's.
func (w *Work) TakeBack(r models.ImportedRow, by models.Author) (Fate, error) {
	remove := takesBack[r.Kind]
	if remove == nil {
		return Kept, nil // of a newer program
	}
	fate, err := remove(w, r, by)
	if models.KindOf(err) == models.NotFound {
		return Gone, nil
	}
	return fate, err
}

// takesBack delete an entity of each kind. Their error is models.NotFound if it is not there.
var takesBack = map[models.ImportedKind]func(*Work, models.ImportedRow, models.Author) (Fate, error){
	models.ImportedExpense:      (*Work).takeBackExpense,
	models.ImportedBudget:       (*Work).takeBackBudget,
	models.ImportedGoal:         (*Work).takeBackGoal,
	models.ImportedComment:      (*Work).takeBackComment,
	models.ImportedNotification: (*Work).takeBackNotification,
	models.ImportedOperation:    (*Work).takeBackOperation,
}

// takeBackExpense deletes an expense. What the import had said about it is gone already (rowKey).
func (w *Work) takeBackExpense(r models.ImportedRow, by models.Author) (Fate, error) {
	e, err := w.Tx.Expense(r.ExpenseID)
	if err != nil || e.Version != r.Version || e.Shares > 0 {
		return Kept, err
	}
	if e.HasDependents {
		if alone, err := w.Tx.Unreferenced(e.ID); err != nil || !alone {
			return Kept, err
		}
	}
	_, err = w.Delete(e.ID, by)
	return Removed, err
}

func (w *Work) takeBackBudget(r models.ImportedRow, by models.Author) (Fate, error) {
	b, err := w.Tx.Budget(r.ExpenseID)
	if err != nil || b.Version != r.Version {
		return Kept, err
	}
	w.Tx.DeleteBudget(b)
	w.appendBudgetChange(models.BudgetDeleted, b, by)
	return Removed, nil
}

func (w *Work) takeBackGoal(r models.ImportedRow, _ models.Author) (Fate, error) {
	g, err := w.Tx.Goal(r.ExpenseID)
	if err != nil || g.Version != r.Version {
		return Kept, err
	}
	return Removed, w.Tx.DeleteGoal(g.ID)
}

func (w *Work) takeBackComment(r models.ImportedRow, _ models.Author) (Fate, error) {
	there, err := w.Tx.DeleteActivity(r.ExpenseID)
	if err != nil || !there {
		return Gone, err
	}
	return Removed, nil
}

// takeBackNotification deletes a notification, which may be read by now.
func (w *Work) takeBackNotification(r models.ImportedRow, _ models.Author) (Fate, error) {
	n, err := w.Tx.Notification(r.ExpenseID)
	if err != nil {
		return Kept, err
	}
	w.Tx.DeleteNotification(n)
	w.Tx.Append(models.Change{Kind: models.NotificationDeleted, EntityID: n.ID})
	return Removed, nil
}

// takeBackOperation forgets an operation that waits for a decision; one about which it was made is gone.
func (w *Work) takeBackOperation(r models.ImportedRow, _ models.Author) (Fate, error) {
	op, err := w.Tx.Operation(r.ExpenseID)
	if err != nil || op.State != models.Parked {
		return Gone, err
	}
	w.Tx.DeleteOperation(op)
	return Removed, nil
}
