package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

// The expenses of this file as documents, with ids and times replaced.
const (
	lunchDoc = `{"_id":"<id>","user":"<id>","description":"Lunch","amount":12.5,"category":"food","type":"expense",` +
		`"date":"<time>","day":"<day>","createdAt":"<time>","updatedAt":"<time>","__v":0,"version":1}`
	dinnerDoc = `{"_id":"<id>","user":"<id>","description":"Dinner","amount":20,"category":"food","type":"expense",` +
		`"date":"<time>","day":"<day>","createdAt":"<time>","updatedAt":"<time>","__v":0,"version":2}`
	dinnerBody = `{"description":"Dinner","amount":20,"category":"food","type":"expense","deviceId":"device_1"}`
)

func withDevice(doc string) string { return strings.TrimSuffix(doc, "}") + `,"deviceId":"device_1"}` }

func failing(text string) string {
	quoted := strings.ReplaceAll(text, `"`, `\"`)
	return fmt.Sprintf(`{"error":"%s","message":"%s"}`, quoted, quoted)
}

func operation(action, id, data string) string {
	return fmt.Sprintf(`{"action":%q,"resourceType":"expense","resourceId":%q,"data":%s,"deviceId":"device_1","timestamp":%d}`,
		action, id, data, time.Now().UnixMilli())
}

func batchOf(ops ...string) string { return `{"operations":[` + strings.Join(ops, ",") + `]}` }

const lunchData = `{"description":"Lunch","amount":12.5,"category":"food","type":"expense"}`

// tea is another expense than lunch: an equal one from the same device would be taken for
// the POST whose answer was lost (docs/contract.md#d17).
var (
	teaData = strings.Replace(lunchData, "Lunch", "Tea", 1)
	teaDoc  = strings.Replace(lunchDoc, "Lunch", "Tea", 1)
)

// A row is one request of docs/contract.md#routes and what it causes. {id} in path and
// body stands for an expense of the caller, {foreign} for another user's.
type row struct {
	name, method, path, body string
	code                     int
	want                     string
	events                   []string
}

// try makes the row's request and checks status, headers and the exact body. fill puts ids
// into its path and body.
func (tt *row) try(t *testing.T, r *running, token string, fill *strings.Replacer) {
	t.Helper()
	got := r.call(tt.method, fill.Replace(tt.path), token, fill.Replace(tt.body))
	if diff := cmp.Diff(tt.want, plain(got.body)); got.code != tt.code || diff != "" {
		t.Errorf("status %d, want %d; body (-want +got):\n%s", got.code, tt.code, diff)
	}
	r.wantHeaders(t, got)
}

const sessionDoc = `{"token":"<token>","user":{"id":"<id>","name":"Bob","email":"bob@example.org"}}`

const deletedEvent = `expense_deleted {"id":"<id>","_id":"<id>","deviceId":"device_1"}`

var accountRows = []row{
	{
		"register", "POST", "/api/auth/register", `{"name":" Bob ","email":" Bob@Example.org ","password":"a rare secret"}`, 201,
		sessionDoc, nil,
	},
	{
		"register again", "POST", "/api/auth/register", `{"name":"Bob","email":"bob@example.org","password":"a rare secret"}`, 400,
		failing("User already exists"), nil,
	},
	{"register with an extra key", "POST", "/api/auth/register", `{"name":"B","email":"b@example.org","password":"a rare secret",` +
		`"confirm":"a rare secret"}`, 400, failing(`"confirm" is not allowed`), nil},
	{
		"register without a good address", "POST", "/api/auth/register", `{"name":"B","email":"b","password":"a rare secret"}`, 400,
		failing(`"email" must be a valid email`), nil,
	},
	{"register with half a body", "POST", "/api/auth/register", `{"name":`, 400, failing("Malformed JSON"), nil},
	{"log in", "POST", "/api/auth/login", `{"email":"BOB@example.org","password":"a rare secret"}`, 200, sessionDoc, nil},
	{
		"log in with a wrong password", "POST", "/api/auth/login", `{"email":"bob@example.org","password":"wrong!"}`, 400,
		failing("Invalid credentials"), nil,
	},
	{
		"log in as nobody", "POST", "/api/auth/login", `{"email":"nobody@example.org","password":"a rare secret"}`, 400,
		failing("Invalid credentials"), nil,
	},
	{"log in with nothing", "POST", "/api/auth/login", "", 400, failing(`"email" is required`), nil},
	{"profile", "GET", "/api/user/profile", "", 200, `{"name":"Test","email":"alice@example.org","createdAt":"<time>"}`, nil},
	{
		"wrong current password", "POST", "/api/auth/security/change-password",
		`{"currentPassword":"wrong!","newPassword":"a better one"}`, 400, failing("Current password is incorrect"), nil,
	},
}

var expenseRows = []row{
	{"list", "GET", "/api/expenses", "", 200, "[" + lunchDoc + "]", nil},
	{"list by page", "GET", "/api/expenses?page=1&limit=50", "", 200, `{"success":true,"data":[` + lunchDoc +
		`],"pagination":{"total":1,"page":1,"limit":50,"pages":1}}`, nil},
	{"create", "POST", "/api/expenses", expenseBody, 201, lunchDoc, []string{"expense_created " + withDevice(lunchDoc)}},
	{"create with nothing", "POST", "/api/expenses", "", 400, failing(`"description" is required`), nil},
	{"create with an unknown key", "POST", "/api/expenses", `{"description":"x","amount":1,"category":"food","type":"expense",` +
		`"foo":1}`, 400, failing(`"foo" is not allowed`), nil},
	{
		"create of no category", "POST", "/api/expenses", `{"description":"x","amount":1,"category":"fun","type":"expense"}`, 400,
		failing(`"category" must be one of [food, transport, entertainment, utilities, healthcare, shopping, other]`), nil,
	},
	{
		"create of too much", "POST", "/api/expenses", `{"description":"x","amount":9000000000001,"category":"food","type":"expense"}`,
		400, failing(`"amount" must be less than or equal to 9000000000000`), nil,
	},
	{
		"create with a NUL", "POST", "/api/expenses", `{"description":"a\u0000b","amount":1,"category":"food","type":"expense"}`, 400,
		"", nil,
	},
	{"create of a list", "POST", "/api/expenses", `[]`, 400, failing(`"value" must be of type object`), nil},
	{"update", "PUT", "/api/expenses/{id}", dinnerBody, 200, dinnerDoc, []string{"expense_updated " + withDevice(dinnerDoc)}},
	{"update of half an expense", "PUT", "/api/expenses/{id}", `{"amount":20}`, 400, failing(`"description" is required`), nil},
	{"update of another's", "PUT", "/api/expenses/{foreign}", dinnerBody, 404, failing("Expense not found"), nil},
	{"update of no id", "PUT", "/api/expenses/12", dinnerBody, 404, failing("Expense not found"), nil},
	{"update of an old version", "PUT", "/api/expenses/{id}", `{"description":"Dinner","amount":20,"category":"food",` +
		`"type":"expense","version":0}`, 409, "", nil},
	{
		"delete", "DELETE", "/api/expenses/{id}", `{"deviceId":"device_1"}`, 200, `{"message":"Expense deleted"}`,
		[]string{deletedEvent},
	},
	{"delete of another's", "DELETE", "/api/expenses/{foreign}", "", 404, failing("Expense not found"), nil},
	{"delete of no id", "DELETE", "/api/expenses/temp_1", "", 404, failing("Expense not found"), nil},
	{"no such route", "GET", "/api/expenses/{id}", "", 404, failing("Cannot GET /api/expenses/<id>"), nil},
}

var syncRows = []row{
	{"empty batch", "POST", "/api/sync/batch", batchOf(), 200, `{"results":[]}`, nil},
	{
		"batch", "POST", "/api/sync/batch", batchOf(operation("CREATE", "temp_1", teaData), operation("UPDATE", "{id}", dinnerBody),
			operation("DELETE", "{id}", "null")), 200,
		`{"results":[{"resourceId":"temp_1","success":true,"data":` + teaDoc + `,"status":"created"},` +
			`{"resourceId":"<id>","success":true,"data":` + dinnerDoc + `,"status":"updated"},` +
			`{"resourceId":"<id>","success":true,"data":` + dinnerDoc + `,"status":"deleted"}]}`,
		[]string{"expense_created " + withDevice(teaDoc), "expense_updated " + withDevice(dinnerDoc), deletedEvent},
	},
	{
		"batch of another's", "POST", "/api/sync/batch", batchOf(operation("DELETE", "{foreign}", "null")), 200,
		`{"results":[{"resourceId":"<id>","success":true,"data":null,"status":"not_found"}]}`, nil,
	},
	{"batch that is none", "POST", "/api/sync/batch", `{"operations":{}}`, 400, failing(`"operations" must be an array`), nil},
	{
		"batch with a bad action", "POST", "/api/sync/batch", batchOf(operation("MOVE", "x", "null")), 400,
		failing(`"operations[0].action" must be one of [CREATE, UPDATE, DELETE]`), nil,
	},
	{"nothing pending", "GET", "/api/sync/pending", "", 200, "[]", nil},
	{"retry of nothing", "POST", "/api/sync/pending/{id}/retry", "", 404, failing("Operation not found"), nil},
	{"discard of nothing", "DELETE", "/api/sync/pending/{id}", "", 404, failing("Operation not found"), nil},
	{"delta of nothing", "POST", "/api/sync/delta", `{"changes":[]}`, 200, `{"success":[],"conflicts":[],"errors":[]}`, nil},
	{"no delta", "POST", "/api/sync/delta", `{}`, 400, failing("Invalid changes format"), nil},
	{"pull since nonsense", "GET", "/api/sync/pull?lastSyncTime=then", "", 400, failing(`"lastSyncTime" must be a valid date`), nil},
}

// The routes of docs/contract.md#routes as a table: status, shape, exact text, and the
// events that the caller's other device receives, in order.
func TestEveryRouteOfTheContract(t *testing.T) {
	r := start(t, "AUTH_RATE_LIMIT=0")
	alice, mallory := r.register("alice@example.org"), r.register("mallory@example.org")
	r.fence(mallory, "hers") // made on no device: one that changes accounts is another story
	foreign := r.ids(mallory, "hers")[0]
	heard := r.listen(alice)
	for i, tt := range slices.Concat(accountRows, expenseRows, syncRows) {
		t.Run(tt.name, func(t *testing.T) {
			r.clear(alice)
			id := r.expense(alice)
			r.fence(alice, fmt.Sprintf("before-%d", i))
			heard.until(fmt.Sprintf("before-%d", i))
			r.remove(alice, fmt.Sprintf("before-%d", i), heard)

			fill := strings.NewReplacer("{id}", id, "{foreign}", foreign)
			got := r.call(tt.method, fill.Replace(tt.path), alice, fill.Replace(tt.body))
			if diff := cmp.Diff(tt.want, plain(got.body)); got.code != tt.code || (tt.want != "" && diff != "") {
				t.Errorf("status %d, want %d; body (-want +got):\n%s", got.code, tt.code, diff)
			}
			r.wantHeaders(t, got)
			r.fence(alice, fmt.Sprintf("after-%d", i))
			events := heard.until(fmt.Sprintf("after-%d", i))
			for j := range events {
				events[j] = plain(events[j])
			}
			if diff := cmp.Diff(append([]string{}, tt.events...), events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// wantHeaders checks the headers of an answer (docs/contract.md#http,
// docs/contract.md#d27).
func (r *running) wantHeaders(t *testing.T, a answer) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store",
		"Access-Control-Allow-Origin": "*",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if vary := a.header.Values("Vary"); len(vary) == 0 || vary[0] != "*" {
		t.Errorf("Vary: %q", vary)
	}
}

// fence stores an expense, whose event comes after all that were caused before.
func (r *running) fence(token, description string) {
	r.t.Helper()
	if a := r.call("POST", "/api/expenses", token, fmt.Sprintf(`{"description":%q,"amount":1,"category":"food","type":"expense"}`,
		description)); a.code != 201 {
		r.t.Fatalf("fence: %d %s", a.code, a.body)
	}
}

// remove deletes the expense of a fence and waits for its event.
func (r *running) remove(token, description string, s *socket) {
	r.t.Helper()
	for _, id := range r.ids(token, description) {
		r.call("DELETE", "/api/expenses/"+id, token, "")
		s.until("expense_deleted")
	}
}

// clear deletes all expenses of the user.
func (r *running) clear(token string) {
	for _, id := range r.ids(token, "") {
		r.call("DELETE", "/api/expenses/"+id, token, "")
	}
}

func (r *running) ids(token, description string) []string {
	var ids []string
	for _, doc := range strings.SplitAfter(r.call("GET", "/api/expenses", token, "").body, "}") {
		if at := strings.Index(doc, `"_id":"`); at >= 0 && strings.Contains(doc, `"description":"`+description) {
			ids = append(ids, doc[at+7:at+31])
		}
	}
	return ids
}

func signed(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// guardedRoutes are routes that want a token.
var guardedRoutes = []string{
	"GET /api/expenses", "POST /api/expenses", "PUT /api/expenses/x", "DELETE /api/expenses/x", "POST /api/auth/logout",
	"POST /api/auth/logout-others", "POST /api/auth/logout-everywhere",
	"POST /api/auth/security/change-password",
	"GET /api/user/profile", "POST /api/sync/batch", "GET /api/sync/status", "GET /api/sync/pending",
	"POST /api/sync/pending/x/retry", "DELETE /api/sync/pending/x",
	"DELETE /api/sync/pending", "POST /api/sync/pending/retry", "GET /api/expenses/x/history",
	"GET /api/sync/pull", "POST /api/sync/delta", "GET /api/sync/changes",
	"GET /api/budgets", "POST /api/budgets", "GET /api/budgets/x", "PUT /api/budgets/x", "DELETE /api/budgets/x",
	"GET /api/budgets/alerts", "GET /api/budgets/summary",
	"GET /api/accounts/balance", "GET /api/dashboard", "GET /api/notifications", "GET /api/notifications/unread-count",
	"PATCH /api/notifications/x/read", "PATCH /api/notifications/mark-all-read", "DELETE /api/notifications/x",
	"GET /api/presence", "GET /api/devices", "DELETE /api/devices/x",
}

// The answer is the same on all routes: 401, the contract's text, and a code with the
// reason.
func TestEveryGuardedRouteRefusesEveryBadToken(t *testing.T) {
	r := start(t)
	good := r.register("alice@example.org")
	userID := r.call("POST", "/api/auth/login", "", `{"email":"alice@example.org","password":"secret"}`).field("user", "id")
	loggedOut := r.call("POST", "/api/auth/login", "", `{"email":"alice@example.org","password":"secret"}`).field("token")
	r.call("POST", "/api/auth/logout", loggedOut, "")
	soon, past := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	tokens := []struct{ name, token, code, text string }{
		{"none", "", "NO_TOKEN", "Access denied. No token provided."},
		{"garbled", "garbled", "TOKEN_INVALID", "Invalid token."},
		{
			"expired", signed(t, jwt.SigningMethodHS256, []byte(testSecret), jwt.MapClaims{"id": userID, "iat": past, "exp": past}),
			"TOKEN_EXPIRED", "Invalid token.",
		},
		{
			"of another key", signed(t, jwt.SigningMethodHS256, []byte("another"), jwt.MapClaims{"id": userID, "iat": past, "exp": soon}),
			"TOKEN_INVALID", "Invalid token.",
		},
		{
			"unsigned", signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, jwt.MapClaims{"id": userID, "exp": soon}),
			"TOKEN_INVALID", "Invalid token.",
		},
		{
			"of another algorithm", signed(t, jwt.SigningMethodHS512, []byte(testSecret), jwt.MapClaims{"id": userID, "exp": soon}),
			"TOKEN_INVALID", "Invalid token.",
		},
		{
			"of nobody", signed(t, jwt.SigningMethodHS256, []byte(testSecret), jwt.MapClaims{"id": strings.Repeat("a", 24), "exp": soon}),
			"USER_NOT_FOUND", "Invalid token.",
		},
		{"logged out", loggedOut, "SESSION_INVALID", "Invalid token."},
	}
	for _, tt := range tokens {
		t.Run(tt.name, func(t *testing.T) {
			for _, route := range guardedRoutes {
				method, path, _ := strings.Cut(route, " ")
				got := r.call(method, path+"?token="+good, tt.token, "")
				if want := fmt.Sprintf(`{"error":%q,"message":%q,"code":%q}`, tt.text, tt.text, tt.code); got.code != 401 ||
					got.body != want {
					t.Errorf("%s: %d %s, want 401 %s", route, got.code, got.body, want)
				}
			}
		})
	}
	if got := r.call("GET", "/api/expenses", "", "", "Authorization", good); got.code != 200 {
		t.Errorf("a bare token: %d", got.code)
	}
	if strings.Contains(r.log.String(), good) {
		t.Error("a token is in the log")
	}
}

func TestParkedOperationIsSeenRetriedAndDiscarded(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	bad := `{"description":"Lunch","amount":-5,"category":"food","type":"expense"}`
	heard := r.listen(alice)
	got := r.call("POST", "/api/sync/batch", alice, batchOf(operation("CREATE", "temp_1", bad), operation("CREATE", "temp_2", bad)))
	want := `{"resourceId":"temp_1","success":false,"error":"Expense validation failed: amount: Path ` + "`amount`" +
		` (-5) is less than minimum allowed value (0.01).","status":"parked"}`
	if got.code != 200 || !strings.Contains(got.body, want) {
		t.Fatalf("batch: %d %s", got.code, got.body)
	}
	for range 2 {
		if e := heard.next(); !strings.HasPrefix(e, `sync_error {"error":"Expense validation failed`) {
			t.Errorf("heard %s", e)
		}
	}
	if s := r.call("GET", "/api/sync/status", alice, "").body; s != `{"lastSync":null,"pendingOperations":2}` {
		t.Errorf("status %s", s)
	}
	pending := r.call("GET", "/api/sync/pending", alice, "").body
	heard.send(`42["sync_request"]`)
	if e := heard.next(); e != "sync_data "+pending {
		t.Errorf("sync_data differs from pending:\n%s\n%s", e, pending)
	}
	ids := strings.Split(pending, `"_id":"`)
	if len(ids) != 3 {
		t.Fatalf("pending %s", pending)
	}
	retried := r.call("POST", "/api/sync/pending/"+ids[1][:24]+"/retry", alice, `{"data":`+lunchData+`}`)
	if want := `{"resourceId":"temp_1","success":true,"data":` + lunchDoc + `,"status":"created"}`; retried.code != 200 ||
		plain(retried.body) != want {
		t.Errorf("retry: %d %s", retried.code, retried.body)
	}
	events := []string{heard.next(), heard.next()} // they come by two ways, in any order
	slices.Sort(events)
	if !strings.HasPrefix(events[0], "expense_created ") || events[1] != `sync_settled {"how":"retried"}` {
		t.Errorf("heard %s", events)
	}
	if d := r.call("DELETE", "/api/sync/pending/"+ids[2][:24], alice, ""); d.code != 200 ||
		d.body != `{"message":"Operation discarded"}` {
		t.Errorf("discard: %d %s", d.code, d.body)
	}
	if e := heard.next(); e != `sync_settled {"how":"discarded"}` {
		t.Errorf("heard %s", e)
	}
	if s := plain(r.call("GET", "/api/sync/status", alice, "").body); s != `{"lastSync":"<time>","pendingOperations":0}` {
		t.Errorf("status %s", s)
	}
}

func TestPullGoesOnFromItsOwnServerTime(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	r.expense(alice)
	first := r.call("GET", "/api/sync/pull?lastSyncTime=", alice, "")
	if first.code != 200 || strings.Count(first.body, `"id":"`) != 1 || !strings.HasPrefix(first.body,
		`{"success":true,"changes":[{`) {
		t.Fatalf("first pull: %d %s", first.code, first.body)
	}
	if again := r.call("GET", "/api/sync/pull?lastSyncTime="+first.field("serverTime"), alice, ""); !strings.HasPrefix(again.body,
		`{"success":true,"changes":[],`) {
		t.Errorf("nothing new: %s", again.body)
	}
	r.expense(alice)
	if next := r.call("GET", "/api/sync/pull?lastSyncTime="+first.field("serverTime"), alice, ""); strings.Count(next.body,
		`"id":"`) != 1 {
		t.Errorf("one new: %s", next.body)
	}
}
