package e2e

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"expenseflow/internal/e2e/overlay/failpoint"
)

// failpointRuns makes a campaign of TestKilledAtANamedPoint:
//
//	go test ./internal/e2e -run TestKilledAtANamedPoint -failpoint.runs 100 -quiet -timeout 2h -v
//
// docs/reliability.md has its result.
var failpointRuns = flag.Int("failpoint.runs", 0, "deaths at each named point and database; 0 is a few")

// A death is a place at which the program dies. The runs die there at different
// times, from the first to the latest, while devices come back and others write.
type death struct {
	at     failpoint.Point
	latest int
	missed int // changes that the devices have to catch up with when it happens
}

var deaths = []death{
	{failpoint.AfterBegin, 8, 20},
	{failpoint.AfterDedupe, 24, 20},
	{failpoint.BeforeCommit, 8, 20},
	{failpoint.BeforeWake, 8, 20},
	{failpoint.AfterWake, 12, 20},
	{failpoint.BeforeEmit, 12, 20},
	{failpoint.MidWrite, 24, 20},
	{failpoint.AfterAnswer, 8, 20},
	{failpoint.InSnapshot, 290, 300}, // some before, some after the first part of the answer is out
	{failpoint.InCatchUp, 290, 300},  // more than one page of the log
}

const (
	// convergence is how long after the last CONNECT, and after the last answer,
	// every device may still differ from the list (docs/reliability.md).
	convergence = second
	// fixtureRuns is how many deaths the same account and devices live through.
	fixtureRuns = 10
)

// nth is the time at which run number run of runs dies.
func (d death) nth(run, runs int) int64 { return int64(1 + run*d.latest/runs) }

// The program kills itself at each of the ten named points, while two devices
// write, and starts again: what was acknowledged is stored exactly once, and every
// device has heard the log, the whole log and nothing but the log.
func TestKilledAtANamedPoint(t *testing.T) {
	covered := make(map[failpoint.Point]bool)
	for _, d := range deaths {
		covered[d.at] = true
		for _, db := range databases {
			t.Run(string(d.at)+"/"+db.name, func(t *testing.T) {
				t.Parallel()
				killedAt(t, db, d)
			})
		}
	}
	same(t, "points that are covered", len(failpoint.Points), len(covered))
}

func killedAt(t *testing.T, db database, d death) {
	runs := *failpointRuns
	if runs == 0 {
		runs = map[string]int{"sqlite": 2, "postgres": 1}[db.name]
	}
	p := startRaced(t, db.settings(t)...)
	var slowest time.Duration
	for first := 0; first < runs && !t.Failed(); first += fixtureRuns {
		t.Run(fmt.Sprint("from ", first), func(t *testing.T) {
			c := newFailpointFixture(t, p)
			for run := first; run < min(first+fixtureRuns, runs); run++ {
				slowest = max(slowest, c.survive(t, d, d.nth(run, runs)))
			}
			t.Logf("%d changes, each heard once by each of %d devices", len(c.log), len(c.devices))
		})
	}
	t.Logf("%s on %s: died and was survived %d times of %d; slowest convergence %v",
		d.at, db.name, runs, runs, slowest.Round(time.Millisecond))
}

// A failpointFixture is an account with devices that listen, behind a line that can be cut,
// and with what its writers were told.
type failpointFixture struct {
	*account
	line    *proxy
	devices []*device

	next string   // place in the log up to which log was read
	log  []string // "expense_created <id>"

	mu     sync.Mutex
	made   int               // changes that must be in the log
	stored map[string]string // amounts by description of what must be in the list, and nothing else
	copies []missed          // snapshots that were answered
}

func newFailpointFixture(t *testing.T, p *program) *failpointFixture {
	t.Helper()
	c := &failpointFixture{account: register(t, p), line: startProxy(t, p), stored: make(map[string]string)}
	n := startNode(t)
	for _, tr := range transports {
		c.devices = append(c.devices, c.join(t, n, tr))
	}
	c.next = "0"
	return c
}

// join connects a device that listens. npm's client waits its whole timeout, 20 s if
// nobody sets it, for a server that died between the WebSocket's handshake and the
// first packet: the engine's close is not told to the manager that opens it.
func (c *failpointFixture) join(t *testing.T, n *node, tr transport) *device {
	t.Helper()
	options := tr.options()
	options["timeout"] = second.Milliseconds()
	options["auth"] = map[string]any{"token": c.Token}
	d := n.open(t, c.line.URL(), options)
	d.await(t, "connect", 1)
	return d
}

// acknowledged notes what a writer was told: so many changes, after which the
// list has these.
func (c *failpointFixture) acknowledged(changes int, stored ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made += changes
	for i := 0; i < len(stored); i += 2 {
		c.stored[stored[i]] = stored[i+1]
	}
}

// survive lets the program die at d.at for the nth time of being there, starts
// it again, and tells how long the devices took to be equal.
func (c *failpointFixture) survive(t *testing.T, d death, nth int64) time.Duration {
	t.Helper()
	c.leave(t, d.missed)
	words := failpoint.LastWords(d.at, nth)
	c.restart(t, fmt.Sprintf("FAILPOINT=%s@%d", d.at, nth))
	c.line.goUp()
	toil := c.toil(d.at, fmt.Sprint(len(c.log)), c.p.ended)
	c.awaitDeath(t, words)
	c.restart(t)
	if err := toil(); err != nil {
		t.Fatalf("%s: %v", words, err)
	}
	answered := time.Now()
	c.readLog(t)
	took := c.converge(t, answered)
	if took > convergence && *quiet {
		t.Errorf("%s: equal only %v after the last CONNECT", words, took)
	}
	c.check(t, words)
	return took
}

// leave cuts the devices' line while another device makes changes.
func (c *failpointFixture) leave(t *testing.T, changes int) {
	t.Helper()
	farewells := make([]int, len(c.devices)) // one comes too when it was not connected yet
	for i, d := range c.devices {
		farewells[i] = len(d.noted("disconnect"))
	}
	c.line.goDown()
	for i, d := range c.devices {
		d.await(t, "disconnect", farewells[i]+1)
	}
	ops := c.creates(changes)
	for i := range ops {
		name := fmt.Sprintf("missed %d.%d", len(c.log), i)
		ops[i].Data = draft(name)
		c.acknowledged(1, name, "12.5")
	}
	c.batch(t, ops...)
}

// restart kills the program if it still runs and starts it with these settings
// beside the usual ones.
func (c *failpointFixture) restart(t *testing.T, settings ...string) {
	t.Helper()
	p, usual := c.p, c.p.env
	if p.running() {
		if err := p.kill(); err != nil {
			t.Fatal(err)
		}
	}
	p.env = slices.Concat(usual, settings)
	defer func() { p.env = usual }()
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
}

// awaitDeath waits until the program has died with these words. One that does
// not come to the place proves nothing, and fails the test.
func (c *failpointFixture) awaitDeath(t *testing.T, words string) {
	t.Helper()
	select {
	case <-c.p.ended:
	case <-time.After(patience):
		t.Errorf("not there within %v: %s", patience, words)
		_ = c.p.kill()
	}
	if c.p.log.after(words+"\n") == "" {
		t.Fatalf("the program ended otherwise than by %q: %v\n%s", words, c.p.waitErr, c.p.log.tail())
	}
}

// toil lets devices change things, one thing after the other, until the program
// is dead; finish waits until what they had begun is answered too.
func (c *failpointFixture) toil(at failpoint.Point, name string, dead <-chan struct{}) (finish func() error) {
	works := []func(name string) error{c.queue, c.post}
	if at == failpoint.InSnapshot {
		works = append(works, c.copyAll)
	}
	errs := make([]error, len(works))
	var working sync.WaitGroup
	for i, work := range works {
		working.Go(func() {
			for n := 0; errs[i] == nil && open(dead); n++ {
				errs[i] = work(fmt.Sprintf("%s.%d", name, n))
			}
		})
	}
	return func() error { working.Wait(); return errors.Join(errs...) }
}

func open(c <-chan struct{}) bool {
	select {
	case <-c:
		return false
	default:
		return true
	}
}

// queue sends what a device queued offline: two creations, an edit, a deletion.
func (c *failpointFixture) queue(name string) error {
	kept, gone := c.queued("CREATE", "temp_kept", draft("kept "+name)), c.queued("CREATE", "temp_gone", draft("gone "+name))
	body := batchOf([]operation{
		kept, gone, c.queued("UPDATE", kept.ResourceID, map[string]any{"amount": 7}),
		c.queued("DELETE", gone.ResourceID, nil),
	})
	r, err := c.persist(http.MethodPost, "/api/sync/batch", body)
	if err != nil {
		return err
	}
	var got struct{ Results []result }
	if err := json.Unmarshal(r.body, &got); err != nil {
		return err
	}
	for i, want := range []string{"created", "created", "updated", "deleted"} {
		if i >= len(got.Results) || got.Results[i].Status != want {
			return fmt.Errorf("operation %d of %s is not %s: %s", i, name, want, r.body)
		}
	}
	c.acknowledged(4, "kept "+name, "7")
	return nil
}

// post creates an expense online, under a name of the client's own.
func (c *failpointFixture) post(name string) error {
	body := from(c.device("tablet"), draft("posted "+name))
	body["clientId"] = "posted " + name
	_, err := c.persist(http.MethodPost, "/api/expenses", body)
	if err == nil {
		c.acknowledged(1, "posted "+name, "12.5")
	}
	return err
}

// copyAll asks for everything.
func (c *failpointFixture) copyAll(string) error {
	r, err := c.persist(http.MethodGet, "/api/sync/changes", nil)
	if err != nil {
		return err
	}
	var m missed
	if err := json.Unmarshal(r.body, &m); err != nil {
		return fmt.Errorf("a snapshot was cut off and looks complete: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.copies = append(c.copies, m)
	return nil
}

// persist repeats a request until it is answered, as devices do.
func (c *failpointFixture) persist(method, path string, body any) (answer, error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		r, err := try(method, c.p.url()+path, c.Token, body)
		switch {
		case err == nil && r.status < 300:
			return r, nil
		case err == nil && r.status != http.StatusServiceUnavailable:
			return r, fmt.Errorf("%s %s: answered %d: %s", method, path, r.status, r.body)
		case time.Now().After(deadline):
			return r, fmt.Errorf("%s %s: no answer after %v: %d %s %w", method, path, patience, r.status, r.body, err)
		}
	}
}

// readLog reads on in the log, which has no gap.
func (c *failpointFixture) readLog(t *testing.T) {
	t.Helper()
	for more := true; more; {
		m := c.missed(t, c.next, 500)
		for _, change := range m.Changes {
			same(t, "sequence", int64(len(c.log)+1), change.Seq)
			c.log = append(c.log, change.Event+" "+change.Expense.ID)
		}
		c.next, more = m.Next, m.More
	}
}

// converge waits until each device has heard the whole log, and tells how long
// after its last CONNECT, or after the last answer if that came later, it had.
func (c *failpointFixture) converge(t *testing.T, answered time.Time) (took time.Duration) {
	t.Helper()
	for _, d := range c.devices {
		heard := d.hearAll(t, c.log)
		connects := d.noted("connect")
		since := connects[len(connects)-1].At
		if answered.After(since) {
			since = answered
		}
		took = max(took, heard[len(heard)-1].At.Sub(since))
	}
	return took
}

// check holds the devices, the list and the log against each other and against
// what was acknowledged, after one more change that everybody hears.
func (c *failpointFixture) check(t *testing.T, words string) {
	t.Helper()
	if err := c.post(fmt.Sprint("last ", len(c.log))); err != nil {
		t.Fatal(err)
	}
	c.readLog(t)
	c.converge(t, time.Now())
	same(t, words+": changes in the log against acknowledged ones", c.made, len(c.log))
	list := make(map[string]string)
	for _, e := range c.expenses(t) {
		list[e.ID] = e.Description + " " + e.Amount.String()
	}
	c.checkStored(t, words, list)
	for i, d := range c.devices {
		who := words + ": " + transports[i].name
		same(t, who+" heard, against the log", spoken(c.log), receivedEvents(d))
		same(t, who+" shows, against the list", list, folded(t, d))
		same(t, who+" was recovered each time", false, slices.Contains(d.recovered(t)[1:], false))
	}
	c.checkCopies(t, words)
}

// checkStored wants each acknowledged expense in the list, once, and no other.
func (c *failpointFixture) checkStored(t *testing.T, words string, list map[string]string) {
	t.Helper()
	var want []string
	for description, amount := range c.stored {
		want = append(want, description+" "+amount)
	}
	slices.Sort(want)
	same(t, words+": list against what was acknowledged", want, slices.Sorted(maps.Values(list)))
}

// spellings are the names under which each change is told, one after the other.
var spellings = [][]string{changeEvents, {"expense:created", "expense:updated", "expense:deleted"}}

// spoken is the log as a device hears it.
func spoken(log []string) (events []string) {
	for _, change := range log {
		events = append(events, change, strings.Replace(change, "_", ":", 1))
	}
	return events
}

// receivedEvents is what a device heard of expenses, in both spellings.
func receivedEvents(d *device) (events []string) {
	for _, e := range d.events(slices.Concat(spellings...)...) {
		events = append(events, e.Name+" "+idOf(e))
	}
	return events
}

// folded is what a device shows that does nothing but apply what it hears.
func folded(t *testing.T, d *device) map[string]string {
	t.Helper()
	rows := make(map[string]string)
	for _, heard := range d.events(changeEvents...) {
		var e expense
		heard.into(t, &e)
		rows[e.ID] = e.Description + " " + e.Amount.String()
		if heard.Name == "expense_deleted" {
			delete(rows, e.ID)
		}
	}
	return rows
}

// checkCopies wants each snapshot to have as many expenses as the log up to its
// sequence leaves.
func (c *failpointFixture) checkCopies(t *testing.T, words string) {
	t.Helper()
	left, at := 0, make([]int, len(c.log)+1)
	for i, change := range c.log {
		switch name := change[:len("expense_created")]; name {
		case "expense_created":
			left++
		case "expense_deleted":
			left--
		}
		at[i+1] = left
	}
	for _, m := range c.copies {
		same(t, fmt.Sprintf("%s: expenses in the snapshot at %d", words, m.Seq), at[m.Seq], len(m.Expenses))
	}
}
