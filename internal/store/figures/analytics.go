package figures

import (
	"context"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

// Analytics of a user's own entries in the account's currency. Each reads sums by day
// and by category, as many rows as there are days and categories and however many
// entries there are, all at one moment; models computes the rest. Nil is the answer to
// who has no entry at all, in any currency. A page asks for five of them at once, so
// they are long reads: nobody else waits for them.

// An analysis reads a user's entries as they are at one moment.
type analysis struct {
	*snapshot
	userID   string
	currency string
	zone     *time.Location
	today    models.Day

	mixed      bool       // there are entries in other currencies too
	first, end models.Day // the days that were read; the end is excluded
	scanned    int64      // how many entries were read one by one
}

// readAnalysis runs fn, and reports whether the user has entries at all.
func (f Figures) readAnalysis(ctx context.Context, userID string, fn func(*analysis) error) (some bool, err error) {
	err = f.longSnapshot(ctx, userID, func(v *snapshot) (int64, error) {
		u, err := v.user(userID)
		if err != nil {
			return 0, err
		}
		own, others := u.Totals.ForAccount(u.Currency())
		some = own.Count > 0 || len(others) > 0
		a := &analysis{
			snapshot: v, userID: userID, currency: u.Currency(), zone: f.db.ZoneOf(&u), today: f.db.Today(&u),
			mixed: len(others) > 0, first: models.MaxDay, end: models.MinDay,
		}
		err = fn(a)
		return a.scanned, err
	})
	return some, err
}

// others returns what the days that were read have in other currencies.
func (a *analysis) others() (list []models.CurrencyTotal, err error) {
	if !a.mixed || a.end <= a.first {
		return nil, nil
	}
	found, err := find.All[DailyTotal](a.totals(a.first, a.end).Select("currency, type, "+summed).
		Where(otherCurrency, a.currency).Group("currency, type").Order("currency"))
	for _, t := range found {
		if n := len(list); n == 0 || list[n-1].Currency != t.Currency {
			list = append(list, models.CurrencyTotal{Currency: t.Currency})
		}
		addTotal(&list[len(list)-1], t)
	}
	return list, err
}

// totals selects the totals of the days from from, included, to to.
func (a *analysis) totals(from, to models.Day) *gorm.DB {
	return a.db.Model(&DailyTotal{}).Where("user_id = ? AND day >= ? AND day < ? AND count > 0", a.userID, from, to)
}

// cover adds days to those that were read.
func (a *analysis) cover(from, to models.Day) { a.first, a.end = min(a.first, from), max(a.end, to) }

// days are what came and went on each day from from, included, to to.
func (a *analysis) days(from, to models.Day) (days []models.DayFlow, err error) {
	a.cover(from, to)
	found, err := find.All[DailyTotal](a.totals(from, to).Select("day, type, "+summed).
		Where(ownCurrency, a.currency).Group("day, type").Order("day"))
	for _, t := range found {
		d := models.DayFlow{Day: t.Day}
		if t.Type == "income" {
			d.Income, d.Incomes = t.Normalized(), t.Count
		} else {
			d.Expense, d.Expenses = t.Normalized(), t.Count
		}
		if n := len(days); n > 0 && days[n-1].Day == d.Day {
			days[n-1].Flow = days[n-1].Plus(d.Flow)
		} else {
			days = append(days, d)
		}
	}
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
	a.cover(from, to)
	found, err := find.All[DailyTotal](a.totals(from, to).Select("category, "+summed).
		Where("type = ?", kind).Where(ownCurrency, a.currency).Group("category").Order("category"))
	return find.Mapped(found, func(t DailyTotal) models.CategoryTotal {
		return models.CategoryTotal{Category: t.Category, Total: t.Normalized(), Count: t.Count}
	}), err
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
	if !a.mayScan(totals) {
		return list, nil
	}
	type extremes struct {
		Category    string
		Least, Most models.Money
	}
	found, err := find.All[extremes](a.entries(from, to).Select("category, MIN(amount) AS least, MAX(amount) AS most").
		Where("type = ?", kind).Group("category"))
	for _, e := range found {
		if r := at[e.Category]; r != nil {
			r.Min, r.Max = e.Least, e.Most
		}
	}
	return list, err
}

// mayScan reports whether there are few enough entries in categories to read each of them,
// and counts them if so.
func (a *analysis) mayScan(categories []models.CategoryTotal) bool {
	n := models.TotalCount(categories)
	if n > models.MaxRangeEntries {
		return false
	}
	a.scanned += n
	return true
}

// entries selects the entries in the account's currency of days from from, included, to to,
// found by the index of dates, which are near.
func (a *analysis) entries(from, to models.Day) *gorm.DB {
	first, end := models.TimeRange(from, to-1)
	return a.db.Model(&models.Expense{}).
		Where("user_id = ? AND date >= ? AND date < ?", a.userID, first.UnixMilli(), end.UnixMilli()).
		Where("day >= ? AND day < ?", from, to).Where(ownCurrency, a.currency)
}

// largest are the largest expenses from from, included, to to.
func (a *analysis) largest(from, to models.Day) ([]models.Expense, error) {
	return find.All[models.Expense](a.entries(from, to).Where("type = 'expense'").Order("amount DESC, id").Limit(models.MaxUnusual))
}

// Trends are those of the present month and the ones before, months in all, by one
// of models.TrendPeriods.
func (f Figures) Trends(ctx context.Context, userID, period string, months int) (*models.Analysis[models.Trends], error) {
	return analyze(ctx, f, userID, func(a *analysis) (models.Trends, error) { return a.trends(period, months) })
}

func (a *analysis) trends(period string, months int) (models.Trends, error) {
	days, err := a.monthsUntilNow(months - 1)
	return models.NewTrends(period, days), err
}

// Breakdown is the user's entries of a type by category, of the days from from to
// to, both included; one that is not named is open.
func (f Figures) Breakdown(
	ctx context.Context, userID, kind string, from, to models.DayRef,
) (*models.Analysis[models.Breakdown], error) {
	return analyze(ctx, f, userID, func(a *analysis) (models.Breakdown, error) { return a.breakdown(kind, from, to) })
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
		order := models.Violation{Field: "endDate", Rule: models.RuleOrder, Value: last.String()}
		return models.Breakdown{}, models.InvalidIf([]models.Violation{order})
	}
	list, err := a.ranges(kind, first, last+1)
	return models.NewBreakdown(kind, list), err
}

// Comparison is the present month and the ones before, months in all, each beside
// the one before it, newest first.
func (f Figures) Comparison(ctx context.Context, userID string, months int) (*models.Analysis[[]models.MonthComparison], error) {
	return analyze(ctx, f, userID, func(a *analysis) ([]models.MonthComparison, error) {
		days, err := a.monthsUntilNow(months)
		return models.CompareMonths(a.today, months, days), err
	})
}

// Insights is what stands out in the present month and the three before.
func (f Figures) Insights(ctx context.Context, userID string) (*models.Analysis[models.Insights], error) {
	return analyze(ctx, f, userID, (*analysis).insights)
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
	if a.mayScan(categories) {
		largest, err = a.largest(from, to)
	}
	return models.NewInsights(a.today, days, categories, largest), err
}

// Prediction is that of the month after the present one.
func (f Figures) Prediction(ctx context.Context, userID string) (*models.Analysis[models.Prediction], error) {
	return analyze(ctx, f, userID, func(a *analysis) (models.Prediction, error) {
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
func (f Figures) Velocity(ctx context.Context, userID string) (*models.Analysis[models.Velocity], error) {
	found, _, err := analyzeAlways(ctx, f, userID, (*analysis).velocity)
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
func (f Figures) Overview(ctx context.Context, userID string) (*models.Analysis[models.Overview], error) {
	return analyze(ctx, f, userID, func(a *analysis) (o models.Overview, err error) {
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

// analyze returns what fn finds, or nil for a user without entries. It is a function
// because methods cannot be generic.
func analyze[T any](ctx context.Context, f Figures, userID string, fn func(*analysis) (T, error)) (*models.Analysis[T], error) {
	found, some, err := analyzeAlways(ctx, f, userID, fn)
	if !some {
		return nil, err
	}
	return found, err
}

// analyzeAlways returns what fn finds, and whether the user has entries at all.
func analyzeAlways[T any](
	ctx context.Context, f Figures, userID string, fn func(*analysis) (T, error),
) (*models.Analysis[T], bool, error) {
	found := &models.Analysis[T]{}
	some, err := f.readAnalysis(ctx, userID, func(a *analysis) (err error) {
		if found.Value, err = fn(a); err != nil {
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

// DescriptionUses are the descriptions and categories of the user's own newest
// entries by date, models.SuggestionEntries of them: however many there are in all,
// no more are read, along the index of dates.
func (f Figures) DescriptionUses(ctx context.Context, userID string) ([]models.DescriptionUse, error) {
	newest := f.db.Read(ctx).Model(&models.Expense{}).Select("description, category").
		Where("user_id = ?", userID).Order("date DESC, id DESC").Limit(models.SuggestionEntries)
	return find.All[models.DescriptionUse](f.db.Read(ctx).Table("(?) AS newest", newest).
		Select("description, category, COUNT(*) AS count").Group("description, category").Order("description, category"))
}
