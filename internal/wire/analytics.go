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

// AnalyticsResponse is the response of every route of /api/analytics. Data is computed from the
// entries in Currency, the account's; ByCurrency has the totals of other currencies for
// the same days.
type AnalyticsResponse struct {
	Success    bool            `json:"success"`
	Data       any             `json:"data"`
	Currency   string          `json:"currency"`
	ByCurrency []CurrencyTotal `json:"byCurrency"`
}

// NewAnalyticsResponse returns the response with document as its data.
func NewAnalyticsResponse[T any](a *models.Analysis[T], document any, rates *models.Rates) AnalyticsResponse {
	return AnalyticsResponse{true, document, a.Currency, currencyTotals(a.Others, a.Currency, rates)}
}

// EmptyAnalyticsResponse is the response of /api/analytics for a user without entries.
type EmptyAnalyticsResponse struct {
	Success bool      `json:"success"`
	Message string    `json:"message"`
	Data    *struct{} `json:"data"` // null
	Hint    string    `json:"hint"`
}

// NewEmptyAnalyticsResponse returns the response.
func NewEmptyAnalyticsResponse() EmptyAnalyticsResponse {
	return EmptyAnalyticsResponse{
		Success: true, Message: "No expense data available yet", Hint: "Start adding expenses to see analytics",
	}
}

// round rounds half up, as JavaScript's Math.round does, to the given number of
// decimals. It is for averages, projections and percentages; sums are never rounded.
func round(x float64, decimals int) float64 {
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

// A TrendPoint is one period of Trends. Percentages have one decimal, SavingsRate none.
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

// A TrendSummary sums up all periods of Trends.
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

// NewTrends returns the document of t.
func NewTrends(t models.Trends) Trends {
	return Trends{Period: t.Period, Data: mapped(t.Points, newTrendPoint), Summary: newTrendSummary(t)}
}

func newTrendPoint(p models.TrendPoint) TrendPoint {
	return TrendPoint{
		p.Label, Total(p.Income), Total(p.Expense), Total(p.Net()), round(p.SavingsRate(), 0), p.Entries(),
		round(p.ExpenseGrowth, 1), round(p.IncomeGrowth, 1),
	}
}

func newTrendSummary(t models.Trends) *TrendSummary {
	s := t.Summary
	if s == nil {
		return nil
	}
	return &TrendSummary{
		Total(s.Income), Total(s.Expense), Total(s.Net()), round(s.AverageIncome, 2), round(s.AverageExpense, 2),
		round(s.SavingsRate(), 0), s.Direction, len(t.Points),
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
	MaxAmount  *Amount `json:"maxAmount"` // null if there are too many entries
	MinAmount  *Amount `json:"minAmount"` // likewise
}

// NewBreakdown returns the document of b.
func NewBreakdown(b models.Breakdown) Breakdown {
	doc := Breakdown{Type: b.Type, GrandTotal: Total(b.Total)}
	doc.Categories = mapped(b.Categories, func(c models.CategoryRange) CategoryRange {
		return CategoryRange{
			c.Category, Total(c.Total), round(percentage(c.Total, b.Total), 1), c.Count,
			round(c.Total.Float()/float64(c.Count), 2), nullableAmount(c.Max), nullableAmount(c.Min),
		}
	})
	if len(b.Categories) > 0 {
		doc.TopCategory = &b.Categories[0].Category
	}
	return doc
}

// nullableAmount returns nil, which is written as null, for an amount that was not computed.
func nullableAmount(m models.Money) *Amount {
	if m == 0 {
		return nil
	}
	return (*Amount)(&m)
}

// A Comparison is the document of GET /api/analytics/comparison.
type Comparison struct {
	Comparisons []MonthComparison `json:"comparisons"`
}

// A MonthComparison is a month and the month before it.
type MonthComparison struct {
	Month    string       `json:"month"`    // January 2026
	MonthKey string       `json:"monthKey"` // 2026-01
	Current  MonthFlow    `json:"current"`
	Previous MonthFlow    `json:"previous"`
	Changes  MonthChanges `json:"changes"`
}

// A MonthFlow is the income and the expenses of a month.
type MonthFlow struct {
	TotalIncome  Total   `json:"totalIncome"`
	TotalExpense Total   `json:"totalExpense"`
	IncomeCount  int64   `json:"incomeCount"`
	ExpenseCount int64   `json:"expenseCount"`
	Net          Total   `json:"net"`
	SavingsRate  float64 `json:"savingsRate"`
}

// MonthChanges are the changes from the previous month, in percent and in amounts.
type MonthChanges struct {
	Expense       float64 `json:"expense"`
	Income        float64 `json:"income"`
	ExpenseAmount Total   `json:"expenseAmount"`
	IncomeAmount  Total   `json:"incomeAmount"`
}

// NewComparison returns the document of month comparisons.
func NewComparison(months []models.MonthComparison) Comparison {
	return Comparison{mapped(months, func(m models.MonthComparison) MonthComparison {
		return MonthComparison{
			Month: m.Month.Time().Format("January 2006"), MonthKey: m.Month.Time().Format("2006-01"),
			Current: newMonthFlow(m.Current), Previous: newMonthFlow(m.Previous),
			Changes: MonthChanges{
				round(models.Growth(m.Current.Expense, m.Previous.Expense), 1), round(models.Growth(m.Current.Income, m.Previous.Income), 1),
				Total(m.Current.Expense.Minus(m.Previous.Expense)), Total(m.Current.Income.Minus(m.Previous.Income)),
			},
		}
	})}
}

func newMonthFlow(f models.Flow) MonthFlow {
	return MonthFlow{Total(f.Income), Total(f.Expense), f.Incomes, f.Expenses, Total(f.Net()), round(f.SavingsRate(), 0)}
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

// NewVelocity returns the document of v.
func NewVelocity(v models.Velocity, now time.Time) Velocity {
	return Velocity{Total(v.Spent), round(v.Daily, 2), round(v.Projection, 2), v.Day, v.Days - v.Day, v.Entries, Time(now)}
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

// A CategoryPrediction is the expected spending of one category.
type CategoryPrediction struct {
	Category         string  `json:"category"`
	PredictedMonthly float64 `json:"predictedMonthly"`
	AvgTransaction   float64 `json:"avgTransaction"`
}

// NoPrediction is the document instead of a Prediction if there are too few months.
type NoPrediction struct {
	Message     string    `json:"message"`
	Predictions *struct{} `json:"predictions"` // null
}

// NewPrediction returns the document of p: a Prediction or a NoPrediction.
func NewPrediction(p models.Prediction) any {
	if !p.HasEnoughMonths() {
		return NoPrediction{Message: "Need at least 2 months of data for predictions"}
	}
	return Prediction{
		round(p.Next, 2), round(p.Confidence, 0), p.Direction, round(p.Trend, 2),
		round(p.Average, 2), round(p.MovingAverage, 2), p.Months,
		mapped(p.Categories, func(c models.CategoryPrediction) CategoryPrediction {
			return CategoryPrediction{c.Category, round(c.Monthly, 2), round(c.Average, 2)}
		}),
	}
}

// Insights is the document of GET /api/analytics/insights.
type Insights struct {
	Insights       []Insight `json:"insights"` // most important first
	GeneratedAt    Time      `json:"generatedAt"`
	PeriodAnalyzed string    `json:"periodAnalyzed"`
}

// An Insight is a message to the user with the figures behind it. Type is category,
// savings, trend, anomaly or info and determines which of the optional keys are set.
type Insight struct {
	Type          string           `json:"type"`
	Priority      int              `json:"priority"`
	Title         string           `json:"title,omitempty"`
	Message       string           `json:"message"`
	Status        string           `json:"status,omitempty"` // good, moderate, warning or critical
	Suggestion    *string          `json:"suggestion,omitempty"`
	Category      string           `json:"category,omitempty"`
	Amount        *Total           `json:"amount,omitempty"`
	Value         *float64         `json:"value,omitempty"` // percent
	Income        *Total           `json:"income,omitempty"`
	Expense       *Total           `json:"expense,omitempty"`
	ChangePercent *float64         `json:"changePercent,omitempty"`
	Expenses      []UnusualExpense `json:"expenses,omitempty"`
}

// An UnusualExpense is an unusually large expense.
type UnusualExpense struct {
	Description string `json:"description"`
	Amount      Amount `json:"amount"`
	Category    string `json:"category"`
	Date        Time   `json:"date"`
}

// NewInsights returns the document of i. currency is the account's.
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

// topShare is the percentage of one category above which a budget is suggested.
const topShare = 40

func topInsight(i models.Insights, currency string) []Insight {
	if i.Top == nil {
		return nil
	}
	amount, percent := Total(i.Top.Total), percentage(i.Top.Total, i.Expense)
	one := Insight{
		Type: "category", Priority: 2, Title: "Top Spending Category", Category: i.Top.Category, Amount: &amount,
		Message: fmt.Sprintf("%s accounts for %.1f%% of your expenses (%s)",
			capitalize(i.Top.Category), percent, formatPrice(i.Top.Total, currency)),
	}
	if percent > topShare {
		text := "Consider diversifying your spending or setting a budget for this category."
		one.Suggestion = &text
	}
	return []Insight{one}
}

// formatPrice formats a sum with its currency symbol, such as ₹12.50.
func formatPrice(sum models.Sum, currency string) string {
	c, known := models.FindCurrency(currency)
	if !known {
		return fmt.Sprintf("%s %.2f", currency, sum.Float())
	}
	return fmt.Sprintf("%s%.*f", c.Symbol, c.Decimals, sum.Float())
}

func capitalize(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func savingsInsight(i models.Insights) []Insight {
	if i.Income == (models.Sum{}) {
		return nil
	}
	rate := i.SavingsRate()
	value, income, expense := round(rate, 0), Total(i.Income), Total(i.Expense)
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

// trendInsight compares this month's expenses with last month's. It returns nothing if
// one of them has none.
func trendInsight(i models.Insights) []Insight {
	if i.ThisMonth == (models.Sum{}) || i.LastMonth == (models.Sum{}) {
		return nil
	}
	change := models.Growth(i.ThisMonth, i.LastMonth)
	value := round(change, 1)
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
		Expenses: mapped(i.Unusual, func(e models.Expense) UnusualExpense {
			return UnusualExpense{e.Description, Amount(e.Amount), e.Category, Time(e.Date)}
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

// NewOverview returns the document of o. currency is the account's.
func NewOverview(o models.Overview, currency string, now time.Time) Overview {
	list := insights(o.Insights, currency)
	return Overview{
		newTrendSummary(o.Trends), NewBreakdown(o.Breakdown), list[:min(len(list), 3)], NewVelocity(o.Velocity, now), Time(now),
	}
}

// ParseTrends parses the parameters period (default: monthly) and months (default: 6) of
// GET /api/analytics/spending-trends. The error is models.Invalid with Joi's message.
func ParseTrends(period, months string) (string, int, error) {
	if period == "" {
		period = models.TrendMonthly
	}
	if !slices.Contains(models.TrendPeriods, period) {
		return "", 0, invalid(`"period" ` + mustBeOneOf(models.TrendPeriods))
	}
	n, err := parseMonths(months, 6, 24)
	return period, n, err
}

// ParseComparison parses the parameter months (default: 3) of GET
// /api/analytics/comparison. The error is models.Invalid with Joi's message.
func ParseComparison(months string) (int, error) { return parseMonths(months, 3, 12) }

func parseMonths(s string, otherwise, most int) (int, error) {
	if s == "" {
		return otherwise, nil
	}
	m, err := models.ParseMoney(models.Trim(s))
	switch n := int64(m / currencyUnit); {
	case err != nil:
		return 0, invalid(`"months" must be a number`)
	case m < currencyUnit:
		return 0, invalid(`"months" must be greater than or equal to 1`)
	case m > models.Money(most)*currencyUnit:
		return 0, invalid(`"months" must be less than or equal to ` + strconv.Itoa(most))
	case m%currencyUnit != 0:
		return 0, invalid(`"months" must be an integer`)
	default:
		return int(n), nil
	}
}

// ParseBreakdown parses the parameters type (default: expense), startDate and endDate
// (default: unlimited) of GET /api/analytics/category-breakdown. The error is
// models.Invalid with Joi's message.
func ParseBreakdown(kind, start, end string) (string, models.DayRef, models.DayRef, error) {
	if kind == "" {
		kind = "expense"
	}
	if !slices.Contains(models.Types, kind) {
		return "", models.DayRef{}, models.DayRef{}, invalid(`"type" ` + mustBeOneOf(models.Types))
	}
	from, okFrom := dayRef(parseDate(start))
	to, okTo := dayRef(parseDate(end))
	var err error
	switch {
	case !okFrom && start != "":
		err = invalid(`"startDate" must be a valid date`)
	case !okTo && end != "":
		err = invalid(`"endDate" must be a valid date`)
	case from.IsDay && to.IsDay && to.Day < from.Day:
		err = invalid(`"endDate" must be greater than or equal to "startDate"`)
	}
	return kind, from, to, err
}
