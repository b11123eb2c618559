package models

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// What analytics say of a user's entries is computed here, from sums by day and by
// category that the store reads; docs/analytics.md says how in words.

// An Analysis is something that was found in the entries of some days which are in
// the account's currency, and what those days have in others.
type Analysis[T any] struct {
	Found    T
	Currency string          // the account's
	Others   []CurrencyTotal // by code
}

// A Flow is what came in and went out, and in how many entries.
type Flow struct {
	Income, Expense   Sum
	Incomes, Expenses int64
}

// Plus gives f and o together.
func (f Flow) Plus(o Flow) Flow {
	return Flow{f.Income.Plus(o.Income), f.Expense.Plus(o.Expense), f.Incomes + o.Incomes, f.Expenses + o.Expenses}
}

// Net is what is left.
func (f Flow) Net() Sum { return f.Income.Minus(f.Expense) }

// SavingsRate is how much of the income is left, in percent; 0 without income.
func (f Flow) SavingsRate() float64 { return percent(f.Net(), f.Income) }

// Entries is how many entries there are.
func (f Flow) Entries() int64 { return f.Incomes + f.Expenses }

// A DayFlow is the Flow of one day.
type DayFlow struct {
	Day Day
	Flow
}

// percent is how much of whole part is; of nothing it is 0.
func percent(part, whole Sum) float64 {
	if whole == (Sum{}) {
		return 0
	}
	return part.Float() / whole.Float() * 100
}

// Growth is by how much now is more than before, in percent of before; 0 if there
// was nothing before.
func Growth(now, before Sum) float64 { return percent(now.Minus(before), before) }

// MonthOf is the first day of a day's month, n months later.
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

// TrendPeriods are the known ones, in the original's order.
var TrendPeriods = []string{Daily, TrendWeekly, TrendMonthly}

// Trends is what came and went by periods.
type Trends struct {
	Period  string
	Points  []TrendPoint  // those with entries, in order
	Summary *TrendSummary // nil without points
}

// A TrendPoint is one period, and its growth since the one before in the list.
type TrendPoint struct {
	Label string // 2026-01-19, 2026-W3 or 2026-01
	Flow
	ExpenseGrowth, IncomeGrowth float64 // percent
}

// A TrendSummary is of all points.
type TrendSummary struct {
	Flow
	AverageIncome, AverageExpense float64 // of a calendar month with entries
	Direction                     string  // Increasing, Decreasing or Stable: of what was spent
}

// Directions of what is spent.
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

// NewTrends groups days, which come in order, by one of TrendPeriods.
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

// trendLabel names a period as the original does. Weeks begin on Sunday; the first
// Sunday of a year begins its week 1, what is before is week 0.
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

// trendDirection compares what was spent in the last three periods, at most, with
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

// A MonthComparison is a month beside the one before.
type MonthComparison struct {
	Month             Day // its first day
	Current, Previous Flow
}

// CompareMonths gives the month of today and those before, n in all, newest first.
// days are from the month before the oldest on.
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

// A CategoryRange is what entries of one category amount to. Least and Most are 0 if
// there are too many entries to look for them.
type CategoryRange struct {
	CategoryTotal
	Least, Most Money
}

// MaxLookedThrough is among how many entries single ones are looked for: a page asks
// on every load, and the sums do not need it.
const MaxLookedThrough = 10_000

// CountOf is how many entries categories have together.
func CountOf(categories []CategoryTotal) (n int64) {
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

// NewBreakdown orders categories and adds them up.
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

// A Velocity is how fast money is spent in a month.
type Velocity struct {
	Spent             Sum
	Entries           int64
	Day, Days         int     // the day of the month, and how many it has
	Daily, Projection float64 // a day until now, and at that pace the whole month
}

// NewVelocity computes the velocity of today's month, in which so much was spent.
func NewVelocity(today Day, spent Flow) Velocity {
	v := Velocity{Spent: spent.Expense, Entries: spent.Expenses, Day: int(today-MonthOf(today, 0)) + 1, Days: int(MonthOf(today, 1) - MonthOf(today, 0))}
	v.Daily = v.Spent.Float() / float64(v.Day)
	v.Projection = v.Daily * float64(v.Days)
	return v
}

// PredictionMonths is how many months, all of them over, a prediction looks at.
const PredictionMonths = 6

// A Prediction is what will be spent in the month after the present one, if the
// months before it go on as they did. Fewer than two months predict nothing.
type Prediction struct {
	Next, Trend, Average, MovingAverage float64
	Confidence                          float64 // percent
	Direction                           string
	Months                              int // that it is based on
	Categories                          []CategoryPrediction
}

// A CategoryPrediction is what one category takes in a month.
type CategoryPrediction struct {
	Category         string
	Monthly, Average float64 // a month, and an entry
}

// Known reports whether there were enough months.
func (p *Prediction) Known() bool { return p.Months >= 2 }

// Predict computes a prediction from what was spent in the months from the first
// with an expense on to the last that is over.
func Predict(months []Sum, categories []CategoryTotal) Prediction {
	n := len(months)
	p := Prediction{Months: n, Categories: []CategoryPrediction{}}
	if !p.Known() {
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
		p.Categories = append(p.Categories, CategoryPrediction{c.Category, c.Total.Float() / float64(n), c.Total.Float() / float64(c.Count)})
	}
	return p
}

// SpentByMonth gives what was spent in the months before today's, from the first of
// them with an expense on.
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

// slope is that of the line with the least squares through the points (i, data[i]).
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

// deviation is the standard deviation of all the data, not of a sample.
func deviation(data []float64) float64 {
	m, squares := mean(data), 0.0
	for _, v := range data {
		squares += (v - m) * (v - m)
	}
	return math.Sqrt(squares / float64(len(data)))
}

// InsightMonths is how many months before the present one insights look at too.
const InsightMonths = 3

// Insights is what stands out in the present month and the InsightMonths before.
type Insights struct {
	Flow
	Top                *CategoryTotal // on which most was spent; nil if nothing was
	ThisMonth, LastOne Sum            // spent
	Unusual            []Expense      // of more than UnusualTimes the average expense, the largest; none of too many
}

// UnusualTimes is how many times the average an unusual expense is at least more
// than; MaxUnusual how many are named.
const (
	UnusualTimes = 3
	MaxUnusual   = 3
)

// NewInsights finds them. days are those of the months, categories what was spent
// there, and largest the largest expenses, in order.
func NewInsights(today Day, days []DayFlow, categories []CategoryTotal, largest []Expense) Insights {
	months := byMonth(days)
	i := Insights{ThisMonth: months[MonthOf(today, 0)].Expense, LastOne: months[MonthOf(today, -1)].Expense}
	for _, m := range months {
		i.Flow = i.Plus(m)
	}
	for _, c := range categories {
		if i.Top == nil || c.Total.Cmp(i.Top.Total) > 0 || (c.Total == i.Top.Total && c.Category < i.Top.Category) {
			i.Top = &c
		}
	}
	for _, e := range largest {
		if SumOf(e.Amount).Float()*float64(i.Expenses) > UnusualTimes*i.Expense.Float() && len(i.Unusual) < MaxUnusual {
			i.Unusual = append(i.Unusual, e)
		}
	}
	return i
}

// An Overview is several of these at once.
type Overview struct {
	Trends    Trends
	Breakdown Breakdown
	Insights  Insights
	Velocity  Velocity
}
