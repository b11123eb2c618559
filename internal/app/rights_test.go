package app

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"golang.org/x/crypto/bcrypt"

	"expenseflow/internal/auth"
	"expenseflow/internal/keyring"
	"expenseflow/internal/ledger"
	"expenseflow/models"
)

// secret is the description that only those may see who have the expense.
const secret = "Secret supper"

// routeRights has the answer of each route to each person, in the order of people: the
// status, "s" if the answer contains the secret, and after a colon what else it contains.
// People who are absent at the end are answered as the last one is.
//
// {id} is the expense's, {viewer} and {stranger} are users', and {none} does not exist.
var routeRights = []struct {
	route, path, body string // path "" is the route's
	want              string
}{
	{"POST /api/auth/register", "", `{}`, "400 400 400 400 400 400 400 400"},
	{"POST /api/auth/login", "", `{}`, "400 400 400 400 400 400 400 400"},
	{"GET /api/auth/options", "", "", "200 200 200 200 200 200 200 200"},
	{"POST /api/auth/refresh", "", "", "200 200 200 200 200 401 401 401"},
	{"POST /api/auth/logout", "", "", "200 200 200 200 200 401 401 401"},
	{"POST /api/auth/logout-others", "", "", "200 200 200 200 200 401 401 401"},
	{"POST /api/auth/logout-everywhere", "", "", "200 200 200 200 200 401 401 401"},
	{
		"POST /api/auth/security/change-password", "", `{"currentPassword":"wrong!","newPassword":"another"}`,
		"400 400 400 400 400 401 401 401",
	},
	{"GET /api/user/profile", "", "", "200 200 200 200 200 401 401 401"},
	{"GET /api/user/settings", "", "", "200 200 200 200 200 401 401 401"},
	{"PATCH /api/user/settings", "", `{"timeZone":"UTC"}`, "200 200 200 200 200 401 401 401"},
	{"GET /api/currency/preference", "", "", "200 200 200 200 200 401 401 401"},
	{"PUT /api/currency/preference", "", `{"currency":"INR"}`, "200 200 200 200 200 401 401 401"},
	{"GET /api/currency/supported", "", "", "200 200 200 200 200 200 200 200"},
	{"GET /api/currency/rates", "", "", "200 200 200 200 200 200 200 200"},

	{"GET /api/expenses", "", "", "200s 200s 200s 200 200 401 401 401"},
	{"GET /api/expenses", "/api/expenses?page=1&limit=5", "", "200s:total\":1 200s:total\":1 200s:total\":1 200:total\":0 " +
		"200:total\":0 401 401 401"},
	{"POST /api/expenses", "", expenseBody, "201 201 201 201 201 401 401 401"},
	{"PUT /api/expenses/:id", "/api/expenses/{id}", expenseBody, "200s 200s 403:FORBIDDEN|Forbidden 404 404 401 401 401"},
	{"DELETE /api/expenses/:id", "/api/expenses/{id}", "", "200 403 403 404 404 401 401 401"},
	{
		"GET /api/expenses/:id/history", "/api/expenses/{id}/history?limit=5", "",
		"200s:created 200s:received 200s:received 404 404 401 401 401",
	},
	{
		"GET /api/expenses/:id/history", "/api/expenses/{id}/history?before=lunch", "",
		"400:before 400:before 400 400 400 401 401 401",
	},
	{"GET /api/expenses/:id/history", "/api/expenses/{none}/history", "", "404 404 404 404 404 401 401 401"},

	{"GET /api/expenses/:id/share", "/api/expenses/{id}/share", "", "200:@ 200:editor 200:viewer 404 404 401 401 401"},
	{
		"POST /api/expenses/:id/share", "/api/expenses/{id}/share", `{"email":"{stranger}","role":"viewer"}`,
		"202:invited\":true 403:FORBIDDEN 403 404 404 401 401 401",
	},
	{
		"POST /api/expenses/:id/share", "/api/expenses/{id}/share", `{"email":"nobody@example.org","role":"viewer"}`,
		"202:invited\":true 403 403 404 404 401 401 401",
	},
	{
		"DELETE /api/expenses/:id/invitations/:email", "/api/expenses/{id}/invitations/invited%40example.org", "",
		"200:false 403 403 404 404 401 401 401",
	},
	{"DELETE /api/user", "", `{"password":"wrong!"}`, "400 400 400 400 400 401 401 401"},
	{"DELETE /api/user", "", `{"password":"secret"}`, "200 200 200 200 200 401 401 401"},
	{"GET /api/sessions", "", "", "200:current\":true 200 200 200 200 401 401 401"},
	{"DELETE /api/sessions/:id", "/api/sessions/{none}", "", "404 404 404 404 404 401 401 401"},
	{"GET /api/invitations", "", "", "200 200 200 200 200 401 401 401"},
	{"POST /api/invitations/:id/accept", "/api/invitations/{none}/accept", "", "404 404 404 404 404 401 401 401"},
	{"POST /api/invitations/:id/accept", "/api/invitations/{invitation}/accept", "", "404 404 404 404 200s 401 401 401"},
	{"POST /api/invitations/:id/decline", "/api/invitations/{invitation}/decline", "", "404 404 404 404 200 401 401 401"},
	{"GET /api/people/blocked", "", "", "200 200 200 200 200 401 401 401"},
	{"POST /api/people/:userId/block", "/api/people/{viewer}/block", "", "200 404 404 404 404 401 401 401"},
	{"DELETE /api/people/:userId/block", "/api/people/{viewer}/block", "", "404 404 404 404 404 401 401 401"},
	{"DELETE /api/expenses/:id/share/:userId", "/api/expenses/{id}/share/{viewer}", "", "200 403 200 404 404 401 401 401"},
	{"GET /api/expenses/:id/activity", "/api/expenses/{id}/activity", "", "200s 200s 200s 404 404 401 401 401"},
	{
		"POST /api/expenses/:id/activity", "/api/expenses/{id}/activity", `{"text":"<i>Hm</i>"}`,
		"201:<i>Hm</i> 201 201 404 404 401 401 401",
	},

	{"POST /api/sync/batch", "", queueOf("UPDATE", `{"amount":3}`), "200s:updated 200s:updated 200:parked 200:not_found " +
		"200:not_found 401 401 401"},
	{"POST /api/sync/batch", "", queueOf("DELETE", `{}`), "200s:deleted 200:parked 200:parked 200:not_found 200:not_found 401 401 " +
		"401"},
	{"GET /api/sync/status", "", "", "200 200 200 200 200 401 401 401"},
	{"GET /api/sync/pending", "", "", "200 200 200 200 200 401 401 401"},
	{"GET /api/sync/pending", "/api/sync/pending?limit=5", "", "200:total\":0 200 200 200 200 401 401 401"},
	{"GET /api/sync/pending", "/api/sync/pending?after=lunch", "", "400:after 400 400 400 400 401 401 401"},
	{"DELETE /api/sync/pending", "/api/sync/pending?through=1-{none}", "", "200:left\":0 200 200 200 200 401 401 401"},
	{"DELETE /api/sync/pending", "", "", "400:through 400 400 400 400 401 401 401"},
	{
		"POST /api/sync/pending/retry", "/api/sync/pending/retry?through=1-{none}", "",
		"200:next\":null 200 200 200 200 401 401 401",
	},
	{"POST /api/sync/pending/retry", "", "", "400:through 400 400 400 400 401 401 401"},
	{"POST /api/sync/pending/:id/retry", "/api/sync/pending/{none}/retry", "", "404 404 404 404 404 401 401 401"},
	{"DELETE /api/sync/pending/:id", "/api/sync/pending/{none}", "", "404 404 404 404 404 401 401 401"},
	{"GET /api/sync/pull", "", "", "200s 200s 200s 200 200 401 401 401"},
	{"GET /api/sync/changes", "", "", "200s:snapshot 200s 200s 200 200 401 401 401"},
	{"GET /api/sync/changes", "/api/sync/changes?since=0", "", "200s 200s 200s 200:expense_deleted 200 401 401 401"},
	{
		"POST /api/sync/delta", "", `{"changes":[{"action":"update","id":"{id}","version":0,"data":{"amount":3},"localId":1}]}`,
		"200s:serverData 200s:serverData 200:Forbidden 200:found 200:found 401 401 401",
	},

	{"GET /api/dashboard", "/api/dashboard?from=2026-01-01&to=2026-01-31", "", "200s:12.5 200 200 200 200 401 401 401"},
	{"GET /api/accounts/balance", "", "", `200:-12.5 200:balance":0 200:balance":0 200:balance":0 200:balance":0 401 401 401`},
	{"GET /api/budgets", "", "", "200 200 200 200 200 401 401 401"},
	{"GET /api/budgets/alerts", "", "", "200 200 200 200 200 401 401 401"},
	{"GET /api/budgets/summary", "", "", "200 200 200 200 200 401 401 401"},
	{"POST /api/budgets", "", `{}`, "400 400 400 400 400 401 401 401"},
	{"GET /api/budgets/:id", "/api/budgets/{none}", "", "404 404 404 404 404 401 401 401"},
	{
		"PUT /api/budgets/:id", "/api/budgets/{none}", `{"name":"A","category":"all","amount":1,"period":"monthly"}`,
		"404 404 404 404 404 401 401 401",
	},
	{"DELETE /api/budgets/:id", "/api/budgets/{none}", "", "404 404 404 404 404 401 401 401"},
	{"GET /api/notifications", "", "", "200 200 200 200 200 401 401 401"},
	{"GET /api/notifications/unread-count", "", "", "200 200 200 200 200 401 401 401"},
	{"PATCH /api/notifications/mark-all-read", "", "", "200 200 200 200 200 401 401 401"},
	{"PATCH /api/notifications/:id/read", "/api/notifications/{none}/read", "", "404 404 404 404 404 401 401 401"},
	{"DELETE /api/notifications/:id", "/api/notifications/{none}", "", "404 404 404 404 404 401 401 401"},
	{"GET /api/notifications/preferences", "", "", "200 200 200 200 200 401 401 401"},
	{"PUT /api/notifications/preferences", "", `{}`, "200 200 200 200 200 401 401 401"},
	{"POST /api/notifications/test", "", `{}`, "200 200 200 200 200 401 401 401"},
	{"GET /api/notifications/push/vapid-key", "", "", "200 200 200 200 200 200 200 200"},
	{"POST /api/notifications/push/subscribe", "", `{}`, "501 501 501 501 501 401 401 401"},
	{"POST /api/notifications/push/unsubscribe", "", "", "200 200 200 200 200 401 401 401"},
	{"GET /api/analytics/spending-trends", "", "", "200:summary 200:null 200:null 200:null 200:null 401 401 401"},
	{"GET /api/analytics/category-breakdown", "", "", "200:12.5 200:null 200:null 200:null 200:null 401 401 401"},
	{"GET /api/analytics/comparison", "", "", "200:comparisons 200:null 200:null 200:null 200:null 401 401 401"},
	{"GET /api/analytics/insights", "", "", "200:insights 200:null 200:null 200:null 200:null 401 401 401"},
	{"GET /api/analytics/predictions", "", "", "200:message 200:null 200:null 200:null 200:null 401 401 401"},
	{"GET /api/analytics/velocity", "", "", "200 200:currentSpent\":0 200 200 200 401 401 401"},
	{"GET /api/analytics/summary", "", "", "200:12.5 200:null 200:null 200:null 200:null 401 401 401"},
	{
		"GET /api/categorization/suggest", "/api/categorization/suggest?description=dinner", "",
		"200:food 200:default 200:default 200:default 200:default 401 401 401",
	},
	{"GET /api/import", "", "", "200:imports 200 200 200 200 401 401 401"},
	{
		"POST /api/import", "/api/import?dryRun=1", "Date,Text,Amount\n2026-01-02,Tea,-1.00\n",
		"200:new\":1 200 200 200 200 401 401 401",
	},
	{"POST /api/import", "", "Date,Text,Amount\n2026-01-02,Tea,-1.00\n", "201:done 201 201 201 201 401 401 401"},
	{"POST /api/import", "", `{"format":"expenseflow-account"}`, "400:account 400 400 400 400 401 401 401"},
	{"POST /api/import/account", "", "{}", "400 400 400 400 400 401 401 401"},
	// The former member's own comment has the secret.
	{"GET /api/export", "", "", "200s:expenseflow-account 200s 200s 200s 200 401 401 401"},
	{"POST /api/import", "", "{}", "400 400 400 400 400 401 401 401"},
	{"DELETE /api/import/:id", "/api/import/{none}", "", "404 404 404 404 404 401 401 401"},
	{"GET /api/goals", "", "", "200 200 200 200 200 401 401 401"},
	{"GET /api/goals/summary", "", "", "200 200 200 200 200 401 401 401"},
	{"POST /api/goals", "", `{}`, "400 400 400 400 400 401 401 401"},
	{
		"PUT /api/goals/:id", "/api/goals/{none}", `{"title":"A","targetAmount":1,"goalType":"savings","targetDate":"2026-12-31"}`,
		"404 404 404 404 404 401 401 401",
	},
	{"PATCH /api/goals/:id/progress", "/api/goals/{none}/progress", `{"amount":1}`, "404 404 404 404 404 401 401 401"},
	{"PATCH /api/goals/:id/status", "/api/goals/{none}/status", `{"status":"paused"}`, "404 404 404 404 404 401 401 401"},
	{"DELETE /api/goals/:id", "/api/goals/{none}", "", "404 404 404 404 404 401 401 401"},
	{"GET /api/workspaces", "", "", "200 200 200 200 200 401 401 401"},
	{"POST /api/workspaces", "", `{}`, "501 501 501 501 501 401 401 401"},
	{"POST /api/workspaces/join", "", `{}`, "501 501 501 501 501 401 401 401"},
	{"POST /api/workspaces/:id/invite", "/api/workspaces/{none}/invite", `{}`, "501 501 501 501 501 401 401 401"},
	{"GET /api/receipts", "", "", "200 200 200 200 200 401 401 401"},
	{"GET /api/receipts/expense/:id", "/api/receipts/expense/{id}", "", "200 200 200 404 404 401 401 401"},
	{"POST /api/receipts/upload/:id", "/api/receipts/upload/{id}", `{}`, "501 501 501 501 501 401 401 401"},
	{"GET /api/presence", "", "", "200 200 200 200 200 401 401 401"},
	{"GET /api/devices", "", "", "200 200 200 200 200 401 401 401"},
	{"DELETE /api/devices/:id", "/api/devices/{none}", "", "404 404 404 404 404 401 401 401"},
	{"POST /api/admin/status", "", `{"status":"ok"}`, "404 404 404 404 404 404 404 404"},
	{"GET /api/admin/connections", "", "", "404 404 404 404 404 404 404 404"},
	{"GET /api/admin/overview", "", "", "404 404 404 404 404 404 404 404"},
	{"GET /api/health", "", "", "200 200 200 200 200 200 200 200"},
}

func queueOf(action, data string) string {
	return `{"operations":[{"action":"` + action + `","resourceType":"expense","resourceId":"{id}","data":` + data +
		`,"deviceId":"device of {id}","timestamp":1768824000000}]}`
}

// people are the callers, in the order of routeRights.
var people = []string{"owner", "editor", "viewer", "former member", "stranger", "no token", "expired", "revoked"}

// A rightsFixture is one running program with people of every role.
type rightsFixture struct {
	*running
	users map[string]models.User
}

func newRightsFixture(t *testing.T) *rightsFixture {
	q := &rightsFixture{
		running: start(t, "RATE_LIMIT=100000/1m", "SYNC_RATE_LIMIT=100000/1m", "AUTH_RATE_LIMIT=100000/1m"),
		users:   map[string]models.User{},
	}
	q.move()
	return q
}

// move gives every role to a new user.
func (q *rightsFixture) move() {
	q.t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		q.t.Fatal(err)
	}
	for _, name := range people {
		id := ledger.NewID()
		u := models.User{ID: id, Name: name, Email: id + "@example.org", PasswordHash: hash, CreatedAt: models.Millis(time.Now())}
		if err := q.app.store.CreateUser(q.t.Context(), u); err != nil {
			q.t.Fatal(err)
		}
		q.users[name] = u
	}
}

// token returns the token of a person; "expired" and "revoked" are owners whose token is
// not valid any more.
func (q *rightsFixture) token(name string) string {
	q.t.Helper()
	u, at := q.users[name], time.Now()
	switch name {
	case "no token":
		return ""
	case "expired":
		u, at = q.users["owner"], at.AddDate(-1, 0, 0)
	case "revoked":
		u = q.users["owner"]
	}
	token, err := auth.NewTokens(keyring.New([]byte(testSecret)), time.Hour).Issue(u, at)
	if err != nil {
		q.t.Fatal(err)
	}
	if name == "revoked" {
		if a := q.call("POST", "/api/auth/logout", token, ""); a.code != 200 {
			q.t.Fatalf("logout: %d", a.code)
		}
	}
	return token
}

// sharedExpense makes the expense for one entry of routeRights.
func (q *rightsFixture) sharedExpense() string {
	q.t.Helper()
	owner := q.token("owner")
	a := q.call("POST", "/api/expenses", owner, `{"description":"Dinner","amount":12.5,"category":"food","type":"expense",`+
		`"notes":"`+secret+`","date":"2026-01-19"}`)
	id := a.field("_id")
	for _, name := range []string{"editor", "viewer", "former member"} {
		role := "viewer"
		if name == "editor" {
			role = "editor"
		}
		q.invite(id, q.users[name].Email, role)
		q.done("POST", "/api/invitations/"+q.invitation(name)+"/accept", q.token(name), "")
	}
	q.invite(id, "invited@example.org", "viewer")
	q.done("POST", "/api/expenses/"+id+"/activity", q.token("former member"), `{"text":"`+secret+`"}`)
	q.done("DELETE", "/api/expenses/"+id+"/share/"+q.users["former member"].ID, owner, "")
	return id
}

func (q *rightsFixture) invite(id, email, role string) { q.offerExpense("owner", id, email, role) }

// offerExpense invites a person to an expense, and delivers the invitation.
func (q *rightsFixture) offerExpense(from, id, email, role string) {
	q.t.Helper()
	q.done("POST", "/api/expenses/"+id+"/share", q.token(from), fmt.Sprintf(`{"email":%q,"role":%q}`, email, role))
	if _, err := q.app.ledger.DeliverInvitations(q.t.Context()); err != nil {
		q.t.Fatal(err)
	}
}

// invitation returns the one that waits for a person's answer.
func (q *rightsFixture) invitation(name string) string {
	q.t.Helper()
	all, err := q.app.ledger.Invitations(q.t.Context(), q.users[name].ID)
	if err != nil || len(all) == 0 {
		q.t.Fatalf("%s has no invitation, %v", name, err)
	}
	return all[0].ID
}

func (q *rightsFixture) done(method, path, token, body string) answer {
	q.t.Helper()
	a := q.call(method, path, token, body)
	if a.code >= 300 {
		q.t.Fatalf("%s %s: %d %s", method, path, a.code, a.body)
	}
	return a
}

// routeRights is who may do what: every entry is tried. People and expense are new whenever
// something may have changed them.
func TestEveryRouteAnswersEverybodyByTheirRights(t *testing.T) {
	q, id := newRightsFixture(t), ""
	for _, row := range routeRights {
		for i, want := range strings.Fields(row.want) {
			if id == "" {
				q.move()
				id = q.sharedExpense()
			}
			name, invitation := people[i], "0123456789abcdef01234567"
			if strings.Contains(row.path, "{invitation}") {
				q.invite(id, q.users["stranger"].Email, "viewer")
				invitation = q.invitation("stranger")
			}
			method, path, _ := strings.Cut(row.route, " ")
			if row.path != "" {
				path = row.path
			}
			fill := strings.NewReplacer("{id}", id, "{viewer}", q.users["viewer"].ID, "{stranger}", q.users["stranger"].Email, "{none}",
				"0123456789abcdef01234567")
			if name == "revoked" || name == "expired" || name == "no token" {
				fill = strings.NewReplacer("{id}", id, "{viewer}", q.users["viewer"].ID, "{stranger}", "a@example.org", "{none}", id)
			}
			a := q.call(method, strings.ReplaceAll(fill.Replace(path), "{invitation}", invitation), q.token(name), fill.Replace(row.body))
			if problem := difference(a, want); problem != "" {
				t.Errorf("%s %s by %s: %s\n%d %.300s", method, path, name, problem, a.code, a.body)
			}
			if a.code < 300 && method != http.MethodGet || strings.Contains(row.path, "{invitation}") {
				id = ""
			}
		}
	}
}

// difference says how an answer differs from an entry of routeRights.
func difference(a answer, want string) string {
	code, holds, _ := strings.Cut(want, ":")
	code, sees := strings.CutSuffix(code, "s")
	switch {
	case fmt.Sprint(a.code) != code:
		return "want " + code
	case strings.Contains(a.body, secret) != sees:
		return fmt.Sprintf("shows the secret: %v", !sees)
	}
	for _, part := range strings.Split(holds, "|") {
		if !strings.Contains(a.body, part) {
			return "without " + part
		}
	}
	return ""
}

// shownTo returns what a person is shown of an expense, by each route.
func (q *rightsFixture) shownTo(name, id string) (answers []string) {
	q.t.Helper()
	token := q.token(name)
	s := q.listen(token)
	fill := strings.NewReplacer("{id}", id, "{viewer}", q.users["viewer"].ID, "{stranger}", q.users["stranger"].Email)
	for _, row := range routeRights {
		if !strings.Contains(row.path+row.body, "{id}") {
			continue
		}
		method, path, _ := strings.Cut(row.route, " ")
		if row.path != "" {
			path = row.path
		}
		// Another name each time, or a queue's replay would answer.
		body := strings.Replace(fill.Replace(row.body), `"device of `, `"`+ledger.NewID(), 1)
		a := q.call(method, fill.Replace(path), token, body)
		answers = append(answers, fmt.Sprintf("%s %s: %d %s", method, row.path, a.code, a.body))
	}
	for _, row := range eventRights {
		if strings.Contains(row.object, "{id}") {
			answer := requestIDs.ReplaceAllString(s.ask(row.event, fill.Replace(row.object)), "")
			answers = append(answers, row.event+": "+answer)
		}
	}
	return answers
}

// requestIDs are what differs between two answers that say the same.
var requestIDs = regexp.MustCompile(`"requestId":"[^"]*"`)

// Somebody with whom an expense was shared once could tell when it was deleted: until then
// the answer said that it is no longer shared.
func TestAFormerMemberCouldTellWhetherTheExpenseIsStillThere(t *testing.T) {
	q := newRightsFixture(t)
	id := q.sharedExpense()
	there := map[string][]string{"former member": q.shownTo("former member", id), "stranger": q.shownTo("stranger", id)}
	q.done("DELETE", "/api/expenses/"+id, q.token("owner"), "")
	for name, was := range there {
		if diff := cmp.Diff(was, q.shownTo(name, id)); diff != "" {
			t.Errorf("a %s is told (-while it is there +when it is gone):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(there["stranger"], there["former member"]); diff != "" {
		t.Errorf("told (-stranger +former member):\n%s", diff)
	}
}

// Every route has an entry in routeRights.
func TestEveryRouteHasItsRights(t *testing.T) {
	e := echo.New()
	start(t).app.api(e, components{})
	var routed, decided []string
	for _, r := range e.Routes() {
		if r.Method != http.MethodHead && !strings.HasSuffix(r.Path, "*") && r.Path != "/api" && r.Method != echo.RouteNotFound {
			routed = append(routed, r.Method+" "+r.Path)
		}
	}
	for _, row := range routeRights {
		if n := len(strings.Fields(row.want)); n != len(people) {
			t.Errorf("%s decides about %d people of %d", row.route, n, len(people))
		}
		if !strings.HasSuffix(row.route, "/health") && !strings.Contains(row.route, "/admin/") { // no business of users
			decided = append(decided, row.route)
		}
	}
	slices.Sort(routed)
	slices.Sort(decided)
	if diff := cmp.Diff(routed, slices.Compact(decided)); diff != "" {
		t.Errorf("routes (-the program +decided):\n%s", diff)
	}
}

// A change of an expense sends no event to users who do not have it.
func TestNobodyHearsOfWhatIsNotSharedWithThem(t *testing.T) {
	q := newRightsFixture(t)
	id := q.sharedExpense()
	heard := map[string]*socket{}
	for _, name := range people[:5] {
		heard[name] = q.listen(q.token(name))
	}
	q.done("PUT", "/api/expenses/"+id, q.token("editor"), expenseBody)
	q.done("POST", "/api/expenses/"+id+"/share", q.token("owner"), fmt.Sprintf(`{"email":%q,"role":"editor"}`,
		q.users["viewer"].Email))
	q.done("DELETE", "/api/expenses/"+id+"/share/"+q.users["editor"].ID, q.token("owner"), "")
	q.done("PUT", "/api/expenses/"+id, q.token("owner"), expenseBody)
	q.done("DELETE", "/api/expenses/"+id, q.token("owner"), "")

	want := map[string][]string{
		"owner":         {"expense_updated", "notification", "expense:shared", "expense:shared", "expense_updated", "expense_deleted"},
		"editor":        {"expense_updated", "expense_deleted"},
		"viewer":        {"expense_updated", "notification", "expense_updated", "expense_updated", "notification", "expense_deleted"},
		"former member": {}, "stranger": {},
	}
	for _, name := range people[:5] {
		q.done("POST", "/api/expenses", q.token(name), strings.Replace(expenseBody, "Lunch", "The end", 1))
		got := []string{}
		for _, e := range heard[name].until("The end") {
			event, payload, _ := strings.Cut(e, " ")
			got = append(got, event)
			if strings.Contains(payload, secret) && (name == "former member" || name == "stranger" || event == "expense_deleted") {
				t.Errorf("%s heard %s", name, e)
			}
		}
		if diff := cmp.Diff(want[name], got); diff != "" {
			t.Errorf("%s heard (-want +got):\n%s", name, diff)
		}
	}
}
