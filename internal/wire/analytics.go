package wire

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"expenseflow/models"
)

// Analysed is the answer to every route of /api/analytics: data in the original's
// shape and wrapper. It counts entries in Currency, the account's; what the same days
// have in others stands beside it.
type Analysed struct {
	Success    bool            `json:"success"`
	Data       any             `json:"data"`
	Currency   string          `json:"currency"`
	ByCurrency []CurrencyTotal `json:"byCurrency"`
}

// NewAnalysed gives the answer with a document of what was found.
func NewAnalysed[T any](a *models.Analysis[T], document any, rates *models.Rates) Analysed {
	return Analysed{true, document, a.Currency, currencyTotals(a.Others, a.Currency, rates)}
}

// NothingAnalysed is the answer to who has no entry yet, in the original's words.
type NothingAnalysed struct {
	Success bool      `json:"success"`
	Message string    `json:"message"`
	Data    *struct{} `json:"data"` // null
	Hint    string    `json:"hint"`
}

// NewNothingAnalysed gives the answer.
func NewNothingAnalysed() NothingAnalysed {
	return NothingAnalysed{Success: true, Message: "No expense data available yet", Hint: "Start adding expenses to see analytics"}
}

// rounded rounds as a browser's Math.round does, to so many decimals. Sums are never
// rounded; averages, projections and percentages are.
func rounded(x float64, decimals int) float64 {
	shift := math.Pow10(decimals)
	r := math.Floor(x*shift+0.5) / shift
	return r + 0 // no minus zero
}

// Trends is the document of GET /api/analytics/spending-trends.
type Trends struct {
	Period  string        `json:"period"`
	Data    []TrendPoint  `json:"data"`
	Summary *TrendSummary `json:"summary"` // null without data
}

// A TrendPoint is one period of Trends; percentages have one decimal, the rate none.
type TrendPoint struct {
	Period           string  `json:"period"`
	Income           Total   `json:"income"`
	Expense          Total   `json:"expense"`
	Net              Total   `json:"net"`
	SavingsRate      float64 `json:"savingsRate"`
	TransactionCount int64   `json:"transactionCount"`
	ExpenseGrowth    float64 `json:"expenseGrowth"`
	IncomeGrowth     float64 `json:"incomeGrowth"`
}

// A TrendSummary is of all periods of Trends.
type TrendSummary struct {
	TotalIncome       Total   `json:"totalIncome"`
	TotalExpense      Total   `json:"totalExpense"`
	NetSavings        Total   `json:"netSavings"`
	AvgMonthlyIncome  float64 `json:"avgMonthlyIncome"`
	AvgMonthlyExpense float64 `json:"avgMonthlyExpense"`
	AvgSavingsRate    float64 `json:"avgSavingsRate"`
	SpendingTrend     string  `json:"spendingTrend"` // increasing, decreasing or stable
	PeriodsCovered    int     `json:"periodsCovered"`
}

// NewTrends gives t's document.
func NewTrends(t models.Trends) Trends {
	return Trends{Period: t.Period, Data: mapped(t.Points, newTrendPoint), Summary: newTrendSummary(t)}
}

func newTrendPoint(p models.TrendPoint) TrendPoint {
	return TrendPoint{
		p.Label, Total(p.Income), Total(p.Expense), Total(p.Net()), rounded(p.SavingsRate(), 0), p.Entries(),
		rounded(p.ExpenseGrowth, 1), rounded(p.IncomeGrowth, 1),
	}
}

func newTrendSummary(t models.Trends) *TrendSummary {
	s := t.Summary
	if s == nil {
		return nil
	}
	return &TrendSummary{
		Total(s.Income), Total(s.Expense), Total(s.Net()), rounded(s.AverageIncome, 2), rounded(s.AverageExpense, 2),
		rounded(s.SavingsRate(), 0), s.Direction, len(t.Points),
	}
}

func mapped[T, D any](list []T, document func(T) D) []D {
	docs := make([]D, len(list))
	for i, v := range list {
		docs[i] = document(v)
	}
	return docs
}

// A Breakdown is the document of GET /api/analytics/category-breakdown.
type Breakdown struct {
	Type        string          `json:"type"`
	GrandTotal  Total           `json:"grandTotal"`
	Categories  []CategoryRange `json:"categories"`
	TopCategory *string         `json:"topCategory"` // null without categories
}

// A CategoryRange is one category of a Breakdown.
type CategoryRange struct {
	Category   string  `json:"category"`
	Total      Total   `json:"total"`
	Percentage float64 `json:"percentage"`
	Count      int64   `json:"count"`
	AvgAmount  float64 `json:"avgAmount"`
	MaxAmount  *Amount `json:"maxAmount"` // null, and the next too, for too many entries
	MinAmount  *Amount `json:"minAmount"`
}

// NewBreakdown gives b's document.
func NewBreakdown(b models.Breakdown) Breakdown {
	doc := Breakdown{Type: b.Type, GrandTotal: Total(b.Total)}
	doc.Categories = mapped(b.Categories, func(c models.CategoryRange) CategoryRange {
		return CategoryRange{
			c.Category, Total(c.Total), rounded(share(c.Total, b.Total), 1), c.Count,
			rounded(c.Total.Float()/float64(c.Count), 2), foundAmount(c.Most), foundAmount(c.Least),
		}
	})
	if len(b.Categories) > 0 {
		doc.TopCategory = &b.Categories[0].Category
	}
	return doc
}

// foundAmount is null for an amount that was not looked for.
func foundAmount(m models.Money) *Amount {
	if m == 0 {
		return nil
	}
	return (*Amount)(&m)
}

// A Comparison is the document of GET /api/analytics/comparison.
type Comparison struct {
	Comparisons []MonthComparison `json:"comparisons"`
}

// A MonthComparison is a month beside the one before.
type MonthComparison struct {
	Month    string       `json:"month"`    // January 2026
	MonthKey string       `json:"monthKey"` // 2026-01
	Current  MonthFlow    `json:"current"`
	Previous MonthFlow    `json:"previous"`
	Changes  MonthChanges `json:"changes"`
}

// A MonthFlow is what a month brought.
type MonthFlow struct {
	TotalIncome  Total   `json:"totalIncome"`
	TotalExpense Total   `json:"totalExpense"`
	IncomeCount  int64   `json:"incomeCount"`
	ExpenseCount int64   `json:"expenseCount"`
	Net          Total   `json:"net"`
	SavingsRate  float64 `json:"savingsRate"`
}

// MonthChanges are in percent, and in amounts.
type MonthChanges struct {
	Expense       float64 `json:"expense"`
	Income        float64 `json:"income"`
	ExpenseAmount Total   `json:"expenseAmount"`
	IncomeAmount  Total   `json:"incomeAmount"`
}

// NewComparison gives the document of months.
func NewComparison(months []models.MonthComparison) Comparison {
	return Comparison{mapped(months, func(m models.MonthComparison) MonthComparison {
		return MonthComparison{
			Month: m.Month.Time().Format("January 2006"), MonthKey: m.Month.Time().Format("2006-01"),
			Current: newMonthFlow(m.Current), Previous: newMonthFlow(m.Previous),
			Changes: MonthChanges{
				rounded(models.Growth(m.Current.Expense, m.Previous.Expense), 1), rounded(models.Growth(m.Current.Income, m.Previous.Income), 1),
				Total(m.Current.Expense.Minus(m.Previous.Expense)), Total(m.Current.Income.Minus(m.Previous.Income)),
			},
		}
	})}
}

func newMonthFlow(f models.Flow) MonthFlow {
	return MonthFlow{Total(f.Income), Total(f.Expense), f.Incomes, f.Expenses, Total(f.Net()), rounded(f.SavingsRate(), 0)}
}

// A Velocity is the document of GET /api/analytics/velocity.
type Velocity struct {
	CurrentSpent      Total   `json:"currentSpent"`
	DailyAverage      float64 `json:"dailyAverage"`
	ProjectedMonthEnd float64 `json:"projectedMonthEnd"`
	DayOfMonth        int     `json:"dayOfMonth"`
	DaysRemaining     int     `json:"daysRemaining"`
	TransactionCount  int64   `json:"transactionCount"`
	GeneratedAt       Time    `json:"generatedAt"`
}

// NewVelocity gives v's document.
func NewVelocity(v models.Velocity, now time.Time) Velocity {
	return Velocity{Total(v.Spent), rounded(v.Daily, 2), rounded(v.Projection, 2), v.Day, v.Days - v.Day, v.Entries, Time(now)}
}

// A Prediction is the document of GET /api/analytics/predictions.
type Prediction struct {
	NextMonthPrediction float64              `json:"nextMonthPrediction"`
	Confidence          float64              `json:"confidence"` // percent
	Trend               string               `json:"trend"`      // increasing, decreasing or stable
	TrendAmount         float64              `json:"trendAmount"`
	HistoricalAverage   float64              `json:"historicalAverage"`
	MovingAverage       float64              `json:"movingAverage"`
	BasedOnMonths       int                  `json:"basedOnMonths"`
	CategoryPredictions []CategoryPrediction `json:"categoryPredictions"`
}

// A CategoryPrediction is what one category takes.
type CategoryPrediction struct {
	Category         string  `json:"category"`
	PredictedMonthly float64 `json:"predictedMonthly"`
	AvgTransaction   float64 `json:"avgTransaction"`
}

// NoPrediction is the document in place of a Prediction that has too few months.
type NoPrediction struct {
	Message     string    `json:"message"`
	Predictions *struct{} `json:"predictions"` // null
}

// NewPrediction gives p's document, a Prediction or NoPrediction.
func NewPrediction(p models.Prediction) any {
	if !p.Known() {
		return NoPrediction{Message: "Need at least 2 months of data for predictions"}
	}
	return Prediction{
		rounded(p.Next, 2), rounded(p.Confidence, 0), p.Direction, rounded(p.Trend, 2), rounded(p.Average, 2), rounded(p.MovingAverage, 2), p.Months,
		mapped(p.Categories, func(c models.CategoryPrediction) CategoryPrediction {
			return CategoryPrediction{c.Category, rounded(c.Monthly, 2), rounded(c.Average, 2)}
		}),
	}
}

// Insights is the document of GET /api/analytics/insights.
type Insights struct {
	Insights       []Insight `json:"insights"` // the most important first
	GeneratedAt    Time      `json:"generatedAt"`
	PeriodAnalyzed string    `json:"periodAnalyzed"`
}

// An Insight is one sentence for the user, and what it is of. Which other keys it
// has depends on its type: category, savings, trend, anomaly or info.
type Insight struct {
	Type          string    `json:"type"`
	Priority      int       `json:"priority"`
	Title         string    `json:"title,omitempty"`
	Message       string    `json:"message"`
	Status        string    `json:"status,omitempty"` // good, moderate, warning or critical
	Suggestion    *string   `json:"suggestion,omitempty"`
	Category      string    `json:"category,omitempty"`
	Amount        *Total    `json:"amount,omitempty"`
	Value         *float64  `json:"value,omitempty"` // percent
	Income        *Total    `json:"income,omitempty"`
	Expense       *Total    `json:"expense,omitempty"`
	ChangePercent *float64  `json:"changePercent,omitempty"`
	Expenses      []Unusual `json:"expenses,omitempty"`
}

// An Unusual is an expense that stands out.
type Unusual struct {
	Description string `json:"description"`
	Amount      Amount `json:"amount"`
	Category    string `json:"category"`
	Date        Time   `json:"date"`
}

// NewInsights gives i's document; currency is the account's.
func NewInsights(i models.Insights, currency string, now time.Time) Insights {
	return Insights{insights(i, currency), Time(now), "3 months"}
}

func insights(i models.Insights, currency string) []Insight {
	if i.Entries() == 0 {
		return []Insight{{Type: "info", Priority: 1, Message: "Start adding expenses to get personalized insights!"}}
	}
	list := slices.Concat(savingsInsight(i), topInsight(i, currency), trendInsight(i), unusualInsight(i))
	slices.SortStableFunc(list, func(a, b Insight) int { return a.Priority - b.Priority })
	return list
}

// topShare is the share of one category, in percent, above which a budget is
// suggested.
const topShare = 40

func topInsight(i models.Insights, currency string) []Insight {
	if i.Top == nil {
		return nil
	}
	amount, part := Total(i.Top.Total), share(i.Top.Total, i.Expense)
	one := Insight{
		Type: "category", Priority: 2, Title: "Top Spending Category", Category: i.Top.Category, Amount: &amount,
		Message: fmt.Sprintf("%s accounts for %.1f%% of your expenses (%s)", capital(i.Top.Category), part, priced(i.Top.Total, currency)),
	}
	if part > topShare {
		text := "Consider diversifying your spending or setting a budget for this category."
		one.Suggestion = &text
	}
	return []Insight{one}
}

// priced writes a sum for people, as the original does: ₹12.50.
func priced(sum models.Sum, currency string) string {
	c, known := models.FindCurrency(currency)
	if !known {
		return fmt.Sprintf("%s %.2f", currency, sum.Float())
	}
	return fmt.Sprintf("%s%.*f", c.Symbol, c.Decimals, sum.Float())
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func savingsInsight(i models.Insights) []Insight {
	if i.Income == (models.Sum{}) {
		return nil
	}
	rate := i.SavingsRate()
	value, income, expense := rounded(rate, 0), Total(i.Income), Total(i.Expense)
	one := Insight{Type: "savings", Priority: 1, Title: "Savings Rate", Value: &value, Income: &income, Expense: &expense}
	switch {
	case rate < 0:
		one.Status, one.Message = "critical", "You're spending more than you earn! Consider reducing expenses."
	case rate < 10:
		one.Status, one.Message = "warning", fmt.Sprintf("Your savings rate is %.1f%%. Aim for at least 20%%.", rate)
	case rate < 20:
		one.Status, one.Message = "moderate", fmt.Sprintf("Good start! Your savings rate is %.1f%%. Keep improving!", rate)
	default:
		one.Status, one.Message = "good", fmt.Sprintf("Excellent! You're saving %.1f%% of your income.", rate)
	}
	return []Insight{one}
}

// trendInsight compares this month's expenses with last month's; both must have some.
func trendInsight(i models.Insights) []Insight {
	if i.ThisMonth == (models.Sum{}) || i.LastOne == (models.Sum{}) {
		return nil
	}
	change := models.Growth(i.ThisMonth, i.LastOne)
	value := rounded(change, 1)
	one := Insight{Type: "trend", Priority: 2, Title: "Spending Trend", ChangePercent: &value, Status: "good"}
	switch {
	case change > 20:
		one.Status = "warning"
	case change > 0:
		one.Status = "moderate"
	}
	if change > 0 {
		one.Message = fmt.Sprintf("Your spending increased by %.1f%% compared to last month.", change)
	} else {
		one.Message = fmt.Sprintf("Great! Your spending decreased by %.1f%% compared to last month.", -change)
	}
	return []Insight{one}
}

func unusualInsight(i models.Insights) []Insight {
	if len(i.Unusual) == 0 {
		return nil
	}
	return []Insight{{
		Type: "anomaly", Priority: 3, Title: "Unusual Expenses Detected",
		Message: "Found " + strconv.Itoa(len(i.Unusual)) + " expense(s) significantly above your average.",
		Expenses: mapped(i.Unusual, func(e models.Expense) Unusual {
			return Unusual{e.Description, Amount(e.Amount), e.Category, Time(e.Date)}
		}),
	}}
}

// An Overview is the document of GET /api/analytics/summary.
type Overview struct {
	Trends            *TrendSummary `json:"trends"` // null without entries in the last three months
	CategoryBreakdown Breakdown     `json:"categoryBreakdown"`
	Insights          []Insight     `json:"insights"` // the first three
	Velocity          Velocity      `json:"velocity"`
	GeneratedAt       Time          `json:"generatedAt"`
}

// NewOverview gives o's document; currency is the account's.
func NewOverview(o models.Overview, currency string, now time.Time) Overview {
	list := insights(o.Insights, currency)
	return Overview{newTrendSummary(o.Trends), NewBreakdown(o.Breakdown), list[:min(len(list), 3)], NewVelocity(o.Velocity, now), Time(now)}
}

// ParseTrends reads the parameters period and months of spending-trends; "" is
// monthly and 6. Errors are models.Invalid in Joi's words.
func ParseTrends(period, months string) (string, int, error) {
	if period == "" {
		period = models.TrendMonthly
	}
	if !slices.Contains(models.TrendPeriods, period) {
		return "", 0, invalid(`"period" ` + listed(models.TrendPeriods))
	}
	n, err := parseMonths(months, 6, 24)
	return period, n, err
}

// ParseComparison reads the parameter months of comparison; "" is 3.
func ParseComparison(months string) (int, error) { return parseMonths(months, 3, 12) }

func parseMonths(s string, otherwise, most int) (int, error) {
	if s == "" {
		return otherwise, nil
	}
	m, err := models.ParseMoney(models.Trim(s))
	switch n := int64(m / oneUnit); {
	case err != nil:
		return 0, invalid(`"months" must be a number`)
	case m < oneUnit:
		return 0, invalid(`"months" must be greater than or equal to 1`)
	case m > models.Money(most)*oneUnit:
		return 0, invalid(`"months" must be less than or equal to ` + strconv.Itoa(most))
	case m%oneUnit != 0:
		return 0, invalid(`"months" must be an integer`)
	default:
		return int(n), nil
	}
}

// ParseBreakdown reads the parameters type, startDate and endDate of
// category-breakdown; "" is expense and an open end. Errors are models.Invalid in
// Joi's words.
func ParseBreakdown(kind, start, end string) (string, models.DayRef, models.DayRef, error) {
	if kind == "" {
		kind = "expense"
	}
	if !slices.Contains(models.Types, kind) {
		return "", models.DayRef{}, models.DayRef{}, invalid(`"type" ` + listed(models.Types))
	}
	from, okFrom := dayRef(parseDate(start))
	to, okTo := dayRef(parseDate(end))
	var err error
	switch {
	case !okFrom && start != "":
		err = invalid(`"startDate" must be a valid date`)
	case !okTo && end != "":
		err = invalid(`"endDate" must be a valid date`)
	case from.Bare && to.Bare && to.Day < from.Day:
		err = invalid(`"endDate" must be greater than or equal to "startDate"`)
	}
	return kind, from, to, err
}
