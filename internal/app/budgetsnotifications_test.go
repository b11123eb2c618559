package app

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// onEach runs a test on both databases.
func onEach(t *testing.T, fn func(t *testing.T, r *running)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, start(t)) })
	t.Run("postgres", func(t *testing.T) {
		fn(t, start(t, "DATABASE_URL="+storetest.PostgresOptions(t, storetest.PostgresDSN(t)).URL))
	})
}

// errorBody is the error body of routes whose errors always have a code.
func errorBody(code, text string) string {
	return strings.TrimSuffix(failing(text), "}") + fmt.Sprintf(`,"code":%q}`, code)
}

const (
	budgetBody = `{"name":"Food","category":"food","amount":300,"deviceId":"device_1"}`
	budgetDoc  = `{"_id":"<id>","user":"<id>","name":"Food","category":"food","amount":300,"period":"monthly","startDate":null,` +
		`"endDate":null,"alertThreshold":80,` +
		`"createdAt":"<time>","updatedAt":"<time>","__v":0,"version":1}`
	untouched = `,"currency":"INR","isActive":true,"spent":0,"remaining":300,"percentage":0,"isOverBudget":false,"level":"none",` +
		`"periodStart":"<time>","periodEnd":"<time>","byCurrency":[]}`
)

// withSpending is a budget's document with its spending.
func withSpending(doc, state string) string { return strings.TrimSuffix(doc, "}") + state }

// budget stores a budget and returns its id.
func (r *running) budget(token, body string) string {
	r.t.Helper()
	a := r.call("POST", "/api/budgets", token, body)
	if a.code != 201 {
		r.t.Fatalf("create a budget: %d %s", a.code, a.body)
	}
	return a.field("_id")
}

// head returns the newest sequence of the log of the token's user.
func (r *running) head(token string) int64 {
	r.t.Helper()
	var d struct{ Version int64 }
	if err := json.Unmarshal([]byte(r.call("GET", "/api/dashboard", token, "").body), &d); err != nil {
		r.t.Fatal(err)
	}
	return d.Version
}

func TestADashboardFromTheFirstDayOfAllWasTakenForOneOfThisMonth(t *testing.T) {
	r := start(t)
	token := r.register("alice@example.org")
	s := r.listen(token)
	for days, want := range map[[2]string]string{
		{"0001-01-01", "2026-01-31"}: `"from":"0001-01-01","to":"2026-01-31"`,
		{"0000-01-01", "0001-01-01"}: `"from":"0000-01-01","to":"0001-01-01"`,
	} {
		if a := r.call("GET", "/api/dashboard?from="+days[0]+"&to="+days[1], token, ""); a.code != 200 ||
			!strings.Contains(a.body, want) {
			t.Errorf("asked for %v: %d %s", days, a.code, a.body)
		}
		if a := s.ask("dashboard:subscribe", fmt.Sprintf(`{"from":%q,"to":%q}`, days[0], days[1])); !strings.Contains(a, want) {
			t.Errorf("subscribed to %v: %s", days, a)
		}
	}
	if a := r.call("GET", "/api/dashboard?from=0001-01-02&to=0001-01-01", token, ""); a.code != 400 {
		t.Errorf("reversed: %d %s", a.code, a.body)
	}
}

var refusedBudgetRows = []row{
	{"one of another's", "GET", "/api/budgets/{foreign}", "", 404, errorBody("NOT_FOUND", "Budget not found"), nil},
	{"one of no id", "GET", "/api/budgets/12", "", 404, errorBody("NOT_FOUND", "Budget not found"), nil},
	{"update of another's", "PUT", "/api/budgets/{foreign}", budgetBody, 404, errorBody("NOT_FOUND", "Budget not found"), nil},
	{"delete of another's", "DELETE", "/api/budgets/{foreign}", "", 404, errorBody("NOT_FOUND", "Budget not found"), nil},
	{"delete of no id", "DELETE", "/api/budgets/temp_1", "", 404, errorBody("NOT_FOUND", "Budget not found"), nil},
	{"list of no period", "GET", "/api/budgets?period=daily", "", 400, errorBody("INVALID",
		`"period" must be one of [monthly, weekly, yearly]`), nil},
	{
		"list that is perhaps active", "GET", "/api/budgets?active=perhaps", "", 400,
		errorBody("INVALID", `"active" must be a boolean`), nil,
	},
	{
		"summary of no period", "GET", "/api/budgets/summary?period=daily", "", 400,
		errorBody("INVALID", `"period" must be one of [monthly, weekly, yearly]`), nil,
	},
	{"delete with half a body", "DELETE", "/api/budgets/{id}", `{"deviceId":`, 400, errorBody("INVALID", "Malformed JSON"), nil},
}

// budgetRows are requests to the routes of budgets. {id} stands for a budget of the
// caller, {foreign} for another user's.
func budgetRows() []row {
	dinner := strings.NewReplacer(`"amount":300`, `"amount":20.5`, `"food"`, `"all"`, `"period":"monthly"`, `"period":"weekly"`,
		`"version":1`, `"version":2`).Replace(budgetDoc)
	rows := []row{
		{"create", "POST", "/api/budgets", budgetBody, 201, budgetDoc, nil},
		{
			"create with everything", "POST", "/api/budgets", `{"name":" Food ","category":"food","amount":"300","period":"yearly",` +
				`"startDate":"2026-01-01","endDate":"2026-12-31","alertThreshold":50}`, 201,
			strings.NewReplacer("monthly", "yearly", `"startDate":null,"endDate":null,"alertThreshold":80`,
				`"startDate":"<time>","endDate":"<time>","alertThreshold":50`).Replace(budgetDoc), nil,
		},
		{"list", "GET", "/api/budgets", "", 200, "[" + withSpending(budgetDoc, untouched) + "]", nil},
		{
			"list of a period", "GET", "/api/budgets?period=monthly&active=true", "", 200, "[" + withSpending(budgetDoc, untouched) + "]",
			nil,
		},
		{"list of another period", "GET", "/api/budgets?period=weekly", "", 200, "[]", nil},
		{"list of what is over", "GET", "/api/budgets?active=false", "", 200, "[]", nil},
		{"one", "GET", "/api/budgets/{id}", "", 200, withSpending(budgetDoc, untouched), nil},
		{"no alerts", "GET", "/api/budgets/alerts", "", 200, "[]", nil},
		{"summary", "GET", "/api/budgets/summary", "", 200, `{"totalBudget":300,"totalSpent":0,"budgetCount":1,` +
			`"categories":{"food":{"budgeted":300,"spent":0,"remaining":300,"percentage":0}},"remainingBudget":300,` +
			`"overallPercentage":0}`, nil},
		{
			"summary of another period", "GET", "/api/budgets/summary?period=yearly", "", 200,
			`{"totalBudget":0,"totalSpent":0,"budgetCount":0,"categories":{},"remainingBudget":0,"overallPercentage":0}`, nil,
		},
		{
			"update", "PUT", "/api/budgets/{id}", `{"name":"Food","category":"all","amount":20.5,"period":"weekly","version":1}`, 200,
			dinner, nil,
		},
		{"delete", "DELETE", "/api/budgets/{id}", `{"deviceId":"device_1"}`, 200, `{"message":"Budget deleted successfully"}`, nil},

		{
			"update of an old version", "PUT", "/api/budgets/{id}", `{"name":"Food","category":"food","amount":1,"version":0}`, 409,
			strings.TrimSuffix(errorBody("CONFLICT", "This budget was changed on another device"), "}") + `,"current":` + budgetDoc +
				"}", nil,
		},
	}
	rows = append(rows, refusedBudgetRows...)
	for _, bad := range badBudgets {
		rows = append(rows,
			row{"create: " + bad.text, "POST", "/api/budgets", bad.body, 400, errorBody("INVALID", bad.text), nil},
			row{"update: " + bad.text, "PUT", "/api/budgets/{id}", bad.body, 400, errorBody("INVALID", bad.text), nil})
	}
	return rows
}

// Status, shape and exact text of every route of budgets. What is refused adds nothing to
// the log.
func TestEveryRouteOfBudgets(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice, mallory := r.register("alice@example.org"), r.register("mallory@example.org")
		foreign := r.budget(mallory, budgetBody)
		for _, tt := range budgetRows() {
			t.Run(tt.name, func(t *testing.T) {
				id := r.onlyBudget(alice)
				before := r.head(alice)
				fill := strings.NewReplacer("{id}", id, "{foreign}", foreign)
				tt.try(t, r, alice, fill)
				if grown := r.head(alice) - before; grown > 0 != (tt.method != "GET" && tt.code < 300) {
					t.Errorf("the log grew by %d", grown)
				}
			})
		}
	})
}

// onlyBudget leaves the user with one budget, and returns its id.
func (r *running) onlyBudget(token string) string {
	r.t.Helper()
	var all []struct {
		ID string `json:"_id"`
	}
	if err := json.Unmarshal([]byte(r.call("GET", "/api/budgets", token, "").body), &all); err != nil {
		r.t.Fatal(err)
	}
	for _, b := range all {
		r.call("DELETE", "/api/budgets/"+b.ID, token, "")
	}
	return r.budget(token, budgetBody)
}

// badBudgets are bodies that are refused, with the text: wrong amounts, reversed dates,
// unknown periods and categories, and what is no object.
var badBudgets = []struct{ body, text string }{
	{``, `"name" is required`},
	{`[]`, `"value" must be of type object`},
	{`{"name":`, "Malformed JSON"},
	{`{"name":" ","category":"food","amount":1}`, `"name" is not allowed to be empty`},
	{`{"name":"Food","category":"food"}`, `"amount" is required`},
	{`{"name":"Food","category":"food","amount":0}`, `"amount" must be a positive number`},
	{`{"name":"Food","category":"food","amount":-300}`, `"amount" must be a positive number`},
	{`{"name":"Food","category":"food","amount":9000000000001}`, `"amount" must be less than or equal to 9000000000000`},
	{`{"name":"Food","category":"food","amount":1e99}`, `"amount" must be a safe number`},
	{`{"name":"Food","category":"food","amount":"a lot"}`, `"amount" must be a number`},
	{`{"name":"Food","category":"fun","amount":1}`, `"category" must be one of [food, transport, entertainment, utilities, ` +
		`healthcare, shopping, other, bills, education, travel, all]`},
	{`{"name":"Pay","category":"salary","amount":1}`, `"category" must be one of [food, transport, entertainment, utilities, ` +
		`healthcare, shopping, other, bills, education, travel, all]`},
	{`{"name":"Food","category":"food","amount":1,"period":"daily"}`, `"period" must be one of [monthly, weekly, yearly]`},
	{
		`{"name":"Food","category":"food","amount":1,"startDate":"2026-02-01","endDate":"2026-01-31"}`,
		`"endDate" must be greater than or equal to "startDate"`,
	},
	{`{"name":"Food","category":"food","amount":1,"startDate":"soon"}`, `"startDate" must be a valid date`},
	{`{"name":"Food","category":"food","amount":1,"alertThreshold":0}`, `"alertThreshold" must be greater than or equal to 1`},
	{`{"name":"Food","category":"food","amount":1,"alertThreshold":101}`, `"alertThreshold" must be less than or equal to 100`},
	{`{"name":"Food","category":"food","amount":1,"foo":1}`, `"foo" is not allowed`},
}

// An update that names one date could put the end before the start that is stored.
func TestAPUTMayNotReverseTheStoredDates(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	id := r.budget(alice, `{"name":"Food","category":"food","amount":300,"startDate":"2026-06-01"}`)
	a := r.call("PUT", "/api/budgets/"+id, alice, `{"name":"Food","category":"food","amount":300,"endDate":"2026-05-31"}`)
	if a.code != 400 || a.body != errorBody("INVALID", `"endDate" must be greater than or equal to "startDate"`) {
		t.Errorf("%d %s", a.code, a.body)
	}
	if a := r.call("PUT", "/api/budgets/"+id, alice, `{"name":"Food","category":"food","amount":300,"startDate":null,`+
		`"endDate":"2026-05-31"}`); a.code != 200 {
		t.Errorf("with an open beginning: %d %s", a.code, a.body)
	}
}

func TestABudgetWithAKeyIsMadeOnce(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice, bob := r.register("alice@example.org"), r.register("bob@example.org")
		post := func(token, body string) answer {
			return r.call("POST", "/api/budgets", token, body, "Idempotency-Key", "k1")
		}
		first := post(alice, budgetBody)
		r.call("DELETE", "/api/budgets/"+first.field("_id"), alice, "")
		if again := post(alice, strings.Replace(budgetBody, "300", `"300.0"`, 1)); again.code != 201 || again.body != first.body {
			t.Errorf("again: %d %s, want %s", again.code, again.body, first.body)
		}
		other := strings.Replace(budgetBody, "300", "301", 1)
		if refused := post(alice, other); refused.code != 409 || refused.field("code") != "IDEMPOTENCY_KEY_REUSED" {
			t.Errorf("another budget: %d %s", refused.code, refused.body)
		}
		if a := post(bob, other); a.code != 201 {
			t.Errorf("another user's key: %d %s", a.code, a.body)
		}
		if list := r.call("GET", "/api/budgets", alice, ""); list.body != "[]" {
			t.Errorf("a repetition brought it back: %s", list.body)
		}
	})
}

func TestOneBudgetTooManyIsRefused(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	for range models.MaxBudgets {
		r.budget(alice, budgetBody)
	}
	if a := r.call("POST", "/api/budgets", alice, budgetBody); a.code != 400 || a.field("code") != "BUDGET_LIMIT" {
		t.Errorf("%d %s", a.code, a.body)
	}
}

// expenseOfAmount is the body of an expense of this amount.
func expenseOfAmount(amount string) string {
	return `{"description":"Lunch","amount":` + amount + `,"category":"food","type":"expense"}`
}

// An alert is listed and stored as a notification, once per level, whatever follows on the
// same level.
func TestACrossingIsListedAndKeptAsANotification(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice := r.register("alice@example.org")
		id := r.budget(alice, budgetBody)
		for _, amount := range []string{"239.99", "0.01", "60", "75", "75"} { // below, 80 %, 100 %, over, further over
			r.call("POST", "/api/expenses", alice, expenseOfAmount(amount))
		}
		alert := func(spent, share string, over bool) string {
			return fmt.Sprintf(`{"budgetId":"<id>","budgetName":"Food","category":"food","spent":%s,"amount":300,"currency":"INR",`+
				`"percentage":%s,"isOverBudget":%v}`, spent, share, over)
		}
		a := r.call("GET", "/api/budgets/alerts", alice, "")
		if want := "[" + alert("450", "150", true) + "]"; plain(a.body) != want || !strings.Contains(a.body, id) {
			t.Errorf("alerts: %s\nwant %s", a.body, want)
		}
		state := r.call("GET", "/api/budgets/"+id, alice, "").body
		if want := `"spent":450,"remaining":-150,"percentage":150,"isOverBudget":true,"level":"exceeded"`; !strings.Contains(state,
			want) {
			t.Errorf("the budget: %s", state)
		}
		notification := func(title, text, priority, data string) string {
			return fmt.Sprintf(`{"id":"<id>","title":%q,"message":%q,"type":"budget_alert","priority":%q,"data":%s,"timestamp":"<time>",`+
				`"read":false}`, title, text, priority, data)
		}
		want := `{"notifications":[` +
			notification("Budget exceeded", `You have spent 375 of 300 in your budget "Food", 75 more than planned.`, "critical",
				alert("375", "125", true)) + "," +
			notification("Budget nearly used up", `You have spent 240 of 300 in your budget "Food", which is 80 % of it.`, "high",
				alert("240", "80", false)) +
			`],"pagination":{"total":2,"page":1,"limit":20,"pages":1}}`
		if diff := cmp.Diff(want, plain(r.call("GET", "/api/notifications", alice, "").body)); diff != "" {
			t.Errorf("notifications (-want +got):\n%s", diff)
		}
	})
}

// userWithNotifications returns a user with two unread notifications, and their ids, newest
// first.
func (r *running) userWithNotifications(email string) (token string, ids []string) {
	r.t.Helper()
	token = r.register(email)
	r.budget(token, budgetBody)
	r.call("POST", "/api/expenses", token, expenseOfAmount("250"))
	r.call("POST", "/api/expenses", token, expenseOfAmount("250"))
	var list struct {
		Notifications []struct{ ID string }
	}
	if err := json.Unmarshal([]byte(r.call("GET", "/api/notifications", token, "").body), &list); err != nil ||
		len(list.Notifications) != 2 {
		r.t.Fatalf("%d notifications, %v", len(list.Notifications), err)
	}
	return token, []string{list.Notifications[0].ID, list.Notifications[1].ID}
}

func TestNotificationsArePagedReadAndDeleted(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice, ids := r.userWithNotifications("alice@example.org")
		step := func(method, path string, code int, want string) {
			t.Helper()
			a := r.call(method, path, alice, "")
			if a.code != code || !strings.Contains(a.body, want) {
				t.Errorf("%s %s: %d %s, want %d %s", method, path, a.code, a.body, code, want)
			}
			r.wantHeaders(t, a)
		}
		step("GET", "/api/notifications/unread-count", 200, `{"count":2}`)
		step("GET", "/api/notifications?page=2&limit=1", 200, `{"notifications":[{"id":"`+ids[1])
		step("GET", "/api/notifications?page=2&limit=1", 200, `"pagination":{"total":2,"page":2,"limit":1,"pages":2}}`)
		step("GET", "/api/notifications?page=-1&limit=all", 200, `"pagination":{"total":2,"page":1,"limit":20,"pages":1}}`)
		step("GET", "/api/notifications?page=9", 200, `{"notifications":[],"pagination":{"total":2,"page":9,"limit":20,"pages":1}}`)
		for range 2 { // the second time nothing changes
			step("PATCH", "/api/notifications/"+ids[0]+"/read", 200, `"read":true}`)
			step("GET", "/api/notifications/unread-count", 200, `{"count":1}`)
		}
		step("GET", "/api/notifications?unreadOnly=true", 200, `{"notifications":[{"id":"`+ids[1])
		step("GET", "/api/notifications?unreadOnly=true", 200, `"pagination":{"total":1,`)
		for range 2 {
			step("PATCH", "/api/notifications/mark-all-read", 200, `{"message":"All notifications marked as read"}`)
			step("GET", "/api/notifications/unread-count", 200, `{"count":0}`)
		}
		step("DELETE", "/api/notifications/"+ids[0], 200, `{"message":"Notification deleted"}`)
		step("DELETE", "/api/notifications/"+ids[0], 404, errorBody("NOT_FOUND", "Notification not found"))
		step("GET", "/api/notifications", 200, `"pagination":{"total":1,`)
	})
}

func TestAnotherUsersNotificationsAreNotThere(t *testing.T) {
	r := start(t)
	_, theirs := r.userWithNotifications("alice@example.org")
	mallory, own := r.userWithNotifications("mallory@example.org")
	before := r.head(mallory)
	for _, id := range []string{theirs[0], "12", strings.Repeat("a", 24)} {
		for method, path := range map[string]string{
			"PATCH":  "/api/notifications/" + id + "/read",
			"DELETE": "/api/notifications/" + id,
		} {
			if a := r.call(method, path, mallory, ""); a.code != 404 || a.body != errorBody("NOT_FOUND", "Notification not found") {
				t.Errorf("%s %s: %d %s", method, path, a.code, a.body)
			}
		}
	}
	if r.head(mallory) != before {
		t.Error("refusals are in the log")
	}
	if a := r.call("GET", "/api/notifications", mallory, ""); strings.Count(a.body, `"id":"`) != len(own) ||
		strings.Contains(a.body, theirs[0]) {
		t.Errorf("mallory sees %s", a.body)
	}
}

// Sums are exact where floating-point numbers are not, and may exceed the largest amount.
func TestBalanceIsExact(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice := r.register("alice@example.org")
		if a := r.call("GET", "/api/accounts/balance", alice, ""); a.code != 200 ||
			!strings.HasPrefix(a.body, `{"balance":0,"income":0,"expense":0,"currency":"INR","byCurrency":[],"updatedAt":`) {
			t.Errorf("before anything: %d %s", a.code, a.body)
		}
		for range 10 {
			r.call("POST", "/api/expenses", alice, expenseOfAmount("0.1"))
		}
		income := strings.Replace(strings.Replace(expenseOfAmount("9000000000000"), `"expense"`, `"income"`, 1), "food", "salary", 1)
		for range 2 {
			r.call("POST", "/api/expenses", alice, income)
		}
		a := r.call("GET", "/api/accounts/balance", alice, "")
		if want := `{"balance":17999999999999,"income":18000000000000,"expense":1,"currency":"INR","byCurrency":[],` +
			`"updatedAt":"<time>"}`; a.code != 200 || plain(a.body) != want {
			t.Errorf("%d %s, want %s", a.code, a.body, want)
		}
		r.wantHeaders(t, a)
	})
}

// expenseOfDay is the body of an expense of this day.
func expenseOfDay(day, amount, category, kind string) string {
	return fmt.Sprintf(`{"description":"Lunch","amount":%s,"category":%q,"type":%q,"date":%q}`, amount, category, kind, day)
}

func TestDashboardOfSomeDays(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice := r.register("alice@example.org")
		for _, body := range []string{
			expenseOfDay("2026-01-18T23:59:59.999Z", "1000", "food", "expense"), // the day before
			expenseOfDay("2026-01-19", "30", "food", "expense"),
			expenseOfDay("2026-01-20T23:59:59.999Z", "10", "transport", "expense"),
			expenseOfDay("2026-01-20", "100", "salary", "income"),
			expenseOfDay("2026-01-21", "1000", "food", "expense"), // the day after
		} {
			if a := r.call("POST", "/api/expenses", alice, body); a.code != 201 {
				t.Fatal(a.body)
			}
		}
		a := r.call("GET", "/api/dashboard?from=2026-01-19T18:00:00Z&to=2026-01-20", alice, "")
		want := `{"from":"2026-01-19","to":"2026-01-20","version":5,"currency":"INR","totals":{"income":100,"expense":40,` +
			`"balance":60,"count":3},"byCurrency":[],` +
			`"byCategory":[{"category":"food","total":30,"count":1,"percentage":75},{"category":"transport","total":10,"count":1,` +
			`"percentage":25}],` +
			`"series":[{"date":"2026-01-19","income":0,"expense":30},{"date":"2026-01-20","income":100,"expense":10}],"recent":[`
		if a.code != 200 || !strings.HasPrefix(a.body, want) {
			t.Errorf("%d %s\nwant %s", a.code, a.body, want)
		}
		r.wantHeaders(t, a)
		month := r.call("GET", "/api/dashboard", alice, "")
		first := time.Now().UTC().Format("2006-01") + "-01"
		if month.code != 200 || month.field("from") != first || !strings.Contains(month.body,
			`"totals":{"income":0,"expense":0,"balance":0,"count":0}`) {
			t.Errorf("this month: %d %s", month.code, month.body)
		}
		for query, text := range map[string]string{
			"from=then": `"from" must be a valid date`, "to=now": `"to" must be a valid date`, "from=2026-01-20&to=2026-01-19": `"to" ` +
				`must be greater than or equal to "from"`,
			"from=" + url.QueryEscape("2026-13-01"): `"from" must be a valid date`, "to=8640000000000000": `"to" must be a valid date`,
		} {
			if a := r.call("GET", "/api/dashboard?"+query, alice, ""); a.code != 400 || a.body != errorBody("INVALID", text) {
				t.Errorf("%s: %d %s", query, a.code, a.body)
			}
		}
	})
}

const adminToken = "the token of whoever runs it"

func TestTheStatusIsToldToEverybody(t *testing.T) {
	r := start(t, "ADMIN_TOKEN="+adminToken)
	alice := r.register("alice@example.org")
	const body = `{"status":"degraded","message":"back at noon"}`
	if a := r.call("POST", "/api/admin/status", alice, body); a.code != 401 ||
		a.body != errorBody("TOKEN_INVALID", "Invalid token.") {
		t.Errorf("a user: %d %s", a.code, a.body)
	}
	if a := r.call("POST", "/api/admin/status", adminToken, `{"status":"fine"}`); a.code != 400 || a.field("code") != "INVALID" {
		t.Errorf("no such status: %d %s", a.code, a.body)
	}
	a := r.call("POST", "/api/admin/status", adminToken, body)
	if a.code != 200 || plain(a.body) != `{"status":"degraded","message":"back at noon","at":"<time>"}` {
		t.Errorf("%d %s", a.code, a.body)
	}
	r.wantHeaders(t, a)
	if a := r.call("GET", "/api/expenses", adminToken, ""); a.code != 401 {
		t.Errorf("the token opens more than it shall: %d", a.code)
	}
}

func TestTheOperatorSeesWhoIsConnected(t *testing.T) {
	r := start(t, "ADMIN_TOKEN="+adminToken, "AUTH_RATE_LIMIT=3/15m")
	a := r.call("GET", "/api/admin/connections", adminToken, "")
	if a.code != 200 || plain(a.body) != `{"sockets":0,"users":0,"processes":[{"sockets":0,"users":0}],"missing":[]}` {
		t.Errorf("%d %s", a.code, a.body)
	}
	for range 3 {
		if a := r.call("GET", "/api/admin/connections", "guessed", ""); a.code != 401 {
			t.Errorf("another token: %d %s", a.code, a.body)
		}
	}
	if a := r.call("GET", "/api/admin/connections", adminToken, ""); a.code != 429 {
		t.Errorf("after wrong tokens: %d %s", a.code, a.body)
	}
}

func TestWithoutATokenNobodyTellsTheStatus(t *testing.T) {
	r := start(t)
	for _, token := range []string{"", r.register("alice@example.org")} {
		if a := r.call("POST", "/api/admin/status", token, `{"status":"ok"}`); a.code != 404 ||
			a.body != failing("Cannot POST /api/admin/status") {
			t.Errorf("%d %s", a.code, a.body)
		}
	}
}
