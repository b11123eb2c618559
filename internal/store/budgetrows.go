package store

import (
	"context"
	"time"

	"expenseflow/models"
)

type budgetRow struct {
	ID          string `gorm:"primaryKey"`
	UserID      string `gorm:"index:budgets_user"`
	Name        string
	Category    string
	Amount      int64
	Period      string
	StartAt     *int64
	EndAt       *int64
	StartDay    *int64 // this and the other days: since 1970-01-01
	EndDay      *int64
	Threshold   int64
	Version     int64
	CreatedAt   int64
	UpdatedAt   int64
	WindowFrom  int64
	WindowTo    int64
	SpentUnits  int64
	SpentMicros int64
	Level       int64
}

type dailyTotalRow struct {
	UserID   string `gorm:"primaryKey"`
	Day      int64  `gorm:"primaryKey"` // since 1970-01-01
	Category string `gorm:"primaryKey"`
	Type     string `gorm:"primaryKey"`
	Currency string `gorm:"primaryKey"` // as entries name it
	Units    int64
	Micros   int64
	Count    int64
}

func (budgetRow) TableName() string     { return "budgets" }
func (dailyTotalRow) TableName() string { return "daily_totals" }

var budgetTable = &table{name: "budgets", key: "id", columns: []column{
	{"id", text},
	{"user_id", text},
	{"name", text},
	{"category", text},
	{"amount", integer},
	{"period", text},
	{"start_at", nullableInteger},
	{"end_at", nullableInteger},
	{"start_day", nullableInteger},
	{"end_day", nullableInteger},
	{"threshold", integer},
	{"version", integer},
	{"created_at", integer},
	{"updated_at", integer},
	{"window_from", integer},
	{"window_to", integer},
	{"spent_units", integer},
	{"spent_micros", integer},
	{"level", integer},
}}

var selectBudgets = "SELECT " + budgetTable.names() + " FROM budgets WHERE user_id = ?"

func budgetValues(s models.BudgetState) []any {
	b := &s.Budget
	return []any{
		b.ID, b.UserID, b.Name, b.Category, int64(b.Amount),
		string(b.Period), orOpen(b.Start), orOpen(b.End), dayOf(b.Start, b.StartDay), dayOf(b.End, b.EndDay), int64(b.Threshold), b.Version,
		b.CreatedAt.UnixMilli(), b.UpdatedAt.UnixMilli(), int64(s.From), int64(s.To),
		s.Spent.Units, s.Spent.Micros, int64(s.Level),
	}
}

func scanBudget(row scanner) (models.BudgetState, error) {
	var s models.BudgetState
	b := &s.Budget
	var start, end, startDay, endDay *int64
	var created, updated int64
	err := row.Scan(&b.ID, &b.UserID, &b.Name, &b.Category, &b.Amount,
		&b.Period, &start, &end, &startDay, &endDay, &b.Threshold, &b.Version,
		&created, &updated, &s.From, &s.To,
		&s.Spent.Units, &s.Spent.Micros, &s.Level)
	b.Start, b.End = fromOpen(start), fromOpen(end)
	if start != nil {
		b.StartDay = dayOr(startDay, b.Start)
	}
	if end != nil {
		b.EndDay = dayOr(endDay, b.End)
	}
	b.CreatedAt, b.UpdatedAt = fromMillis(created), fromMillis(updated)
	return s, err
}

// dayOf is the day of a moment, nil for an open end.
func dayOf(t time.Time, d models.Day) *int64 {
	if t.IsZero() {
		return nil
	}
	return (*int64)(&d)
}

// orOpen is nil for the zero time, which stands for an open end.
func orOpen(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}

func fromOpen(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return fromMillis(*ms)
}

// renew gives s the window of day and tells whether it is another one, so that
// Spent is to be added up. Of a new period no level is known.
func renew(s *models.BudgetState, day models.Day) bool {
	from, to := s.Budget.Window(day)
	if s.From == from && s.To == to {
		return false
	}
	if s.Budget.Round(s.From) != s.Budget.Round(day) {
		s.Level = models.LevelNone
	}
	s.From, s.To = from, to
	return true
}

// BudgetOf is how the user's budget of this id stands at a moment;
// models.NotFound if there is none, or it is another user's.
func (s *Store) BudgetOf(ctx context.Context, userID, id string, at time.Time) (models.BudgetReport, error) {
	reports, err := s.budgetReports(ctx, userID, selectBudgets+" AND id = ?", []any{userID, id}, at)
	if err == nil && len(reports) == 0 {
		err = errNoBudget
	}
	if err != nil {
		return models.BudgetReport{}, err
	}
	return reports[0], nil
}

// BudgetStates is how the user's budgets stand at a moment, by its day in the
// account's zone, newest first, all read at once. A budget whose life has not
// begun, or is over, stands as in its first or its last period.
func (s *Store) BudgetStates(ctx context.Context, userID string, at time.Time) ([]models.BudgetReport, error) {
	return s.budgetReports(ctx, userID, selectBudgets+" ORDER BY created_at DESC, id DESC", []any{userID}, at)
}

// fewBudgets are so few that adding them up takes no longer than any other look.
const fewBudgets = 10

// budgetReports reads what query, which selects budgets of the user, gives. Of a user
// with many budgets it is a long read.
func (s *Store) budgetReports(ctx context.Context, userID, query string, args []any, at time.Time) (reports []models.BudgetReport, err error) {
	if !storableArgs(args) {
		return []models.BudgetReport{}, nil
	}
	var budgets int
	if err := s.ofUser(ctx, "budgets", userID, &budgets); err != nil && models.KindOf(err) != models.NotFound {
		return nil, err
	}
	if budgets > fewBudgets {
		err = s.longGlance(ctx, userID, func(g *glance) (_ int64, err error) {
			reports, err = g.budgetReports(query, args, at)
			return int64(len(reports)), err
		})
		return reports, err
	}
	err = s.glance(ctx, func(g *glance) (err error) {
		reports, err = g.budgetReports(query, args, at)
		return err
	})
	return reports, err
}

func (g *glance) budgetReports(query string, args []any, at time.Time) ([]models.BudgetReport, error) {
	reports := []models.BudgetReport{}
	err := g.rows(query, args, func(row scanner) error {
		state, err := scanBudget(row)
		reports = append(reports, models.BudgetReport{BudgetState: state})
		return err
	})
	if err != nil || len(reports) == 0 {
		return reports, err
	}
	return reports, g.report(reports, at)
}

// storableArgs tells whether all texts may be in the database at all.
func storableArgs(args []any) bool { return checkText(args) == nil }

// report brings stored states of one user to a moment.
func (g *glance) report(reports []models.BudgetReport, at time.Time) error {
	u, err := g.user(reports[0].Budget.UserID)
	if err != nil {
		return err
	}
	day := models.DayOf(at, g.s.ZoneOf(&u))
	_, others := u.Totals.In(u.Currency())
	for i := range reports {
		r := &reports[i]
		r.Currency = u.Currency()
		if err := g.stand(&r.BudgetState, day); err != nil {
			return err
		}
		if len(others) == 0 {
			continue
		}
		if r.Others, err = g.spentElsewhere(&r.BudgetState); err != nil {
			return err
		}
	}
	return nil
}

// stand brings a stored state to a day.
func (g *glance) stand(state *models.BudgetState, day models.Day) (err error) {
	if renew(state, day) {
		err = g.rows(spentIn, spentArgs(state), func(row scanner) (err error) {
			state.Spent, err = scanSum(row)
			return err
		})
	}
	state.Spent = state.Spent.Normal()
	state.Level, state.Active = state.Budget.LevelOf(state.Spent), state.Budget.ActiveOn(day)
	return err
}

// spentElsewhere is what was spent in a budget's days in other currencies than its.
func (g *glance) spentElsewhere(s *models.BudgetState) (others []models.CurrencySum, err error) {
	query := "SELECT currency, CAST(SUM(units) AS BIGINT), CAST(SUM(micros) AS BIGINT) FROM daily_totals WHERE " +
		spentWhere + " AND currency NOT IN ('', ?) GROUP BY currency HAVING SUM(count) > 0 ORDER BY currency"
	err = g.rows(query, spentArgs(s), func(row scanner) (err error) {
		var c models.CurrencySum
		err = row.Scan(&c.Currency, &c.Sum.Units, &c.Sum.Micros)
		c.Sum = c.Sum.Normal()
		others = append(others, c)
		return err
	})
	return others, err
}
