package main

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"expenseflow/models"
)

// The small scope: three devices of one user with one or two operations each, on
// one expense X and on those that they make; every order in which their requests
// can arrive; each request once, twice, cut short by the death of the process
// before or after any of its commits, or applied one by one after a commit that
// failed. A transaction takes one operation, so that a process can die between
// any two. In no case do more than maxFaulty devices have more than a smooth
// delivery.
const maxFaulty = 2

// A script is what one device has to send.
type script struct {
	name   string
	apart  bool // it does not touch X
	last   bool // the device has the last frontend
	posted bool // the first operation was a POST whose answer was lost
	gone   bool // what it made was deleted since
	other  bool // the device has since acted for another account
	make   func(d *device, x *operation) []*operation
}

// singles are the scripts of one operation.
var singles = []script{
	{name: "create", apart: true, make: func(d *device, _ *operation) []*operation { return d.make(creating) }},
	{name: "bad create", apart: true, make: func(d *device, _ *operation) []*operation { return d.make(creating.with(bad)) }},
	{name: "named create", apart: true, make: func(d *device, _ *operation) []*operation { return d.make(creating.with(client)) }},
	{name: "posted create", apart: true, posted: true, make: func(d *device, _ *operation) []*operation { return d.make(creating) }},
	{
		name: "posted create, deleted since", apart: true, posted: true, gone: true,
		make: func(d *device, _ *operation) []*operation { return d.make(creating) },
	},
	{
		name: "create of another account", apart: true, other: true,
		make: func(d *device, _ *operation) []*operation { return d.make(creating) },
	},
	{
		name: "poisonous create", apart: true,
		make: func(d *device, _ *operation) []*operation { return d.make(creating.with(poison)) },
	},
	{name: "delta create", apart: true, last: true, make: func(d *device, _ *operation) []*operation { return d.make(creating) }},
	{name: "update X", make: func(d *device, x *operation) []*operation { return d.make(updating(x)) }},
	{name: "update X as seen", make: func(d *device, x *operation) []*operation { return d.make(updating(x).with(seen)) }},
	{name: "delete X", make: func(d *device, x *operation) []*operation { return d.make(deleting(x)) }},
	{
		name: "delta update X as seen", last: true,
		make: func(d *device, x *operation) []*operation { return d.make(updating(x).with(seen)) },
	},
	{
		name: "delta delete X as seen", last: true,
		make: func(d *device, x *operation) []*operation { return d.make(deleting(x).with(seen)) },
	},
}

// pairs are those of two.
var pairs = []script{
	{name: "create, update it", make: func(d *device, _ *operation) []*operation { return d.make(creating, updating(nil)) }},
	{name: "create, delete it", make: func(d *device, _ *operation) []*operation { return d.make(creating, deleting(nil)) }},
	{
		name: "bad create, update it",
		make: func(d *device, _ *operation) []*operation { return d.make(creating.with(bad), updating(nil)) },
	},
	{
		name: "posted create, delete it", posted: true,
		make: func(d *device, _ *operation) []*operation { return d.make(creating, deleting(nil)) },
	},
	{name: "two creates of one name", make: func(d *device, _ *operation) []*operation {
		return d.make(creating.with(taken), creating.with(taken))
	}},
	{name: "twins", make: func(d *device, _ *operation) []*operation { return d.make(creating, creating.with(twin)) }},
	{name: "posted create and its twin", posted: true, make: func(d *device, _ *operation) []*operation {
		return d.make(creating, creating.with(twin))
	}},
	{name: "poisonous create, update it", make: func(d *device, _ *operation) []*operation {
		return d.make(creating.with(poison), updating(nil))
	}},
	{name: "poisonous update X, delete X", make: func(d *device, x *operation) []*operation {
		return d.make(updating(x).with(poison), deleting(x))
	}},
	{
		name: "delta twins", last: true,
		make: func(d *device, _ *operation) []*operation { return d.make(creating, creating.with(twin)) },
	},
	{name: "delta poisonous create, poisonous update X", last: true, make: func(d *device, x *operation) []*operation {
		return d.make(creating.with(poison), updating(x).with(poison))
	}},
	{
		name: "update X, delete X",
		make: func(d *device, x *operation) []*operation { return d.make(updating(x).with(clears), deleting(x)) },
	},
	{name: "update X as seen, twice", make: func(d *device, x *operation) []*operation {
		return d.make(updating(x).with(seen), updating(x).with(seen))
	}},
	{
		name: "bad update X, delete X",
		make: func(d *device, x *operation) []*operation { return d.make(updating(x).with(bad), deleting(x)) },
	},
	{name: "delta update X, delete X", last: true, make: func(d *device, x *operation) []*operation {
		return d.make(updating(x).with(clears), deleting(x).with(seen))
	}},
	{name: "delta bad create, bad update X", last: true, make: func(d *device, x *operation) []*operation {
		return d.make(creating.with(bad), updating(x).with(bad))
	}},
}

// beside are the singles that stand beside a pair: an update and a deletion of X.
var beside = singles[9:11]

// A draft makes an operation.
type draft func(*operation)

var creating draft = func(o *operation) { o.action, o.amount = models.Create, 2 }

// updating is of x, or of what the device made last.
func updating(x *operation) draft {
	return func(o *operation) { o.action, o.amount = models.Update, 3; o.about(x) }
}

func deleting(x *operation) draft {
	return func(o *operation) { o.action = models.Delete; o.about(x) }
}

func (o *operation) about(x *operation) {
	if x != nil {
		o.id = o.d.w.told[x.n].id
		o.target = o.d.u.maker(o.id)
		return
	}
	made := o.d.queue[len(o.d.queue)-1]
	o.id, o.named = made.id, true
}

func (f draft) with(more draft) draft {
	return func(o *operation) { f(o); more(o) }
}

func bad(o *operation)    { o.bad, o.amount = true, 0 }
func poison(o *operation) { o.poison = true }

// twin is exactly like what the device queued last.
func twin(o *operation) {
	last := o.d.queue[len(o.d.queue)-1]
	o.text, o.moment = last.text, last.at
}
func client(o *operation) { o.client = fmt.Sprint("client ", o.n) }
func taken(o *operation)  { o.client = "taken" }
func seen(o *operation)   { o.seen = new(int64); *o.seen = 1 }
func clears(o *operation) { o.notes = new(string) }

// make has the device queue operations.
func (d *device) make(drafts ...draft) []*operation {
	for _, f := range drafts {
		o := d.w.newOperation(d)
		f(o)
		d.enqueue(o)
	}
	return slices.Clone(d.queue)
}

// A delivery is a request with some of a script's operations.
type delivery struct {
	first, last int // of the script
	fate        fate
}

// A pattern is how a script is delivered.
type pattern []delivery

func dies(t trouble, at int) fate { return fate{trouble: t, at: at} }

// smooth patterns come first.
var (
	ofOne = []pattern{
		{{0, 0, fate{}}},
		{{0, 0, fate{unheard: true}}, {0, 0, fate{}}},
		{{0, 0, dies(diesBefore, 1)}, {0, 0, fate{}}},
		{{0, 0, dies(diesAfter, 1)}, {0, 0, fate{}}},
		{{0, 0, dies(stays, 1)}},
	}
	ofTwo = []pattern{
		{{0, 1, fate{}}},
		{{0, 0, fate{}}, {1, 1, fate{}}},
		{{1, 1, fate{}}, {0, 0, fate{}}},
		{{0, 1, fate{unheard: true}}, {0, 1, fate{}}},
		{{0, 0, fate{unheard: true}}, {0, 1, fate{}}},
		{{1, 1, fate{unheard: true}}, {0, 1, fate{}}},
		{{0, 1, dies(diesBefore, 1)}, {0, 1, fate{}}},
		{{0, 1, dies(diesAfter, 1)}, {0, 1, fate{}}},
		{{0, 1, dies(diesBefore, 2)}, {0, 1, fate{}}},
		{{0, 1, dies(diesAfter, 2)}, {0, 1, fate{}}},
		{{0, 1, dies(passes, 2)}, {0, 1, fate{}}},
		{{0, 1, dies(stays, 1)}},
	}
)

// A scene is one case: what three devices have to send, how, and in which order
// their requests arrive.
type scene struct {
	scripts  [3]script
	ways     [3]int // which patterns these are
	patterns [3]pattern
	order    []int // of devices
}

// smallScope yields one case of so many, with its number from 1.
func smallScope(every int) iter.Seq2[int, scene] {
	return func(yield func(int, scene) bool) {
		n := 0
		each := func(s scene) bool {
			n++
			return n%every != 0 || yield(n, s)
		}
		for _, scripts := range castings() {
			if !stagings(scripts, each) {
				return
			}
		}
	}
}

// caseOf is the nth case, or the last one if there are not so many.
func caseOf(n int) (last scene) {
	for i, s := range smallScope(1) {
		if last = s; i == n {
			break
		}
	}
	return last
}

// numberOfCases is how many there are.
func numberOfCases() (n int) {
	for range smallScope(1) {
		n++
	}
	return n
}

// castings returns each choice of three scripts. The order of devices does not
// matter, for their requests come in every order; nor do two scripts that have
// nothing to do with X meet in more than the order of the log, so that no choice
// has more than one of them.
func castings() (all [][3]script) {
	for i, first := range singles {
		for j, second := range singles[i:] {
			for _, third := range singles[i+j:] {
				if !second.apart {
					all = append(all, [3]script{first, second, third})
				}
			}
		}
	}
	for _, pair := range pairs {
		for i, second := range beside {
			for _, third := range beside[i:] {
				all = append(all, [3]script{pair, second, third})
			}
		}
	}
	return all
}

// stagings yields each way to deliver scripts; false if yield had enough.
func stagings(scripts [3]script, yield func(scene) bool) bool {
	first := ofOne
	if slices.ContainsFunc(pairs, func(p script) bool { return p.name == scripts[0].name }) {
		first = ofTwo
	}
	for a := range first {
		for b := range ofOne {
			for c := range ofOne {
				if min(a, 1)+min(b, 1)+min(c, 1) > maxFaulty {
					continue
				}
				s := scene{scripts, [3]int{a, b, c}, [3]pattern{first[a], ofOne[b], ofOne[c]}, nil}
				if !s.orders(nil, yield) {
					return false
				}
			}
		}
	}
	return true
}

// requests is how many the device sends.
func (s *scene) requests(device int) int {
	n := len(s.patterns[device])
	if s.scripts[device].posted {
		n++
	}
	return n
}

// orders yields each order of all requests.
func (s *scene) orders(begun []int, yield func(scene) bool) bool {
	done := true
	for d := range s.scripts {
		if count(begun, d) < s.requests(d) {
			done = false
			if !s.orders(append(slices.Clone(begun), d), yield) {
				return false
			}
		}
	}
	staged := scene{s.scripts, s.ways, s.patterns, begun}
	return !done || staged.mirrors() || yield(staged)
}

// mirrors reports whether another case is this one with two devices exchanged that
// have the same to send.
func (s *scene) mirrors() bool {
	for d := range len(s.scripts) - 1 {
		first, second := slices.Index(s.order, d), slices.Index(s.order, d+1)
		turned := s.ways[d] > s.ways[d+1] || s.ways[d] == s.ways[d+1] && first > second
		if turned && s.scripts[d].name == s.scripts[d+1].name {
			return true
		}
	}
	return false
}

func count(all []int, n int) (times int) {
	for _, v := range all {
		if v == n {
			times++
		}
	}
	return times
}

// perform plays a case.
func (l *harness) perform(ctx context.Context, n int, s scene) (h *history, err error) {
	w := l.newCluster(ctx, 0)
	h = &w.history
	defer w.end(&err)
	w.still, w.chunk, w.page = true, 1, 2
	w.addProcess(0)
	u := w.addUser(0)
	queues := w.setUp(u, s.scripts)
	for i, d := range s.order {
		w.act(s, d, count(s.order[:i], d), queues[d])
	}
	w.decide(u, n%4)
	w.settle()
	w.check(u)
	return h, nil
}

// setUp returns each device its script and a connection.
func (w *cluster) setUp(u *user, scripts [3]script) (queues [3][]*operation) {
	for _, s := range scripts {
		w.addDevice(u).last = s.last
	}
	x, notes := w.newOperation(u.devices[0]), "to be cleared"
	creating(x)
	x.notes = &notes
	w.post(w.processes[0], fate{}, x)
	for i, d := range u.devices {
		d.connect(w.processes[0], d.claim())
		d.handle(0)
		w.now++
		queues[i] = scripts[i].make(d, x)
	}
	for i, s := range scripts {
		if s.other {
			w.borrow(u.devices[i])
		}
	}
	return queues
}

// borrow has another account do something on a device.
func (w *cluster) borrow(d *device) {
	w.now += 1000
	o := w.newOperation(&device{w: w, u: w.addUser(len(w.users)), id: d.id, browser: d.browser, name: d.name})
	creating(o)
	w.post(w.processes[0], fate{}, o)
}

// act lets the nth request of a device arrive.
func (w *cluster) act(s scene, device, n int, queue []*operation) {
	d, p := w.users[0].devices[device], w.processes[0]
	if !p.up {
		w.restart(p)
	}
	if s.scripts[device].posted {
		if n == 0 {
			w.postedBefore(p, queue[0], s.scripts[device].gone)
			return
		}
		n--
	}
	r := s.patterns[device][n]
	d.sync(p, r.fate, queue[r.first:r.last+1])
	for p.step() {
	}
}

// postedBefore is the POST of an operation that the device has queued since. What
// it made may be gone when the queue comes: deleted elsewhere.
func (w *cluster) postedBefore(p *process, o *operation, gone bool) {
	before := *o
	before.named, before.id = false, ""
	w.post(p, fate{unheard: true}, &before)
	if !gone {
		return
	}
	end := w.newOperation(o.d)
	end.action = models.Delete
	_, err := p.reconciler.Snapshot(w.ctx, o.u.id, func(_ int64, e models.Expense) error {
		if e.Description == o.text {
			end.id = e.ID
		}
		return nil
	})
	w.expect(err == nil && end.id != "", "%s made nothing: %v", o, err)
	end.target = o.d.u.maker(end.id)
	w.remove(p, fate{}, end)
}

// restart begins a process anew; its devices come back.
func (w *cluster) restart(p *process) {
	p.start()
	for _, d := range w.devices {
		d.connect(p, d.claim())
	}
}

// decide lets a person try again, mend or give up the first thing that is parked;
// then everything is sent once more.
func (w *cluster) decide(u *user, what int) {
	waiting, p := u.reference.waiting(), w.processes[0]
	if len(waiting) == 0 || what == 0 {
		return
	}
	if !p.up {
		w.restart(p)
	}
	k := waiting[0]
	stored := w.find(p, u, k)
	for range 2 {
		if what == 1 {
			w.discard(p, fate{}, u, k, stored)
		} else {
			w.retry(p, fate{}, k.o.d, k, stored, what == 2)
		}
	}
	for _, ops := range k.o.d.sent {
		w.batch(p, fate{unheard: true}, ops)
	}
}
