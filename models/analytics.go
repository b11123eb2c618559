package models

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// This file computes the figures of /api/analytics from sums by day and by category,
// which the store reads. docs/analytics.md describes each figure.

// An Analysis is a result computed from the entries in the account's currency, with
// the totals of the same days in other currencies.
type Analysis[T any] struct {
	Value    T
	Currency string          // the account's
	Others   []CurrencyTotal // ordered by currency code
}

// A Flow is the income and the expenses of some entries.
type Flow struct {
	Income, Expense   Sum
	Incomes, Expenses int64 // number of entries
}

// Plus returns the sum of f and o.
func (f Flow) Plus(o Flow) Flow {
	return Flow{f.Income.Plus(o.Income), f.Expense.Plus(o.Expense), f.Incomes + o.Incomes, f.Expenses + o.Expenses}
}

// Net returns income minus expenses.
func (f Flow) Net() Sum { return f.Income.Minus(f.Expense) }

// SavingsRate returns Net as a percentage of the income; 0 without income.
func (f Flow) SavingsRate() float64 { return percent(f.Net(), f.Income) }

// Entries returns the number of entries.
func (f Flow) Entries() int64 { return f.Incomes + f.Expenses }

// A DayFlow is the Flow of one day.
type DayFlow struct {
	Day Day
	Flow
}

// percent returns part as a percentage of whole; 0 if whole is 0.
func percent(part, whole Sum) float64 {
	if whole == (Sum{}) {
		return 0
	}
	return part.Float() / whole.Float() * 100
}

// Growth returns the change from before to now as a percentage of before; 0 if before
// is 0.
func Growth(now, before Sum) float64 { return percent(now.Minus(before), before) }

// MonthOf returns the first day of the month that is n months after day's.
func MonthOf(day Day, n int) Day {
	year, month, _ := day.Date()
	return Date(year, month+time.Month(n), 1)
}

// The periods of trends.
const (
	Daily        = "daily"
	TrendWeekly  = "weekly"
	TrendMonthly = "monthly"
)

// TrendPeriods lists the periods in the order in which error texts name them.
var TrendPeriods = []string{Daily, TrendWeekly, TrendMonthly}

// Trends is the Flow of consecutive periods.
type Trends struct {
	Period  string
	Points  []TrendPoint  // periods with entries, in order of time
	Summary *TrendSummary // nil without points
}

// A TrendPoint is one period, with its growth since the previous point of the list.
type TrendPoint struct {
	Label string // 2026-01-19, 2026-W3 or 2026-01
	Flow
	ExpenseGrowth, IncomeGrowth float64 // percent
}

// A TrendSummary sums up all points of a Trends.
type TrendSummary struct {
	Flow
	AverageIncome, AverageExpense float64 // per calendar month with entries
	Direction                     string  // of expenses: Increasing, Decreasing or Stable
}

// The directions of expenses.
const (
	Increasing = "increasing"
	Decreasing = "decreasing"
	Stable     = "stable"
)

func direction(change float64) string {
	switch {
	case change > 0:
		return Increasing
	case change < 0:
		return Decreasing
	}
	return Stable
}

// NewTrends groups days, which are in order of time, by one of TrendPeriods.
func NewTrends(period string, days []DayFlow) Trends {
	t := Trends{Period: period, Points: []TrendPoint{}}
	months := map[Day]bool{}
	var all Flow
	for _, d := range days {
		label := trendLabel(period, d.Day)
		if n := len(t.Points); n == 0 || t.Points[n-1].Label != label {
			t.Points = append(t.Points, TrendPoint{Label: label})
		}
		last := &t.Points[len(t.Points)-1]
		last.Flow, all = last.Plus(d.Flow), all.Plus(d.Flow)
		months[MonthOf(d.Day, 0)] = true
	}
	for i := 1; i < len(t.Points); i++ {
		p, before := &t.Points[i], &t.Points[i-1]
		p.ExpenseGrowth, p.IncomeGrowth = Growth(p.Expense, before.Expense), Growth(p.Income, before.Income)
	}
	if len(t.Points) > 0 {
		n := float64(len(months))
		t.Summary = &TrendSummary{all, all.Income.Float() / n, all.Expense.Float() / n, trendDirection(t.Points)}
	}
	return t
}

// trendLabel returns the label of the period that contains day. Weeks begin on
// Sunday; the first Sunday of a year begins week 1, earlier days are week 0.
func trendLabel(period string, day Day) string {
	switch at := day.Time(); period {
	case Daily:
		return day.String()
	case TrendWeekly:
		return fmt.Sprintf("%d-W%d", at.Year(), (at.YearDay()-1+7-int(at.Weekday()))/7)
	default:
		return at.Format("2006-01")
	}
}

// trendDirection compares the mean expenses of the last three periods with those of
// the first three.
func trendDirection(points []TrendPoint) string {
	n := min(len(points), 3)
	return direction(meanExpense(points[len(points)-n:]) - meanExpense(points[:n]))
}

func meanExpense(points []TrendPoint) float64 {
	var all Sum
	for _, p := range points {
		all = all.Plus(p.Expense)
	}
	return all.Float() / float64(len(points))
}

// A MonthComparison is a month and the month before it.
type MonthComparison struct {
	Month             Day // its first day
	Current, Previous Flow
}

// CompareMonths compares the last n months, today's included, newest first. days must
// begin one month before the oldest of them.
func CompareMonths(today Day, n int, days []DayFlow) []MonthComparison {
	months := byMonth(days)
	list := make([]MonthComparison, n)
	for i := range list {
		month := MonthOf(today, -i)
		list[i] = MonthComparison{month, months[month], months[MonthOf(month, -1)]}
	}
	return list
}

func byMonth(days []DayFlow) map[Day]Flow {
	months := map[Day]Flow{}
	for _, d := range days {
		months[MonthOf(d.Day, 0)] = months[MonthOf(d.Day, 0)].Plus(d.Flow)
	}
	return months
}

// A CategoryRange is the total of one category with its smallest and largest amount.
// Min and Max are 0 if there are more than MaxRangeEntries entries.
type CategoryRange struct {
	CategoryTotal
	Min, Max Money
}

// MaxRangeEntries is the largest number of entries that are searched for single ones.
// Pages ask on every load, and sums do not need the search.
const MaxRangeEntries = 10_000

// TotalCount returns the number of entries of all categories together.
func TotalCount(categories []CategoryTotal) (n int64) {
	for _, c := range categories {
		n += c.Count
	}
	return n
}

// A Breakdown is a user's entries of one type by category, the largest first.
type Breakdown struct {
	Type       string
	Total      Sum
	Categories []CategoryRange
}

// NewBreakdown sorts categories by total, largest first, and sums them up.
func NewBreakdown(kind string, categories []CategoryRange) Breakdown {
	b := Breakdown{Type: kind, Categories: categories}
	for _, c := range categories {
		b.Total = b.Total.Plus(c.Total)
	}
	slices.SortFunc(b.Categories, func(x, y CategoryRange) int {
		return cmp.Or(y.Total.Cmp(x.Total), cmp.Compare(x.Category, y.Category))
	})
	return b
}

// A Velocity is the rate of spending in a month.
type Velocity struct {
	Spent             Sum
	Entries           int64
	Day, Days         int     // the day of the month; the number of days in it
	Daily, Projection float64 // average per day so far; the month's total at that rate
}

// NewVelocity computes the velocity of today's month from its expenses so far.
func NewVelocity(today Day, spent Flow) Velocity {
	first := MonthOf(today, 0)
	v := Velocity{
		Spent: spent.Expense, Entries: spent.Expenses, Day: int(today-first) + 1, Days: int(MonthOf(today, 1) - first),
	}
	v.Daily = v.Spent.Float() / float64(v.Day)
	v.Projection = v.Daily * float64(v.Days)
	return v
}

// PredictionMonths is the number of complete months that a prediction is based on.
const PredictionMonths = 6

// A Prediction extrapolates the expenses of complete months to the month after the
// current one. It needs at least two months.
type Prediction struct {
	Next, Trend, Average, MovingAverage float64
	Confidence                          float64 // percent
	Direction                           string
	Months                              int // number of months that it is based on
	Categories                          []CategoryPrediction
}

// A CategoryPrediction is the expected spending of one category.
type CategoryPrediction struct {
	Category         string
	Monthly, Average float64 // per month; per entry
}

// HasEnoughMonths reports whether there were enough months.
func (p *Prediction) HasEnoughMonths() bool { return p.Months >= 2 }

// Predict computes a prediction from the expenses of consecutive months: from the
// first month with an expense to the last complete one.
func Predict(months []Sum, categories []CategoryTotal) Prediction {
	n := len(months)
	p := Prediction{Months: n, Categories: []CategoryPrediction{}}
	if !p.HasEnoughMonths() {
		return p
	}
	amounts := make([]float64, n)
	for i, m := range months {
		amounts[i] = m.Float()
	}
	p.Trend, p.Average, p.MovingAverage = slope(amounts), mean(amounts), mean(amounts[n-min(n, 3):])
	p.Next = math.Max(0, amounts[n-1]+2*p.Trend) // the present month lies between
	p.Direction = direction(p.Trend)
	p.Confidence = math.Min(math.Max(100-deviation(amounts)/p.Average*100, 0), 100)
	for _, c := range categories {
		p.Categories = append(p.Categories, CategoryPrediction{
			c.Category, c.Total.Float() / float64(n), c.Total.Float() / float64(c.Count),
		})
	}
	return p
}

// SpentByMonth returns the expenses of the PredictionMonths months before today's,
// beginning with the first that has an expense.
func SpentByMonth(today Day, days []DayFlow) []Sum {
	months := byMonth(days)
	spent := []Sum{}
	for i := PredictionMonths; i >= 1; i-- {
		m := months[MonthOf(today, -i)]
		if len(spent) > 0 || m.Expenses > 0 {
			spent = append(spent, m.Expense)
		}
	}
	return spent
}

// slope returns the slope of the least-squares line through the points (i, data[i]).
func slope(data []float64) float64 {
	n := float64(len(data))
	var x, y, xy, xx float64
	for i, v := range data {
		f := float64(i)
		x, y, xy, xx = x+f, y+v, xy+f*v, xx+f*f
	}
	return (n*xy - x*y) / (n*xx - x*x)
}

func mean(data []float64) float64 {
	sum := 0.0
	for _, v := range data {
		sum += v
	}
	return sum / float64(len(data))
}

// deviation returns the population standard deviation.
func deviation(data []float64) float64 {
	m, squares := mean(data), 0.0
	for _, v := range data {
		squares += (v - m) * (v - m)
	}
	return math.Sqrt(squares / float64(len(data)))
}

// InsightMonths is the number of months before the current one that insights cover.
const InsightMonths = 3

// Insights is what stands out in the current month and the InsightMonths before it.
type Insights struct {
	Flow
	Top                  *CategoryTotal // with the largest expenses; nil without expenses
	ThisMonth, LastMonth Sum            // expenses
	Unusual              []Expense      // larger than UnusualFactor the average, largest first; nil with too many entries
}

// An expense is unusual if it is more than UnusualFactor the average. At most MaxUnusual
// of them are named.
const (
	UnusualFactor = 3
	MaxUnusual    = 3
)

// NewInsights computes the insights. days and categories cover the same months;
// largest are the largest expenses, largest first.
func NewInsights(today Day, days []DayFlow, categories []CategoryTotal, largest []Expense) Insights {
	months := byMonth(days)
	i := Insights{ThisMonth: months[MonthOf(today, 0)].Expense, LastMonth: months[MonthOf(today, -1)].Expense}
	for _, m := range months {
		i.Flow = i.Plus(m)
	}
	for _, c := range categories {
		if i.Top == nil || c.Total.Cmp(i.Top.Total) > 0 || (c.Total == i.Top.Total && c.Category < i.Top.Category) {
			i.Top = &c
		}
	}
	for _, e := range largest {
		if SumOf(e.Amount).Float()*float64(i.Expenses) > UnusualFactor*i.Expense.Float() && len(i.Unusual) < MaxUnusual {
			i.Unusual = append(i.Unusual, e)
		}
	}
	return i
}

// An Overview combines the analyses that one page shows.
type Overview struct {
	Trends    Trends
	Breakdown Breakdown
	Insights  Insights
	Velocity  Velocity
}
