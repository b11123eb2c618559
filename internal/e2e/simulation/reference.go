package main

import "expenseflow/models"

// A row is an expense as far as the reference knows it.
type row struct {
	made     int // the operation that made it
	amount   int64
	notes    string
	merchant string
	version  int64
}

// An entry is one change of a log.
type entry struct {
	kind models.ChangeKind
	row  row
}

// An answer is what an operation came to; the row is the zero one where there is
// none.
type answer struct {
	status models.Status
	row    row
}

// What a delta or a single request comes to, beside models' statuses.
const (
	conflict models.Status = "conflict"
	invalid  models.Status = "invalid"
)

// A reference is what one user's log has to be: each operation applied once, in
// the order of commits, the obvious way.
type reference struct {
	log     []entry
	rows    map[int]row
	names   map[string]int    // of devices, for expenses
	kept    map[int]*kept     // operations of batches
	deltas  map[int]answer    // those of deltas that succeeded
	clients map[string]row    // creations by their clients' names for them
	posts   map[int]operation // creations by an unnamed POST that no queue has claimed
}

// A kept operation is one that its repetition finds.
type kept struct {
	o      *operation
	answer answer
	state  models.OperationState
}

func newReference() *reference {
	return &reference{
		rows: map[int]row{}, names: map[string]int{}, kept: map[int]*kept{}, deltas: map[int]answer{},
		clients: map[string]row{}, posts: map[int]operation{},
	}
}

// batch applies an operation of a batch; again tells that it was known.
func (r *reference) batch(o *operation) (a answer, again bool) {
	if k := r.kept[o.n]; k != nil {
		return k.answer, true
	}
	a = parked(r.perform(o))
	r.kept[o.n] = &kept{o, a, stateOf(o, a)}
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

// retry applies a parked operation again, as o has it now.
func (r *reference) retry(o *operation) answer {
	k := r.kept[o.n]
	if k.state == models.Parked {
		k.answer = parked(r.perform(o))
		k.state = stateOf(o, k.answer)
	}
	return k.answer
}

// delta applies an entry of a delta, where deleting what is gone succeeds and only
// what succeeded is kept.
func (r *reference) delta(o *operation) (a answer, again bool) {
	if a, ok := r.deltas[o.n]; ok {
		return a, true
	}
	if target, there := r.rows[o.target]; o.action == models.Delete && there && older(o.seen, target) {
		return answer{status: conflict}, false
	}
	if a = r.perform(o); a.status == conflict || a.status == invalid || a.status == models.StatusNotFound && o.action == models.Update {
		return answer{status: a.status}, false
	}
	r.deltas[o.n] = answer{status: a.status, row: a.row}
	return a, false
}

// single applies an operation that is a request of its own.
func (r *reference) single(o *operation) answer {
	a := r.perform(o)
	if o.client == "" && a.status == models.StatusCreated {
		r.posts[o.n] = *o
	}
	return a
}

// perform does what an operation asks.
func (r *reference) perform(o *operation) answer {
	switch {
	case o.bad, o.foreign:
		return answer{status: invalid}
	case o.action == models.Create:
		return r.create(o)
	}
	target := o.target
	if o.named {
		target = r.names[o.d.id+o.id]
	}
	e, there := r.rows[target]
	switch {
	case !there:
		return answer{status: models.StatusNotFound}
	case o.action == models.Delete:
		delete(r.rows, target)
		r.log = append(r.log, entry{models.ExpenseDeleted, e})
		return answer{models.StatusDeleted, e}
	case older(o.seen, e):
		return answer{status: conflict}
	}
	return r.update(o, e)
}

func older(seen *int64, e row) bool { return seen != nil && *seen < e.version }

func (r *reference) create(o *operation) answer {
	first, known := r.clients[o.d.id+o.client]
	if known && first.made != o.n {
		return answer{status: conflict}
	}
	if o.named {
		r.names[o.d.id+o.id] = o.n
	}
	fresh := row{made: o.n, amount: o.amount, version: 1}
	if o.notes != nil {
		fresh.notes = *o.notes
	}
	if _, claimed := r.posts[o.n]; claimed {
		delete(r.posts, o.n)
		if e, there := r.rows[o.n]; there {
			fresh = e
		}
		return answer{models.StatusDuplicate, fresh}
	}
	if known {
		return answer{models.StatusDuplicate, first}
	}
	if o.client != "" {
		r.clients[o.d.id+o.client] = fresh
	}
	r.rows[o.n] = fresh
	r.log = append(r.log, entry{models.ExpenseCreated, fresh})
	return answer{models.StatusCreated, fresh}
}

func (r *reference) update(o *operation, e row) answer {
	if o.amount > 0 {
		e.amount = o.amount
	}
	if o.notes != nil {
		e.notes = *o.notes
	}
	e.merchant, e.version = o.marker(), e.version+1
	r.rows[e.made] = e
	r.log = append(r.log, entry{models.ExpenseUpdated, e})
	return answer{models.StatusUpdated, e}
}
