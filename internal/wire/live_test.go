package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func food() models.Budget {
	return models.Budget{
		ID: "65a0000000000000000000b1", UserID: "65a00000000000000000000f", Name: "Food", Category: "food", Amount: 300_000_000,
		Period: models.Monthly, Threshold: 80, Version: 2, CreatedAt: noon, UpdatedAt: later,
	}
}

func overdrawn() models.BudgetState {
	b := food()
	b.Start, b.End = noon, noon.AddDate(0, 6, 0)
	b.StartDay, b.EndDay = models.DayOf(b.Start, time.UTC), models.DayOf(b.End, time.UTC)
	from, to := b.Window(b.StartDay)
	return models.BudgetState{Budget: b, From: from, To: to, Currency: "INR", Spent: models.Sum{Units: 450, Micros: 500_000}, Level: models.LevelExceeded, Active: true}
}

func someRates(t *testing.T) *models.Rates {
	r, err := models.ParseRates([]byte(`{"base": "EUR", "date": "2026-01-16", "rates": {"INR": 105.3, "USD": 1.16, "JPY": 184}}`), noon)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func elsewhere() []models.CurrencyTotal {
	return []models.CurrencyTotal{
		{Currency: "EUR", Income: models.Sum{Units: 10}, Expense: models.Sum{Units: 2, Micros: 500_000}, Count: 3},
		{Currency: "XTS", Expense: models.Sum{Units: 1}, Count: 1},
	}
}

func ratesPage(t *testing.T, base string, r *models.Rates) wire.RatesPage {
	page, err := wire.NewRatesPage(base, r, noon)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestLiveDocuments(t *testing.T) {
	untouched := models.BudgetReport{BudgetState: models.BudgetState{Budget: food(), From: 20_000, To: 20_031, Currency: "EUR", Active: true}}
	report := models.BudgetReport{BudgetState: overdrawn(), Others: []models.CurrencySum{{Currency: "EUR", Sum: models.Sum{Units: 8}}, {Currency: "XTS", Sum: models.Sum{Units: 1}}}}
	notification := models.Notification{
		ID: "65a0000000000000000000c1", Title: "Budget exceeded", Message: "Why", Type: models.NotifyBudget,
		Priority: models.PriorityCritical, Data: json.RawMessage(`{"budgetId":"x"}`), CreatedAt: noon,
	}
	own := models.CurrencyTotal{Currency: "INR", Income: models.Sum{Units: 9_000_000_000_000_000}, Expense: models.Sum{Units: 9_000_000_000_000_000, Micros: 1}, Count: 9}
	balance := models.Balance{CurrencyTotal: own, Others: elsewhere(), UpdatedAt: noon}
	alone := models.Balance{CurrencyTotal: own, UpdatedAt: noon}
	zone := "Pacific/Auckland"
	e := lunch()
	g := holiday()
	documents := map[string]any{
		"goal":                wire.NewGoal(g),
		"goal_plain":          wire.NewGoal(models.Goal{ID: g.ID, UserID: g.UserID, Title: "x", CreatedAt: noon, UpdatedAt: noon, TargetDate: noon, Version: 1}),
		"goal_summary":        wire.NewGoalSummary([]models.Goal{g, {Status: models.GoalCompleted, Target: 1, Current: 2}}, models.DayOf(noon, time.UTC)+730),
		"goal_summary_none":   wire.NewGoalSummary(nil, 0),
		"goal_conflict":       wire.NewFailure(&models.ConflictError{Goal: &g}),
		"preferences":         wire.NewPreferences(models.User{ID: g.UserID, CreatedAt: noon}, models.DefaultPreferences()),
		"not_built":           wire.NewFailure(wire.ErrNoWorkspaces),
		"workspaces":          wire.Listed[struct{}]{Success: true, Data: []struct{}{}},
		"trends":              wire.NewAnalysed(inRupees(dollars), wire.NewTrends(models.NewTrends(models.TrendMonthly, days())), nil),
		"trends_none":         wire.NewAnalysed(inRupees(), wire.NewTrends(models.NewTrends(models.TrendWeekly, nil)), nil),
		"nothing_analysed":    wire.NewNothingAnalysed(),
		"breakdown":           wire.NewBreakdown(breakdown()),
		"comparison":          wire.NewComparison(models.CompareMonths(models.DayOf(noon, time.UTC), 1, days())),
		"velocity":            wire.NewVelocity(models.NewVelocity(models.DayOf(noon, time.UTC), days()[1].Flow), noon),
		"prediction":          wire.NewPrediction(models.Predict([]models.Sum{{Units: 100}, {Units: 250}}, []models.CategoryTotal{{Category: "food", Total: models.Sum{Units: 100}, Count: 3}})),
		"prediction_none":     wire.NewPrediction(models.Predict(nil, nil)),
		"insights":            wire.NewInsights(notable(e), "EUR", noon),
		"insights_none":       wire.NewInsights(models.Insights{}, "INR", noon),
		"overview":            wire.NewOverview(models.Overview{Breakdown: breakdown(), Insights: notable(e), Trends: models.NewTrends(models.TrendMonthly, days())}, "JPY", noon),
		"suggested":           wire.NewSuggested([]models.Suggestion{{Category: "food", Confidence: 0.67, Entries: 1, Same: true}, {Category: "other", Confidence: 0.2, Entries: 2}}),
		"suggested_none":      wire.NewSuggested(nil),
		"budget":              wire.NewBudget(food()),
		"budget_state":        wire.NewBudgetState(report, someRates(t)),
		"budget_untouched":    wire.NewBudgetState(untouched, nil),
		"budget_alert":        wire.NewAlert(overdrawn()),
		"budget_summary":      wire.NewBudgetSummary([]models.BudgetReport{report, untouched}),
		"budget_summary_none": wire.NewBudgetSummary(nil),
		"budget_conflict":     wire.NewFailure(&models.ConflictError{Budget: &untouched.Budget}),
		"notification":        wire.NewNotification(notification),
		"notifications":       wire.NewNotificationPage([]models.Notification{notification, {Read: true, CreatedAt: noon}}, 21, 2, 20),
		"notifications_none":  wire.NewNotificationPage(nil, 0, 1, 20),
		"balance":             wire.NewBalance(balance, someRates(t)),
		"balance_unconverted": wire.NewBalance(balance, nil),
		"balance_never":       wire.NewBalance(models.Balance{CurrencyTotal: models.CurrencyTotal{Currency: "INR"}}, nil),
		"balance_change":      wire.NewBalanceChange(alone, nil, models.SumOf(-1), &models.Change{Kind: models.ExpenseDeleted, EntityID: e.ID}),
		"balance_greeting":    wire.NewBalanceChange(alone, nil, models.Sum{}, nil),
		"dashboard":           wire.NewDashboard(dashboard(e), someRates(t)),
		"dashboard_empty":     wire.NewDashboard(models.Dashboard{From: 20_000, To: 20_000, CurrencyTotal: models.CurrencyTotal{Currency: "INR"}, GeneratedAt: noon}, nil),
		"settings":            wire.NewSettings(models.Settings{Zone: zone, Currency: "NZD"}),
		"settings_none":       wire.NewSettings(models.Settings{}),
		"preference":          wire.NewPreference(&models.User{}),
		"rates":               ratesPage(t, "EUR", someRates(t)),
		"rates_none":          ratesPage(t, "", nil),
		"system_status":       wire.Status{Status: wire.StatusDegraded, Message: "why", At: wire.Time(noon)},
	}
	for name, document := range documents {
		got, err := json.Marshal(document)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden(t, name, got)
	}
}

func days() []models.DayFlow {
	return []models.DayFlow{
		{Day: models.Date(2025, time.December, 1), Flow: models.Flow{Income: models.Sum{Units: 300}, Expense: models.Sum{Units: 90, Micros: 125_000}, Incomes: 1, Expenses: 2}},
		{Day: models.DayOf(noon, time.UTC), Flow: models.Flow{Expense: models.Sum{Units: 60, Micros: 500_000}, Expenses: 1}},
	}
}

var dollars = models.CurrencyTotal{Currency: "USD", Income: models.Sum{Units: 9}, Expense: models.Sum{Units: 10, Micros: 500_000}, Count: 2}

func inRupees(others ...models.CurrencyTotal) *models.Analysis[models.Trends] {
	return &models.Analysis[models.Trends]{Currency: "INR", Others: others}
}

func breakdown() models.Breakdown {
	return models.NewBreakdown("expense", []models.CategoryRange{
		{CategoryTotal: models.CategoryTotal{Category: "food", Total: models.Sum{Units: 10, Micros: 125_000}, Count: 3}, Least: 125_000, Most: 9_000_000},
		{CategoryTotal: models.CategoryTotal{Category: "bills", Total: models.Sum{Units: 20}, Count: 1}, Least: 20_000_000, Most: 20_000_000},
	})
}

func notable(e models.Expense) models.Insights {
	return models.Insights{
		Flow: models.Flow{Income: models.Sum{Units: 100}, Expense: models.Sum{Units: 85}, Incomes: 1, Expenses: 9}, Top: &models.CategoryTotal{Category: "food", Total: models.Sum{Units: 51}, Count: 3},
		ThisMonth: models.Sum{Units: 25}, LastOne: models.Sum{Units: 20}, Unusual: []models.Expense{e},
	}
}

func holiday() models.Goal {
	return models.Goal{
		ID: "65a000000000000000000a01", UserID: "65a00000000000000000000f", Title: "Holiday", Description: "At the sea", Target: 1_200_000_000, Current: 300_500_000,
		Type: "savings", Category: "travel", TargetDate: noon.AddDate(1, 0, 0), Priority: "high", Status: models.GoalActive, Reminder: "weekly",
		Milestones: []models.Milestone{
			{ID: "65a000000000000000000a11", Amount: 300_000_000, Date: noon, AchievedAt: later}, {ID: "65a000000000000000000a12", Amount: 600_000_000, Date: later},
		},
		Version: 3, CreatedAt: noon, UpdatedAt: later,
	}
}

func dashboard(e models.Expense) models.Dashboard {
	return models.Dashboard{
		From: models.DayOf(noon, time.UTC), To: models.DayOf(noon, time.UTC) + 1, Version: 7, Others: elsewhere(),
		CurrencyTotal: models.CurrencyTotal{Currency: "INR", Income: models.Sum{Units: 100}, Expense: models.Sum{Units: 30, Micros: 300_000}, Count: 4},
		ByCategory:    []models.CategoryTotal{{Category: "food", Total: models.Sum{Units: 20, Micros: 200_000}, Count: 2}, {Category: "other", Total: models.Sum{Units: 10, Micros: 100_000}, Count: 1}},
		Series:        []models.DayTotal{{Day: models.DayOf(noon, time.UTC), Income: models.Sum{Units: 100}, Expense: models.Sum{Units: 30, Micros: 300_000}}},
		Recent:        []models.Expense{e}, GeneratedAt: later,
	}
}

// whole gives a good budget with one key set to a JSON value, or without the key
// for the value "".
func whole(key, value string) string {
	fields := [][2]string{{"name", `"Food"`}, {"category", `"food"`}, {"amount", "300"}}
	var parts []string
	for _, f := range fields {
		if f[0] != key {
			parts = append(parts, fmt.Sprintf("%q:%s", f[0], f[1]))
		}
	}
	if value != "" {
		parts = append(parts, fmt.Sprintf("%q:%s", key, value))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestParseBudgetSaysWhatIsWrong(t *testing.T) {
	const (
		categories = `"category" must be one of [food, transport, entertainment, utilities, healthcare, shopping, other, bills, education, travel, all]`
		periods    = `"period" must be one of [monthly, weekly, yearly]`
	)
	tests := []struct{ body, want string }{
		{whole("name", ""), `"name" is required`},
		{whole("name", `" "`), `"name" is not allowed to be empty`},
		{whole("name", "null"), `"name" must be a string`},
		{whole("name", quote(strings.Repeat("x", 101))), `"name" length must be less than or equal to 100 characters long`},
		{whole("name", `"a\u0000b"`), `"name" must not contain NUL characters`},
		{whole("category", ""), `"category" is required`},
		{whole("category", `"fun"`), categories},
		{whole("category", "7"), categories},
		{whole("amount", ""), `"amount" is required`},
		{whole("amount", "null"), `"amount" must be a number`},
		{whole("amount", "0"), `"amount" must be a positive number`},
		{whole("amount", "-5"), `"amount" must be a positive number`},
		{whole("amount", "0.0000001"), `"amount" must be a positive number`},
		{whole("amount", "9000000000001"), `"amount" must be less than or equal to 9000000000000`},
		{whole("amount", "1e400"), `"amount" must be a safe number`},
		{whole("period", `"daily"`), periods},
		{whole("period", "null"), periods},
		{whole("period", `""`), periods},
		{whole("startDate", `"then"`), `"startDate" must be a valid date`},
		{whole("startDate", "8640000000000000"), `"startDate" must be a valid date`},
		{whole("endDate", "true"), `"endDate" must be a valid date`},
		{whole("startDate", `"2026-02-01","endDate":"2026-01-31"`), `"endDate" must be greater than or equal to "startDate"`},
		{whole("alertThreshold", "0"), `"alertThreshold" must be greater than or equal to 1`},
		{whole("alertThreshold", "-9000000000000"), `"alertThreshold" must be greater than or equal to 1`},
		{whole("alertThreshold", "101"), `"alertThreshold" must be less than or equal to 100`},
		{whole("alertThreshold", "79.5"), `"alertThreshold" must be an integer`},
		{whole("alertThreshold", "null"), `"alertThreshold" must be an integer`},
		{whole("version", `"new"`), `"version" must be a number`},
		{whole("deviceId", quote(strings.Repeat("d", 257))), `"deviceId" length must be less than or equal to 256 characters long`},
		{whole("clientId", `"c"`), `"clientId" is not allowed`},
		{whole("foo", "1"), `"foo" is not allowed`},
		{"", `"name" is required`},
		{"[]", `"value" must be of type object`},
		{"{", "Malformed JSON"},
		// The first fault in the order of fields, unknown keys last.
		{`{"foo":1,"alertThreshold":0,"period":"x","amount":0,"category":"x","name":""}`, `"name" is not allowed to be empty`},
		{`{"foo":1,"alertThreshold":0,"amount":0,"category":"food","name":"a"}`, `"amount" must be a positive number`},
	}
	for _, tt := range tests {
		_, _, err := wire.ParseBudgetDraft(json.RawMessage(tt.body))
		if got := models.Message(err); err == nil || got != tt.want || models.KindOf(err) != models.Invalid {
			t.Errorf("%.100s\n got %v\nwant %s", tt.body, err, tt.want)
		}
	}
}

func TestParseBudgetReads(t *testing.T) {
	d, meta, err := wire.ParseBudgetDraft(json.RawMessage(`{"name":" Food ","category":"all","amount":"300.5","deviceId":"device_1"}`))
	want := models.Budget{Name: "Food", Category: "all", Amount: 300_500_000, Period: models.Monthly, Threshold: 80}
	if diff := cmp.Diff(want, d.Budget(time.UTC)); err != nil || diff != "" || meta.DeviceID != "device_1" {
		t.Errorf("%v, %+v; defaults (-want +got):\n%s", err, meta, diff)
	}
	full := `{"name":"Food","category":"bills","amount":1e-6,"period":"weekly","startDate":"2026-01-19","endDate":1795288041640,"alertThreshold":"50","version":3}`
	p, meta, err := wire.ParseBudget(json.RawMessage(full))
	var b models.Budget
	p.Apply(&b, time.UTC)
	want = models.Budget{
		Name: "Food", Category: "bills", Amount: 1, Period: models.Weekly, Threshold: 50,
		Start: time.Date(2026, 1, 19, 0, 0, 0, 0, time.UTC), End: time.UnixMilli(1795288041640).UTC(),
		StartDay: models.Date(2026, 1, 19), EndDay: models.Date(2026, 11, 21),
	}
	if diff := cmp.Diff(want, b); err != nil || diff != "" || meta.Version == nil || *meta.Version != 3 {
		t.Errorf("%v, %+v; everything (-want +got):\n%s", err, meta, diff)
	}
}

// Of what a PUT omits the stored value stays; null opens an end of its life.
func TestParseBudgetLeavesAloneWhatIsNotNamed(t *testing.T) {
	stored := overdrawn().Budget
	for body, start := range map[string]time.Time{
		whole("", ""): stored.Start, whole("startDate", "null"): {}, whole("startDate", `""`): {},
	} {
		b := stored
		p, _, err := wire.ParseBudget(json.RawMessage(body))
		p.Apply(&b, time.UTC)
		want := stored
		if want.Start = start; start.IsZero() {
			want.StartDay = 0
		}
		if diff := cmp.Diff(want, b); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", body, err, diff)
		}
	}
}

func TestABudgetsOwnDocumentIsABodyForIt(t *testing.T) {
	document, err := json.Marshal(wire.NewBudgetState(models.BudgetReport{BudgetState: overdrawn()}, nil))
	if err != nil {
		t.Fatal(err)
	}
	p, meta, err := wire.ParseBudget(document)
	if err != nil {
		t.Fatal(err)
	}
	b := overdrawn().Budget
	p.Apply(&b, time.UTC)
	if diff := cmp.Diff(overdrawn().Budget, b); diff != "" || meta.Version == nil || *meta.Version != b.Version {
		t.Errorf("it came back (-want +got):\n%s", diff)
	}
}

func TestBudgetFilter(t *testing.T) {
	monthly, over := models.BudgetReport{}, models.BudgetReport{}
	monthly.Budget.Period, monthly.Active, over.Budget.Period = models.Monthly, true, models.Weekly
	tests := []struct {
		period, active  string
		monthly, weekly bool
		err             string
	}{
		{"", "", true, true, ""},
		{"monthly", "", true, false, ""},
		{"", "true", true, false, ""},
		{"", "false", false, true, ""},
		{"yearly", "true", false, false, ""},
		{"daily", "", false, false, `"period" must be one of [monthly, weekly, yearly]`},
		{"", "1", false, false, `"active" must be a boolean`},
	}
	for _, tt := range tests {
		f, err := wire.ParseBudgetFilter(tt.period, tt.active)
		if tt.err != "" {
			if err == nil || models.Message(err) != tt.err {
				t.Errorf("%q, %q: %v", tt.period, tt.active, err)
			}
		} else if err != nil || f.Matches(monthly) != tt.monthly || f.Matches(over) != tt.weekly {
			t.Errorf("%q, %q: %v, %v and %v", tt.period, tt.active, err, f.Matches(monthly), f.Matches(over))
		}
	}
}

func TestDaysOfADashboard(t *testing.T) {
	on := func(y int, m time.Month, d int) models.DayRef { return models.OnDay(models.Date(y, m, d)) }
	at := func(s string) models.DayRef { t, _ := time.Parse(time.RFC3339, s); return models.DayRef{At: t} }
	open := models.DayRef{}
	tests := []struct {
		from, to    string
		first, last models.DayRef
		err         string
	}{
		{"", "", open, open, ""},
		{"2026-01-19", "", on(2026, 1, 19), open, ""},
		{"", "1768780800000", open, at("2026-01-19T00:00:00Z"), ""},
		{"2026-01-19T23:59:59Z", "2026-01-19T00:00:00Z", at("2026-01-19T23:59:59Z"), at("2026-01-19T00:00:00Z"), ""}, // one day, somewhere
		{"2026-01-19T23:59", "2026-02", on(2026, 1, 19), on(2026, 2, 1), ""},
		{"0001-01-01", "2026-01-19", on(1, 1, 1), on(2026, 1, 19), ""},
		{"0001-01-02", "0001-01-01", open, open, `"to" must be greater than or equal to "from"`},
		{"2026-01-20", "2026-01-19", open, open, `"to" must be greater than or equal to "from"`},
		{"then", "", open, open, `"from" must be a valid date`},
		{"", "now", open, open, `"to" must be a valid date`},
		{"8640000000000000", "", open, open, `"from" must be a valid date`},
	}
	for _, tt := range tests {
		arg := fmt.Sprintf(`{"from":%q,"to":%q}`, tt.from, tt.to)
		for door, parse := range map[string]func() (models.DayRef, models.DayRef, error){
			"HTTP": func() (models.DayRef, models.DayRef, error) { return wire.ParseDays(tt.from, tt.to) },
			"socket": func() (models.DayRef, models.DayRef, error) {
				return wire.ParseDashboardSubscribe(json.RawMessage(arg))
			},
		} {
			first, last, err := parse()
			if tt.err != "" {
				if err == nil || models.Message(err) != tt.err {
					t.Errorf("%s %s: %v", door, arg, err)
				}
			} else if err != nil || first != tt.first || last != tt.last {
				t.Errorf("%s %s: %v to %v, %v", door, arg, first, last, err)
			}
		}
	}
}

func TestWhatADashboardSubscriptionMayLeaveOut(t *testing.T) {
	for arg, want := range map[string]string{
		"": "", "null": "", "{}": "", `{"from":null,"to":null,"more":1}`: "",
		`"2026"`: `"value" must be of type object`, `[]`: `"value" must be of type object`, `{"from":true}`: `"from" must be a valid date`,
	} {
		first, last, err := wire.ParseDashboardSubscribe(json.RawMessage(arg))
		if want == "" && (err != nil || !first.IsZero() || !last.IsZero()) {
			t.Errorf("%s: %v to %v, %v", arg, first, last, err)
		} else if want != "" && (err == nil || models.Message(err) != want) {
			t.Errorf("%s: %v", arg, err)
		}
	}
}

func TestParseStatus(t *testing.T) {
	const states = `"status" must be one of [ok, degraded, shutting_down]`
	for body, want := range map[string]string{
		``: `"status" is required`, `{"status":"fine"}`: states, `{"status":7}`: states, `{"status":null}`: states,
		`{"status":"ok","message":7}`:                                       `"message" must be a string`,
		`{"status":"ok","message":` + quote(strings.Repeat("x", 501)) + `}`: `"message" length must be less than or equal to 500 characters long`,
		`{"status":"ok","at":1}`:                                            `"at" is not allowed`,
		`[]`:                                                                `"value" must be of type object`,
	} {
		if _, err := wire.ParseStatus(json.RawMessage(body), noon); err == nil || models.Message(err) != want {
			t.Errorf("%.60s: %v, want %s", body, err, want)
		}
	}
	got, err := wire.ParseStatus(json.RawMessage(`{"status":"degraded","message":" back at noon "}`), noon)
	if want := (wire.Status{Status: wire.StatusDegraded, Message: "back at noon", At: wire.Time(noon)}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whatever arrives is refused as Invalid, or is a budget that keeps every rule
// and comes back from its own document.
func FuzzParseBudget(f *testing.F) {
	for _, body := range []string{whole("", ""), whole("startDate", `"2026-01-19"`), whole("alertThreshold", "1e2"), "{", "null"} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		d, _, err := wire.ParseBudgetDraft(json.RawMessage(body))
		if err != nil {
			if models.KindOf(err) != models.Invalid {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		b := d.Budget(time.UTC)
		if vs := b.Check(); len(vs) > 0 {
			t.Fatalf("%q breaks %v", body, vs)
		}
		document, err := json.Marshal(wire.NewBudget(b))
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := wire.ParseBudgetDraft(document)
		if diff := cmp.Diff(b, again.Budget(time.UTC)); err != nil || diff != "" {
			t.Fatalf("%s: %v (-want +got):\n%s", document, err, diff)
		}
	})
}

func FuzzParseDashboardSubscribe(f *testing.F) {
	for _, arg := range []string{`{"from":"2026-01-19","to":1768780800000}`, `{"from":null}`, "null", "{"} {
		f.Add(arg)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		first, last, err := wire.ParseDashboardSubscribe(json.RawMessage(arg))
		if err != nil && models.KindOf(err) != models.Invalid {
			t.Fatalf("%q: %v", arg, err)
		}
		if err == nil && !first.IsZero() && !last.IsZero() && last.Bare && first.Bare && last.Day < first.Day {
			t.Fatalf("%q: %v to %v", arg, first, last)
		}
	})
}

func FuzzParseDays(f *testing.F) {
	f.Add("2026-01-19", "1768780800000")
	f.Add("", "-1")
	f.Fuzz(func(t *testing.T, from, to string) {
		first, last, err := wire.ParseDays(from, to)
		if err != nil && models.KindOf(err) != models.Invalid {
			t.Fatalf("%q, %q: %v", from, to, err)
		}
		if err == nil && !first.IsZero() && !last.IsZero() && last.Bare && first.Bare && last.Day < first.Day {
			t.Fatalf("%q, %q: %v to %v", from, to, first, last)
		}
	})
}

func FuzzParseStatus(f *testing.F) {
	f.Add(`{"status":"ok","message":"fine"}`)
	f.Fuzz(func(t *testing.T, body string) {
		var broken *models.Error
		if s, err := wire.ParseStatus(json.RawMessage(body), noon); err == nil && (s.Status == "" || models.UTF16Len(s.Message) > 500) {
			t.Fatalf("%q: %+v", body, s)
		} else if err != nil && !errors.As(err, &broken) {
			t.Fatalf("%q: %v", body, err)
		}
	})
}
