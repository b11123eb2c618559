package e2e

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// kill -9 after the first commits of a batch and before its answer: the device
// sends the same batch again, and every operation is stored once and announced
// once, under the same id before and after.
func TestKilledBetweenCommitAndAnswer(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			t.Parallel()
			p := startRaced(t, db.settings(t)...)
			a := register(t, p)
			d := startNode(t).connect(t, a, transports[1])
			ops := a.creates(3000)

			answered := sendAndKill(t, a, d, ops)
			if answered {
				t.Fatal("the batch was answered before the program could be killed")
			}
			if err := p.start(); err != nil {
				t.Fatal(err)
			}
			d.await(t, "connect", 2)
			results := a.batch(t, ops...)

			checkOnce(t, a, ops, results)
			last := a.settle(t, d)
			want := append(ids(results), last.ID)
			same(t, "announced expenses, before and after the crash", want, idsOf(d.events("expense_created")))
		})
	}
}

// sendAndKill sends the batch and kills the program as soon as the first of
// its changes is heard. It tells whether the answer got through all the same.
func sendAndKill(t *testing.T, a *account, d *device, ops []operation) (answered bool) {
	t.Helper()
	var sent sync.WaitGroup
	sent.Go(func() {
		_, err := try(http.MethodPost, a.p.url()+"/api/sync/batch", a.Token, batchOf(ops))
		answered = err == nil
	})
	d.hear(t, 1, "expense_created")
	if err := a.p.kill(); err != nil {
		t.Fatal(err)
	}
	sent.Wait()
	return answered
}

// checkOnce wants each operation applied, answered and stored exactly once.
func checkOnce(t *testing.T, a *account, ops []operation, results []result) {
	t.Helper()
	var listed []string
	for _, e := range a.expenses(t) {
		listed = append(listed, e.ID)
	}
	answered := ids(results)
	slices.Sort(listed)
	slices.Sort(answered)
	same(t, "number of stored expenses", len(ops), len(listed))
	same(t, "stored ids against answered ids", answered, listed)
	same(t, "ids stored twice", []string(nil), repeated(listed))
}

func idsOf(events []event) []string {
	var out []string
	for _, e := range events {
		out = append(out, idOf(e))
	}
	return out
}

// repeated returns what occurs more than once.
func repeated(list []string) []string {
	var out []string
	seen := make(map[string]bool)
	for _, s := range list {
		if seen[s] {
			out = append(out, s)
		}
		seen[s] = true
	}
	return out
}

// The program is killed at moments nobody chose, and the device goes on
// sending its batch until it is answered, as the old page does every thirty
// seconds.
func TestKilledAtAnyMoment(t *testing.T) {
	p := startRaced(t)
	a := register(t, p)
	ops := a.creates(400)
	for _, delay := range []time.Duration{0, 5, 10, 20, 40} {
		killer := time.AfterFunc(delay*time.Millisecond, func() { _ = p.cmd.Process.Kill() })
		_, _ = try(http.MethodPost, p.url()+"/api/sync/batch", a.Token, batchOf(ops))
		killer.Stop()
		_ = p.kill()
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
	}
	checkOnce(t, a, ops, a.batch(t, ops...))
}
