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
	Day      int64  `gorm:"primaryKey"`
	Category string `gorm:"primaryKey"`
	Type     string `gorm:"primaryKey"`
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
		string(b.Period), orOpen(b.Start), orOpen(b.End), int64(b.Threshold), b.Version,
		b.CreatedAt.UnixMilli(), b.UpdatedAt.UnixMilli(), s.From.UnixMilli(), s.To.UnixMilli(),
		s.Spent.Units, s.Spent.Micros, int64(s.Level),
	}
}

func scanBudget(row scanner) (models.BudgetState, error) {
	var s models.BudgetState
	b := &s.Budget
	var start, end *int64
	var created, updated, from, to int64
	err := row.Scan(&b.ID, &b.UserID, &b.Name, &b.Category, &b.Amount,
		&b.Period, &start, &end, &b.Threshold, &b.Version,
		&created, &updated, &from, &to,
		&s.Spent.Units, &s.Spent.Micros, &s.Level)
	b.Start, b.End = fromOpen(start), fromOpen(end)
	b.CreatedAt, b.UpdatedAt = fromMillis(created), fromMillis(updated)
	s.From, s.To = fromMillis(from), fromMillis(to)
	return s, err
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

// renew gives s the window of now and tells whether it is another one, so that
// Spent is to be added up. Of a new period no level is known.
func renew(s *models.BudgetState, now time.Time) bool {
	from, to := s.Budget.Window(now)
	if s.From.Equal(from) && s.To.Equal(to) {
		return false
	}
	if !s.Budget.Round(s.From).Equal(s.Budget.Round(now)) {
		s.Level = models.LevelNone
	}
	s.From, s.To = from, to
	return true
}

// BudgetOf is how the user's budget of this id stands at a moment;
// models.NotFound if there is none, or it is another user's.
func (s *Store) BudgetOf(ctx context.Context, userID, id string, at time.Time) (models.BudgetState, error) {
	states, err := s.budgetStates(ctx, selectBudgets+" AND id = ?", []any{userID, id}, at)
	if err == nil && len(states) == 0 {
		err = errNoBudget
	}
	if err != nil {
		return models.BudgetState{}, err
	}
	return states[0], nil
}

// BudgetStates is how the user's budgets stand at a moment, newest first, all
// read at once. A budget whose life has not begun, or is over, stands as in its
// first or its last period.
func (s *Store) BudgetStates(ctx context.Context, userID string, at time.Time) ([]models.BudgetState, error) {
	return s.budgetStates(ctx, selectBudgets+" ORDER BY created_at DESC, id DESC", []any{userID}, at)
}

func (s *Store) budgetStates(ctx context.Context, query string, args []any, at time.Time) (states []models.BudgetState, err error) {
	if !storableArgs(args) {
		return []models.BudgetState{}, nil
	}
	err = s.glance(ctx, func(g *glance) error {
		states = []models.BudgetState{}
		err := g.rows(query, args, func(row scanner) error {
			state, err := scanBudget(row)
			states = append(states, state)
			return err
		})
		for i := range states {
			if err == nil {
				err = g.stand(&states[i], at)
			}
		}
		return err
	})
	return states, err
}

// storableArgs tells whether all texts may be in the database at all.
func storableArgs(args []any) bool { return checkText(args) == nil }

// stand brings a stored state to a moment.
func (g *glance) stand(state *models.BudgetState, at time.Time) (err error) {
	if renew(state, at) {
		err = g.rows(spentIn, spentArgs(&state.Budget, state.From, state.To), func(row scanner) (err error) {
			state.Spent, err = scanSum(row)
			return err
		})
	}
	state.Spent = state.Spent.Normal()
	state.Level, state.Active = state.Budget.LevelOf(state.Spent), state.Budget.ActiveAt(at)
	return err
}
