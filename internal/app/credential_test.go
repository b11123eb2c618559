package app

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/keyring"
)

// bodyRoutes are the routes that change something and read a body, each with a
// request that succeeds. {id} is an expense of the caller, {budget} a budget, {goal} a
// goal, {member} and {stranger} are another user.
var bodyRoutes = []struct{ route, path, body string }{
	{"POST /api/expenses", "/api/expenses", expenseBody},
	{"PATCH /api/user/settings", "/api/user/settings", `{"timeZone":"Asia/Kolkata"}`},
	{"PUT /api/currency/preference", "/api/currency/preference", `{"currency":"EUR"}`},
	{"PUT /api/expenses/:id", "/api/expenses/{id}", expenseBody},
	{"DELETE /api/expenses/:id", "/api/expenses/{id}", `{"deviceId":"d"}`},
	{"POST /api/expenses/:id/share", "/api/expenses/{id}/share", `{"email":"{stranger}","role":"editor"}`},
	{"DELETE /api/expenses/:id/share/:userId", "/api/expenses/{id}/share/{member}", `{"deviceId":"d"}`},
	{"DELETE /api/expenses/:id/invitations/:email", "/api/expenses/{id}/invitations/invited%40example.org", `{"deviceId":"d"}`},
	{"POST /api/invitations/:id/accept", "/api/invitations/{offered}/accept", `{"deviceId":"d"}`},
	{"POST /api/invitations/:id/decline", "/api/invitations/{offered}/decline", `{"deviceId":"d"}`},
	{"POST /api/people/:userId/block", "/api/people/{member}/block", `{"deviceId":"d"}`},
	{"DELETE /api/people/:userId/block", "/api/people/{blocked}/block", `{"deviceId":"d"}`},
	{"POST /api/expenses/:id/activity", "/api/expenses/{id}/activity", `{"text":"Hm"}`},
	{"POST /api/sync/batch", "/api/sync/batch", queueOf("UPDATE", `{"amount":3}`)},
	{"POST /api/sync/delta", "/api/sync/delta", `{"changes":[{"action":"update","id":"{id}","data":{"amount":3},"localId":1}]}`},
	{"POST /api/sync/pending/:id/retry", "/api/sync/pending/{parked}/retry", `{"data":{"amount":3}}`},
	{"POST /api/budgets", "/api/budgets", `{"name":"A","category":"all","amount":1,"period":"monthly"}`},
	{"PUT /api/budgets/:id", "/api/budgets/{budget}", `{"name":"B","category":"all","amount":1,"period":"monthly"}`},
	{"DELETE /api/budgets/:id", "/api/budgets/{budget}", `{"deviceId":"d"}`},
	{"PATCH /api/user/settings", "/api/user/settings", `{"timeZone":"Europe/Berlin"}`},
	{"PUT /api/currency/preference", "/api/currency/preference", `{"currency":"EUR"}`},
	{"POST /api/goals", "/api/goals", goalBody},
	{
		"POST /api/import/account", "/api/import/account", `{"format":"expenseflow-account","version":1,"account":{` +
			`"id":"bbbbbbbbbbbbbbbbbbbbbbbb","name":"Bob","email":"bob@example.org"},"expenses":[` +
			`{"id":"aaaaaaaaaaaaaaaaaaaaaaaa","date":"2026-01-31T12:00:00.000Z","type":"expense",` +
			`"description":"Lunch","amount":12.5,"category":"food"}],"counts":{"expenses":1}}`,
	},
	{"POST /api/import", "/api/import", "Date,Text,Amount\n2026-01-02,Tea,-1.00\n"},
	{"PUT /api/goals/:id", "/api/goals/{goal}", goalBody},
	{"PATCH /api/goals/:id/progress", "/api/goals/{goal}/progress", `{"amount":1}`},
	{"PATCH /api/goals/:id/status", "/api/goals/{goal}/status", `{"status":"paused"}`},
	{"PUT /api/notifications/preferences", "/api/notifications/preferences", `{"channels":{"push":{"enabled":false}}}`},
	{"POST /api/notifications/test", "/api/notifications/test", `{"title":"A"}`},
	{"DELETE /api/user", "/api/user", `{"password":"secret"}`},
	{
		"POST /api/auth/security/change-password", "/api/auth/security/change-password",
		`{"currentPassword":"secret","newPassword":"another secret"}`,
	},
}

// routesWithoutBody are the routes that change something and read no body: a client cannot
// delay the change after the token was checked.
var routesWithoutBody = []string{
	"POST /api/auth/logout", "POST /api/auth/logout-others", "POST /api/auth/logout-everywhere",
	"POST /api/auth/refresh", "DELETE /api/devices/:id", "DELETE /api/sessions/:id",
	"DELETE /api/sync/pending", "POST /api/sync/pending/retry", "DELETE /api/sync/pending/:id",
	"PATCH /api/notifications/mark-all-read", "PATCH /api/notifications/:id/read", "DELETE /api/notifications/:id",
	"DELETE /api/goals/:id", "DELETE /api/import/:id",
}

// unbuiltRoutes are the routes of features that are not built.
var unbuiltRoutes = []string{
	"POST /api/workspaces", "POST /api/workspaces/join", "POST /api/workspaces/:id/invite", "POST /api/receipts/upload/:id",
	"POST /api/notifications/push/subscribe", "POST /api/notifications/push/unsubscribe",
}

// revocations are the ways in which a token becomes invalid.
var revocations = map[string]func(q *rightsFixture, token string){
	"logout": func(q *rightsFixture, token string) { q.done("POST", "/api/auth/logout", token, "") },
	"change of the password": func(q *rightsFixture, token string) {
		q.done("POST", "/api/auth/security/change-password", token, `{"currentPassword":"secret","newPassword":"new secret"}`)
	},
	"sign-out of the device": func(q *rightsFixture, token string) {
		s, _ := q.dial(fmt.Sprintf(`{"token":%q,"deviceId":"stolen"}`, token))
		q.await("GET", "/api/devices", token, `"stolen"`)
		q.done("DELETE", "/api/devices/stolen", q.token("owner"), "")
		<-s.closed
	},
	"expiry": func(q *rightsFixture, token string) {
		for q.call("GET", "/api/user/profile", token, "").code != http.StatusUnauthorized {
			time.Sleep(50 * time.Millisecond) // real time passes for the running program
		}
	},
	"end of the account": func(q *rightsFixture, _ string) {
		if err := q.app.store.DeleteUser(q.t.Context(), q.users["owner"].ID); err != nil {
			q.t.Fatal(err)
		}
	},
}

// A request whose body arrived after its token had become invalid was applied.
func TestABodyThatArrivesAfterItsTokenHasEndedChangesNothing(t *testing.T) {
	q := newRightsFixture(t)
	for name, end := range revocations {
		q.move()
		fill := q.makeTargets()
		token := q.token("owner")
		if name == "expiry" {
			token = q.expiringToken()
		}
		var sent []*startedRequest
		for _, r := range bodyRoutes {
			method, _, _ := strings.Cut(r.route, " ")
			sent = append(sent, q.startRequest(method, fill.Replace(r.path), token, fill.Replace(r.body)))
		}
		end(q, token)
		for i, w := range sent {
			if code, body := w.finish(); code != http.StatusUnauthorized {
				t.Errorf("%s after the %s: %d %s", bodyRoutes[i].route, name, code, body)
			}
		}
	}
}

// makeTargets gives the owner what the paths of bodyRoutes name.
func (q *rightsFixture) makeTargets() *strings.Replacer {
	q.t.Helper()
	id, owner := q.sharedExpense(), q.token("owner")
	budget := q.done("POST", "/api/budgets", owner, `{"name":"A","category":"all","amount":1,"period":"monthly"}`).field("budget",
		"_id")
	if budget == "" {
		budget = q.onlyBudget(owner)
	}
	q.done("POST", "/api/sync/batch", owner, strings.Replace(queueOf("UPDATE", `{"amount":3}`), "{id}", "0123456789abcdef01234567",
		1))
	_, parked, _ := strings.Cut(q.done("GET", "/api/sync/pending", owner, "").body, `"_id":"`)
	viewer := q.users["viewer"].ID
	q.done("POST", "/api/people/"+viewer+"/block", owner, "")
	return strings.NewReplacer("{id}", id, "{offered}", q.pendingInvitation(), "{blocked}", viewer, "{budget}", budget, "{goal}",
		q.goal(owner, goalBody), "{parked}", parked[:24],
		"{member}", q.users["editor"].ID, "{stranger}", q.users["stranger"].Email)
}

// pendingInvitation returns an invitation that waits for the owner's answer.
func (q *rightsFixture) pendingInvitation() string {
	q.t.Helper()
	theirs := q.done("POST", "/api/expenses", q.token("stranger"), expenseBody).field("_id")
	q.offerExpense("stranger", theirs, q.users["owner"].Email, "viewer")
	return q.invitation("owner")
}

// expiringToken returns a token of the owner that expires within a few seconds.
func (q *rightsFixture) expiringToken() string {
	q.t.Helper()
	issued := time.Now().Add(4*time.Second - time.Hour)
	token, err := auth.NewTokens(keyring.New([]byte(testSecret)), time.Hour).Issue(q.users["owner"], issued)
	if err != nil {
		q.t.Fatal(err)
	}
	return token
}

// A startedRequest is a request that was authenticated and waits for its body.
type startedRequest struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	body string
}

// startRequest sends a request up to its body, and waits until the program asks for that.
func (q *rightsFixture) startRequest(method, path, token, body string) *startedRequest {
	q.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(q.url, "http://"))
	if err != nil {
		q.t.Fatal(err)
	}
	q.t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: "+
		"%d\r\nExpect: 100-continue\r\n\r\n",
		method, path, token, len(body))
	w := &startedRequest{q.t, conn, bufio.NewReader(conn), body}
	if line, _ := w.r.ReadString('\n'); !strings.Contains(line, "100 Continue") {
		q.t.Fatalf("%s %s asks for no body: %s", method, path, line)
	}
	_, _ = w.r.ReadString('\n')
	return w
}

func (w *startedRequest) finish() (code int, body string) {
	w.t.Helper()
	_, _ = io.WriteString(w.conn, w.body)
	res, err := http.ReadResponse(w.r, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

// The requests of bodyRoutes succeed as long as the token is valid.
func TestEveryLateBodyIsAcceptedInTime(t *testing.T) {
	q := newRightsFixture(t)
	for _, r := range bodyRoutes {
		q.move()
		fill := q.makeTargets()
		method, _, _ := strings.Cut(r.route, " ")
		if code, body := q.startRequest(method, fill.Replace(r.path), q.token("owner"), fill.Replace(r.body)).finish(); code >= 300 {
			t.Errorf("%s: %d %s", r.route, code, body)
		}
	}
}

// Every route that changes something is in one of the lists above.
func TestEveryRouteThatChangesSomethingIsTriedLate(t *testing.T) {
	known := slices.Concat(routesWithoutBody, unbuiltRoutes)
	for _, r := range bodyRoutes {
		known = append(known, r.route)
	}
	for _, row := range routeRights {
		open := strings.Contains(row.route, "/auth/register") || strings.Contains(row.route, "/auth/login") ||
			strings.Contains(row.route, "/admin/")
		if !strings.HasPrefix(row.route, "GET ") && !open && !slices.Contains(known, row.route) {
			t.Errorf("%s is among none of bodyRoutes, routesWithoutBody and unbuiltRoutes", row.route)
		}
	}
}

// A socket could send commands to another process until that had polled the log.
func TestASocketCommandsNothingAfterItsTokenWasSignedOutElsewhere(t *testing.T) {
	q := newRightsFixture(t)
	owner, id := q.token("owner"), q.sharedExpense()
	claims, err := auth.NewTokens(keyring.New([]byte(testSecret)), time.Hour).Verify(owner)
	if err != nil {
		t.Fatal(err)
	}
	s := q.listen(owner)
	// As another process does: neither the hub nor the tail of this one is told.
	if err := q.app.store.RevokeToken(t.Context(), claims.Key, claims.UserID, claims.ExpiresAt); err != nil {
		t.Fatal(err)
	}
	s.send(`427["expense:delete",{"id":"` + id + `"}]`)
	select {
	case a := <-s.answers:
		if !strings.Contains(a, `"ok":false`) {
			t.Errorf("expense:delete after the sign-out: %s", a)
		}
	case <-s.closed: // the log was faster
	case <-time.After(patience):
		t.Fatal("neither an answer nor an end")
	}
	<-s.closed
	q.done("GET", "/api/expenses/"+id+"/share", q.token("owner"), "")
}
