package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"expenseflow/internal/store"
)

// recovered tells for each of the device's connections whether the client
// calls it a recovered one.
func (d *device) recovered(t *testing.T) []bool {
	t.Helper()
	var out []bool
	for _, n := range d.noted("connect") {
		var was bool
		if err := json.Unmarshal(n.Args[len(n.Args)-1], &was); err != nil {
			t.Fatal(err)
		}
		out = append(out, was)
	}
	return out
}

// away cuts the device's line while something happens, and brings it back.
func away(t *testing.T, x *proxy, d *device, happens func()) {
	t.Helper()
	connections := len(d.noted("connect"))
	x.goDown()
	d.await(t, "disconnect", connections)
	happens()
	x.goUp()
	d.await(t, "connect", connections+1)
}

// createMany makes n expenses and gives the events that tell of them.
func (a *account) createMany(t *testing.T, n int) (events []string) {
	t.Helper()
	ops := make([]operation, n)
	for i := range ops {
		ops[i] = a.queued("CREATE", fmt.Sprintf("temp_%d", i), draft(fmt.Sprint("missed ", i)))
	}
	for _, r := range a.batch(t, ops...) {
		events = append(events, "expense_created "+r.id())
	}
	return events
}

// An unmodified client that does nothing but listen misses nothing: not while
// it is away, not if the server is killed meanwhile, and not if it went before
// it had heard anything (docs/contract.md#recovery).
func TestWhoWasAwayHearsEverythingOnce(t *testing.T) {
	for _, tr := range transports {
		for _, before := range []int{0, 3} {
			t.Run(fmt.Sprintf("%s, %d events before", tr.name, before), func(t *testing.T) {
				t.Parallel()
				p := startRaced(t)
				x, a := startProxy(t, p), register(t, p)
				d := startNode(t).connectAt(t, x.URL(), a, tr)
				var want []string
				for i := range before {
					want = append(want, "expense_created "+a.create(t, fmt.Sprint("before ", i), "").ID)
				}
				d.hear(t, before, changeEvents...)

				away(t, x, d, func() {
					want = append(want, a.createMany(t, 50)...)
					p.crash(t)
				})

				d.hear(t, len(want), changeEvents...)
				last := a.settle(t, d)
				same(t, "events", append(want, "expense_created "+last.ID), d.changes())
				same(t, "recovered", []bool{false, true}, d.recovered(t))
				same(t, "requests of the page to the API", 0, len(x.seen()))
			})
		}
	}
}

// crash kills the program as kill -9 does and starts it again.
func (p *program) crash(t *testing.T) {
	t.Helper()
	if err := errors.Join(p.kill(), p.start()); err != nil {
		t.Fatal(err)
	}
}

// It goes on working: each time away is caught up from where the last ended.
func TestWhoIsAwayAgainAndAgainHearsEverythingOnce(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		x, a := startProxy(t, p), register(t, p)
		d := startNode(t).connectAt(t, x.URL(), a, transports[2])
		var want []string
		for range 4 {
			away(t, x, d, func() { want = append(want, a.createMany(t, 7)...) })
			want = append(want, "expense_created "+a.settle(t, d).ID)
		}
		same(t, "events", want, d.changes())
	})
}

// Ten thousand missed changes, in both spellings, arrive within a second of
// CONNECT and cost the server no memory. The second is held on a quiet
// machine (-quiet), and else printed (go test -v): other tests run beside this one.
func TestTenThousandMissedChangesAreCaughtUp(t *testing.T) {
	p, metrics := startMeasured(t)
	x, a := startProxy(t, p), register(t, p)
	d := startNode(t).connectAt(t, x.URL(), a, transports[1])
	m := watchMemory(t, metrics)
	var want []string
	away(t, x, d, func() {
		for range 5 {
			want = append(want, a.createMany(t, 2000)...)
		}
	})
	before := m.peak()
	heard := d.hearAll(t, want)
	after := m.peak()

	took := heard[len(heard)-1].At.Sub(d.noted("connect")[1].At)
	t.Logf("%d missed changes arrived %v after CONNECT; at most %d KiB resident before, %d KiB then",
		len(want), took.Round(time.Millisecond), before>>10, after>>10)
	if *quiet && took > second {
		t.Errorf("%d missed changes took %v", len(want), took)
	}
	if after > before+leeway {
		t.Errorf("the process grew from %d KiB to %d KiB", before>>10, after>>10)
	}
	same(t, "events", spoken(want), receivedEvents(d))
	same(t, "recovered", []bool{false, true}, d.recovered(t))
}

// The page signs in as somebody else with the socket it has: pid and offset of
// the account before mean nothing, and nothing of either account's is heard by
// the other.
func TestAnotherAccountInTheSamePageBeginsAnew(t *testing.T) {
	p := startRaced(t)
	x, a, b := startProxy(t, p), register(t, p), register(t, p)
	n := startNode(t)
	d := n.connectAt(t, x.URL(), a, transports[1])
	hers := a.settle(t, d)
	x.goDown()
	d.await(t, "disconnect", 1)
	a.createMany(t, 3)
	b.createMany(t, 3)
	n.do(t, map[string]any{"do": "connect", "device": d.name, "auth": map[string]any{"token": b.Token}})
	x.goUp()
	d.await(t, "connect", 2)

	his := b.settle(t, d)

	same(t, "events", []string{"expense_created " + hers.ID, "expense_created " + his.ID}, d.changes())
	same(t, "recovered", []bool{false, false}, d.recovered(t))
}

// The log no longer reaches back to where the device was, or is another one since
// a backup was restored: it is told that it begins anew, hears nothing of what
// was before, and goes on.
func TestWhereTheLogCannotTellTheClientBeginsAnew(t *testing.T) {
	for name, whileStopped := range map[string]func(t *testing.T, p *program){
		"log shortened": func(t *testing.T, p *program) {
			s, err := store.Open(t.Context(), store.Options{URL: filepath.Join(p.dir, "data", "expenseflow.db")})
			if err != nil {
				t.Fatal(err)
			}
			n, err := s.PruneLogs(t.Context(), time.Now().Add(time.Hour), 1000)
			if err := errors.Join(err, s.Close()); err != nil || n != 6 {
				t.Fatalf("%d changes pruned, %v", n, err)
			}
		},
		"epoch bumped": func(t *testing.T, p *program) {
			path, err := binary()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(path, "epoch")
			cmd.Dir, cmd.Env = p.dir, p.environment()
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startRaced(t)
			x, a := startProxy(t, p), register(t, p)
			d := startNode(t).connectAt(t, x.URL(), a, transports[1])
			before := a.settle(t, d)
			away(t, x, d, func() {
				a.createMany(t, 5)
				if err := p.stop(); err != nil {
					t.Fatal(err)
				}
				whileStopped(t, p)
				if err := p.start(); err != nil {
					t.Fatal(err)
				}
			})

			after := a.settle(t, d)

			same(t, "events", []string{"expense_created " + before.ID, "expense_created " + after.ID}, d.changes())
			same(t, "recovered", []bool{false, false}, d.recovered(t))
			away(t, x, d, func() { a.createMany(t, 2) })
			d.hear(t, 4, changeEvents...) // and from there it goes on
			same(t, "recovered", []bool{false, false, true}, d.recovered(t))
		})
	}
}
