package app

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/hints"
	"expenseflow/internal/socketio/socketiotest"
	"expenseflow/internal/store/storetest"
)

// startPair starts two programs on one PostgreSQL. Without hints they tell each other
// nothing: what they know of each other they read.
func startPair(t *testing.T, hinted bool, more ...string) (a, b *running) {
	t.Helper()
	database := "DATABASE_URL=" + storetest.PostgresOptions(t, storetest.PostgresDSN(t)).URL
	pair := make([]*running, 2)
	for i := range pair {
		pair[i] = startChanged(t, settings(t, append([]string{database}, more...)...), func(a *App) {
			if !hinted {
				a.hints = hints.None
			}
		})
	}
	return pair[0], pair[1]
}

// eachPair runs fn on a pair that tells each other hints, and on one that does not.
func eachPair(t *testing.T, fn func(t *testing.T, a, b *running), more ...string) {
	for _, hinted := range []bool{true, false} {
		t.Run(fmt.Sprintf("hints %v", hinted), func(t *testing.T) {
			t.Parallel()
			a, b := startPair(t, hinted, more...)
			fn(t, a, b)
		})
	}
}

func TestPresenceIsOfAllProcesses(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *running) {
		token := a.register("alice@example.org")
		a.dial(fmt.Sprintf(`{"token":%q,"deviceId":"phone"}`, token))
		b.await("GET", "/api/presence", token, `"phone"`)
		laptop, _ := b.dial(fmt.Sprintf(`{"token":%q,"deviceId":"laptop"}`, token))
		if got := laptop.ask("presence:list", "{}"); !strings.Contains(got, `"phone"`) || !strings.Contains(got, `"laptop"`) {
			t.Errorf("the laptop is told %s", got)
		}
		a.await("GET", "/api/presence", token, `"laptop"`)
		b.await("GET", "/api/presence", token, `"laptop"`)
		if err := b.stop(); err != nil {
			t.Fatal(err)
		}
		stopped := time.Now()
		for strings.Contains(a.call("GET", "/api/presence", token, "").body, `"laptop"`) {
			if took := time.Since(stopped); took > 12*time.Second {
				t.Fatalf("a device of a process that ended is there after %v", took)
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
}

func TestARoomIsOfAllProcesses(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *running) {
		alice, bob := a.register("alice@example.org"), a.register("bob@example.org")
		id := a.expense(alice)
		a.share(alice, bob, id)
		owner, guest := a.listen(alice), b.listen(bob)
		room := fmt.Sprintf(`{"room":"expense:%s"}`, id)
		owner.ask("room:join", room)
		time.Sleep(100 * time.Millisecond)
		if got := guest.ask("room:join", room); strings.Count(got, `"user":`) != 2 {
			t.Errorf("members: %s", got)
		}
		owner.untilEvent("presence:joined")
		guest.ask("room:leave", room)
		owner.untilEvent("presence:left")
	})
}

func TestCommentsAndTypingReachOtherProcesses(t *testing.T) {
	a, b := startPair(t, true)
	alice, bob := a.register("alice@example.org"), a.register("bob@example.org")
	id := a.expense(alice)
	a.share(alice, bob, id)
	owner, guest := a.listen(alice), b.listen(bob)
	room := fmt.Sprintf(`{"room":"expense:%s"}`, id)
	owner.ask("room:join", room)
	guest.ask("room:join", room)
	owner.untilEvent("presence:joined")
	owner.hearsOf(`"type":"typing"`, func() {
		guest.ask("room:activity", fmt.Sprintf(`{"room":"expense:%s","type":"typing"}`, id))
	})
	owner.hearsOf(`"mine too"`, func() {
		guest.ask("room:activity", fmt.Sprintf(`{"room":"expense:%s","type":"comment","data":"mine too"}`, id))
	})
	guest.hearsOf(`"type":"updated"`, func() { a.call("PUT", "/api/expenses/"+id, alice, expenseBody) })
}

// hearsOf does something until an event with this text comes: on a busy machine what is
// ephemeral may be lost.
func (s *socket) hearsOf(text string, do func()) {
	s.t.Helper()
	for began := time.Now(); time.Since(began) < patience; {
		do()
		for again := time.After(2 * time.Second); again != nil; {
			select {
			case e := <-s.events:
				if strings.Contains(e, text) {
					return
				}
			case <-again:
				again = nil
			}
		}
	}
	s.t.Fatalf("never heard of %s", text)
}

// untilEvent waits for an event with this text.
func (s *socket) untilEvent(text string) {
	s.t.Helper()
	for !strings.Contains(s.next(), text) {
	}
}

// share shares an expense of owner's with bob, who accepts it.
func (r *running) share(owner, bob, expenseID string) {
	r.t.Helper()
	a := r.call("POST", "/api/expenses/"+expenseID+"/share", owner, `{"email":"bob@example.org","role":"viewer"}`)
	if a.code != 202 {
		r.t.Fatalf("share: %d %s", a.code, a.body)
	}
	_, id, _ := strings.Cut(r.await("GET", "/api/invitations", bob, expenseID).body, `"id":"`)
	r.done200("POST", "/api/invitations/"+id[:24]+"/accept", bob, "")
}

// heardStatus opens a socket and returns what it is told of the service's status.
func (r *running) heardStatus(token string) <-chan string {
	r.t.Helper()
	client, err := socketiotest.Dial(context.Background(), r.url, socketiotest.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	told, closed := make(chan string, 100), make(chan struct{})
	go func() {
		defer close(closed)
		_ = client.Listen(func(packet string) {
			if strings.Contains(packet, `"system:status"`) {
				told <- packet
			}
		})
	}()
	r.t.Cleanup(func() {
		client.Close()
		<-closed
	})
	if err := client.Send(`40{"token":"` + token + `"}`); err != nil {
		r.t.Fatal(err)
	}
	return told
}

// wantTold waits until a message with this text comes.
func wantTold(t *testing.T, told <-chan string, text string) {
	t.Helper()
	for {
		select {
		case message := <-told:
			if strings.Contains(message, text) {
				return
			}
		case <-time.After(patience):
			t.Fatalf("nobody says %s", text)
		}
	}
}

func TestTheStatusIsToldByAllProcesses(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *running) {
		token := a.register("alice@example.org")
		heard := b.heardStatus(token)
		a.done200("POST", "/api/admin/status", adminToken, `{"status":"degraded","message":"slow today"}`)
		wantTold(t, heard, "slow today")
		late := startWith(t, b.app.cfg)
		wantTold(t, late.heardStatus(token), "slow today")
		b.done200("POST", "/api/admin/status", adminToken, `{"status":"ok","message":"all is well"}`)
		wantTold(t, heard, "all is well")
	}, "ADMIN_TOKEN="+adminToken)
}

// Without hints the socket ends with the next poll of the log, which is a second away at
// most. The machine may be slow now and then: what is promised shows in the first quiet moment.
func TestASignOutEndsSocketsOfOtherProcesses(t *testing.T) {
	eachPair(t, func(t *testing.T, a, b *running) {
		laptop := a.register("alice@example.org")
		for begun, try := time.Now(), 0; time.Since(begun) < patience; try++ {
			name := fmt.Sprint("phone", try)
			heard, _ := b.dial(fmt.Sprintf(`{"token":%q,"deviceId":%q}`, a.signIn("alice@example.org"), name))
			a.await("GET", "/api/devices", laptop, name)
			began := time.Now()
			a.done200("DELETE", "/api/devices/"+name, laptop, "")
			if !heard.gone() {
				t.Fatal("the socket is open")
			}
			if took := time.Since(began); took <= 1200*time.Millisecond {
				return
			}
		}
		t.Error("each socket ended after more than 1.2 s")
	})
}

func TestConnectionsOfAllProcessesAreCounted(t *testing.T) {
	a, b := startPair(t, true, "ADMIN_TOKEN="+adminToken)
	token := a.register("alice@example.org")
	a.listen(token)
	b.listen(token)
	got := a.await("GET", "/api/admin/connections", adminToken, `"sockets":2,"users":2`)
	if !strings.HasSuffix(got.body, `"missing":[]}`) || strings.Count(got.body, `"id":`) != 2 {
		t.Error(got.body)
	}
}

func TestWrongPasswordsAreCountedByAllProcesses(t *testing.T) {
	a, b := startPair(t, true, "AUTH_RATE_LIMIT=3/15m")
	a.register("alice@example.org")
	const guess = `{"email":"alice@example.org","password":"wrong!"}`
	for range 3 {
		if got := a.call("POST", "/api/auth/login", "", guess); got.code != 400 {
			t.Fatalf("%d %s", got.code, got.body)
		}
	}
	for began := time.Now(); b.call("POST", "/api/auth/login", "", guess).code != 429; time.Sleep(200 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatal("another process lets somebody guess on")
		}
	}
}
