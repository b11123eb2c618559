package app

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/models"
)

const (
	goalBody = `{"title":"Holiday","description":"","targetAmount":1200,"goalType":"savings","targetDate":"2027-12-31",` +
		`"priority":"high"}`
	goalDoc = `{"_id":"<id>","user":"<id>","title":"Holiday","targetAmount":1200,"currentAmount":0,"goalType":"savings",` +
		`"category":"general",` +
		`"targetDate":"<time>","priority":"high","status":"active","reminderFrequency":"weekly","milestones":[],"createdAt":"<time>",` +
		`"updatedAt":"<time>","__v":0,"version":1}`
)

// goal stores a goal and returns its id.
func (r *running) goal(token, body string) string {
	r.t.Helper()
	a := r.call("POST", "/api/goals", token, body)
	if a.code != 201 {
		r.t.Fatalf("create a goal: %d %s", a.code, a.body)
	}
	return a.field("_id")
}

// onlyGoal leaves the user with one goal, and returns its id.
func (r *running) onlyGoal(token string) string {
	r.t.Helper()
	var all []struct {
		ID string `json:"_id"`
	}
	if err := json.Unmarshal([]byte(r.call("GET", "/api/goals", token, "").body), &all); err != nil {
		r.t.Fatal(err)
	}
	for _, g := range all {
		r.call("DELETE", "/api/goals/"+g.ID, token, "")
	}
	return r.goal(token, goalBody)
}

var badProgressRows = []row{
	{
		"progress by nothing", "PATCH", "/api/goals/{id}/progress", `{"amount":0}`, 400,
		errorBody("INVALID", "Valid amount is required"), nil,
	},
	{
		"progress by a text", "PATCH", "/api/goals/{id}/progress", `{"amount":"5"}`, 400,
		errorBody("INVALID", "Valid amount is required"), nil,
	},
	{
		"progress below zero", "PATCH", "/api/goals/{id}/progress", `{"amount":-1}`, 400,
		errorBody("INVALID", `"currentAmount" must be greater than or equal to 0`), nil,
	},
	{
		"progress beyond all", "PATCH", "/api/goals/{id}/progress", `{"amount":9007199254740991}`, 400,
		errorBody("INVALID", `"currentAmount" must be less than or equal to 9000000000000`), nil,
	},
	{"progress of no id", "PATCH", "/api/goals/12/progress", `{"amount":1}`, 404, errorBody("NOT_FOUND", "Goal not found"), nil},
}

// goalRows are requests to the routes of goals. {id} stands for a goal of the caller,
// {foreign} for another user's.
func goalRows() []row {
	next := func(pairs ...string) string {
		return strings.NewReplacer(append(pairs, `"version":1`, `"version":2`)...).Replace(goalDoc)
	}
	reached := next(`"milestones":[]`, `"milestones":[{"_id":"<id>","amount":500,"date":"<time>","achieved":true,`+
		`"achievedDate":"<time>"}]`,
		`"currentAmount":0`, `"currentAmount":600`)
	rows := []row{
		{"create", "POST", "/api/goals", goalBody, 201, goalDoc, nil},
		{"list", "GET", "/api/goals", "", 200, "[" + goalDoc + "]", nil},
		{"list of the active", "GET", "/api/goals?status=active&type=savings", "", 200, "[" + goalDoc + "]", nil},
		{"list of the completed", "GET", "/api/goals?status=completed", "", 200, "[]", nil},
		{"list of no status", "GET", "/api/goals?status=done", "", 400, errorBody("INVALID",
			`"status" must be one of [active, completed, paused, cancelled]`), nil},
		{"list of no type", "GET", "/api/goals?type=fun", "", 400, errorBody("INVALID",
			`"type" must be one of [savings, expense_reduction, income_increase, debt_payoff]`), nil},
		{"summary", "GET", "/api/goals/summary", "", 200, `{"total":1,"active":1,"completed":0,"overdue":0,"totalTargetAmount":1200,` +
			`"totalCurrentAmount":0,"overallProgress":0}`, nil},
		{"update", "PUT", "/api/goals/{id}", strings.Replace(goalBody, "Holiday", "Car", 1), 200, next("Holiday", "Car"), nil},
		{"update with milestones", "PUT", "/api/goals/{id}", strings.Replace(goalBody, `"priority"`,
			`"currentAmount":"600","milestones":[{"amount":500,"date":"2027-06-30"}],"priority"`, 1), 200, reached, nil},
		{
			"update of an old version", "PUT", "/api/goals/{id}", strings.Replace(goalBody, "{", `{"version":0,`, 1), 409,
			strings.TrimSuffix(errorBody("CONFLICT", "This goal was changed on another device"), "}") +
				`,"current":` + goalDoc + "}", nil,
		},
		{"update of another's", "PUT", "/api/goals/{foreign}", goalBody, 404, errorBody("NOT_FOUND", "Goal not found"), nil},
		{
			"progress", "PATCH", "/api/goals/{id}/progress", `{"amount":12.5}`, 200, next(`"currentAmount":0`, `"currentAmount":12.5`),
			nil,
		},
		{
			"progress to the end", "PATCH", "/api/goals/{id}/progress", `{"amount":1200}`, 200,
			next(`"currentAmount":0`, `"currentAmount":1200`, "active", "completed"), nil,
		},
		{"status", "PATCH", "/api/goals/{id}/status", `{"status":"paused"}`, 200, next("active", "paused"), nil},
		{"no status", "PATCH", "/api/goals/{id}/status", `{"status":"done"}`, 400, errorBody("INVALID", "Invalid status"), nil},
		{
			"status of another's", "PATCH", "/api/goals/{foreign}/status", `{"status":"paused"}`, 404,
			errorBody("NOT_FOUND", "Goal not found"), nil,
		},
		{"delete", "DELETE", "/api/goals/{id}", "", 200, `{"message":"Goal deleted successfully"}`, nil},
		{"delete of another's", "DELETE", "/api/goals/{foreign}", "", 404, errorBody("NOT_FOUND", "Goal not found"), nil},
	}
	rows = append(rows, badProgressRows...)
	for _, bad := range badGoals {
		rows = append(rows, row{"create: " + bad.text, "POST", "/api/goals", bad.body, 400, errorBody("INVALID", bad.text), nil},
			row{"update: " + bad.text, "PUT", "/api/goals/{id}", bad.body, 400, errorBody("INVALID", bad.text), nil})
	}
	return rows
}

// Shape, status and exact text of every route of goals.
func TestEveryRouteOfGoals(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice, mallory := r.register("alice@example.org"), r.register("mallory@example.org")
		foreign := r.goal(mallory, goalBody)
		for _, tt := range goalRows() {
			t.Run(tt.name, func(t *testing.T) {
				fill := strings.NewReplacer("{id}", r.onlyGoal(alice), "{foreign}", foreign)
				tt.try(t, r, alice, fill)
			})
		}
	})
}

// badGoal is the body of a valid goal with one key changed to a JSON value.
func badGoal(key, value string) string {
	var good map[string]json.RawMessage
	if err := json.Unmarshal([]byte(goalBody), &good); err != nil {
		panic(err)
	}
	good[key] = json.RawMessage(value)
	b, err := json.Marshal(good)
	if err != nil {
		panic(err)
	}
	return string(b)
}

var badGoals = []struct{ body, text string }{
	{``, `"title" is required`},
	{`[]`, `"value" must be of type object`},
	{`{"title":`, "Malformed JSON"},
	{badGoal("title", `" "`), `"title" is not allowed to be empty`},
	{badGoal("title", `7`), `"title" must be a string`},
	{badGoal("title", `"`+strings.Repeat("x", 101)+`"`), `"title" length must be less than or equal to 100 characters long`},
	{badGoal("description", `"`+strings.Repeat("x", 501)+`"`), `"description" length must be less than or equal to 500 characters ` +
		`long`},
	{badGoal("targetAmount", `0`), `"targetAmount" must be a positive number`},
	{badGoal("targetAmount", `-5`), `"targetAmount" must be greater than or equal to 0`},
	{badGoal("targetAmount", `9000000000001`), `"targetAmount" must be less than or equal to 9000000000000`},
	{badGoal("targetAmount", `1e99`), `"targetAmount" must be a safe number`},
	{badGoal("targetAmount", `"a lot"`), `"targetAmount" must be a number`},
	{badGoal("targetAmount", `null`), `"targetAmount" must be a number`},
	{badGoal("currentAmount", `-0.01`), `"currentAmount" must be greater than or equal to 0`},
	{badGoal("goalType", `"fun"`), `"goalType" must be one of [savings, expense_reduction, income_increase, debt_payoff]`},
	{badGoal("category", `"fun"`), `"category" must be one of [food, transport, entertainment, utilities, healthcare, shopping, ` +
		`other, general]`},
	{badGoal("targetDate", `"soon"`), `"targetDate" must be a valid date`},
	{badGoal("targetDate", `null`), `"targetDate" must be a valid date`},
	{badGoal("targetDate", `""`), `"targetDate" must be a valid date`},
	{badGoal("priority", `"utmost"`), `"priority" must be one of [low, medium, high]`},
	{badGoal("status", `"done"`), `"status" must be one of [active, completed, paused, cancelled]`},
	{badGoal("reminderFrequency", `"hourly"`), `"reminderFrequency" must be one of [daily, weekly, monthly, none]`},
	{badGoal("milestones", `{}`), `"milestones" must be an array`},
	{badGoal("milestones", `[7]`), `"milestones[0]" must be of type object`},
	{badGoal("milestones", `[{"amount":1,"date":"2027-01-01"},{"date":"2027-01-01"}]`), `"milestones[1].amount" is required`},
	{badGoal("milestones", `[{"amount":1,"date":""}]`), `"milestones[0].date" must be a valid date`},
	{badGoal("milestones", `[{"amount":-1,"date":"2027-01-01"}]`), `"milestones[0].amount" must be greater than or equal to 0`},
	{badGoal("milestones", `[{"amount":1,"date":"2027-01-01","foo":1}]`), `"milestones[0].foo" is not allowed`},
	{
		badGoal("milestones", `[`+strings.TrimSuffix(strings.Repeat(`{"amount":1,"date":"2027-01-01"},`, 51), ",")+`]`),
		`"milestones" must contain less than or equal to 50 items`,
	},
	{badGoal("foo", `1`), `"foo" is not allowed`},
}

func TestThereCanBeSoManyGoals(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	for range models.MaxGoals {
		r.goal(alice, goalBody)
	}
	a := r.call("POST", "/api/goals", alice, goalBody)
	if want := errorBody("GOAL_LIMIT", "There can be at most 100 goals"); a.code != 400 || a.body != want {
		t.Errorf("one more: %d %s", a.code, a.body)
	}
}

// Features of the original that are not built: their lists are empty, and what would store
// something is refused with a sentence.
func TestWhatIsNotBuiltSaysSo(t *testing.T) {
	r := start(t)
	alice, mallory := r.register("alice@example.org"), r.register("mallory@example.org")
	mine, foreign := r.expense(alice), r.expense(mallory)
	const (
		noWorkspaces = "Workspaces are not available on this server"
		noReceipts   = "Receipts cannot be stored on this server"
		noPush       = "Push notifications are not available on this server: it tells open pages live instead"
	)
	for _, tt := range []row{
		{"", "GET", "/api/workspaces", "", 200, `{"success":true,"data":[]}`, nil},
		{"", "POST", "/api/workspaces", `{"name":"Home"}`, 501, errorBody("NOT_IMPLEMENTED", noWorkspaces), nil},
		{"", "POST", "/api/workspaces/join", `{"token":"x"}`, 501, errorBody("NOT_IMPLEMENTED", noWorkspaces), nil},
		{
			"", "POST", "/api/workspaces/" + mine + "/invite", `{"email":"b@example.org"}`, 501,
			errorBody("NOT_IMPLEMENTED", noWorkspaces), nil,
		},
		{"", "GET", "/api/receipts", "", 200, "[]", nil},
		{"", "GET", "/api/receipts/expense/" + mine, "", 200, "[]", nil},
		{"", "GET", "/api/receipts/expense/" + foreign, "", 404, errorBody("NOT_FOUND", "Expense not found"), nil},
		{"", "POST", "/api/receipts/upload/" + mine, `{}`, 501, errorBody("NOT_IMPLEMENTED", noReceipts), nil},
		{"", "GET", "/api/notifications/push/vapid-key", "", 200, `{"publicKey":null}`, nil},
		{"", "POST", "/api/notifications/push/subscribe", `{"subscription":{}}`, 501, errorBody("NOT_IMPLEMENTED", noPush), nil},
		{"", "POST", "/api/notifications/push/unsubscribe", "", 200, `{"message":"Push subscription removed"}`, nil},
	} {
		a := r.call(tt.method, tt.path, alice, tt.body)
		if a.code != tt.code || a.body != tt.want {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, a.code, a.body)
		}
	}
}

// A browser that gets the answer while it is still sending a photograph ignores it and
// reports a network failure: the body has to be read first.
func TestAReceiptOfTenMegabytesGetsItsAnswer(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	path := "/api/receipts/upload/" + r.expense(alice)
	if a := r.call("POST", path, alice, `{"file":"`+strings.Repeat("x", 10<<20)+`"}`); a.code != 501 {
		t.Errorf("10 MB: %d %s", a.code, a.body)
	}
	if a := r.call("POST", path, alice, strings.Repeat("x", 12<<20)); a.code != 413 {
		t.Errorf("12 MB: %d %s", a.code, a.body)
	}
}

const preferencesDoc = `{"_id":"<id>","user":"<id>","channels":{"email":{"enabled":true,"types":["budget_alert",` +
	`"goal_achieved","security_alert","system"]},` +
	`"push":{"enabled":true,"types":["budget_alert","goal_achieved","expense_added"],"subscription":null},"sms":{"enabled":false,` +
	`"types":["security_alert"],"phoneNumber":""},` +
	`"webhook":{"enabled":false,"types":[],"url":"","secret":""}},"quietHours":{"enabled":false,"start":"","end":"",` +
	`"timezone":"UTC"},` +
	`"frequency":{"budget_alerts":"immediate","goal_updates":"daily","expense_summaries":"weekly"},"createdAt":"<time>",` +
	`"updatedAt":"<time>","__v":0}`

func TestPreferencesAreKeptAsTheyAreSent(t *testing.T) {
	// What the original's page sends: every field of its form, empty ones too.
	const form = `{"channels":{"email":{"enabled":false,"types":["system"]},"push":{"enabled":true,"types":["budget_alert",` +
		`"budget_alert"]},` +
		`"sms":{"enabled":true,"phoneNumber":"","types":[]},"webhook":{"enabled":true,"url":"https://example.org/hook","secret":"s",` +
		`"types":["budget_alert"]}},` +
		`"quietHours":{"start":"7:30"}}`
	set := strings.NewReplacer(
		`"email":{"enabled":true,"types":["budget_alert","goal_achieved","security_alert","system"]}`, `"email":{"enabled":false,`+
			`"types":["system"]}`,
		`["budget_alert","goal_achieved","expense_added"]`, `["budget_alert"]`,
		`"sms":{"enabled":false,"types":["security_alert"]`, `"sms":{"enabled":true,"types":[]`,
		`"webhook":{"enabled":false,"types":[],"url":"","secret":""}`, `"webhook":{"enabled":true,"types":["budget_alert"],`+
			`"url":"https://example.org/hook","secret":"s"}`,
		`"start":""`, `"start":"07:30"`,
	).Replace(preferencesDoc)
	onEach(t, func(t *testing.T, r *running) {
		const path = "/api/notifications/preferences"
		alice, bob := r.register("alice@example.org"), r.register("bob@example.org")
		for _, tt := range []row{
			{"nothing is set", "GET", path, "", 200, preferencesDoc, nil},
			{"the form", "PUT", path, form, 200, set, nil},
			{"its own document", "PUT", path, set, 200, set, nil},
			{"read again", "GET", path, "", 200, set, nil},
		} {
			a := r.call(tt.method, tt.path, alice, strings.NewReplacer(`"<id>"`, `"x"`, `"<time>"`, `"x"`).Replace(tt.body))
			if diff := cmp.Diff(tt.want, plain(a.body)); a.code != tt.code || diff != "" {
				t.Errorf("%s: %d (-want +got):\n%s", tt.name, a.code, diff)
			}
		}
		if a := r.call("GET", path, bob, ""); plain(a.body) != preferencesDoc {
			t.Errorf("somebody else's: %s", a.body)
		}
	})
}

func TestPreferencesThatAreNonsense(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	const types = `must be one of [budget_alert, goal_achieved, expense_added, security_alert, system]`
	for body, want := range map[string]string{
		`[]`:                       `"value" must be of type object`,
		`{"channels":{"fax":{}}}`:  `"channels.fax" is not allowed`,
		`{"channels":[]}`:          `"channels" must be of type object`,
		`{"channels":{"email":7}}`: `"channels.email" must be of type object`,
		`{"channels":{"email":{"enabled":"yes"}}}`:                 `"channels.email.enabled" must be a boolean`,
		`{"channels":{"push":{"types":"all"}}}`:                    `"channels.push.types" must be an array`,
		`{"channels":{"push":{"types":["system","love_letter"]}}}`: `"channels.push.types[1]" ` + types,
		`{"channels":{"sms":{"types":["goal_achieved"]}}}`: `"channels.sms.types[0]" must be one of [budget_alert, ` +
			`security_alert, system]`,
		`{"channels":{"sms":{"phoneNumber":"0800"}}}`: `"channels.sms.phoneNumber" must be a phone number such as ` +
			`+4912345678`,
		`{"channels":{"webhook":{"url":"file:///etc/passwd"}}}`: `"channels.webhook.url" must be a valid uri`,
		`{"channels":{"webhook":{"secret":"a\u0000b"}}}`:        `"channels.webhook.secret" must not contain NUL characters`,
		`{"quietHours":{"start":"25:00"}}`:                      `"quietHours.start" must be a time of day such as 22:30`,
		`{"quietHours":{"timezone":"Middle/Earth"}}`: `"quietHours.timezone" must be a time zone such as ` +
			`Europe/Berlin`,
		`{"quietHours":{"timezone":"Local"}}`: `"quietHours.timezone" must be a time zone such as ` +
			`Europe/Berlin`,
		`{"frequency":{"budget_alerts":"hourly"}}`: `"frequency.budget_alerts" must be one of [immediate, daily, ` +
			`weekly]`,
		`{"frequency":{"expense_summaries":null}}`: `"frequency.expense_summaries" must be one of [daily, weekly,` +
			` monthly]`,
		`{"colour":"red"}`: `"colour" is not allowed`,
		fmt.Sprintf(`{"colour":%q}`, strings.Repeat("x", 3)) + "again": "Malformed JSON",
	} {
		if a := r.call("PUT", "/api/notifications/preferences", alice, body); a.code != 400 || a.body != errorBody("INVALID", want) {
			t.Errorf("%s: %d %s", body, a.code, a.body)
		}
	}
	if a := r.call("PUT", "/api/notifications/preferences", alice,
		`{"channels":{"push":{"subscription":{"endpoint":"x"}}}}`); a.code != 501 {
		t.Errorf("a subscription: %d %s", a.code, a.body)
	}
	if a := r.call("POST", "/api/notifications/test", alice, `{"title":"`+strings.Repeat("x", 101)+`"}`); a.code != 400 {
		t.Errorf("a long title: %d %s", a.code, a.body)
	}
}
