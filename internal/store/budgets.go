package store

import (
	"slices"

	"expenseflow/internal/store/figures"
	"expenseflow/models"
)

// Beside a budget the store keeps what was spent of the account's currency in its window
// when the user last wrote (BudgetState's From, To and Spent) and the level that the user
// knows of (Level). Each change of an expense adds its difference (figures.DailyTotal). Only a
// window that has changed, by time or by an edit, is added up anew.

// budgetIDs are those of the loaded budgets that exist, in order.
func (tx *Tx) budgetIDs() (ids []string) {
	for id := range tx.budgets.All() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// loadBudgets reads all of the user's budgets, once.
func (tx *Tx) loadBudgets() error {
	if tx.budgetsLoaded {
		return tx.failed
	}
	all, err := findIn[models.BudgetState](tx, tx.orm().Where("user_id = ?", tx.user.ID))
	for _, s := range all {
		s.Currency = tx.user.Currency()
		tx.budgets.Load(s.Budget.ID, s, true)
	}
	tx.budgetsLoaded = err == nil
	return err
}

// Budget returns the user's budget of this id; models.NotFound if there is none.
func (tx *Tx) Budget(id string) (models.Budget, error) {
	if err := tx.loadBudgets(); err != nil {
		return models.Budget{}, err
	}
	s, exists, _ := tx.budgets.Get(id)
	if !exists {
		return models.Budget{}, figures.ErrNoBudget
	}
	return s.Budget, nil
}

// InsertBudget saves a new budget, of whose level the user knows nothing.
func (tx *Tx) InsertBudget(b models.Budget) {
	tx.budgets.Put(b.ID, models.BudgetState{Budget: b, Currency: tx.user.Currency()}, false)
	tx.user.Budgets++
}

// UpdateBudget saves a budget that Budget returned. One that counts something else
// from now on begins anew.
func (tx *Tx) UpdateBudget(b models.Budget) {
	s, _, _ := tx.budgets.Get(b.ID)
	if b.Category != s.Budget.Category || b.Period != s.Budget.Period {
		s = models.BudgetState{Currency: tx.user.Currency()}
	}
	s.Budget = b
	tx.budgets.Put(b.ID, s, true)
}

// DeleteBudget removes a budget that Budget returned.
func (tx *Tx) DeleteBudget(b models.Budget) {
	tx.budgets.Remove(b.ID)
	tx.user.Budgets--
}

// A BudgetEvaluation is how a budget stands at the transaction's moment, with all that
// the transaction did, and the level that the user knew of until now.
type BudgetEvaluation struct {
	models.BudgetState
	Known models.Level
}

// EvaluateBudgets returns how the user's budgets stand and takes their levels for known from
// now on. In a new period nothing is known, and a budget that does not count at
// this moment is at no level. For a user without budgets it costs nothing.
func (tx *Tx) EvaluateBudgets() ([]BudgetEvaluation, error) {
	if tx.user.Budgets == 0 {
		return nil, tx.failed
	}
	if err := tx.moveBudgets(); err != nil {
		return nil, err
	}
	var all []BudgetEvaluation
	today := tx.Today()
	for _, id := range tx.budgetIDs() {
		s, _, _ := tx.budgets.Get(id)
		r := BudgetEvaluation{s, s.Level}
		r.Active, r.Level = s.Budget.ActiveOn(today), models.LevelNone
		if r.Active {
			r.Level = s.Budget.LevelOf(s.Spent)
		}
		s.Level = r.Level
		tx.keepState(s)
		all = append(all, r)
	}
	return all, nil
}

// updateBudgets adds to the budgets what the transaction has added to the totals since they
// were last updated.
func (tx *Tx) updateBudgets() error {
	if tx.user.Budgets == 0 || tx.writtenBudgets == len(tx.deltas) {
		return tx.failed
	}
	return tx.moveBudgets()
}

// moveBudgets brings what is kept beside the budgets up to the transaction's moment.
func (tx *Tx) moveBudgets() error {
	if err := tx.loadBudgets(); err != nil {
		return err
	}
	fresh := tx.deltas[tx.writtenBudgets:]
	for _, id := range tx.budgetIDs() {
		s, _, _ := tx.budgets.Get(id)
		s, err := tx.moved(s, fresh)
		if err != nil {
			return err
		}
		tx.keepState(s)
	}
	tx.writtenBudgets = len(tx.deltas)
	return nil
}

// moved returns s as of now: with what was added to the totals, or added up if its window is
// another.
func (tx *Tx) moved(s models.BudgetState, deltas []figures.DailyTotal) (models.BudgetState, error) {
	if !figures.SetWindow(&s, tx.Today()) {
		for _, t := range deltas {
			if counts(&s, t) {
				s.Spent = s.Spent.Plus(t.Sum)
			}
		}
		return s, nil
	}
	if err := tx.flush(); err != nil {
		return s, err
	}
	var err error
	s.Spent, err = figures.SpentIn(tx.orm(), &s)
	return s, tx.note(err)
}

func counts(s *models.BudgetState, t figures.DailyTotal) bool {
	return t.Type == "expense" && s.Budget.Covers(t.Category) && models.IsOwnCurrency(t.Currency, s.Currency) &&
		t.Day >= s.From && t.Day < s.To
}

// keepState saves s if it differs from what is there.
func (tx *Tx) keepState(s models.BudgetState) {
	if old, _, _ := tx.budgets.Get(s.Budget.ID); old != s {
		tx.budgets.Put(s.Budget.ID, s, true)
	}
}
