//go:build unix

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"expenseflow/internal/testneed"
)

// The database goes away and comes back. Nobody is signed out or disconnected
// meanwhile, nothing is lost and nothing is stored twice (docs/contract.md#d11, docs/contract.md#d18, docs/contract.md#d19).
func TestD18DatabaseIsGoneForAWhile(t *testing.T) {
	db := testneed.NewPostgres(t)
	p := startRaced(t, "DATABASE_URL="+db.URL)
	a := register(t, p)
	n := startNode(t)
	devices := n.connectAll(t, a)
	ops := a.creates(50)
	first := a.batch(t, ops[:10]...)

	db.Stop(t)
	for _, r := range []answer{
		a.call(t, http.MethodPost, "/api/sync/batch", batchOf(ops)),
		a.call(t, http.MethodGet, "/api/expenses", nil),
		a.call(t, http.MethodPost, "/api/expenses", draft("in between")),
	} {
		r.want(t, http.StatusServiceUnavailable)
	}
	ready := call(t, http.MethodGet, p.url()+"/readyz", "", nil)
	for began := time.Now(); ready.status == http.StatusOK &&
		time.Since(began) < patience; { // what was found is shared for a second
		time.Sleep(50 * time.Millisecond)
		ready = call(t, http.MethodGet, p.url()+"/readyz", "", nil)
	}
	ready.want(t, http.StatusServiceUnavailable)
	options := transports[1].options()
	options["auth"] = map[string]any{"token": a.Token}
	newcomer := n.open(t, p.url(), options)
	newcomer.awaitThat(t, "broken connection", func(notes []note) bool { return len(notes) > 0 })
	same(t, "refusals", 0, len(newcomer.noted("connect_error"))) // after one it would not come back
	db.Start(t)

	newcomer.await(t, "connect", 1)
	stored, err := a.untilAnswered(ops)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "ids from before", ids(first), stored[:10])
	last := a.settle(t, devices...)
	want := prefixed("expense_created ", append(stored, last.ID))
	for _, d := range devices {
		same(t, "events", want, d.changes())
		same(t, "disconnects", 0, len(d.noted("disconnect")))
	}
}

// untilAnswered sends a batch until it is answered 200, as pages do, and gives
// the ids.
func (a *account) untilAnswered(ops []operation) ([]string, error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		r, err := try(http.MethodPost, a.p.url()+"/api/sync/batch", a.Token, batchOf(ops))
		switch {
		case err == nil && r.status == http.StatusOK:
			var got struct{ Results []result }
			err := json.Unmarshal(r.body, &got)
			return ids(got.Results), err
		case err == nil && r.status != http.StatusServiceUnavailable:
			return nil, fmt.Errorf("answered %d: %s", r.status, r.body)
		case time.Now().After(deadline):
			return nil, fmt.Errorf("no answer after %v: %d %s %w", patience, r.status, r.body, err)
		}
	}
}

// The database is killed again and again while several devices write.
func TestDatabaseIsKilledUnderLoad(t *testing.T) {
	const writers, batches, size, kills = 4, 30, 20, 3
	db := testneed.NewPostgres(t)
	p := startRaced(t, "DATABASE_URL="+db.URL)
	a := register(t, p)
	listener := startNode(t).connect(t, a, transports[1])

	stored, failed := make([][]string, writers), make([]error, writers)
	sent := make(chan struct{}, writers*batches)
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() { stored[w], failed[w] = a.write(fmt.Sprint("writer", w), batches, size, sent) })
	}
	for range kills {
		for range writers * batches / (kills + 1) {
			<-sent
		}
		db.Stop(t)
		db.Start(t)
	}
	writing.Wait()
	if err := errors.Join(failed...); err != nil {
		t.Fatal(err)
	}

	want := slices.Concat(stored...)
	same(t, "stored twice", []string(nil), repeated(want))
	var listed []string
	for _, e := range a.expenses(t) {
		listed = append(listed, e.ID)
	}
	slices.Sort(want)
	slices.Sort(listed)
	same(t, "stored expenses", want, listed)
	listener.hear(t, len(want), "expense_created")
	heard := idsOf(listener.events("expense_created"))
	slices.Sort(heard)
	same(t, "announced expenses", want, heard)
	t.Logf("%d operations, %d kills of the database, 0 lost, 0 doubled", len(want), kills)
}

// write sends batches of creates from one device, one after the other, and
// tells of each on sent, also of those that it gives up.
func (a *account) write(device string, batches, size int, sent chan<- struct{}) (stored []string, err error) {
	for range batches {
		ops := a.creates(size)
		for i := range ops {
			ops[i].DeviceID = a.device(device)
		}
		var more []string
		if err == nil {
			more, err = a.untilAnswered(ops)
		}
		stored = append(stored, more...)
		sent <- struct{}{}
	}
	return stored, err
}

// Two processes serve one database: the same batch at both is applied once, and
// what one stores is heard at the other.
func TestTwoProcessesOnOneDatabase(t *testing.T) {
	url := "DATABASE_URL=" + testneed.Postgres(t)
	p, q := startRaced(t, url), startRaced(t, url)
	a := register(t, p)
	n := startNode(t)
	here := n.connect(t, a, transports[1])
	there := n.connectAt(t, q.url(), a, transports[1])
	ops := a.creates(300)

	at := []string{p.url(), q.url()}
	var turn sync.Mutex
	answers := atOnce(4, func() (answer, error) {
		turn.Lock()
		url := at[0]
		at[0], at[1] = at[1], at[0]
		turn.Unlock()
		return try(http.MethodPost, url+"/api/sync/batch", a.Token, batchOf(ops))
	})

	var first []string
	for i, r := range answers {
		if r.err != nil {
			t.Fatal(r.err)
		}
		got := ids(resultsOf(t, r.answer))
		if i == 0 {
			first = got
		}
		same(t, "ids of one answer", first, got)
	}
	last := a.settle(t, here, there)
	want := prefixed("expense_created ", append(first, last.ID))
	same(t, "events where the last change was made", want, here.changes())
	same(t, "events at the other process", want, there.changes())
	same(t, "stored expenses", len(want), len(a.expenses(t)))
}
