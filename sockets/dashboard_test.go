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

// subscribeDashboard subscribes to a dashboard, and wants the same one in the event and in
// the acknowledgement.
func (b *testClient) subscribeDashboard(t *testing.T, arguments string) map[string]any {
	t.Helper()
	b.send(`427["dashboard:subscribe"` + arguments + `]`)
	board := b.state(dashboardEvent)
	_, ack := b.readAck(t, "7")
	same(t, "answer", map[string]any{"ok": true, "dashboard": board}, ack)
	return board
}

// boards counts the dashboards that sessions of a user are subscribed to.
func (w *fixture) boards(userID string) int {
	w.watchers.mu.Lock()
	of := w.watchers.byUser[userID]
	w.watchers.mu.Unlock()
	of.dashboards.mu.Lock()
	defer of.dashboards.mu.Unlock()
	return len(of.dashboards.byRange)
}

func TestADashboardIsToldAtOnceAndWhenItHasMoved(t *testing.T) {
	w := newTwoUsers(t)
	b, other := w.open(t, "a"), w.open(t, "a")
	for i, arguments := range []string{``, `,null`, `,{}`, `,{"from":null,"to":""}`, `,{"from":"2026-01-01","to":"2026-01-31"}`} {
		same(t, "version", float64(i), b.subscribeDashboard(t, arguments)["version"])
		w.storeChanges("alice", fmt.Sprint("change ", i), 1)
		same(t, "version", float64(i+1), b.state(dashboardEvent)["version"])
	}
	b.send(`428["dashboard:unsubscribe"]`)
	_, ack := b.readAck(t, "8")
	same(t, "answer", map[string]any{"ok": true}, ack)
	_, before := w.reader.asked()
	w.storeChanges("alice", "unseen", 1)
	other.state(balanceEvent)
	time.Sleep(2 * dashboardWaits.quiet) // a real clock; only that nothing happens
	if _, now := w.reader.asked(); now != before {
		t.Error("a dashboard is read for nobody")
	}
}

func TestSocketsWithTheSameDaysShareOneRead(t *testing.T) {
	w := newTwoUsers(t)
	var all []*testClient
	for range 20 {
		b := w.open(t, "a")
		b.subscribeDashboard(t, `,{"from":"2026-01-01"}`)
		all = append(all, b)
	}
	_, before := w.reader.asked()
	w.storeBatch("alice", "batch", 60)
	for _, b := range all {
		same(t, "version", 60.0, b.state(dashboardEvent)["version"])
	}
	if _, now := w.reader.asked(); now-before != 1 {
		t.Errorf("%d reads for one movement", now-before)
	}
}

// A change that is stored while a dashboard is read may not be in it: it is read again.
func TestADashboardMissesNoChangeThatComesWhileItIsRead(t *testing.T) {
	w := newTwoUsers(t)
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
	w := newTwoUsers(t)
	b := w.open(t, "a")
	for _, arguments := range []string{
		`,"2026-01-01"`, `,1`, `,[]`, `,{},{}`, `,{},"no function"`,
		`,{"from":"yesterday"}`, `,{"to":{}}`, `,{"from":"2026-02-01","to":"2026-01-01"}`, `,` +
			`{"from":"-200000-01-01T00:00:00.000Z"}`, `,{"to":8640000000000001}`,
	} {
		b.send(`427["dashboard:subscribe"` + arguments + `]`)
		event, payload := b.nextEvent()
		_, ack := b.readAck(t, "7")
		same(t, arguments, []any{"error:event", "INVALID", "INVALID", false}, []any{event, payload["code"], ack["code"], ack["ok"]})
	}
	if _, boards := w.reader.asked(); boards != 0 {
		t.Errorf("%d dashboards were read", boards)
	}
	w.reader.set(func(r *fakeReader) { r.fail = models.E(models.Unavailable, "Service temporarily unavailable") })
	b.send(`427["dashboard:subscribe"]`)
	_, ack := b.readAck(t, "7")
	same(t, "in trouble", "UNAVAILABLE", ack["code"])
	same(t, "boards", 0, w.boards("alice"))
}

func TestAFloodOfSubscriptionsIsRefusedAndLeavesOne(t *testing.T) {
	w := newFixture(t, Options{Rate: 0.001, Burst: 10}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	b := w.open(t, "a")
	for i := range 15 {
		b.send(fmt.Sprintf(`42%d["dashboard:subscribe",{"from":"2026-01-%02d"}]`, i, i+1))
		_, ack := b.readAck(t, fmt.Sprint(i))
		if ok := i < 10; ack["ok"] != ok {
			t.Errorf("subscription %d: %v", i, ack)
		}
	}
	same(t, "boards", 1, w.boards("alice"))
}

// A socket that closed while it subscribed left its subscription: the dashboard was read
// with each change as long as the user had another socket.
func TestADashboardIsReadForASocketThatEndedWhileItSubscribed(t *testing.T) {
	w := newTwoUsers(t)
	w.open(t, "a").state(balanceEvent)
	s := w.sessions.all()[0]
	w.open(t, "a").state(balanceEvent)
	watcher := w.watchers.of(s)
	s.end()
	if _, err := watcher.dashboards.show(t.Context(), s, dayRange{}); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("answered %v", err)
	}
	same(t, "dashboards", 0, w.boards("alice"))
}
