package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"expenseflow/internal/e2e/overlay/commithook"
	"expenseflow/internal/ledger"
	"expenseflow/models"
)

// morning is when every cluster begins, in milliseconds since 1970.
var morning = time.Date(2026, time.January, 19, 9, 0, 0, 0, time.UTC).UnixMilli()

// A cluster is the server processes, users and devices of one history.
type cluster struct {
	ctx     context.Context
	harness *harness
	rng     *rand.Rand
	history history

	now         int64 // in milliseconds since 1970
	chunk, page int   // operations of a transaction, changes of a tail's page

	users     []*user
	devices   []*device
	processes []*process
	hints     []hint
	hinting   bool // hints arrive at all
	cutting   bool // logs are cut off
	still     bool // nothing happens but what is told to

	request    *request     // the one that is worked on
	made       int          // operations so far
	told       map[int]told // by operation
	acts       map[string]map[*reference]acts
	operations []*operation
}

// What a device was told of an operation: what it came to, and which expense, by
// the server's id, it is about.
type told struct {
	u      *user
	status models.Status
	id     string
}

// A violation is the panic of a cluster in which a promise is broken.
type violation struct{ what string }

// expect ends the history unless a promise holds.
func (w *cluster) expect(holds bool, format string, args ...any) {
	if !holds {
		panic(violation{fmt.Sprintf(format, args...)})
	}
}

func (w *cluster) note(format string, args ...any) {
	w.history.add("%6d ms  %s", w.now-morning, fmt.Sprintf(format, args...))
}

func (w *cluster) count(what string) { w.harness.tally[what]++ }

// outcome counts what an operation came to.
func (w *cluster) outcome(door string, o *operation, a answer, again bool) {
	name := fmt.Sprintf("%s %s %s", door, o.action, a.status)
	if again {
		name += ", again"
	}
	w.harness.outcomes[name]++
	w.count("operations by " + door)
	if again {
		w.count("operations replayed")
	}
	switch {
	case o.poison && (a.status == invalid || a.status == models.StatusParked):
		w.count("operations undone that had written")
	case o.action != models.Create || a.made == 0 || o.text == marker(o.n):
	case a.status == models.StatusCreated && !again:
		w.count("look-alikes that are two")
	default:
		w.count("look-alikes that are one") // or sent again
	}
}

// chance is true in so many of a hundred cases.
func (w *cluster) chance(percent int) bool { return w.rng.IntN(100) < percent }

// play plays the history of a seed.
func (l *harness) play(ctx context.Context, seed int64) (h *history, err error) {
	w := l.newCluster(ctx, seed)
	defer w.end(&err)
	h = &w.history
	w.populate()
	for range 25 + w.rng.IntN(35) {
		w.something()
	}
	w.settle()
	for _, u := range w.users {
		w.check(u)
	}
	return h, nil
}

func (l *harness) newCluster(ctx context.Context, seed int64) *cluster {
	w := &cluster{
		ctx: commithook.With(ctx, l.beforeCommit), harness: l, rng: rand.New(rand.NewPCG(uint64(seed), 0)), now: morning,
		told: map[int]told{}, acts: map[string]map[*reference]acts{},
	}
	l.cluster = w
	return w
}

// end turns a violation into an error.
func (w *cluster) end(err *error) {
	w.harness.cluster = nil
	switch p := recover().(type) {
	case nil:
	case violation:
		*err = fmt.Errorf("%s", p.what)
	default:
		panic(p)
	}
}

// populate makes users, devices and processes.
func (w *cluster) populate() {
	w.chunk, w.page, w.hinting = 1+w.rng.IntN(3), 1+w.rng.IntN(4), w.chance(50)
	w.cutting = w.chance(30)
	for i := range 1 + w.rng.IntN(2) {
		w.addProcess(i)
	}
	for i := range 1 + w.rng.IntN(2) {
		u := w.addUser(i)
		for range 2 + w.rng.IntN(3-i) {
			w.roll(w.addDevice(u))
		}
	}
	for _, d := range w.devices {
		if w.chance(70) {
			d.connect(pick(w, w.processes), d.claim())
			d.handle(0)
		}
	}
}

func (w *cluster) addProcess(i int) *process {
	p := &process{w: w, name: fmt.Sprintf("server %d", i+1)}
	w.processes = append(w.processes, p)
	p.start()
	return p
}

func (w *cluster) addUser(i int) *user {
	u := &user{
		w: w, id: ledger.NewID(), name: fmt.Sprintf("user %d", i+1), reference: newReference(w.acts),
		made: map[string]int{}, ids: map[int]string{},
	}
	err := w.harness.store.CreateUser(w.ctx,
		models.User{ID: u.id, Name: u.name, Email: u.id + "@example.org", PasswordHash: []byte("x"), CreatedAt: w.harness.now()})
	w.expect(err == nil, "a user cannot be made: %v", err)
	w.users = append(w.users, u)
	return u
}

func (w *cluster) addDevice(u *user) *device {
	n := len(w.devices) + 1
	d := &device{
		w: w, u: u, name: fmt.Sprintf("device %d", n), id: fmt.Sprintf("device_%d_%s", n, u.id),
		browser: fmt.Sprintf("browser %d of %s", n, u.id), rows: map[string]document{},
	}
	u.devices, w.devices = append(u.devices, d), append(w.devices, d)
	return d
}

// roll chooses what kind of device it is. Of one whose creations have no names of
// their own and whose clock is wrong, an answer that was lost makes two expenses of
// one (docs/contract.md#d17).
func (w *cluster) roll(d *device) {
	d.last, d.clients = w.chance(30), w.chance(50)
	if d.last || d.clients || w.chance(20) {
		d.skew = int64(w.rng.IntN(7)-3) * time.Hour.Milliseconds()
	}
	if d.last {
		d.clients = false
	}
	if w.chance(30) {
		d.browser = ""
	}
}

// An action is something that happens, and how often it does beside others.
type action struct {
	weight int
	do     func(*cluster)
}

var actions = []action{
	{26, (*cluster).personActs},
	{12, (*cluster).deviceSyncs},
	{14, (*cluster).tailSteps},
	{26, func(w *cluster) { pick(w, w.devices).handle(1 + w.rng.IntN(6)) }},
	{16, (*cluster).deviceConnects},
	{5, (*cluster).hintArrives},
	{5, (*cluster).poll},
	{5, (*cluster).connectionBreaks},
	{3, (*cluster).networkRepeats},
	{5, (*cluster).personDecides},
	{2, (*cluster).deviceAsks},
	{1, (*cluster).processDies},
	{6, (*cluster).processStarts},
	{1, func(w *cluster) { pick(w, w.devices).reload() }},
	{4, (*cluster).accountChanges},
	{2, (*cluster).logsAreCut},
	{4, func(w *cluster) { w.now += w.rng.Int64N(60_000) }},
}

// something lets one thing happen.
func (w *cluster) something() {
	if w.chance(70) {
		w.now += w.rng.Int64N(300)
	}
	if w.chance(5) {
		w.now -= w.rng.Int64N(200) // a clock is set
	}
	total := 0
	for _, a := range actions {
		total += a.weight
	}
	n := w.rng.IntN(total)
	for _, a := range actions {
		if n -= a.weight; n < 0 {
			a.do(w)
			return
		}
	}
}

func pick[T any](w *cluster, from []T) T { return from[w.rng.IntN(len(from))] }

// draw chooses the fate of a request of n transactions.
func (w *cluster) draw(n int) fate {
	f := fate{at: 1 + w.rng.IntN(n)}
	switch r := w.rng.IntN(100); {
	case r < 68:
	case r < 74:
		f.lost = true
	case r < 84:
		f.unheard = true
	case r < 87:
		f.trouble = diesBefore
	case r < 91:
		f.trouble = diesAfter
	case r < 96:
		f.trouble = passes
	default:
		f.trouble = stays
	}
	return f
}

// meanwhile lets tails work in the middle of something else.
func (w *cluster) meanwhile() {
	for !w.still && w.chance(30) {
		pick(w, w.processes).step()
	}
}

func (w *cluster) tailSteps() {
	for range 1 + w.rng.IntN(3) {
		pick(w, w.processes).step()
	}
}

// hintArrives lets a process hear that another has written, or not.
func (w *cluster) hintArrives() {
	if len(w.hints) == 0 {
		return
	}
	i := w.rng.IntN(len(w.hints))
	h := w.hints[i]
	w.hints = slices.Delete(w.hints, i, i+1)
	if w.hinting && h.to.up && w.chance(80) {
		h.to.tail.Wake(h.userID)
		w.count("hints")
	}
}

// poll lets a process look at the heads, and serve whom it finds behind.
func (w *cluster) poll() { pick(w, w.processes).poll() }

func (p *process) poll() {
	if !p.up {
		return
	}
	err := p.stepper.Poll(p.w.ctx)
	p.w.expect(err == nil, "the heads cannot be read: %v", err)
	for p.step() {
	}
	p.w.count("polls")
}

func (w *cluster) deviceConnects() {
	d, p := pick(w, w.devices), pick(w, w.processes)
	if d.link != nil || !p.up {
		return
	}
	c := d.claim()
	if other := pick(w, w.devices); other.u != d.u && w.chance(10) {
		c = other.claim() // the page was another account's before
		d.offset = c.Offset
		w.count("claims of another user")
	}
	d.connect(p, c)
}

func (w *cluster) connectionBreaks() {
	if d := pick(w, w.devices); d.link != nil {
		w.note("%s loses its connection with %d events under way", d.name, len(d.link.queue))
		d.link.cut()
	}
}

func (w *cluster) processDies() {
	if p := pick(w, w.processes); p.up {
		p.die()
		w.count("processes that died")
	}
}

func (w *cluster) processStarts() {
	if p := pick(w, w.processes); !p.up {
		w.note("%s starts", p.name)
		p.start()
	}
}

func (w *cluster) deviceAsks() { pick(w, w.devices).ask(pick(w, w.processes)) }

// accountChanges has the user of one device sign in at another's. A delta tells
// nothing of whose it is, so devices with the last frontend are left out.
func (w *cluster) accountChanges() {
	if d, u := pick(w, w.devices), pick(w, w.users); d.u != u && !d.last {
		d.change(u)
	}
}

// logsAreCut forgets what is older than one of the changes.
func (w *cluster) logsAreCut() {
	log := pick(w, w.users).reference.log
	if !w.cutting || len(log) == 0 {
		return
	}
	before := pick(w, log).at
	for _, u := range w.users {
		u.read()
		for u.start < len(u.log) && u.reference.log[u.start].at < before {
			u.start++
		}
		w.note("the log of %s is cut off up to %d", u.name, u.start)
	}
	_, err := w.harness.store.PruneLogs(w.ctx, time.UnixMilli(before), wholeLog)
	w.expect(err == nil, "logs cannot be cut off: %v", err)
	w.count("logs cut off")
}

// personActs lets a person create, update or delete something on a device.
func (w *cluster) personActs() {
	d := pick(w, w.devices)
	o := w.newOperation(d)
	switch r := w.rng.IntN(100); {
	case r < 50 || !d.choose(o):
		w.creation(o)
	case r < 82:
		o.action = models.Update
		w.edit(o)
	default:
		o.action = models.Delete
	}
	unseen := o.named && o.action == models.Update // a page shows nothing yet that it could send whole
	if d.last || d.link == nil || unseen || w.chance(30) {
		d.enqueue(o)
		return
	}
	d.online(o)
}

func (w *cluster) newOperation(d *device) *operation {
	w.made++
	o := &operation{n: w.made, u: d.u, d: d, action: models.Create, text: marker(w.made)}
	w.operations = append(w.operations, o)
	return o
}

func (w *cluster) creation(o *operation) {
	o.action, o.id, o.named, o.target = models.Create, "", false, 0
	o.amount = 1 + w.rng.Int64N(5)
	if o.d.clients {
		o.client = fmt.Sprint("client ", o.n)
	}
	w.spoil(o)
	w.scribble(o)
	if w.chance(35) {
		w.resemble(o)
	}
}

// spoil now and then makes an operation one that cannot be applied.
func (w *cluster) spoil(o *operation) {
	switch r := w.rng.IntN(100); {
	case r < 8:
		o.bad = true
	case r < 16:
		o.poison = true
	}
}

// resemble makes a creation look exactly like an earlier one of the user, of this
// device or another, perhaps down to the millisecond, or to the client's name for it.
func (w *cluster) resemble(o *operation) {
	var earlier []*operation
	for _, e := range w.operations {
		if e != o && e.action == models.Create && e.u == o.u {
			earlier = append(earlier, e)
		}
	}
	if len(earlier) == 0 {
		return
	}
	e := earlier[len(earlier)-1]
	if w.chance(30) {
		e = pick(w, earlier)
	}
	o.text, o.amount, o.notes, o.bad, o.poison = e.text, e.amount, e.notes, e.bad, e.poison
	if (e.d == o.d || e.at > o.d.clock) && w.chance(60) {
		o.moment = e.at
	}
	if e.d == o.d && w.chance(20) {
		o.client = e.client
	}
}

func (w *cluster) edit(o *operation) {
	w.spoil(o)
	if w.chance(50) {
		o.amount = 1 + w.rng.Int64N(5)
	}
	if w.chance(50) && !o.named {
		seen := o.d.rows[o.id].Version
		o.seen = &seen
	}
	w.scribble(o)
}

// scribble names the notes, often to clear them.
func (w *cluster) scribble(o *operation) {
	if w.chance(60) {
		notes := pick(w, []string{"", "a", "b"})
		o.notes = &notes
	}
}

// choose chooses the expense that the operation is about, if the device knows any: one
// that it shows, or one that it made itself and calls by a name of its own.
func (d *device) choose(o *operation) bool {
	var own []*operation
	for _, q := range d.queue {
		if q.action == models.Create && q.named && q.u == d.u {
			own = append(own, q)
		}
	}
	if len(own) > 0 && d.w.chance(40) {
		q := pick(d.w, own)
		o.id, o.named = q.id, true
		return true
	}
	shown := make([]document, 0, len(d.rows))
	for _, r := range d.rows {
		shown = append(shown, r)
	}
	slices.SortFunc(shown, func(a, b document) int { return d.u.maker(a.ID) - d.u.maker(b.ID) })
	if len(shown) == 0 {
		return false
	}
	r := pick(d.w, shown)
	o.id, o.target = r.ID, d.u.maker(r.ID)
	return true
}

// online does an operation at once, and keeps for later what the first frontend
// keeps when that fails (docs/contract.md#clients).
func (d *device) online(o *operation) {
	p, f := d.link.p, d.w.draw(1)
	d.w.note("%s does %s at once", d.name, o)
	done := false
	switch o.action {
	case models.Create:
		done = d.w.post(p, f, o)
	case models.Update:
		if o.amount == 0 {
			o.amount = 1
		}
		d.w.put(p, f, o, d.rows[o.id])
		return // a page shows that it failed, and nothing more happens
	default:
		done = d.w.remove(p, f, o)
	}
	if !done {
		d.w.now += pick(d.w, delays)
		d.enqueue(o)
	}
}

// delays are how long a page waits, in milliseconds, until it takes a request for
// lost.
var delays = []int64{0, 0, 0, 1000, window - 1, window, window + 1}

// deviceSyncs sends a device's queue, or parts of it by several tabs, of which one
// may overtake the other.
func (w *cluster) deviceSyncs() {
	d, p := pick(w, w.devices), pick(w, w.processes)
	if len(d.queue) == 0 {
		return
	}
	parts := [][]*operation{slices.Clone(d.queue)}
	if n := len(d.queue); n > 1 && w.chance(20) {
		i := 1 + w.rng.IntN(n-1)
		parts = [][]*operation{slices.Clone(d.queue[i:]), slices.Clone(d.queue[:i])}
		w.count("batches that overtook another")
	}
	for _, part := range parts {
		d.sync(p, w.draw((len(part)+w.chunk-1)/w.chunk), part)
	}
}

// sync sends operations of the queue, and drops those that were answered.
func (d *device) sync(p *process, f fate, ops []*operation) {
	s := sending{d.u, d.issued, ops}
	if len(d.sent) < 8 {
		d.sent = append(d.sent, s)
	}
	var keep []*operation
	var heard bool
	if d.last {
		keep, heard = d.w.delta(p, f, s)
	} else {
		heard = d.w.batch(p, f, s)
	}
	if heard {
		d.queue = slices.DeleteFunc(d.queue, func(o *operation) bool { return slices.Contains(ops, o) && !slices.Contains(keep, o) })
	}
}

// networkRepeats delivers again what a device has sent before.
func (w *cluster) networkRepeats() {
	d, p := pick(w, w.devices), pick(w, w.processes)
	if len(d.sent) == 0 || !p.up {
		return
	}
	s := pick(w, d.sent)
	w.count("requests repeated")
	w.note("the network repeats a request of %s", d.name)
	f := fate{unheard: true}
	if d.last {
		w.delta(p, f, s)
	} else {
		w.batch(p, f, s)
	}
}
