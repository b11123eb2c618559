package app

import (
	"fmt"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/models"
)

// entry stores an income or an expense of a day.
func (r *running) entry(token, day, kind, category, description, amount string) {
	r.t.Helper()
	body := fmt.Sprintf(`{"description":%q,"amount":%s,"category":%q,"type":%q,"date":%q}`, description, amount, category, kind, day)
	if a := r.call("POST", "/api/expenses", token, body); a.code != 201 {
		r.t.Fatalf("create: %d %s", a.code, a.body)
	}
}

// varyingFigures matches figures that depend on the day of the month.
var varyingFigures = regexp.MustCompile(`"(dailyAverage|projectedMonthEnd|dayOfMonth|daysRemaining)":[0-9.]+`)

// month is the first day of the month n months from now.
func month(n int) string { return models.MonthOf(models.DayOf(time.Now(), time.UTC), n).String() }

// analyticsDocuments are the answers to every route of analytics, by path.
func analyticsDocuments() map[string]string {
	label := func(n int) string { return month(n)[:7] }
	const velocity = `{"currentSpent":30,"dailyAverage":<n>,"projectedMonthEnd":<n>,"dayOfMonth":<n>,"daysRemaining":<n>,` +
		`"transactionCount":2,"generatedAt":"<time>"}`
	breakdown := `{"type":"expense","grandTotal":130,"categories":[{"category":"bills","total":100,"percentage":76.9,"count":1,` +
		`"avgAmount":100,"maxAmount":100,"minAmount":100},` +
		`{"category":"food","total":30,"percentage":23.1,"count":2,"avgAmount":15,"maxAmount":17.5,"minAmount":12.5}],` +
		`"topCategory":"bills"}`
	trends := `{"totalIncome":200,"totalExpense":130,"netSavings":70,"avgMonthlyIncome":100,"avgMonthlyExpense":65,` +
		`"avgSavingsRate":35,"spendingTrend":"stable","periodsCovered":2}`
	insights := `[{"type":"savings","priority":1,"title":"Savings Rate","message":"Excellent! You're saving 35.0% of your ` +
		`income.","status":"good","value":35,"income":200,"expense":130},` +
		`{"type":"category","priority":2,"title":"Top Spending Category","message":"Bills accounts for 76.9% of your expenses ` +
		`(₹100.00)","suggestion":"Consider diversifying your spending or setting a budget for this category.","category":"bills",` +
		`"amount":100},` +
		`{"type":"trend","priority":2,"title":"Spending Trend","message":"Great! Your spending decreased by 70.0% compared to last ` +
		`month.","status":"good","changePercent":-70}]`
	flow := func(income, expense, incomes, expenses, net, rate int) string {
		return fmt.Sprintf(`{"totalIncome":%d,"totalExpense":%d,"incomeCount":%d,"expenseCount":%d,"net":%d,"savingsRate":%d}`, income,
			expense, incomes, expenses, net, rate)
	}
	return map[string]string{
		"spending-trends?period=monthly&months=2": `{"period":"monthly","data":[` +
			fmt.Sprintf(`{"period":%q,"income":200,"expense":100,"net":100,"savingsRate":50,"transactionCount":2,"expenseGrowth":0,`+
				`"incomeGrowth":0},`, label(-1)) +
			fmt.Sprintf(`{"period":%q,"income":0,"expense":30,"net":-30,"savingsRate":0,"transactionCount":2,"expenseGrowth":-70,`+
				`"incomeGrowth":-100}`, label(0)) +
			`],"summary":` + trends + `}`,
		"category-breakdown?type=expense":                      breakdown,
		"category-breakdown?type=income&startDate=" + month(0): `{"type":"income","grandTotal":0,"categories":[],"topCategory":null}`,
		"comparison?months=1": `{"comparisons":[{"month":"` +
			models.MonthOf(models.DayOf(time.Now(), time.UTC), 0).Time().Format("January 2006") +
			fmt.Sprintf(`","monthKey":%q,"current":`, label(0)) +
			flow(0, 30, 0, 2, -30, 0) + `,"previous":` + flow(200, 100, 1, 1, 100, 50) +
			`,"changes":{"expense":-70,"income":-100,"expenseAmount":-70,"incomeAmount":-200}}]}`,
		"insights":    `{"insights":` + insights + `,"generatedAt":"<time>","periodAnalyzed":"3 months"}`,
		"predictions": `{"message":"Need at least 2 months of data for predictions","predictions":null}`,
		"velocity":    velocity,
		"summary": `{"trends":` + trends + `,"categoryBreakdown":` + breakdown + `,"insights":` + insights + `,"velocity":` +
			velocity + `,"generatedAt":"<time>"}`,
	}
}

// Every answer has the shape that the original's page reads: each of its keys is here.
func TestEveryRouteOfAnalytics(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice := r.register("alice@example.org")
		r.entry(alice, month(-1), "expense", "bills", "Rent", "100")
		r.entry(alice, month(-1), "income", "salary", "Pay", "200")
		r.entry(alice, month(0), "expense", "food", "Lunch", "12.5")
		r.entry(alice, month(0), "expense", "food", "Dinner", "17.5")
		for path, document := range analyticsDocuments() {
			a := r.call("GET", "/api/analytics/"+path, alice, "")
			got := varyingFigures.ReplaceAllString(plain(a.body), `"$1":<n>`)
			if diff := cmp.Diff(`{"success":true,"data":`+document+`,"currency":"INR","byCurrency":[]}`, got); a.code != 200 ||
				diff != "" {
				t.Errorf("%s: %d (-want +got):\n%s", path, a.code, diff)
			}
			r.wantHeaders(t, a)
		}
		r.entry(alice, month(-2), "expense", "bills", "Rent", "100")
		a := r.call("GET", "/api/analytics/predictions", alice, "")
		const prediction = `{"success":true,"data":{"nextMonthPrediction":100,"confidence":100,"trend":"stable","trendAmount":0,` +
			`"historicalAverage":100,"movingAverage":100,` +
			`"basedOnMonths":2,"categoryPredictions":[{"category":"bills","predictedMonthly":100,"avgTransaction":100}]},` +
			`"currency":"INR","byCurrency":[]}`
		if a.code != 200 || a.body != prediction {
			t.Errorf("two months: %d %s", a.code, a.body)
		}
	})
}

func TestAnalyticsWithoutEntriesAndWithNonsense(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	const nothing = `{"success":true,"message":"No expense data available yet","data":null,"hint":"Start adding expenses to see ` +
		`analytics"}`
	for path, want := range map[string]string{
		"spending-trends": nothing, "category-breakdown": nothing, "comparison": nothing, "insights": nothing,
		"predictions": nothing, "summary": nothing,
		"spending-trends?period=hourly":                              `"period" must be one of [daily, weekly, monthly]`,
		"spending-trends?months=0":                                   `"months" must be greater than or equal to 1`,
		"spending-trends?months=25":                                  `"months" must be less than or equal to 24`,
		"spending-trends?months=1.5":                                 `"months" must be an integer`,
		"spending-trends?months=many":                                `"months" must be a number`,
		"comparison?months=13":                                       `"months" must be less than or equal to 12`,
		"comparison?months=1e99":                                     `"months" must be a number`,
		"category-breakdown?type=all":                                `"type" must be one of [income, expense]`,
		"category-breakdown?startDate=soon":                          `"startDate" must be a valid date`,
		"category-breakdown?endDate=9999999999999999":                `"endDate" must be a valid date`,
		"category-breakdown?startDate=2026-02-02&endDate=2026-02-01": `"endDate" must be greater than or equal to "startDate"`,
	} {
		code := 200
		if want != nothing {
			code, want = 400, errorBody("INVALID", want)
		}
		if a := r.call("GET", "/api/analytics/"+path, alice, ""); a.code != code || a.body != want {
			t.Errorf("%s: %d %s", path, a.code, a.body)
		}
	}
}

func TestSuggestionsComeFromOnesOwnEntries(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice, bob := r.register("alice@example.org"), r.register("bob@example.org")
		for _, category := range []string{"food", "food", "other"} {
			r.entry(alice, "2026-01-19", "expense", category, "Coffee at Joe's", "3")
		}
		const none = `{"success":true,"data":{"suggestions":[],"primarySuggestion":{"category":"other","confidence":0.1,` +
			`"source":"default","reason":"No pattern found"}}}`
		food := `{"category":"food","confidence":0.57,"source":"historical","reason":"2 of your entries have this description"}`
		for _, tt := range []struct{ token, description, want string }{
			{alice, "coffee at JOE'S ", `{"success":true,"data":{"suggestions":[` + food +
				`,{"category":"other","confidence":0.29,"source":"historical","reason":"1 of your entries has this description"}],` +
				`"primarySuggestion":` + food + `}}`},
			{alice, "rent", none},
			{bob, "coffee at joe's", none},
			{alice, "", "Description is required"},
			{alice, " x ", "Description must be at least 2 characters"},
			{alice, fmt.Sprintf("%501s", "x") + fmt.Sprintf("%0501d", 1), "Description must not exceed 500 characters"},
		} {
			a := r.call("GET", "/api/categorization/suggest?description="+url.QueryEscape(tt.description), tt.token, "")
			if a.body != tt.want && a.body != errorBody("INVALID", tt.want) {
				t.Errorf("%q: %d %s", tt.description, a.code, a.body)
			}
		}
	})
}
