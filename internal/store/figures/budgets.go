package figures

import (
	"context"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/models"
)

// ErrNoBudget is the error for a budget that the user does not have.
var ErrNoBudget error = models.E(models.NotFound, "Budget not found")

// SetWindow sets the window of day in s and reports whether it is another one, so that
// Spent is to be added up. Of a new period no level is known.
func SetWindow(s *models.BudgetState, day models.Day) bool {
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
func (f Figures) BudgetOf(ctx context.Context, userID, id string, at time.Time) (models.BudgetReport, error) {
	if !models.IsID(id) {
		return models.BudgetReport{}, ErrNoBudget
	}
	reports, err := f.budgetReports(ctx, userID, at, "id = ?", id)
	if err == nil && len(reports) == 0 {
		err = ErrNoBudget
	}
	if err != nil {
		return models.BudgetReport{}, err
	}
	return reports[0], nil
}

// BudgetStates returns how the user's budgets stand at a moment, by its day in the
// account's zone, newest first, all read at once. A budget whose life has not
// begun, or is over, stands as in its first or its last period.
func (f Figures) BudgetStates(ctx context.Context, userID string, at time.Time) ([]models.BudgetReport, error) {
	return f.budgetReports(ctx, userID, at)
}

// fewBudgets are so few that adding them up takes no longer than any other read.
const fewBudgets = 10

// budgetReports reports on the user's budgets that meet a condition. Of a user with many
// budgets it is a long read.
func (f Figures) budgetReports(
	ctx context.Context, userID string, at time.Time, condition ...any,
) (reports []models.BudgetReport, err error) {
	u, err := find.OfUser[models.User](f.db.Read(ctx), userID, "budgets")
	if err != nil && !find.IsNotFound(err) {
		return nil, err
	}
	if u.Budgets > fewBudgets {
		err = f.longSnapshot(ctx, userID, func(v *snapshot) (_ int64, err error) {
			reports, err = v.budgetReports(userID, at, condition)
			return int64(len(reports)), err
		})
		return reports, err
	}
	err = f.snapshot(ctx, func(v *snapshot) (err error) {
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
	day := models.DayOf(at, v.f.db.ZoneOf(&u))
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
	if SetWindow(s, day) {
		s.Spent, err = SpentIn(v.db, s)
	}
	s.Spent = s.Spent.Normalized()
	s.Level, s.Active = s.Budget.LevelOf(s.Spent), s.Budget.ActiveOn(day)
	return err
}
