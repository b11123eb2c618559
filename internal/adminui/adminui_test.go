package adminui

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/keyring"
	"expenseflow/internal/socketio"
)

const invalid = `44/admin,{"message":"invalid credentials","data":{"code":"INVALID_CREDENTIALS"}}`

func TestOnlyWhoKnowsThePasswordGetsIn(t *testing.T) {
	p := start(t, func(*Options) {})
	for _, auth := range []string{
		"", `{}`, withPassword("guessed"), withPassword(password + " "), `{"username":"root","password":"` + password + `"}`,
		`{"username":"admin","password":["` + password + `"]}`, `{"sessionId":"0123456789abcdef"}`, `{"sessionId":{}}`,
	} {
		if _, answer := p.signIn(auth); answer != invalid {
			t.Errorf("%s: %s", auth, answer)
		}
	}
	c := p.admin()
	c.await(`["session","`)
	c.await(`["config",{"supportedFeatures":["AGGREGATED_EVENTS"]}]`)
	c.await(`["server_stats",{"serverId":"`, `"clientsCount":`, `{"name":"/admin","socketsCount":1}`)
	if p.Stats().Refused != 8 || strings.Contains(p.log.String(), password) {
		t.Errorf("%d refused; log:\n%s", p.Stats().Refused, p.log)
	}
}

// Whoever guesses is kept out by address, with the right password too.
func TestGuessesAreLimitedByAddress(t *testing.T) {
	p := start(t, func(o *Options) { o.Guesses = &guesses{most: 3, used: map[string]int{}} })
	for range 3 {
		p.signIn(withPassword("guessed"))
	}
	for _, auth := range []string{withPassword("guessed"), withPassword(password)} {
		_, answer := p.signIn(auth)
		if !strings.Contains(answer, `"too many wrong passwords: try again in 2 min","data":{"code":"RATE_LIMITED","retryAfterMs":90000}`) {
			t.Error(answer)
		}
	}
}

func TestASessionIDIsOfOneAddress(t *testing.T) {
	address := "here"
	p := start(t, func(o *Options) { o.Address = func(string) string { return address } })
	var args []string
	text := p.admin().await(`["session","`)
	if err := json.Unmarshal([]byte(text[len("42/admin,"):]), &args); err != nil {
		t.Fatal(err)
	}
	auth := fmt.Sprintf(`{"sessionId":%q}`, args[1])
	if _, answer := p.signIn(auth); !strings.HasPrefix(answer, "40/admin,") {
		t.Errorf("from the same address: %s", answer)
	}
	address = "elsewhere"
	if _, answer := p.signIn(auth); answer != invalid {
		t.Errorf("from another address: %s", answer)
	}
}

func TestASessionIDEnds(t *testing.T) {
	o, now := testOptions(), time.Now()
	ids := newSessionIDs(&o)
	id := ids.issue("here", now)
	other := o
	other.Password = "another password"
	forged := "ffffffff" + id[8:]
	for name, ok := range map[string]bool{
		"in time":               ids.valid(id, "here", now.Add(sessionLifetime-time.Minute)),
		"late":                  !ids.valid(id, "here", now.Add(sessionLifetime+time.Minute)),
		"prolonged":             !ids.valid(forged, "here", now),
		"cut":                   !ids.valid(id[:38], "here", now),
		"with another password": !newSessionIDs(&other).valid(id, "here", now),
		"of another server":     !sessionIDs{keyring.Keys{[]byte("x")}, ids.credentials}.valid(id, "here", now),
	} {
		if !ok {
			t.Error(name)
		}
	}
}

func TestPagesThatAreNotAllowedAndTooManyAdminsAreRefused(t *testing.T) {
	allowed := false
	p := start(t, func(o *Options) { o.Allow = func(*socketio.Handshake) bool { return allowed } })
	if _, answer := p.signIn(withPassword(password)); !strings.Contains(answer, `"code":"ORIGIN_REFUSED"`) {
		t.Error(answer)
	}
	allowed = true
	for range maxAdmins {
		p.admin()
	}
	if _, answer := p.signIn(withPassword(password)); !strings.Contains(answer, `"code":"ADMIN_LIMIT"`) {
		t.Error(answer)
	}
}

// development shows everything, and redacts every argument.
func development(o *Options) {
	o.Development = true
	o.Describe = func(s *socketio.Socket) any { return map[string]string{"user": "alice"} }
	o.Redact = func(payload json.RawMessage) json.RawMessage {
		name, _, _ := strings.Cut(strings.Trim(string(payload), "[]"), ",")
		return json.RawMessage("[" + name + `,"(redacted)"]`)
	}
}

func TestAnAdminSeesWhatHappensInEveryProcess(t *testing.T) {
	a, b := startPair(t, development)
	_, hereID := a.user()
	_, thereID := b.user()
	admin := a.admin()
	admin.await(`"ALL_EVENTS"`)
	admin.await(`["server_stats",{"serverId":"A"`)
	admin.await(`["server_stats",{"serverId":"B"`)
	list := admin.await(`["all_sockets",`)
	for _, part := range []string{
		hereID, thereID, `"transport":"websocket","nsp":"/","data":{"user":"alice"}`, `"headers":{},"query":{}`, `"lobby"]`,
	} {
		if !strings.Contains(list, part) {
			t.Errorf("%s lacks %s", list, part)
		}
	}
	for name, p := range map[string]*process{"here": a, "there": b} {
		t.Run(name, func(t *testing.T) {
			user, id := p.user()
			admin.await(`["socket_connected",{"id":"` + id)
			admin.await(`["room_joined","/","lobby","` + id)
			user.send("2", `["secret:event",{"amount":12.5}]`)
			admin.await(`["event_received","/","` + id + `",["secret:event","(redacted)"],"20`)
			if err := p.opts.IO.Of("/").Emit("hidden:event", map[string]string{"description": "Lunch"}); err != nil {
				t.Fatal(err)
			}
			admin.await(`["event_sent","/","` + id + `",["hidden:event","(redacted)"],"20`)
			user.close()
			admin.await(`["room_left","/","lobby","` + id)
			admin.await(`["room_left","/","` + id + `","` + id)
			admin.await(`["socket_disconnected","/","` + id + `","transport close"`)
		})
	}
}

// A process that began a moment ago is not known to the others yet.
func TestTheSocketsOfAProcessThatWasNotKnownAreShownToo(t *testing.T) {
	a, b := startPair(t, func(o *Options) {
		development(o)
		o.Others = func() []string { return nil }
	})
	_, id := b.user()
	admin := a.admin()
	admin.await(`["all_sockets",[]]`)
	admin.await(`["socket_connected",{"id":"`+id, `"lobby"]`)
}

// Without an admin nothing is watched, in either process.
func TestNobodyIsWatchedWithoutAnAdmin(t *testing.T) {
	a, b := startPair(t, development)
	watched := func(p *process) bool {
		answer := make(chan bool, 1)
		p.do(func() { answer <- len(p.viewers)+len(p.watchers) > 0 })
		return <-answer
	}
	within := func(want bool, ps ...*process) {
		t.Helper()
		for _, p := range ps {
			for began := time.Now(); watched(p) != want; time.Sleep(10 * time.Millisecond) {
				if time.Since(began) > patience {
					t.Fatalf("%s is watched: %v", p.opts.Process, !want)
				}
			}
		}
	}
	within(false, a, b)
	admin := a.admin()
	within(true, a, b)
	admin.close()
	within(false, a, b)
	for _, p := range []*process{a, b} {
		p.user()
		before := p.feed.position()
		if err := p.opts.IO.Of("/").Emit("hello"); err != nil {
			t.Fatal(err)
		}
		if p.feed.position() != before {
			t.Errorf("what happens in %s is recorded", p.opts.Process)
		}
	}
}

// Redaction costs up to the depth of an event times its size, and what waits for it is
// memory that no limit of sockets counts.
func TestALargeEventIsNeitherKeptNorRedacted(t *testing.T) {
	p := start(t, func(o *Options) {
		o.Development = true
		o.Redact = func(payload json.RawMessage) json.RawMessage {
			if len(payload) > maxKept+maxName {
				t.Errorf("%d bytes are redacted", len(payload))
			}
			return payload
		}
	})
	user, id := p.user()
	admin := p.admin()
	admin.await(`["all_sockets",`)
	large := strings.Repeat("x", maxKept)
	user.send("2", `["large:in","`+large+`"]`)
	admin.await(`["event_received","/","` + id + `",["large:in","(too large to be shown)"],"20`)
	if err := p.opts.IO.Of("/").Emit("large:out", large); err != nil {
		t.Fatal(err)
	}
	admin.await(`["event_sent","/","` + id + `",["large:out","(too large to be shown)"],"20`)
}

// Characters that JSON escapes for pages made a hint larger than any that is sent, and with
// it everything else was lost that happened in the same moment.
func TestAnEventThatDoesNotFitHidesNoOtherInAnotherProcess(t *testing.T) {
	a, b := startPair(t, func(o *Options) { o.Development = true })
	user, id := b.user()
	admin := a.admin()
	admin.await(`["all_sockets",`, id)
	user.send("2", `["`+strings.Repeat("<", maxPayload-100)+`"]`)
	user.send("2", `["small"]`)
	admin.await(`["event_received","/","` + id + `",["small"],"20`)
	admin.await(`["(not shown)",{"events":1}]`)
}

func TestWhatIsTooMuchIsNotShownAndSaid(t *testing.T) {
	p := start(t, func(o *Options) { o.Development = true })
	user, id := p.user()
	admin := p.admin()
	admin.await(`["all_sockets",`)
	if err := p.opts.IO.Of("/").Emit("large", strings.Repeat("x", maxPayload)); err != nil {
		t.Fatal(err)
	}
	admin.await(`["event_sent","/","` + id + `",["large","(too large to be shown)"]`)
	for range 3 * maxEvents {
		if err := p.opts.IO.Of("/").Emit("many"); err != nil {
			t.Fatal(err)
		}
	}
	admin.await(`["(not shown)",{"events":`)
	user.await(`["many"]`)
	if p.Stats().Dropped < maxEvents {
		t.Errorf("%d dropped", p.Stats().Dropped)
	}
}
