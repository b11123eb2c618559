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
)

// lateBodies are the routes that change something and read a body first, each with a
// request that succeeds. {id} is an expense of the caller, {budget} a budget, {goal} a
// goal, {member} and {stranger} are another user.
var lateBodies = []struct{ route, path, body string }{
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
	{"PUT /api/goals/:id", "/api/goals/{goal}", goalBody},
	{"PATCH /api/goals/:id/progress", "/api/goals/{goal}/progress", `{"amount":1}`},
	{"PATCH /api/goals/:id/status", "/api/goals/{goal}/status", `{"status":"paused"}`},
	{"PUT /api/notifications/preferences", "/api/notifications/preferences", `{"channels":{"push":{"enabled":false}}}`},
	{"POST /api/notifications/test", "/api/notifications/test", `{"title":"A"}`},
	{"DELETE /api/user", "/api/user", `{"password":"secret"}`},
	{"POST /api/auth/security/change-password", "/api/auth/security/change-password", `{"currentPassword":"secret","newPassword":"another secret"}`},
}

// bodiless are the routes that change something and read no body: there is no moment
// between the look at the token and the change that a sender could draw out.
var bodiless = []string{
	"POST /api/auth/logout", "DELETE /api/devices/:id", "DELETE /api/sessions/:id", "DELETE /api/sync/pending/:id",
	"PATCH /api/notifications/mark-all-read", "PATCH /api/notifications/:id/read", "DELETE /api/notifications/:id",
	"DELETE /api/goals/:id",
}

// changeless are routes of features that this server does not have.
var changeless = []string{
	"POST /api/workspaces", "POST /api/workspaces/join", "POST /api/workspaces/:id/invite", "POST /api/receipts/upload/:id",
	"POST /api/notifications/push/subscribe", "POST /api/notifications/push/unsubscribe",
}

// endings are the ways in which a token ends.
var endings = map[string]func(q *quarter, token string){
	"logout": func(q *quarter, token string) { q.done("POST", "/api/auth/logout", token, "") },
	"change of the password": func(q *quarter, token string) {
		q.done("POST", "/api/auth/security/change-password", token, `{"currentPassword":"secret","newPassword":"new secret"}`)
	},
	"sign-out of the device": func(q *quarter, token string) {
		s, _ := q.dial(fmt.Sprintf(`{"token":%q,"deviceId":"stolen"}`, token))
		q.await("GET", "/api/devices", token, `"stolen"`)
		q.done("DELETE", "/api/devices/stolen", q.token("owner"), "")
		<-s.closed
	},
	"expiry": func(q *quarter, token string) {
		for q.call("GET", "/api/user/profile", token, "").code != http.StatusUnauthorized {
			time.Sleep(50 * time.Millisecond) // real time passes for the running program
		}
	},
	"end of the account": func(q *quarter, _ string) {
		if err := q.app.store.DeleteUser(q.t.Context(), q.users["owner"].ID); err != nil {
			q.t.Fatal(err)
		}
	},
}

// A request whose body was still to come when its token ended was applied minutes later.
func TestABodyThatArrivesAfterItsTokenHasEndedChangesNothing(t *testing.T) {
	q := newQuarter(t)
	for name, end := range endings {
		q.move()
		fill := q.belongings()
		token := q.token("owner")
		if name == "expiry" {
			token = q.briefToken()
		}
		var sent []*withheld
		for _, r := range lateBodies {
			method, _, _ := strings.Cut(r.route, " ")
			sent = append(sent, q.withhold(method, fill.Replace(r.path), token, fill.Replace(r.body)))
		}
		end(q, token)
		for i, w := range sent {
			if code, body := w.finish(); code != http.StatusUnauthorized {
				t.Errorf("%s after the %s: %d %s", lateBodies[i].route, name, code, body)
			}
		}
	}
}

// belongings gives the owner what lateBodies are about.
func (q *quarter) belongings() *strings.Replacer {
	q.t.Helper()
	id, owner := q.shared(), q.token("owner")
	budget := q.done("POST", "/api/budgets", owner, `{"name":"A","category":"all","amount":1,"period":"monthly"}`).field("budget", "_id")
	if budget == "" {
		budget = q.onlyBudget(owner)
	}
	q.done("POST", "/api/sync/batch", owner, strings.Replace(queueOf("UPDATE", `{"amount":3}`), "{id}", "0123456789abcdef01234567", 1))
	_, parked, _ := strings.Cut(q.done("GET", "/api/sync/pending", owner, "").body, `"_id":"`)
	viewer := q.users["viewer"].ID
	q.done("POST", "/api/people/"+viewer+"/block", owner, "")
	return strings.NewReplacer("{id}", id, "{offered}", q.offered(), "{blocked}", viewer, "{budget}", budget, "{goal}", q.goal(owner, goalBody), "{parked}", parked[:24],
		"{member}", q.users["editor"].ID, "{stranger}", q.users["stranger"].Email)
}

// offered is an invitation that waits for the owner's answer.
func (q *quarter) offered() string {
	q.t.Helper()
	theirs := q.done("POST", "/api/expenses", q.token("stranger"), expenseBody).field("_id")
	q.offer("stranger", theirs, q.users["owner"].Email, "viewer")
	return q.invitation("owner")
}

// briefToken is an owner's that ends within a few seconds.
func (q *quarter) briefToken() string {
	q.t.Helper()
	token, err := auth.NewTokens([]byte(testSecret), time.Hour).Issue(q.users["owner"], time.Now().Add(4*time.Second-time.Hour))
	if err != nil {
		q.t.Fatal(err)
	}
	return token
}

// A withheld request was authenticated and waits for its body.
type withheld struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	body string
}

// withhold sends a request without its body, up to the moment at which the program
// asks for that.
func (q *quarter) withhold(method, path, token, body string) *withheld {
	q.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(q.url, "http://"))
	if err != nil {
		q.t.Fatal(err)
	}
	q.t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		method, path, token, len(body))
	w := &withheld{q.t, conn, bufio.NewReader(conn), body}
	if line, _ := w.r.ReadString('\n'); !strings.Contains(line, "100 Continue") {
		q.t.Fatalf("%s %s asks for no body: %s", method, path, line)
	}
	_, _ = w.r.ReadString('\n')
	return w
}

func (w *withheld) finish() (code int, body string) {
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

// The requests above do change something as long as the token is good.
func TestEveryLateBodyIsAcceptedInTime(t *testing.T) {
	q := newQuarter(t)
	for _, r := range lateBodies {
		q.move()
		fill := q.belongings()
		method, _, _ := strings.Cut(r.route, " ")
		if code, body := q.withhold(method, fill.Replace(r.path), q.token("owner"), fill.Replace(r.body)).finish(); code >= 300 {
			t.Errorf("%s: %d %s", r.route, code, body)
		}
	}
}

// A route that changes something is not forgotten.
func TestEveryRouteThatChangesSomethingIsTriedLate(t *testing.T) {
	known := slices.Concat(bodiless, changeless)
	for _, r := range lateBodies {
		known = append(known, r.route)
	}
	for _, row := range rightsOf {
		open := strings.Contains(row.route, "/auth/register") || strings.Contains(row.route, "/auth/login") || strings.Contains(row.route, "/admin/")
		if !strings.HasPrefix(row.route, "GET ") && !open && !slices.Contains(known, row.route) {
			t.Errorf("%s is among none of lateBodies, bodiless and changeless", row.route)
		}
	}
}

// A socket in another process commanded until its log was polled.
func TestASocketCommandsNothingAfterItsTokenWasSignedOutElsewhere(t *testing.T) {
	q := newQuarter(t)
	owner, id := q.token("owner"), q.shared()
	claims, err := auth.NewTokens([]byte(testSecret), time.Hour).Verify(owner)
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
