package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"expenseflow/models"
)

// Dashboard sums up the user's entries of the days from that of from to that of
// to, both included, in UTC, all read at one moment. Both zero are the present
// month; a zero from is the first day of to's month, a zero to the last of
// from's. models.NotFound if the user is gone, *models.InvalidError for an end
// before its beginning.
//
// It reads the totals of these days and never all of their expenses.
func (s *Store) Dashboard(ctx context.Context, userID string, from, to time.Time) (models.Dashboard, error) {
	now := s.opts.Now()
	d := models.Dashboard{GeneratedAt: models.Millis(now)}
	d.From, d.To = dashboardDays(from, to, now)
	if d.To.Before(d.From) {
		return d, models.InvalidIf([]models.Violation{{Field: "to", Rule: models.RuleOrder, Value: d.To.Format(time.DateOnly)}})
	}
	err := s.glance(ctx, func(g *glance) error {
		if err := noUser(g.one("SELECT seq FROM users WHERE id = ?", []any{userID}, &d.Version)); err != nil {
			return err
		}
		if err := g.totals(userID, &d); err != nil {
			return err
		}
		return g.recent(userID, &d)
	})
	return d, err
}

func dashboardDays(from, to, now time.Time) (first, last time.Time) {
	switch {
	case from.IsZero() && to.IsZero():
		first, last = models.Monthly.Around(now)
		return first, last.AddDate(0, 0, -1)
	case from.IsZero():
		first, _ = models.Monthly.Around(to)
		return first, models.Day(to)
	case to.IsZero():
		_, last = models.Monthly.Around(from)
		return models.Day(from), last.AddDate(0, 0, -1)
	}
	return models.Day(from), models.Day(to)
}

// totals fills in what the days' totals tell.
func (g *glance) totals(userID string, d *models.Dashboard) error {
	byCategory := map[string]models.CategoryTotal{}
	d.Series = []models.DayTotal{}
	query := "SELECT day, category, type, units, micros, count FROM daily_totals WHERE user_id = ? AND day >= ? AND day <= ? AND count > 0 ORDER BY day"
	err := g.rows(query, []any{userID, d.From.UnixMilli(), d.To.UnixMilli()}, func(row scanner) error {
		var t tally
		err := row.Scan(&t.day, &t.category, &t.kind, &t.sum.Units, &t.sum.Micros, &t.count)
		addDay(d, byCategory, t)
		return err
	})
	d.ByCategory = slices.SortedFunc(maps.Values(byCategory), func(a, b models.CategoryTotal) int {
		return cmp.Or(b.Total.Cmp(a.Total), cmp.Compare(a.Category, b.Category))
	})
	return err
}

// addDay adds a row of daily_totals, which come in the order of days.
func addDay(d *models.Dashboard, byCategory map[string]models.CategoryTotal, t tally) {
	day := fromMillis(t.day)
	if n := len(d.Series); n == 0 || !d.Series[n-1].Day.Equal(day) {
		d.Series = append(d.Series, models.DayTotal{Day: day})
	}
	last := &d.Series[len(d.Series)-1]
	d.Count += t.count
	if t.kind == "income" {
		d.Income, last.Income = d.Income.Plus(t.sum), last.Income.Plus(t.sum)
		return
	}
	d.Expense, last.Expense = d.Expense.Plus(t.sum), last.Expense.Plus(t.sum)
	c := byCategory[t.category]
	byCategory[t.category] = models.CategoryTotal{Category: t.category, Total: c.Total.Plus(t.sum), Count: c.Count + t.count}
}

func (g *glance) recent(userID string, d *models.Dashboard) error {
	d.Recent = []models.Expense{}
	query := "SELECT " + expenseTable.names() + " FROM expenses WHERE user_id = ? AND date >= ? AND date < ? ORDER BY date DESC, id DESC LIMIT ?"
	args := []any{userID, d.From.UnixMilli(), d.To.AddDate(0, 0, 1).UnixMilli(), models.MaxRecent}
	return g.rows(query, args, func(row scanner) error {
		e, err := scanExpense(row)
		d.Recent = append(d.Recent, e)
		return err
	})
}
