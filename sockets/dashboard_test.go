package sockets

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"expenseflow/internal/engineio"
	"expenseflow/internal/socketio"
	"expenseflow/models"
)

// subscribed asks for a dashboard and wants it in the event and in the answer.
func (b *browser) subscribed(t *testing.T, arguments string) map[string]any {
	t.Helper()
	b.send(`427["dashboard:subscribe"` + arguments + `]`)
	board := b.state(dashboardEvent)
	_, ack := b.answers(t, "7")
	same(t, "answer", map[string]any{"ok": true, "dashboard": board}, ack)
	return board
}

// boards is how many dashboards are followed for a user with sockets.
func (w *world) boards(userID string) int {
	w.watchers.mu.Lock()
	of := w.watchers.byUser[userID]
	w.watchers.mu.Unlock()
	of.mu.Lock()
	defer of.mu.Unlock()
	return len(of.boards)
}

func TestADashboardIsToldAtOnceAndWhenItHasMoved(t *testing.T) {
	w := newTrailWorld(t)
	b, other := w.open(t, "a"), w.open(t, "a")
	for i, arguments := range []string{``, `,null`, `,{}`, `,{"from":null,"to":""}`, `,{"from":"2026-01-01","to":"2026-01-31"}`} {
		same(t, "version", float64(i), b.subscribed(t, arguments)["version"])
		w.changes("alice", fmt.Sprint("change ", i), 1)
		same(t, "version", float64(i+1), b.state(dashboardEvent)["version"])
	}
	b.send(`428["dashboard:unsubscribe"]`)
	_, ack := b.answers(t, "8")
	same(t, "answer", map[string]any{"ok": true}, ack)
	_, before := w.reader.asked()
	w.changes("alice", "unseen", 1)
	other.state(balanceEvent)
	time.Sleep(2 * boardQuiet) // a real clock; only that nothing happens
	if _, now := w.reader.asked(); now != before {
		t.Error("a dashboard is read for nobody")
	}
}

func TestSocketsWithTheSameDaysShareOneRead(t *testing.T) {
	w := newTrailWorld(t)
	var all []*browser
	for range 20 {
		b := w.open(t, "a")
		b.subscribed(t, `,{"from":"2026-01-01"}`)
		all = append(all, b)
	}
	_, before := w.reader.asked()
	w.many("alice", "batch", 60)
	for _, b := range all {
		same(t, "version", 60.0, b.state(dashboardEvent)["version"])
	}
	if _, now := w.reader.asked(); now-before != 1 {
		t.Errorf("%d reads for one movement", now-before)
	}
}

// What is stored while a dashboard is being read may not be in it: then it is read
// once more.
func TestADashboardMissesNoChangeThatComesWhileItIsRead(t *testing.T) {
	w := newTrailWorld(t)
	b := w.open(t, "a")
	once := false
	w.reader.set(func(r *fakeReader) {
		r.before = func() {
			if !once {
				once = true
				w.log.add("alice", models.ExpenseCreated, "meanwhile", models.Author{})
				w.tail.Wake("alice")
			}
		}
	})
	b.send(`42["dashboard:subscribe"]`)
	for version := 0.0; version != 1; {
		version, _ = b.state(dashboardEvent)["version"].(float64)
	}
}

func TestWhatIsNoRangeIsRefused(t *testing.T) {
	w := newTrailWorld(t)
	b := w.open(t, "a")
	for _, arguments := range []string{
		`,"2026-01-01"`, `,1`, `,[]`, `,{},{}`, `,{},"no function"`,
		`,{"from":"yesterday"}`, `,{"to":{}}`, `,{"from":"2026-02-01","to":"2026-01-01"}`, `,{"from":"-200000-01-01T00:00:00.000Z"}`, `,{"to":8640000000000001}`,
	} {
		b.send(`427["dashboard:subscribe"` + arguments + `]`)
		event, payload := b.hear()
		_, ack := b.answers(t, "7")
		same(t, arguments, []any{"error:event", "INVALID", "INVALID", false}, []any{event, payload["code"], ack["code"], ack["ok"]})
	}
	if _, boards := w.reader.asked(); boards != 0 {
		t.Errorf("%d dashboards were read", boards)
	}
	w.reader.set(func(r *fakeReader) { r.fail = models.E(models.Unavailable, "Service temporarily unavailable") })
	b.send(`427["dashboard:subscribe"]`)
	_, ack := b.answers(t, "7")
	same(t, "in trouble", "UNAVAILABLE", ack["code"])
	same(t, "boards", 0, w.boards("alice"))
}

func TestAFloodOfSubscriptionsIsRefusedAndLeavesOne(t *testing.T) {
	w := newWorld(t, Options{Rate: 0.001, Burst: 10}, engineio.Config{})
	w.tokens.give("a", "alice", time.Hour)
	b := w.open(t, "a")
	for i := range 15 {
		b.send(fmt.Sprintf(`42%d["dashboard:subscribe",{"from":"2026-01-%02d"}]`, i, i+1))
		_, ack := b.answers(t, fmt.Sprint(i))
		if ok := i < 10; ack["ok"] != ok {
			t.Errorf("subscription %d: %v", i, ack)
		}
	}
	same(t, "boards", 1, w.boards("alice"))
}

// A page goes while it subscribes: its dashboard would be read with each change for
// as long as its user has another socket.
func TestADashboardIsReadForASocketThatEndedWhileItSubscribed(t *testing.T) {
	w := newTrailWorld(t)
	w.open(t, "a").state(balanceEvent)
	s := w.members.signOut("alice", "")[0] // which by itself closes nothing
	w.open(t, "a").state(balanceEvent)
	watcher := s.watcher()
	s.end()
	if _, err := watcher.show(t.Context(), s, days{}); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("answered %v", err)
	}
	same(t, "dashboards", 0, w.boards("alice"))
}
