package store

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"expenseflow/models"
)

// Dashboard sums up the user's entries of the days from from to to, both
// included, all read at one moment. Both open are the present month in the
// account's zone; without from it begins with to's month, without to it ends with
// from's. models.NotFound if the user is gone, *models.InvalidError for an end
// before its beginning.
//
// It reads the totals of these days and never all of their expenses. If there are many
// of them it is a long read.
func (s *Store) Dashboard(ctx context.Context, userID string, from, to models.DayRef) (d models.Dashboard, err error) {
	now := s.opts.Now()
	err = s.glance(ctx, func(g *glance) (err error) {
		d, _, err = g.dashboard(userID, from, to, now, shortTotals)
		return err
	})
	if !errors.Is(err, errLong) {
		return d, err
	}
	err = s.longGlance(ctx, userID, func(g *glance) (rows int64, err error) {
		d, rows, err = g.dashboard(userID, from, to, now, math.MaxInt64)
		return rows, err
	})
	return d, err
}

// shortTotals is how many totals of days and categories are read like anything else: a
// year's has about a thousand.
const shortTotals = 2_000

// dashboard reads all of a dashboard, and tells how many totals it is made of; errLong if
// they are more than most.
func (g *glance) dashboard(userID string, from, to models.DayRef, now time.Time, most int64) (d models.Dashboard, rows int64, err error) {
	d.GeneratedAt = models.Millis(now)
	u, err := g.user(userID)
	if err != nil {
		return d, 0, err
	}
	zone := g.s.ZoneOf(&u)
	d.Version, d.Currency = u.Seq, u.Currency()
	d.From, d.To = dashboardDays(from, to, models.DayOf(now, zone), zone)
	if d.To < d.From {
		return d, 0, models.InvalidIf([]models.Violation{{Field: "to", Rule: models.RuleOrder, Value: d.To.String()}})
	}
	if rows, err = g.totals(userID, &d, most); err != nil {
		return d, rows, err
	}
	return d, rows, g.recent(userID, &d)
}

func dashboardDays(from, to models.DayRef, today models.Day, zone *time.Location) (first, last models.Day) {
	switch {
	case from.IsZero() && to.IsZero():
		first, last = models.Monthly.Around(today)
		return first, last - 1
	case from.IsZero():
		first, _ = models.Monthly.Around(to.In(zone))
		return first, to.In(zone)
	case to.IsZero():
		_, last = models.Monthly.Around(from.In(zone))
		return from.In(zone), last - 1
	}
	return from.In(zone), to.In(zone)
}

// totals fills in what the days' totals tell, and counts them.
func (g *glance) totals(userID string, d *models.Dashboard, most int64) (rows int64, err error) {
	sums := summary{d: d, byCategory: map[string]models.CategoryTotal{}, others: map[string]models.CurrencyTotal{}}
	d.Series = []models.DayTotal{}
	query := "SELECT day, category, type, currency, units, micros, count FROM daily_totals WHERE user_id = ? AND day >= ? AND day <= ? AND count > 0 ORDER BY day"
	err = g.rows(query, []any{userID, int64(d.From), int64(d.To)}, func(row scanner) error {
		if rows++; rows > most {
			return errLong
		}
		var t tally
		err := row.Scan(&t.day, &t.category, &t.kind, &t.currency, &t.sum.Units, &t.sum.Micros, &t.count)
		sums.add(t)
		return err
	})
	d.ByCategory = slices.SortedFunc(maps.Values(sums.byCategory), func(a, b models.CategoryTotal) int {
		return cmp.Or(b.Total.Cmp(a.Total), cmp.Compare(a.Category, b.Category))
	})
	d.Others = slices.SortedFunc(maps.Values(sums.others), func(a, b models.CurrencyTotal) int { return cmp.Compare(a.Currency, b.Currency) })
	return rows, err
}

// A summary adds up rows of daily_totals, which come in the order of days.
type summary struct {
	d          *models.Dashboard
	byCategory map[string]models.CategoryTotal
	others     map[string]models.CurrencyTotal
}

func (s *summary) add(t tally) {
	if !models.IsOwnCurrency(t.currency, s.d.Currency) {
		other := s.others[t.currency]
		other.Currency = t.currency
		addTally(&other, t)
		s.others[t.currency] = other
		return
	}
	addTally(&s.d.CurrencyTotal, t)
	s.addDay(t)
	if t.kind != "income" {
		c := s.byCategory[t.category]
		s.byCategory[t.category] = models.CategoryTotal{Category: t.category, Total: c.Total.Plus(t.sum), Count: c.Count + t.count}
	}
}

func addTally(to *models.CurrencyTotal, t tally) {
	to.Count += t.count
	if t.kind == "income" {
		to.Income = to.Income.Plus(t.sum)
	} else {
		to.Expense = to.Expense.Plus(t.sum)
	}
}

func (s *summary) addDay(t tally) {
	series := s.d.Series
	if n := len(series); n == 0 || series[n-1].Day != t.day {
		series = append(series, models.DayTotal{Day: t.day})
	}
	last := &series[len(series)-1]
	if t.kind == "income" {
		last.Income = last.Income.Plus(t.sum)
	} else {
		last.Expense = last.Expense.Plus(t.sum)
	}
	s.d.Series = series
}

// recent reads along the index of dates, which all the days' entries have near them.
func (g *glance) recent(userID string, d *models.Dashboard) error {
	d.Recent = []models.Expense{}
	from, to := models.MomentsOf(d.From, d.To)
	query := "SELECT " + expenseTable.names() + " FROM expenses WHERE user_id = ? AND date >= ? AND date < ? " +
		"AND day >= ? AND day <= ? ORDER BY date DESC, id DESC LIMIT ?"
	args := []any{userID, from.UnixMilli(), to.UnixMilli(), int64(d.From), int64(d.To), models.MaxRecent}
	return g.rows(query, args, func(row scanner) error {
		e, err := scanExpense(row)
		d.Recent = append(d.Recent, e)
		return err
	})
}
