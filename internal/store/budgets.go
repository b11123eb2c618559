package store

import (
	"context"
	"slices"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/models"
)

// Beside a budget the store keeps what was spent of the account's currency in its window
// when the user last wrote (BudgetState's From, To and Spent) and the level that the user
// knows of (Level). Each change of an expense adds its difference (dailyTotal). Only a window
// that has changed, by time or by an edit, is added up anew.

var errNoBudget = models.E(models.NotFound, "Budget not found")

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
		return models.Budget{}, errNoBudget
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
func (tx *Tx) moved(s models.BudgetState, deltas []dailyTotal) (models.BudgetState, error) {
	if !setWindow(&s, tx.Today()) {
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
	s.Spent, err = spentIn(tx.orm(), &s)
	return s, tx.note(err)
}

func counts(s *models.BudgetState, t dailyTotal) bool {
	return t.Type == "expense" && s.Budget.Covers(t.Category) && models.IsOwnCurrency(t.Currency, s.Currency) &&
		t.Day >= s.From && t.Day < s.To
}

// keepState saves s if it differs from what is there.
func (tx *Tx) keepState(s models.BudgetState) {
	if old, _, _ := tx.budgets.Get(s.Budget.ID); old != s {
		tx.budgets.Put(s.Budget.ID, s, true)
	}
}

// setWindow sets the window of day in s and reports whether it is another one, so that
// Spent is to be added up. Of a new period no level is known.
func setWindow(s *models.BudgetState, day models.Day) bool {
	from, to := s.Budget.Window(day)
	if s.From == from && s.To == to {
		return false
	}
	if s.Budget.PeriodStart(s.From) != s.Budget.PeriodStart(day) {
		s.Level = models.LevelNone
	}
	s.From, s.To = from, to
	return true
}

// BudgetOf returns how the user's budget of this id stands at a moment;
// models.NotFound if there is none, or it is another user's.
func (s *Store) BudgetOf(ctx context.Context, userID, id string, at time.Time) (models.BudgetReport, error) {
	if !models.IsID(id) {
		return models.BudgetReport{}, errNoBudget
	}
	reports, err := s.budgetReports(ctx, userID, at, "id = ?", id)
	if err == nil && len(reports) == 0 {
		err = errNoBudget
	}
	if err != nil {
		return models.BudgetReport{}, err
	}
	return reports[0], nil
}

// BudgetStates returns how the user's budgets stand at a moment, by its day in the
// account's zone, newest first, all read at once. A budget whose life has not
// begun, or is over, stands as in its first or its last period.
func (s *Store) BudgetStates(ctx context.Context, userID string, at time.Time) ([]models.BudgetReport, error) {
	return s.budgetReports(ctx, userID, at)
}

// fewBudgets are so few that adding them up takes no longer than any other read.
const fewBudgets = 10

// budgetReports reports on the user's budgets that meet a condition. Of a user with many
// budgets it is a long read.
func (s *Store) budgetReports(
	ctx context.Context, userID string, at time.Time, condition ...any,
) (reports []models.BudgetReport, err error) {
	u, err := find.OfUser[models.User](s.db.Read(ctx), userID, "budgets")
	if err != nil && !find.IsNotFound(err) {
		return nil, err
	}
	if u.Budgets > fewBudgets {
		err = s.longSnapshot(ctx, userID, func(v *snapshot) (_ int64, err error) {
			reports, err = v.budgetReports(userID, at, condition)
			return int64(len(reports)), err
		})
		return reports, err
	}
	err = s.snapshot(ctx, func(v *snapshot) (err error) {
		reports, err = v.budgetReports(userID, at, condition)
		return err
	})
	return reports, err
}

func (v *snapshot) budgetReports(userID string, at time.Time, condition []any) ([]models.BudgetReport, error) {
	query := v.db.Where("user_id = ?", userID).Order("created_at DESC, id DESC")
	if len(condition) > 0 {
		query = query.Where(condition[0], condition[1:]...)
	}
	states, err := find.All[models.BudgetState](query)
	reports := find.Mapped(states, func(s models.BudgetState) models.BudgetReport { return models.BudgetReport{BudgetState: s} })
	if err != nil || len(reports) == 0 {
		return reports, err
	}
	return reports, v.report(reports, at)
}

// report brings stored states of one user to a moment.
func (v *snapshot) report(reports []models.BudgetReport, at time.Time) error {
	u, err := v.user(reports[0].Budget.UserID)
	if err != nil {
		return err
	}
	day := models.DayOf(at, v.s.ZoneOf(&u))
	_, others := u.Totals.ForAccount(u.Currency())
	for i := range reports {
		r := &reports[i]
		r.Currency = u.Currency()
		if err := v.bringTo(day, &r.BudgetState); err != nil {
			return err
		}
		if len(others) == 0 {
			continue
		}
		if r.Others, err = spentElsewhere(v.db, &r.BudgetState); err != nil {
			return err
		}
	}
	return nil
}

// bringTo brings a stored state to a day.
func (v *snapshot) bringTo(day models.Day, s *models.BudgetState) (err error) {
	if setWindow(s, day) {
		s.Spent, err = spentIn(v.db, s)
	}
	s.Spent = s.Spent.Normalized()
	s.Level, s.Active = s.Budget.LevelOf(s.Spent), s.Budget.ActiveOn(day)
	return err
}
