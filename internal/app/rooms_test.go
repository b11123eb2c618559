package app

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// await repeats a request until its answer contains want.
func (r *running) await(method, path, token, want string) answer {
	r.t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		a := r.call(method, path, token, "")
		if strings.Contains(a.body, want) {
			return a
		}
		if time.Since(began) > patience {
			r.t.Fatalf("%s %s: %d %s never holds %s", method, path, a.code, a.body, want)
		}
	}
}

func (r *running) signIn(email string) (token string) {
	r.t.Helper()
	return r.done200("POST", "/api/auth/login", "", fmt.Sprintf(`{"email":%q,"password":"secret"}`, email)).field("token")
}

func (r *running) done200(method, path, token, body string) answer {
	r.t.Helper()
	a := r.call(method, path, token, body)
	if a.code != 200 {
		r.t.Fatalf("%s %s: %d %s", method, path, a.code, a.body)
	}
	return a
}

func TestADeviceThatCameAMomentAgoCouldNotBeSignedOut(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		laptop := r.register("alice@example.org")
		for name, path := range map[string]string{"phone": "phone", "kitchen/tablet": "kitchen%2Ftablet"} {
			token := r.signIn("alice@example.org")
			heard, _ := r.dial(fmt.Sprintf(`{"token":%q,"deviceId":%q}`, token, name))
			r.await("GET", "/api/presence", laptop, name)
			want := fmt.Sprintf(`{"deviceId":%q,"tokens":1}`, name)
			if a := r.call("DELETE", "/api/devices/"+path, laptop, ""); a.code != 200 || a.body != want {
				t.Errorf("sign %s out: %d %s", name, a.code, a.body)
			}
			if !heard.gone() {
				t.Errorf("the socket of %s is open", name)
			}
		}
	})
}

func TestADeviceThatIsSignedOutIsOutEverywhere(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		laptop, mallory := r.register("alice@example.org"), r.register("mallory@example.org")
		phone := r.signIn("alice@example.org")
		heard, _ := r.dial(fmt.Sprintf(`{"token":%q,"deviceId":"the phone"}`, phone))
		still, _ := r.dial(fmt.Sprintf(`{"token":%q,"deviceId":"laptop"}`, laptop))
		r.await("GET", "/api/devices", laptop, `"deviceId":"the phone"`)
		if a := r.call("GET", "/api/presence", laptop, ""); a.code != 200 || strings.Count(a.body, "deviceId") != 2 {
			t.Errorf("presence: %d %s", a.code, a.body)
		}
		if a := r.call("DELETE", "/api/devices/the%20phone", mallory, ""); a.code != 404 {
			t.Errorf("another user's device: %d %s", a.code, a.body)
		}
		began := time.Now()
		if a := r.call("DELETE", "/api/devices/the%20phone", laptop, ""); a.code != 200 ||
			a.body != `{"deviceId":"the phone","tokens":1}` {
			t.Fatalf("sign out: %d %s", a.code, a.body)
		}
		if !heard.gone() {
			t.Error("the phone's socket is open")
		}
		if a := r.call("GET", "/api/expenses", phone, ""); a.code != 401 {
			t.Errorf("the phone's token: %d %s", a.code, a.body)
		}
		t.Logf("signed out within %v", time.Since(began))
		if a := r.call("DELETE", "/api/devices/the%20phone", laptop, ""); a.code != 404 {
			t.Errorf("again: %d %s", a.code, a.body)
		}
		if a := r.call("GET", "/api/devices", laptop, ""); strings.Contains(a.body, "phone") ||
			!strings.Contains(a.body, `"online":true`) {
			t.Errorf("devices: %s", a.body)
		}
		r.expense(laptop)
		if e := still.next(); !strings.HasPrefix(e, "expense_created") {
			t.Errorf("the laptop heard %s", e)
		}
	})
}

// eventRights has the answer of each event to each person of people: ok or the code of the
// refusal, followed by "s" if the answer contains the secret. Without a valid token there
// is no socket.
var eventRights = []struct{ event, object, want string }{
	{"auth:refresh", `{"token":"{token}"}`, "ok FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN"},
	{"expense:create", expenseBody, "ok ok ok ok ok"},
	{"expense:update", `{"id":"{id}","amount":3}`, "oks oks FORBIDDEN NOT_FOUND NOT_FOUND"},
	{"expense:delete", `{"id":"{id}"}`, "oks FORBIDDEN FORBIDDEN NOT_FOUND NOT_FOUND"},
	{"dashboard:subscribe", `{"from":"2026-01-01","to":"2026-01-31"}`, "oks ok ok ok ok"},
	{"dashboard:unsubscribe", `{}`, "ok ok ok ok ok"},
	{"sync_request", `null`, "ok ok ok ok ok"},
	{"room:join", `{"room":"expense:{id}"}`, "ok ok ok FORBIDDEN FORBIDDEN"},
	{"room:leave", `{"room":"expense:{id}"}`, "ok ok ok ok ok"},
	{"presence:list", `{"room":"expense:{id}"}`, "FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN"}, // who is not in it
	{"presence:list", `{}`, "ok ok ok ok ok"},
	{
		"room:activity", `{"room":"expense:{id}","type":"comment","data":"` + secret + `"}`,
		"FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN",
	},
	{"room:activity", `{"room":"expense:{id}","type":"typing"}`, "FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN"},
}

// routeRights for sockets: after each answer the owner sends the secret to the room, and
// nobody without a right receives it.
func TestEveryEventAnswersEverybodyByTheirRights(t *testing.T) {
	q := newRightsFixture(t)
	for _, row := range eventRights {
		for i, want := range strings.Fields(row.want) {
			q.move()
			id, name := q.sharedExpense(), people[i]
			s := q.listen(q.token(name))
			a := s.ask(row.event, strings.NewReplacer("{id}", id, "{token}", q.token("owner")).Replace(row.object))
			if problem := answered(a, want); problem != "" {
				t.Errorf("%s %s by %s: %s\n%.300s", row.event, row.object, name, problem, a)
			}
			q.sendSecret(id)
			if heard := s.flush(); strings.Contains(heard, secret) && (name == "former member" || name == "stranger") {
				t.Errorf("%s, after %s, heard %s", name, row.event, heard)
			}
		}
	}
	for _, name := range people[5:] {
		if _, answer := q.dial(fmt.Sprintf(`{"token":%q}`, q.token(name))); !strings.HasPrefix(answer, "44") {
			t.Errorf("%s is let in: %s", name, answer)
		}
	}
}

func answered(a, want string) string {
	code, sees := strings.CutSuffix(want, "s")
	switch {
	case code == "ok" && !strings.HasPrefix(a, `[{"ok":true`):
		return "not done"
	case code != "ok" && !strings.Contains(a, `"code":"`+code+`"`):
		return "want " + code
	case strings.Contains(a, secret) != sees:
		return fmt.Sprintf("shows the secret: %v", !sees)
	}
	return ""
}

// sendSecret has the owner comment the secret in the expense's room, if that still exists.
func (q *rightsFixture) sendSecret(id string) {
	owner := q.listen(q.token("owner"))
	object := fmt.Sprintf(`{"room":"expense:%s","type":"comment","data":%q}`, id, secret)
	if strings.HasPrefix(owner.ask("room:join", object[:strings.Index(object, ",")]+"}"), `[{"ok":true`) {
		owner.ask("room:activity", object)
	}
}

// flush returns everything that was received until a request of the socket is answered.
func (s *socket) flush() string {
	s.ask("dashboard:unsubscribe", "{}")
	var all strings.Builder
	for len(s.events) > 0 {
		all.WriteString(<-s.events + "\n")
	}
	return all.String()
}

// Devices of one user share a room too, but an update of an expense that is not shared was
// not sent there.
func TestAnUpdateOfAnUnsharedExpenseWasNotHeardInItsRoom(t *testing.T) {
	r := start(t)
	token := r.register("alice@example.org")
	id := r.expense(token)
	s := r.listen(token)
	s.ask("room:join", `{"room":"expense:`+id+`"}`)
	r.done200("PUT", "/api/expenses/"+id, token, expenseBody)
	s.ask("room:activity", `{"room":"expense:`+id+`","type":"comment","data":"The end"}`)
	if heard := strings.Join(s.until("The end"), "\n"); !strings.Contains(heard, `"type":"updated"`) {
		t.Errorf("heard %s", heard)
	}
}

// What is sent to a room reaches only those who are in it and have the right.
func TestARoomsWordsReachItsMembersAlone(t *testing.T) {
	q := newRightsFixture(t)
	id := q.sharedExpense()
	room := `{"room":"expense:` + id + `"}`
	inside := map[string]*socket{}
	for _, name := range people[:3] {
		s := q.listen(q.token(name))
		s.ask("room:join", room)
		inside[name] = s
	}
	viewer := q.users["viewer"].ID
	q.done("DELETE", "/api/expenses/"+id+"/share/"+viewer, q.token("owner"), "")
	inside["editor"].ask("room:activity", `{"room":"expense:`+id+`","type":"comment","data":"after the viewer left"}`)
	for name, want := range map[string]bool{"owner": true, "editor": true, "viewer": false} {
		if heard := inside[name].flush(); strings.Contains(heard, "after the viewer left") != want {
			t.Errorf("%s heard %s", name, heard)
		}
	}
}
