package sockets

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/engineio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

func TestEverySocketIsToldHowThingsStandWhenItConnects(t *testing.T) {
	w := newTwoUsers(t)
	w.storeChanges("alice", "before", 2)
	first := w.dial(t, nil)
	pid := first.connectAs("a", "", "").PID
	again := w.dial(t, nil)
	for _, b := range []*testClient{first, again} {
		if b == again {
			b.connectAs("a", pid, "epoch.alice.0")
		}
		same(t, "status", "ok", b.state(statusEvent)["status"])
		same(t, "count", map[string]any{"count": 0.0}, b.state(countEvent))
		balance := b.state(balanceEvent)
		same(t, "balance", []any{0.0, 0.0, nil}, []any{balance["balance"], balance["delta"], balance["cause"]})
	}
}

// A batch causes one account:balance, which names its last change.
func TestABatchMovesTheBalanceOnce(t *testing.T) {
	w := newTwoUsers(t)
	b := w.open(t, "a")
	b.state(balanceEvent)
	w.storeBatch("alice", "batch", 40)
	balance := b.state(balanceEvent)
	same(t, "balance", map[string]any{
		"balance": -40.0, "income": 0.0, "expense": 40.0, "delta": -40.0, "updatedAt": nil, "currency": "INR", "byCurrency": []any{},
		"cause": map[string]any{"expenseId": fmt.Sprintf("%024x", 40), "action": "created"},
	}, balance)
	w.log.add("alice", models.ExpenseDeleted, "x", models.Author{})
	w.tail.Wake("alice")
	balance = b.state(balanceEvent)
	same(t, "delta and cause", []any{-1.0, map[string]any{"expenseId": fmt.Sprintf("%024x", 41), "action": "deleted"}},
		[]any{balance["delta"], balance["cause"]})
	if users, _ := w.reader.asked(); users != 2 {
		t.Errorf("%d reads for two movements", users)
	}
}

// Changes of expenses that others share with a user are in the log, but not in the sums.
func TestSomebodyElsesExpenseMovesNoBalance(t *testing.T) {
	w := newTwoUsers(t)
	b := w.open(t, "a")
	b.state(balanceEvent) // the count came before it
	w.log.mu.Lock()
	seq := w.log.addLocked("alice", models.ExpenseUpdated, "bob's", models.Author{})
	w.log.byUser["alice"][seq-1].Expense.UserID = "bob"
	w.log.mu.Unlock()
	w.reader.set(func(r *fakeReader) { r.unread = 1 })
	w.tail.Wake("alice")
	same(t, "count", 1.0, b.state(countEvent)["count"])
	if all := strings.Join(b.states, ""); strings.Contains(all, balanceEvent) {
		t.Errorf("heard %s", all)
	}
}

func TestTheUnreadCountIsToldWhenItMoves(t *testing.T) {
	w := newTwoUsers(t)
	b := w.open(t, "a")
	same(t, "count", 0.0, b.state(countEvent)["count"])
	w.reader.set(func(r *fakeReader) { r.unread = 3 })
	w.log.add("alice", models.NotificationRead, "", models.Author{}) // silent
	w.tail.Wake("alice")
	same(t, "count", 3.0, b.state(countEvent)["count"])
}

func TestNobodyIsWatchedForAfterTheLastSocket(t *testing.T) {
	w := newTwoUsers(t)
	for range 3 {
		a, b := w.open(t, "a"), w.open(t, "a")
		_, _ = a.conn.Close(), b.conn.Close()
	}
	for deadline := time.Now().Add(patience); w.Len() > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond) // a real network
	}
	w.watchers.mu.Lock()
	n := len(w.watchers.byUser)
	w.watchers.mu.Unlock()
	same(t, "watchers", 0, n)
	w.storeBatch("alice", "unheard", 5)
	if users, _ := w.reader.asked(); users != 0 {
		t.Errorf("%d reads for nobody", users)
	}
}

// While the store fails, states are late and not lost.
func TestStatesSurviveTroubleOfTheStore(t *testing.T) {
	w := newTwoUsers(t)
	b := w.open(t, "a")
	b.state(balanceEvent)
	w.reader.set(func(r *fakeReader) { r.fail = models.E(models.Unavailable, "away") })
	w.storeBatch("alice", "meanwhile", 2)
	for users := 0; users == 0; users, _ = w.reader.asked() {
		time.Sleep(time.Millisecond) // the timer of a real clock
	}
	w.reader.set(func(r *fakeReader) { r.fail = nil })
	same(t, "delta", -2.0, b.state(balanceEvent)["delta"])
}

// A session whose queue is full gets the newest states when it has room, and not those in
// between.
func TestASlowSocketIsToldTheNewestState(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{QueueBytes: 64 << 10, StallTimeout: patience})
	w.tokens.add("a", "alice", time.Hour)
	w.tokens.seqs = w.log.head
	slow, quick := w.open(t, "a"), w.open(t, "a")
	text := strings.Repeat("x", 16<<10)
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprint(i, text))
		w.log.add("alice", models.ExpenseCreated, want[i], models.Author{})
	}
	w.tail.Wake("alice")
	for balance := 0.0; balance != -300; {
		balance, _ = quick.state(balanceEvent)["balance"].(float64)
	}
	w.SetStatus(wire.Status{Status: wire.StatusDegraded, Message: "careful"})

	slow.wantCreated(want...)
	for _, text := range []string{`"careful"`, `"balance":-300,`} {
		for !slices.ContainsFunc(slow.states, func(f string) bool { return strings.Contains(f, text) }) {
			slow.all = true
			slow.states = append(slow.states, slow.frame())
		}
	}
}

func TestOwnNotificationsOfExpensesAreForTheOtherDevices(t *testing.T) {
	w := newTwoUsers(t)
	own := w.dial(t, nil)
	own.connect(`{"token":"a","deviceId":"device_1"}`)
	other, unnamed := w.dial(t, nil), w.open(t, "a")
	other.connect(`{"token":"a","deviceId":"device_2"}`)
	notify := func(typ string) {
		w.log.mu.Lock()
		all := w.log.byUser["alice"]
		w.log.byUser["alice"] = append(all, models.Change{
			UserID: "alice", Seq: int64(len(all)) + 1, Kind: models.NotificationCreated, Author: models.Author{DeviceID: "device_1"},
			Notification: &models.Notification{ID: "n", Type: typ},
		})
		w.log.mu.Unlock()
		w.tail.Wake("alice")
	}
	notify(models.NotifyExpense)
	notify(models.NotifyBudget)
	for b, want := range map[*testClient][]string{
		own: {models.NotifyBudget}, other: {models.NotifyExpense, models.NotifyBudget}, unnamed: {
			models.NotifyExpense,
			models.NotifyBudget,
		},
	} {
		for _, typ := range want {
			name, payload := b.nextEvent()
			same(t, "notification", []any{"notification", typ}, []any{name, payload["type"]})
		}
	}
	if own.offset != "epoch.alice.2" {
		t.Errorf("offset %s", own.offset)
	}
}

func TestTheStatusOfTheServiceIsToldToEverybody(t *testing.T) {
	w := newTwoUsers(t)
	all := []*testClient{w.open(t, "a"), w.open(t, "b")}
	steps := []struct {
		do      func()
		status  string
		message string
	}{
		{func() { w.SetStorageDown(true) }, "degraded", messageDegraded},
		{func() { w.SetStatus(wire.Status{Status: wire.StatusOK, Message: "news"}) }, "degraded", messageDegraded},
		{func() { w.SetStorageDown(false); w.SetStorageDown(false) }, "ok", "news"},
		{func() { w.SetStatus(wire.Status{Status: wire.StatusDegraded, Message: "slow today"}) }, "degraded", "slow today"},
	}
	for _, b := range all {
		same(t, "status", "ok", b.state(statusEvent)["status"])
	}
	for _, step := range steps {
		step.do()
		for _, b := range all {
			got := b.state(statusEvent)
			same(t, "status", []any{step.status, step.message}, []any{got["status"], got["message"]})
		}
	}
	late := w.open(t, "a")
	same(t, "status", "slow today", late.state(statusEvent)["message"])
	go func() { _ = w.Shutdown(t.Context()) }()
	for _, b := range append(all, late) {
		same(t, "status", "shutting_down", b.state(statusEvent)["status"])
	}
}
