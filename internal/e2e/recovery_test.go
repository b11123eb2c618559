package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
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
	x.down()
	d.await(t, "disconnect", connections)
	happens()
	x.up(t)
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
// it had heard anything (DESIGN section 4).
func TestWhoWasAwayHearsEverythingOnce(t *testing.T) {
	for _, tr := range transports {
		for _, before := range []int{0, 3} {
			t.Run(fmt.Sprintf("%s, %d events before", tr.name, before), func(t *testing.T) {
				t.Parallel()
				p := start(t)
				x, a := startProxy(t, p), register(t, p)
				d := startNode(t).connectAt(t, x.url(), a, tr)
				var want []string
				for i := range before {
					want = append(want, "expense_created "+a.create(t, fmt.Sprint("before ", i), "").ID)
				}
				d.hear(t, before, changeEvents...)

				away(t, x, d, func() {
					want = append(want, a.createMany(t, 50)...)
					p.restart(t) // kill -9
				})

				d.hear(t, len(want), changeEvents...)
				last := a.settle(t, d)
				same(t, "events", append(want, "expense_created "+last.ID), d.changes())
				same(t, "recovered", []bool{false, true}, d.recovered(t))
			})
		}
	}
}

// It goes on working: each time away is caught up from where the last ended.
func TestWhoIsAwayAgainAndAgainHearsEverythingOnce(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		x, a := startProxy(t, p), register(t, p)
		d := startNode(t).connectAt(t, x.url(), a, transports[2])
		var want []string
		for range 4 {
			away(t, x, d, func() { want = append(want, a.createMany(t, 7)...) })
			want = append(want, "expense_created "+a.settle(t, d).ID)
		}
		same(t, "events", want, d.changes())
	})
}

// How long it took is printed (go test -v) and not asserted: other tests run
// beside this one.
func TestTenThousandMissedChangesAreCaughtUp(t *testing.T) {
	p := start(t)
	x, a := startProxy(t, p), register(t, p)
	d := startNode(t).connectAt(t, x.url(), a, transports[1])
	var want []string
	var back time.Time
	away(t, x, d, func() {
		for range 5 {
			want = append(want, a.createMany(t, 2000)...)
		}
		back = time.Now()
	})
	heard := d.hear(t, len(want), changeEvents...)
	t.Logf("%d missed changes arrived %s after the line was back", len(want), heard[len(heard)-1].At.Sub(back).Round(time.Millisecond))
	same(t, "events", want, d.changes())
	same(t, "recovered", []bool{false, true}, d.recovered(t))
}

// The page signs in as somebody else with the socket it has: pid and offset of
// the account before mean nothing, and nothing of either account's is heard by
// the other.
func TestAnotherAccountInTheSamePageBeginsAnew(t *testing.T) {
	p := start(t)
	x, a, b := startProxy(t, p), register(t, p), register(t, p)
	n := startNode(t)
	d := n.connectAt(t, x.url(), a, transports[1])
	hers := a.settle(t, d)
	x.down()
	d.await(t, "disconnect", 1)
	a.createMany(t, 3)
	b.createMany(t, 3)
	n.do(t, map[string]any{"do": "connect", "device": d.name, "auth": map[string]any{"token": b.Token}})
	x.up(t)
	d.await(t, "connect", 2)

	his := b.settle(t, d)

	same(t, "events", []string{"expense_created " + hers.ID, "expense_created " + his.ID}, d.changes())
	same(t, "recovered", []bool{false, false}, d.recovered(t))
}
