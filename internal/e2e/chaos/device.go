package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A device is one browser of a user: a socket that listens, requests, and a queue
// of what it could not send.
type device struct {
	s      *schedule
	name   string // in the history, such as B3
	id     string // deviceId
	user   *user
	how    string // its client
	named  bool   // it gives its creations names of its own (clientId); pages of old do not
	link   *link
	rng    *rand.Rand // of its own goroutine
	http   *http.Client
	client closer
	poke   chan struct{} // wakes it before its time
	page   int           // how often it was loaded
	n      int           // operations so far

	mu    sync.Mutex
	lives int // how often it has begun anew
	up    bool
	ask   bool   // since its connection is a new one it must ask for what it missed
	gone  string // why it will not come back by itself; "" if it will
	base  *snapshot
	heard []hearing // in the spelling of the pages of old (expense_created)
	other []hearing // in the other one (expense:created), which only our own client listens to
	joins []join
	told  map[int64]change // by asking
	pos   int64            // base and everything up to this sequence is known
	posAt time.Time        // since when
	known map[string]int64 // versions of expenses that it may name
	queue []*operation
	burst int    // creations to queue at once, as somebody asked
	notes string // of these

	present   map[string]bool // ids of its user's devices that are there, as it was told last
	presentAt time.Time
}

// A closer is a client of either kind.
type closer interface{ close() }

// A join is one answer to CONNECT.
type join struct {
	at        time.Time
	recovered bool
	after     [2]int // events that were heard before, in the two spellings
}

// A hearing is one event.
type hearing struct {
	change
	user string // as the offset says
}

// The clients there are, each in the words of the histories.
var clientKinds = []string{"npm upgrade", "npm websocket", "npm polling", "go websocket", "go polling"}

// load opens the page: a new client, which knows of no connection before.
func (d *device) load() error {
	d.page++
	auth := map[string]any{"token": d.user.token}
	if d.s.job.on.processes > 1 {
		auth["deviceId"] = d.id // so that it is known by name who is there
	}
	options := map[string]any{
		"auth": auth, "reconnectionDelay": firstWait.Milliseconds(),
		"reconnectionDelayMax": lastWait.Milliseconds(),
	}
	switch d.how {
	case "go websocket", "go polling":
		d.client = openClient(d.link.socket.URL(), d.user.token, d.id, d.how == "go polling", d)
		return nil
	case "npm websocket":
		options["transports"] = []string{"websocket"}
	case "npm polling":
		options["transports"] = []string{"polling"}
	}
	n := d.s.nodeOf(d)
	name := fmt.Sprintf("%s/%d/%d", d.name, d.s.seed, d.page)
	d.client = hosted{n, name}
	return n.open(name, d.link.socket.URL(), options, d)
}

// hosted is a client in a Node process.
type hosted struct {
	node *node
	name string
}

func (h hosted) close() { _ = h.node.close(h.name) } // a Node that has ended is told by stop

// reload leaves the page and opens it again: its queue stays, as in localStorage.
func (d *device) reload() error {
	d.client.close()
	d.mu.Lock()
	d.up = false
	d.mu.Unlock()
	d.s.log(d.name, "reloads its page")
	return d.load()
}

// connected implements ear.
func (d *device) connected(recovered bool) {
	d.s.log(d.name, "connected, recovered %v", recovered)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.up = true
	if d.s.job.class.epochs && !recovered {
		d.forget()
	}
	d.ask = d.ask || !recovered
	d.joins = append(d.joins, join{time.Now(), recovered, [2]int{len(d.heard), len(d.other)}})
}

// forget has the device begin anew, as one does that is told of another epoch: what it
// knows may be of a log that is no more. The caller must hold mu.
func (d *device) forget() {
	d.lives++
	d.base, d.heard, d.other, d.joins = nil, nil, nil, nil
	clear(d.told)
}

// life is how often the device has begun anew.
func (d *device) life() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lives
}

// disconnected implements ear.
func (d *device) disconnected(why string) {
	d.s.log(d.name, "disconnected: %s", why)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.up = false
}

// refused implements ear.
func (d *device) refused(why string) {
	d.s.log(d.name, "refused for good: %s", why)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.up, d.gone = false, why
}

// event implements ear.
func (d *device) event(name string, args []json.RawMessage) {
	if name == presenceEvent {
		d.tellPresence(args)
		return
	}
	second := strings.HasPrefix(name, "expense:")
	if !second && !strings.HasPrefix(name, "expense_") {
		return // of no change
	}
	h, err := readEvent(name, args)
	if err != nil {
		d.s.wrong("divergent: %s heard what is no event of the log: %v", d.name, err)
		return
	}
	d.s.log(d.name, "heard %s %s", name, h.change)
	d.mu.Lock()
	defer d.mu.Unlock()
	if second {
		d.other = append(d.other, h)
		return
	}
	d.heard = append(d.heard, h)
	d.learn(h.change)
	d.advance()
}

// learn keeps which expenses there are to be named.
func (d *device) learn(c change) {
	if c.Event == "expense_deleted" {
		delete(d.known, c.Expense.ID)
	} else {
		d.known[c.Expense.ID] = c.Expense.Version
	}
}

// advance moves the position over everything that is known without a gap. The
// last event comes last, so what it looks through is short.
func (d *device) advance() {
	if d.base == nil {
		return
	}
	for {
		next := d.pos + 1
		_, told := d.told[next]
		if !told && !d.hears(next) {
			return
		}
		d.pos, d.posAt = next, time.Now()
	}
}

func (d *device) hears(seq int64) bool {
	i, found := slices.BinarySearchFunc(d.heard, seq, func(h hearing, seq int64) int { return int(h.Seq - seq) })
	return found && d.heard[i].Seq == seq
}

// A snapshot is the answer to GET /api/sync/changes without since.
type snapshot struct {
	Snapshot bool
	Seq      int64
	Expenses []document
}

// A page of the log.
type page struct {
	Snapshot bool
	Head     int64
	More     bool
	Changes  []change
}

// catchUp asks for what a new connection may have missed: all there is at first,
// and later what followed the place where it was (docs/sync.md).
func (d *device) catchUp(ctx context.Context) bool {
	d.mu.Lock()
	first, since := d.base == nil, d.pos
	d.ask = false
	d.mu.Unlock()
	ok := false
	if first {
		ok = d.takeSnapshot(ctx)
	} else {
		ok = d.takeChanges(ctx, since)
	}
	if !ok {
		d.mu.Lock()
		d.ask = true
		d.mu.Unlock()
	}
	return ok
}

func (d *device) takeSnapshot(ctx context.Context) bool {
	var s snapshot
	life := d.life()
	if !d.get(ctx, "/api/sync/changes", &s) {
		return false
	}
	d.s.log(d.name, "asked for everything: %d expenses at %d", len(s.Expenses), s.Seq)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lives != life {
		return false
	}
	d.base, d.pos, d.posAt = &s, s.Seq, time.Now()
	for _, e := range s.Expenses {
		d.known[e.ID] = e.Version
	}
	d.advance()
	return true
}

func (d *device) takeChanges(ctx context.Context, since int64) bool {
	for {
		var p page
		life := d.life()
		if !d.get(ctx, fmt.Sprintf("/api/sync/changes?limit=500&since=%d", since), &p) {
			return false
		}
		d.s.log(d.name, "asked since %d: %d changes", since, len(p.Changes))
		if p.Snapshot && !d.s.job.class.epochs {
			d.s.wrong("divergent: %s asked since %d and was told that the log does not reach back", d.name, since)
			return true
		}
		if p.Snapshot || !d.learnAll(p.Changes, life) {
			return false
		}
		if !p.More {
			return true
		}
		since = p.Changes[len(p.Changes)-1].Seq
	}
}

// learnAll keeps what the device was told, unless it has begun anew since it asked.
func (d *device) learnAll(changes []change, life int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lives != life {
		return false
	}
	for _, c := range changes {
		d.told[c.Seq] = c
	}
	d.advance()
	return true
}

// A state is what a schedule wants to know of a device while it runs.
type state struct {
	up, ask bool
	gone    string
	waiting int // operations in its queue
	pos     int64
	posAt   time.Time
	heard   int64 // the last event of this chain of connections; 0 before the first
}

// equal reports whether the device knows everything and has heard what is to be
// heard: its answers may be ahead of its socket.
func (s state) equal(head int64) bool { return s.pos == head && (s.heard == 0 || s.heard >= head) }

func (d *device) state() state {
	d.mu.Lock()
	defer d.mu.Unlock()
	return state{
		up: d.up, ask: d.ask || d.base == nil, gone: d.gone, waiting: len(d.queue),
		pos: d.pos, posAt: d.posAt, heard: d.lastHeard(),
	}
}

// lastHeard is the last event that came in both spellings, if both come: on a slow line the
// second arrives noticeably later. It is 0 before the first of this chain of connections.
func (d *device) lastHeard() int64 {
	last, second := d.lastOf(0, d.heard), d.lastOf(1, d.other)
	if second > 0 {
		last = min(last, second)
	}
	return last
}

func (d *device) lastOf(spelling int, heard []hearing) int64 {
	n := len(heard)
	for _, j := range d.joins {
		if n == 0 || !j.recovered && j.after[spelling] == n {
			return 0
		}
	}
	if n == 0 {
		return 0
	}
	return heard[n-1].Seq
}

func (d *device) lastJoin() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.joins) == 0 {
		return time.Time{}
	}
	return d.joins[len(d.joins)-1].at
}
