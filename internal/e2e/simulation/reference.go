package main

import (
	"slices"

	"expenseflow/models"
)

// A row is an expense as far as the reference knows it.
type row struct {
	text     string // its description
	amount   int64
	notes    string
	tags     tags
	merchant string
	version  int64
}

// An entry is one change of a log.
type entry struct {
	kind models.ChangeKind
	made int   // the change that made the expense
	at   int64 // when it was committed
	row  row
}

// An answer is what an operation came to, and the expense that it was about; both
// are the zero one where there is none.
type answer struct {
	status models.Status
	made   int // the change that made the expense
	row    row
}

// What a delta or a single request comes to, beside models' statuses.
const (
	conflict models.Status = "conflict"
	invalid  models.Status = "invalid"
)

// A reference is what one user's log has to be: each operation applied once, in
// the order of commits, the obvious way.
//
// Two operations may look exactly alike. They are one where a name says so, or
// where a request whose answer was lost explains the second (docs/contract.md#d16, docs/contract.md#d17);
// in doubt they are two (decision 14).
type reference struct {
	now, last int64 // the moment of the transaction, and of the last that wrote
	log       []entry
	rows      map[int]row      // by the changes that made them
	names     map[string]int   // of devices, for expenses
	kept      map[name]*kept   // operations of batches
	queue     []*kept          // the same, in order
	deltas    map[name]answer  // those of deltas that succeeded
	clients   map[string]named // creations by their clients' names for them
	posts     []post           // creations by an unnamed POST that no queue has claimed, in order

	issued int64                          // when the token of the request was
	past   past                           // of the device, before the request
	acts   map[string]map[*reference]acts // of devices and browsers, for whom they acted; all references have it
}

// Acts are when a device first and last acted for a user.
type acts struct{ first, last int64 }

// A past is what a device or its browser did for the user and for others, as far as the rule needs it.
type past struct {
	own    acts
	other  int64 // the last act
	proven bool  // by the browser's cookie; else it is what devices call themselves
}

// A kept operation is one that its repetition finds.
type kept struct {
	o      *operation
	answer answer
	state  models.OperationState
}

// A name is all that tells an operation from others. Those of one batch that are
// alike in the rest are told apart by their places; in two batches the second is
// the first one's repetition.
type name struct {
	device string // not of a delta, which does not tell it
	id     string // as it is sent; of a delta, what its browser calls the entry too
	action models.Action
	at     int64
	data   string
	nth    int // of those that are alike in the batch
}

// A look is what a person sees of a creation.
type look struct {
	text   string
	amount int64
	notes  string
}

// A named creation is what its client's name for it finds.
type named struct {
	look   look
	answer answer
}

// A post is a creation whose answer may have been lost.
type post struct {
	made   int
	device string
	look   look
	at     int64 // when it was received
}

// window is how long before and after an operation was queued a POST of the same
// may have been received to be the one that it repeats.
const window = 5000

func newReference(all map[string]map[*reference]acts) *reference {
	return &reference{
		acts: all,
		rows: map[int]row{}, names: map[string]int{}, kept: map[name]*kept{}, deltas: map[name]answer{},
		clients: map[string]named{},
	}
}

// receive begins a request with a queue, from a browser that may not say which it is,
// and a device that a delta does not name; issued is when its token was.
func (r *reference) receive(browser, deviceID string, issued int64) {
	acted := r.acts[deviceID]
	if browser != "" {
		acted = r.acts[browser]
	}
	r.issued, r.past = issued, past{own: acted[r], proven: browser != ""}
	for who, s := range acted {
		if who != r {
			r.past.other = max(r.past.other, s.last)
		}
	}
}

// ahead is how far a device's clock may be ahead and still be believed.
const ahead = 5 * 60 * 1000

// foreign reports whether another account queued an operation of a batch
// (docs/contract.md#accounts-on-one-device): the browser has acted for it since; or it was
// the last for which the
// browser acted when that was queued, and the user had not signed in by then. A
// moment to come tells nothing: then it is whose the browser was last. Of a browser
// that does not say which it is there is only what its device calls itself: then what
// is older than the user's token and their first request under that name is another's.
func (r *reference) foreign(o *operation) bool {
	p := &r.past
	if !o.queued || o.retried || p.other == 0 {
		return false
	}
	if !p.proven {
		return o.at < r.issued && (p.own.first == 0 || o.at < p.own.first)
	}
	theirs := p.own.last < p.other || o.at < p.own.first
	return o.at < p.other || theirs && (o.at < r.issued || o.at > r.now+ahead)
}

// touch notes that a device or a browser acted for the user.
func (r *reference) touch(names ...string) {
	for _, name := range names {
		if name == "" {
			continue
		}
		if r.acts[name] == nil {
			r.acts[name] = map[*reference]acts{}
		}
		s := r.acts[name][r]
		if s.first == 0 {
			s.first = r.now
		}
		r.acts[name][r] = acts{s.first, r.now}
	}
}

// begin begins a transaction, which is later than what the last one wrote whatever
// the clock says.
func (r *reference) begin(now int64) { r.now = max(now, r.last+1) }

func (r *reference) write() { r.last = r.now }

func (r *reference) append(kind models.ChangeKind, made int, e row) {
	r.write()
	r.log = append(r.log, entry{kind, made, r.now, e})
}

// namesOf are the names of a batch's operations.
func namesOf(ops []*operation) []name {
	seen, names := map[name]int{}, make([]name, len(ops))
	for i, o := range ops {
		n := name{device: o.d.id, id: o.id, action: o.action, at: o.at, data: string(o.data())}
		names[i], seen[n] = n, seen[n]+1
		names[i].nth = seen[n]
	}
	return names
}

// batch applies an operation of a batch; again tells that it was known.
func (r *reference) batch(o *operation, n name) (a answer, again bool) {
	if k := r.kept[n]; k != nil {
		return k.answer, true
	}
	a = parked(r.perform(o))
	k := &kept{o, a, stateOf(o, a)}
	r.kept[n], r.queue = k, append(r.queue, k)
	r.touch(o.d.id, o.d.browser)
	r.write()
	return a, false
}

// parked is how a batch says that something was refused.
func parked(a answer) answer {
	if a.status == invalid || a.status == conflict {
		return answer{status: models.StatusParked}
	}
	return a
}

func stateOf(o *operation, a answer) models.OperationState {
	if a.status == models.StatusParked || a.status == models.StatusNotFound && o.action == models.Update {
		return models.Parked
	}
	return models.Applied
}

// waiting is what is parked, in order.
func (r *reference) waiting() (ks []*kept) {
	for _, k := range r.queue {
		if k.state == models.Parked {
			ks = append(ks, k)
		}
	}
	return ks
}

// retry applies a parked operation again, as o has it now, for a person at a device.
func (r *reference) retry(k *kept, o *operation, at *device) answer {
	if k.state == models.Parked {
		n := len(r.log)
		k.answer = parked(r.perform(o))
		if len(r.log) > n {
			r.touch(at.id, at.browser)
		}
		k.state = stateOf(o, k.answer)
		r.write()
	}
	return k.answer
}

// discard gives a parked operation up.
func (r *reference) discard(k *kept) {
	k.state = models.Discarded
	r.write()
}

// delta applies an entry of a delta, where deleting what is gone succeeds and only
// what succeeded is kept.
func (r *reference) delta(o *operation) (a answer, again bool) {
	n := name{id: o.local + " " + o.id, action: o.action, at: o.at, data: string(o.data())}
	if a, ok := r.deltas[n]; ok {
		return a, true
	}
	if target, there := r.rows[o.target]; o.action == models.Delete && there && older(o.seen, target) {
		return answer{status: conflict}, false
	}
	logged := len(r.log)
	if a = r.perform(o); len(r.log) > logged {
		r.touch(o.d.browser)
	}
	if a.status == conflict || a.status == invalid || a.status == models.StatusNotFound && o.action == models.Update {
		return answer{status: a.status}, false
	}
	r.deltas[n] = a
	r.write()
	return a, false
}

// single applies an operation that is a request of its own.
func (r *reference) single(o *operation) answer {
	n := len(r.log)
	a := r.perform(o)
	if len(r.log) > n {
		r.touch(o.d.id, o.d.browser)
	}
	if o.client == "" && a.status == models.StatusCreated {
		r.posts = append(r.posts, post{a.made, o.d.id, o.look(), r.now})
	}
	return a
}

// perform does what an operation asks.
func (r *reference) perform(o *operation) answer {
	switch {
	case o.bad, r.foreign(o):
		return answer{status: invalid}
	case o.action == models.Create:
		return r.create(o)
	}
	target := o.target
	switch {
	case o.named:
		target = r.names[o.d.id+o.id]
	case o.u.reference != r:
		target = 0 // theirs
	}
	e, there := r.rows[target]
	switch {
	case !there:
		return answer{status: models.StatusNotFound}
	case o.action == models.Delete:
		delete(r.rows, target)
		r.append(models.ExpenseDeleted, target, e)
		return answer{models.StatusDeleted, target, e}
	case older(o.seen, e):
		return answer{status: conflict}
	case o.poison:
		return answer{status: invalid}
	}
	return r.update(o, target, e)
}

func older(seen *int64, e row) bool { return seen != nil && *seen < e.version }

func (r *reference) create(o *operation) answer {
	a := r.known(o)
	switch {
	case a.status == conflict:
		return a
	case a.status != "":
	case o.poison:
		return answer{status: invalid}
	default:
		a = r.make(o)
	}
	if o.named {
		r.names[o.d.id+o.id] = a.made
	}
	return a
}

// known is what a creation comes to that is another one's repetition. The client's
// name for it decides, if it has one; otherwise an earlier POST may be the same.
func (r *reference) known(o *operation) answer {
	first, known := r.clients[o.d.id+o.client]
	switch {
	case o.client == "":
		return r.claim(o)
	case !known || o.retried:
		return answer{}
	case first.look != o.look():
		return answer{status: conflict}
	}
	return answer{models.StatusDuplicate, first.answer.made, first.answer.row}
}

// claim finds the earliest POST whose lost answer explains a queued creation: of the
// same device and look, received when that was queued, and not claimed before. What
// became of the expense since stays.
func (r *reference) claim(o *operation) answer {
	i := slices.IndexFunc(r.posts, func(p post) bool {
		return o.named && p.device == o.d.id && p.look == o.look() && p.at >= o.at-window && p.at <= o.at+window
	})
	if i < 0 {
		return answer{}
	}
	made := r.posts[i].made
	r.posts = slices.Delete(r.posts, i, i+1)
	r.write()
	if e, there := r.rows[made]; there {
		return answer{models.StatusDuplicate, made, e}
	}
	return answer{models.StatusDuplicate, made, o.look().row()}
}

func (o *operation) look() look {
	l := look{text: o.text, amount: o.amount}
	if o.notes != nil {
		l.notes = *o.notes
	}
	return l
}

func (l look) row() row {
	return row{text: l.text, amount: l.amount, notes: l.notes, tags: tags(l.notes), version: 1}
}

func (r *reference) make(o *operation) answer {
	a := answer{models.StatusCreated, len(r.log) + 1, o.look().row()}
	if o.client != "" && !o.retried {
		r.clients[o.d.id+o.client] = named{o.look(), a}
	}
	r.rows[a.made] = a.row
	r.append(models.ExpenseCreated, a.made, a.row)
	return a
}

func (r *reference) update(o *operation, target int, e row) answer {
	if o.amount > 0 {
		e.amount = o.amount
	}
	if o.notes != nil {
		e.notes, e.tags = *o.notes, tags(*o.notes)
	}
	e.merchant, e.version = o.text, e.version+1
	r.rows[target] = e
	r.append(models.ExpenseUpdated, target, e)
	return answer{models.StatusUpdated, target, e}
}
