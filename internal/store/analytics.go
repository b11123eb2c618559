package store

import (
	"context"
	"time"

	"expenseflow/models"
)

// Analytics of a user's own entries in the account's currency. Each reads sums by day
// and by category, as many rows as there are days and categories and however many
// entries there are, all at one moment; models computes the rest. Nil is the answer to
// who has no entry at all, in any currency. A page asks for five of them at once, so
// they are long reads: nobody else waits for them.

// An analysis is one look at a user's entries.
type analysis struct {
	*glance
	userID   string
	currency string
	zone     *time.Location
	today    models.Day

	mixed      bool       // there are entries in other currencies too
	first, end models.Day // the days that were looked at; the end is excluded
	looked     int64      // how many entries were looked through
}

// analyse runs fn, and reports whether the user has entries at all.
func (s *Store) analyse(ctx context.Context, userID string, fn func(*analysis) error) (some bool, err error) {
	err = s.longGlance(ctx, userID, func(g *glance) (int64, error) {
		u, err := g.user(userID)
		if err != nil {
			return 0, err
		}
		own, others := u.Totals.In(u.Currency())
		some = own.Count > 0 || len(others) > 0
		a := &analysis{
			glance: g, userID: userID, currency: u.Currency(), zone: s.ZoneOf(&u), today: s.Today(&u),
			mixed: len(others) > 0, first: models.MaxDay, end: models.MinDay,
		}
		err = fn(a)
		return a.looked, err
	})
	return some, err
}

// others are what the days that were looked at have in other currencies.
func (a *analysis) others() (list []models.CurrencyTotal, err error) {
	if !a.mixed || a.end <= a.first {
		return nil, nil
	}
	const query = "SELECT currency, type, CAST(SUM(units) AS BIGINT), CAST(SUM(micros) AS BIGINT), CAST(SUM(count) AS BIGINT) FROM daily_totals " +
		"WHERE user_id = ? AND day >= ? AND day < ? AND count > 0 AND currency NOT IN ('', ?) GROUP BY currency, type ORDER BY currency"
	err = a.rows(query, []any{a.userID, int64(a.first), int64(a.end), a.currency}, func(row scanner) error {
		var t tally
		if err := row.Scan(&t.currency, &t.kind, &t.sum.Units, &t.sum.Micros, &t.count); err != nil {
			return err
		}
		if n := len(list); n == 0 || list[n-1].Currency != t.currency {
			list = append(list, models.CurrencyTotal{Currency: t.currency})
		}
		addTally(&list[len(list)-1], t)
		return nil
	})
	return list, err
}

// lookAt notes that days are looked at.
func (a *analysis) lookAt(from, to models.Day) { a.first, a.end = min(a.first, from), max(a.end, to) }

// inAccount is the condition that an entry is in the account's currency.
const inAccount = " AND currency IN ('', ?)"

// days are what came and went on each day from from, included, to to.
func (a *analysis) days(from, to models.Day) (days []models.DayFlow, err error) {
	a.lookAt(from, to)
	const query = "SELECT day, type, CAST(SUM(units) AS BIGINT), CAST(SUM(micros) AS BIGINT), CAST(SUM(count) AS BIGINT) FROM daily_totals " +
		"WHERE user_id = ? AND day >= ? AND day < ? AND count > 0" + inAccount + " GROUP BY day, type ORDER BY day"
	err = a.rows(query, []any{a.userID, int64(from), int64(to), a.currency}, func(row scanner) error {
		var day models.Day
		var count int64
		var kind string
		var sum models.Sum
		if err := row.Scan(&day, &kind, &sum.Units, &sum.Micros, &count); err != nil {
			return err
		}
		d := models.DayFlow{Day: day}
		if kind == "income" {
			d.Income, d.Incomes = sum.Normal(), count
		} else {
			d.Expense, d.Expenses = sum.Normal(), count
		}
		if n := len(days); n > 0 && days[n-1].Day == d.Day {
			days[n-1].Flow = days[n-1].Plus(d.Flow)
		} else {
			days = append(days, d)
		}
		return nil
	})
	return days, err
}

// monthsUntilNow are the days of the months before the present one, n of them, and
// of the present one to its end.
func (a *analysis) monthsUntilNow(n int) ([]models.DayFlow, error) {
	return a.days(models.MonthOf(a.today, -n), models.MonthOf(a.today, 1))
}

// categories are what entries of a type amount to by category, from from, included,
// to to.
func (a *analysis) categories(kind string, from, to models.Day) (list []models.CategoryTotal, err error) {
	a.lookAt(from, to)
	const query = "SELECT category, CAST(SUM(units) AS BIGINT), CAST(SUM(micros) AS BIGINT), CAST(SUM(count) AS BIGINT) FROM daily_totals " +
		"WHERE user_id = ? AND day >= ? AND day < ? AND type = ? AND count > 0" + inAccount + " GROUP BY category ORDER BY category"
	err = a.rows(query, []any{a.userID, int64(from), int64(to), kind, a.currency}, func(row scanner) error {
		var c models.CategoryTotal
		err := row.Scan(&c.Category, &c.Total.Units, &c.Total.Micros, &c.Count)
		c.Total = c.Total.Normal()
		list = append(list, c)
		return err
	})
	return list, err
}

// ranges are categories with their smallest and largest amounts, which only the
// entries themselves tell; without them for too many entries.
func (a *analysis) ranges(kind string, from, to models.Day) ([]models.CategoryRange, error) {
	totals, err := a.categories(kind, from, to)
	if err != nil {
		return nil, err
	}
	list := make([]models.CategoryRange, len(totals))
	at := map[string]*models.CategoryRange{}
	for i, t := range totals {
		list[i].CategoryTotal = t
		at[t.Category] = &list[i]
	}
	if !a.mayLookThrough(totals) {
		return list, nil
	}
	const query = "SELECT category, MIN(amount), MAX(amount) FROM expenses WHERE " + entriesOfDays + " AND type = ? GROUP BY category"
	err = a.rows(query, append(a.entriesArgs(from, to), kind), func(row scanner) error {
		var category string
		var least, most models.Money
		err := row.Scan(&category, &least, &most)
		if r := at[category]; r != nil {
			r.Least, r.Most = least, most
		}
		return err
	})
	return list, err
}

// mayLookThrough reports whether there are few enough entries in categories to look
// through, and notes that they will be.
func (a *analysis) mayLookThrough(categories []models.CategoryTotal) bool {
	n := models.CountOf(categories)
	if n > models.MaxLookedThrough {
		return false
	}
	a.looked += n
	return true
}

// entriesOfDays are the entries in the account's currency of days from from,
// included, to to, found by the index of dates, which are near; entriesArgs are its
// parameters.
const entriesOfDays = "user_id = ? AND date >= ? AND date < ? AND day >= ? AND day < ?" + inAccount

func (a *analysis) entriesArgs(from, to models.Day) []any {
	first, end := models.MomentsOf(from, to-1)
	return []any{a.userID, first.UnixMilli(), end.UnixMilli(), int64(from), int64(to), a.currency}
}

// largest are the largest expenses from from, included, to to.
func (a *analysis) largest(from, to models.Day) (list []models.Expense, err error) {
	query := "SELECT " + expenseTable.names() + " FROM expenses WHERE " + entriesOfDays + " AND type = 'expense' ORDER BY amount DESC, id LIMIT ?"
	err = a.rows(query, append(a.entriesArgs(from, to), models.MaxUnusual), func(row scanner) error {
		e, err := scanExpense(row)
		list = append(list, e)
		return err
	})
	return list, err
}

// Trends are those of the present month and the ones before, months in all, by one
// of models.TrendPeriods.
func (s *Store) Trends(ctx context.Context, userID, period string, months int) (*models.Analysis[models.Trends], error) {
	return look(ctx, s, userID, func(a *analysis) (models.Trends, error) { return a.trends(period, months) })
}

func (a *analysis) trends(period string, months int) (models.Trends, error) {
	days, err := a.monthsUntilNow(months - 1)
	return models.NewTrends(period, days), err
}

// Breakdown is the user's entries of a type by category, of the days from from to
// to, both included; one that is not named is open.
func (s *Store) Breakdown(ctx context.Context, userID, kind string, from, to models.DayRef) (*models.Analysis[models.Breakdown], error) {
	return look(ctx, s, userID, func(a *analysis) (models.Breakdown, error) { return a.breakdown(kind, from, to) })
}

func (a *analysis) breakdown(kind string, from, to models.DayRef) (models.Breakdown, error) {
	first, last := models.MinDay, models.MaxDay
	if !from.IsZero() {
		first = from.In(a.zone)
	}
	if !to.IsZero() {
		last = to.In(a.zone)
	}
	if last < first {
		return models.Breakdown{}, models.InvalidIf([]models.Violation{{Field: "endDate", Rule: models.RuleOrder, Value: last.String()}})
	}
	list, err := a.ranges(kind, first, last+1)
	return models.NewBreakdown(kind, list), err
}

// Comparison is the present month and the ones before, months in all, each beside
// the one before it, newest first.
func (s *Store) Comparison(ctx context.Context, userID string, months int) (*models.Analysis[[]models.MonthComparison], error) {
	return look(ctx, s, userID, func(a *analysis) ([]models.MonthComparison, error) {
		days, err := a.monthsUntilNow(months)
		return models.CompareMonths(a.today, months, days), err
	})
}

// Insights is what stands out in the present month and the three before.
func (s *Store) Insights(ctx context.Context, userID string) (*models.Analysis[models.Insights], error) {
	return look(ctx, s, userID, (*analysis).insights)
}

func (a *analysis) insights() (models.Insights, error) {
	from, to := models.MonthOf(a.today, -models.InsightMonths), models.MonthOf(a.today, 1)
	days, err := a.days(from, to)
	if err != nil {
		return models.Insights{}, err
	}
	categories, err := a.categories("expense", from, to)
	if err != nil {
		return models.Insights{}, err
	}
	var largest []models.Expense
	if a.mayLookThrough(categories) {
		largest, err = a.largest(from, to)
	}
	return models.NewInsights(a.today, days, categories, largest), err
}

// Prediction is that of the month after the present one.
func (s *Store) Prediction(ctx context.Context, userID string) (*models.Analysis[models.Prediction], error) {
	return look(ctx, s, userID, func(a *analysis) (models.Prediction, error) {
		from, to := models.MonthOf(a.today, -models.PredictionMonths), models.MonthOf(a.today, 0)
		days, err := a.days(from, to)
		if err != nil {
			return models.Prediction{}, err
		}
		categories, err := a.categories("expense", from, to)
		return models.Predict(models.SpentByMonth(a.today, days), categories), err
	})
}

// Velocity is how fast the user spends in the present month. Who has no entry has
// spent nothing: it never is nil.
func (s *Store) Velocity(ctx context.Context, userID string) (*models.Analysis[models.Velocity], error) {
	found, _, err := lookAnyway(ctx, s, userID, (*analysis).velocity)
	return found, err
}

func (a *analysis) velocity() (models.Velocity, error) {
	days, err := a.monthsUntilNow(0)
	var month models.Flow
	for _, d := range days {
		month = month.Plus(d.Flow)
	}
	return models.NewVelocity(a.today, month), err
}

// overviewMonths is how many months the trends of an overview have, as in the
// original.
const overviewMonths = 3

// Overview is several of these, all of the same moment.
func (s *Store) Overview(ctx context.Context, userID string) (*models.Analysis[models.Overview], error) {
	return look(ctx, s, userID, func(a *analysis) (o models.Overview, err error) {
		if o.Trends, err = a.trends(models.TrendMonthly, overviewMonths); err != nil {
			return o, err
		}
		if o.Breakdown, err = a.breakdown("expense", models.DayRef{}, models.DayRef{}); err != nil {
			return o, err
		}
		if o.Insights, err = a.insights(); err != nil {
			return o, err
		}
		o.Velocity, err = a.velocity()
		return o, err
	})
}

// look gives what fn finds, or nil for a user without entries. A free function, for
// methods cannot be generic.
func look[T any](ctx context.Context, s *Store, userID string, fn func(*analysis) (T, error)) (*models.Analysis[T], error) {
	found, some, err := lookAnyway(ctx, s, userID, fn)
	if !some {
		return nil, err
	}
	return found, err
}

// lookAnyway gives what fn finds, and whether the user has entries at all.
func lookAnyway[T any](ctx context.Context, s *Store, userID string, fn func(*analysis) (T, error)) (*models.Analysis[T], bool, error) {
	found := &models.Analysis[T]{}
	some, err := s.analyse(ctx, userID, func(a *analysis) (err error) {
		if found.Found, err = fn(a); err != nil {
			return err
		}
		found.Currency = a.currency
		found.Others, err = a.others()
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return found, some, nil
}
