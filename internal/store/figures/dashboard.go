package figures

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"expenseflow/internal/store/find"
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
func (f Figures) Dashboard(ctx context.Context, userID string, from, to models.DayRef) (d models.Dashboard, err error) {
	now := f.db.Now()
	err = f.snapshot(ctx, func(v *snapshot) (err error) {
		d, _, err = v.dashboard(userID, from, to, now, shortTotals)
		return err
	})
	if !errors.Is(err, errLong) {
		return d, err
	}
	err = f.longSnapshot(ctx, userID, func(v *snapshot) (rows int64, err error) {
		d, rows, err = v.dashboard(userID, from, to, now, math.MaxInt64)
		return rows, err
	})
	return d, err
}

// shortTotals is how many totals of days and categories are read like anything else: a
// year's has about a thousand.
const shortTotals = 2_000

// errLong ends a read of more totals than its reader wants.
var errLong = errors.New("the dashboard has many totals")

// dashboard reads all of a dashboard, and returns how many totals it is made of; errLong if
// they are more than most.
func (v *snapshot) dashboard(
	userID string, from, to models.DayRef, now time.Time, most int64,
) (d models.Dashboard, rows int64, err error) {
	d.GeneratedAt = models.Millis(now)
	u, err := v.user(userID)
	if err != nil {
		return d, 0, err
	}
	zone := v.f.db.ZoneOf(&u)
	d.Version, d.Currency = u.Seq, u.Currency()
	d.From, d.To = dashboardDays(from, to, models.DayOf(now, zone), zone)
	if d.To < d.From {
		return d, 0, models.InvalidIf([]models.Violation{{Field: "to", Rule: models.RuleOrder, Value: d.To.String()}})
	}
	if rows, err = v.totals(userID, &d, most); err != nil {
		return d, rows, err
	}
	return d, rows, v.recent(userID, &d)
}

func dashboardDays(from, to models.DayRef, today models.Day, zone *time.Location) (first, last models.Day) {
	switch {
	case from.IsZero() && to.IsZero():
		first, last = models.Monthly.Bounds(today)
		return first, last - 1
	case from.IsZero():
		first, _ = models.Monthly.Bounds(to.In(zone))
		return first, to.In(zone)
	case to.IsZero():
		_, last = models.Monthly.Bounds(from.In(zone))
		return from.In(zone), last - 1
	}
	return from.In(zone), to.In(zone)
}

// totals fills in what the days' totals tell, and counts them.
func (v *snapshot) totals(userID string, d *models.Dashboard, most int64) (rows int64, err error) {
	sums := summary{d: d, byCategory: map[string]models.CategoryTotal{}, others: map[string]models.CurrencyTotal{}}
	d.Series = []models.DayTotal{}
	days := v.db.Where("user_id = ? AND day >= ? AND day <= ? AND count > 0", userID, d.From, d.To).Order("day")
	err = find.Each(days, func(t DailyTotal) error {
		if rows++; rows > most {
			return errLong
		}
		sums.add(t)
		return nil
	})
	d.ByCategory = slices.SortedFunc(maps.Values(sums.byCategory), func(a, b models.CategoryTotal) int {
		return cmp.Or(b.Total.Cmp(a.Total), cmp.Compare(a.Category, b.Category))
	})
	d.Others = slices.SortedFunc(maps.Values(sums.others), func(a, b models.CurrencyTotal) int {
		return cmp.Compare(a.Currency, b.Currency)
	})
	return rows, err
}

// A summary adds up rows of daily_totals, which come in the order of days.
type summary struct {
	d          *models.Dashboard
	byCategory map[string]models.CategoryTotal
	others     map[string]models.CurrencyTotal
}

func (s *summary) add(t DailyTotal) {
	if !models.IsOwnCurrency(t.Currency, s.d.Currency) {
		other := s.others[t.Currency]
		other.Currency = t.Currency
		addTotal(&other, t)
		s.others[t.Currency] = other
		return
	}
	addTotal(&s.d.CurrencyTotal, t)
	s.addDay(t)
	if t.Type != "income" {
		c := s.byCategory[t.Category]
		s.byCategory[t.Category] = models.CategoryTotal{Category: t.Category, Total: c.Total.Plus(t.Sum), Count: c.Count + t.Count}
	}
}

func addTotal(to *models.CurrencyTotal, t DailyTotal) {
	to.Count += t.Count
	if t.Type == "income" {
		to.Income = to.Income.Plus(t.Sum)
	} else {
		to.Expense = to.Expense.Plus(t.Sum)
	}
}

func (s *summary) addDay(t DailyTotal) {
	series := s.d.Series
	if n := len(series); n == 0 || series[n-1].Day != t.Day {
		series = append(series, models.DayTotal{Day: t.Day})
	}
	last := &series[len(series)-1]
	if t.Type == "income" {
		last.Income = last.Income.Plus(t.Sum)
	} else {
		last.Expense = last.Expense.Plus(t.Sum)
	}
	s.d.Series = series
}

// recent reads along the index of dates, which all the days' entries have near them.
func (v *snapshot) recent(userID string, d *models.Dashboard) (err error) {
	from, to := models.TimeRange(d.From, d.To)
	query := v.db.Where("user_id = ? AND date >= ? AND date < ?", userID, from.UnixMilli(), to.UnixMilli()).
		Where("day >= ? AND day <= ?", d.From, d.To).Order("date DESC, id DESC").Limit(models.MaxRecent)
	d.Recent, err = find.All[models.Expense](query)
	return err
}
