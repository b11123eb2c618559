package store

import (
	"maps"
	"slices"

	"expenseflow/models"
)

// Beside a budget the store keeps what was spent of the account's currency in its
// window when the user last wrote (BudgetState's From, To and Spent), which tallies move along, and
// the level that the user knows of (Level). Only a window that has changed, by
// time or by an edit, is added up anew.

var errNoBudget = models.E(models.NotFound, "Budget not found")

// budgetIDs are those of the loaded budgets that exist, in order.
func (tx *Tx) budgetIDs() []string {
	ids := slices.Sorted(maps.Keys(tx.budgets.entries))
	return slices.DeleteFunc(ids, func(id string) bool { return !tx.budgets.entries[id].exists })
}

// loadBudgets reads all of the user's budgets, once.
func (tx *Tx) loadBudgets() error {
	if tx.budgetsLoaded {
		return tx.failed
	}
	err := tx.query(selectBudgets, []any{tx.user.ID}, func(row scanner) error {
		s, err := scanBudget(row)
		s.Currency = tx.currency()
		tx.budgets.load(s.Budget.ID, s, true)
		return err
	})
	tx.budgetsLoaded = err == nil
	return err
}

// Budget is the user's budget of this id; models.NotFound if there is none.
func (tx *Tx) Budget(id string) (models.Budget, error) {
	if err := tx.loadBudgets(); err != nil {
		return models.Budget{}, err
	}
	s, exists, _ := tx.budgets.get(id)
	if !exists {
		return models.Budget{}, errNoBudget
	}
	return s.Budget, nil
}

// InsertBudget saves a new budget, of whose level the user knows nothing.
func (tx *Tx) InsertBudget(b models.Budget) {
	tx.budgets.put(b.ID, models.BudgetState{Budget: b, Currency: tx.currency()}, false)
	tx.user.Budgets++
}

// UpdateBudget saves a budget that Budget gave. One that counts something else
// from now on begins anew.
func (tx *Tx) UpdateBudget(b models.Budget) {
	s, _, _ := tx.budgets.get(b.ID)
	if b.Category != s.Budget.Category || b.Period != s.Budget.Period {
		s = models.BudgetState{Currency: tx.currency()}
	}
	s.Budget = b
	tx.budgets.put(b.ID, s, true)
}

// DeleteBudget removes a budget that Budget gave.
func (tx *Tx) DeleteBudget(b models.Budget) {
	tx.budgets.remove(b.ID)
	tx.user.Budgets--
}

// A Reckoning is how a budget stands at the transaction's moment, with all that
// the transaction did, and the level that the user knew of until now.
type Reckoning struct {
	models.BudgetState
	Known models.Level
}

// Reckon takes stock of the user's budgets and takes their levels for known from
// now on. In a new period nothing is known, and a budget that does not count at
// this moment is at no level. For a user without budgets it costs nothing.
func (tx *Tx) Reckon() ([]Reckoning, error) {
	if tx.user.Budgets == 0 {
		return nil, tx.failed
	}
	if err := tx.moveBudgets(); err != nil {
		return nil, err
	}
	var all []Reckoning
	today := tx.Today()
	for _, id := range tx.budgetIDs() {
		s, _, _ := tx.budgets.get(id)
		r := Reckoning{s, s.Level}
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

// follow lets the budgets know what was tallied, if they do not yet.
func (tx *Tx) follow() error {
	if tx.user.Budgets == 0 || tx.followed == len(tx.tallies) {
		return tx.failed
	}
	return tx.moveBudgets()
}

// moveBudgets brings what is kept beside the budgets up to the transaction's moment.
func (tx *Tx) moveBudgets() error {
	if err := tx.loadBudgets(); err != nil {
		return err
	}
	fresh := tx.tallies[tx.followed:]
	for _, id := range tx.budgetIDs() {
		s, _, _ := tx.budgets.get(id)
		s, err := tx.moved(s, fresh)
		if err != nil {
			return err
		}
		tx.keepState(s)
	}
	tx.followed = len(tx.tallies)
	return nil
}

// moved gives s as of now: with the tallies, or added up if its window is another.
func (tx *Tx) moved(s models.BudgetState, tallies []tally) (models.BudgetState, error) {
	if !renew(&s, tx.Today()) {
		for _, t := range tallies {
			if counts(&s, t) {
				s.Spent = s.Spent.Plus(t.sum)
			}
		}
		return s, nil
	}
	if err := tx.flush(); err != nil {
		return s, err
	}
	err := tx.query(spentIn, spentArgs(&s), func(row scanner) (err error) {
		s.Spent, err = scanSum(row)
		return err
	})
	return s, err
}

func counts(s *models.BudgetState, t tally) bool {
	return t.kind == "expense" && s.Budget.Counts(t.category) && models.IsOwnCurrency(t.currency, s.Currency) &&
		t.day >= s.From && t.day < s.To
}

// keepState saves s if it differs from what is there.
func (tx *Tx) keepState(s models.BudgetState) {
	if old, _, _ := tx.budgets.get(s.Budget.ID); old != s {
		tx.budgets.put(s.Budget.ID, s, true)
	}
}
