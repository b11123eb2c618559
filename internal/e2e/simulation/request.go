package main

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"expenseflow/internal/ledger"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A trouble is what happens to a server while it works on a request.
type trouble string

// The troubles.
const (
	none       trouble = ""
	diesBefore trouble = "dies before commit"
	diesAfter  trouble = "dies after commit"
	passes     trouble = "store fails"  // what a lost connection is
	stays      trouble = "commit fails" // as a defect of ours, or data that no database takes
)

// A fate is what becomes of a request.
type fate struct {
	lost    bool // it never arrives
	unheard bool // its answer never does
	trouble trouble
	at      int // the request's transaction that meets the trouble, from 1
}

func (f fate) String() string {
	switch {
	case f.lost:
		return "is lost"
	case f.trouble != none:
		return string(f.trouble)
	case f.unheard:
		return "answer is lost"
	}
	return "is answered"
}

// A request is one that a process works on.
type request struct {
	w              *cluster
	fate           fate
	begun, commits int // transactions that were about to commit, and those that did
}

// death is the panic of a process that dies.
type death struct{}

var (
	errAway   = models.E(models.Unavailable, "the database is away")
	errDefect = errors.New("a defect")
)

func (r *request) committing() error {
	r.begun++
	r.w.meanwhile()
	if r.begun != r.fate.at {
		return nil
	}
	switch r.fate.trouble {
	case diesBefore:
		panic(death{})
	case passes:
		return errAway
	case stays:
		return errDefect
	}
	return nil
}

func (r *request) committed() {
	r.commits++
	if r.fate.trouble == diesAfter && r.commits == r.fate.at {
		panic(death{})
	}
}

// An outcome is what whoever sent a request knows and what really happened.
type outcome struct {
	heard   bool // an answer came, be it an error
	err     error
	commits int // transactions that were committed
}

// send has a process work on a request.
func (w *cluster) send(p *process, f fate, do func() error) (out outcome) {
	if f.lost || !p.up {
		w.count("requests lost")
		return out
	}
	r := &request{w: w, fate: f}
	w.request = r
	died := true
	defer func() {
		w.request = nil
		out.commits = r.commits
		if died {
			if cause := recover(); cause != (death{}) {
				panic(cause)
			}
			out.heard = false
			w.count("processes that died in a request")
			p.die()
		}
	}()
	out.err = do()
	died = false
	out.heard = !f.unheard
	if f.unheard {
		w.count("answers lost")
	}
	return out
}

// batch sends operations as one batch and tells whether they were answered.
func (w *cluster) batch(p *process, f fate, s sending) bool {
	u, ops := s.u, s.ops
	var results []models.Result
	out := w.send(p, f, func() (err error) {
		parsed, err := wire.ParseBatch(batchBody(ops))
		if err == nil {
			results, err = p.reconciler.Apply(w.ctx, u.id, s.author(), parsed)
		}
		return err
	})
	w.note("%s: batch of %v %s", p.name, numbers(ops), f)
	names := namesOf(ops)
	u.reference.receive(ops[0].d.browser, ops[0].d.id, s.issued)
	want := w.applied("batch", s, out.commits, func(i int) (answer, bool) { return u.reference.batch(ops[i], names[i]) })
	if !out.heard || out.err != nil {
		w.expect(!out.heard || passing(out.err, ops), "a batch failed for good: %v", out.err)
		return false
	}
	w.answered(s, wire.AppendResults(nil, results), want)
	return true
}

// author is who the request is from: it names no device.
func (s *sending) author() models.Author {
	by := s.u.author("")
	by.TokenIssued, by.Browser = time.UnixMilli(s.issued), s.ops[0].d.browser
	return by
}

// passing reports whether a queue may fail so as to be sent again: for trouble that
// will pass, and for a second defect while it is applied one by one.
func passing(err error, ops []*operation) bool {
	undone := slices.ContainsFunc(ops, func(o *operation) bool { return o.poison })
	return models.KindOf(err) == models.Unavailable || undone && errors.Is(err, errDefect)
}

// applied has the reference apply those of a user's operations that were committed.
func (w *cluster) applied(door string, s sending, commits int, apply func(i int) (answer, bool)) []answer {
	want := make([]answer, len(s.ops))
	for i, o := range s.ops[:min(len(s.ops), commits*w.chunk)] {
		if i%w.chunk == 0 {
			s.u.reference.begin(w.now)
		}
		var again bool
		want[i], again = apply(i)
		w.outcome(door, o, want[i], again)
		if o.u != s.u {
			w.count("operations of another account " + string(want[i].status))
		}
	}
	return want
}

// answered reads the answer to a batch as a browser does.
func (w *cluster) answered(s sending, body []byte, want []answer) {
	ops := s.ops
	var reply struct {
		Results []struct {
			ResourceID string        `json:"resourceId"`
			Success    bool          `json:"success"`
			Status     models.Status `json:"status"`
			Data       *document     `json:"data"`
		} `json:"results"`
	}
	err := json.Unmarshal(body, &reply)
	w.expect(err == nil && len(reply.Results) == len(ops), "%d operations are answered %s", len(ops), body)
	for i, r := range reply.Results {
		w.expect(r.ResourceID == ops[i].id && r.Success == (r.Status != models.StatusParked), "result %d is of %s", i, r.ResourceID)
		w.acknowledge(s.u, ops[i], r.Status, r.Data, want[i])
	}
}

// delta sends operations as a delta; it gives those that the browser keeps.
func (w *cluster) delta(p *process, f fate, s sending) (keep []*operation, heard bool) {
	u, ops := s.u, s.ops
	var results []models.DeltaResult
	out := w.send(p, f, func() (err error) {
		parsed, err := wire.ParseDelta(deltaBody(ops))
		if err == nil {
			results, err = p.reconciler.Delta(w.ctx, u.id, s.author(), parsed)
		}
		return err
	})
	w.note("%s: delta of %v %s", p.name, numbers(ops), f)
	u.reference.receive(ops[0].d.browser, "", s.issued)
	want := w.applied("delta", s, out.commits, func(i int) (answer, bool) { return u.reference.delta(ops[i]) })
	if !out.heard || out.err != nil {
		w.expect(!out.heard || passing(out.err, ops), "a delta failed for good: %v", out.err)
		return ops, false
	}
	w.expect(len(results) == len(ops), "%d entries are answered by %d", len(ops), len(results))
	return w.sorted(ops, encoded(wire.NewDelta(results)), want), true
}

// sorted reads the answer to a delta as a browser does, by localId.
func (w *cluster) sorted(ops []*operation, body []byte, want []answer) (keep []*operation) {
	type item struct {
		LocalID  json.RawMessage `json:"localId"`
		ServerID string          `json:"serverId"`
	}
	var reply struct{ Success, Conflicts, Errors []item }
	if err := json.Unmarshal(body, &reply); err != nil {
		w.expect(false, "a delta is answered %s", body)
	}
	find := func(items []item, o *operation) (id string, ok bool) {
		for _, it := range items {
			if string(it.LocalID) == o.local {
				return it.ServerID, true
			}
		}
		return "", false
	}
	for i, o := range ops {
		id, success := find(reply.Success, o)
		_, conflicts := find(reply.Conflicts, o)
		_, errs := find(reply.Errors, o)
		refused := want[i].status == conflict || want[i].status == invalid || o.action == models.Update &&
			want[i].status == models.StatusNotFound
		w.expect(success == !refused && conflicts == (want[i].status == conflict) && errs == (refused && !conflicts),
			"%s came to %s and is answered %s", o, want[i].status, body)
		switch {
		case success:
			w.recordAnswer(o.u, o, want[i].status, id, want[i].made)
		case conflicts && w.chance(50):
			o.seen = nil // the person insists
			keep = append(keep, o)
		}
	}
	return keep
}

// post creates an expense by a request of its own.
func (w *cluster) post(p *process, f fate, o *operation) bool {
	return w.alone("post", p, f, o, func() (*models.Expense, error) {
		body := o.fields()
		body["deviceId"] = o.d.id
		draft, meta, err := wire.ParseDraft(encoded(body))
		if err != nil {
			return nil, err
		}
		e, err := p.ledger.CreateExpense(w.ctx, o.u.id, ledger.ExpenseCreation{
			Draft: draft, Author: o.d.author(meta.DeviceID), ClientID: meta.ClientID, Posted: true,
		})
		return &e, err
	})
}

// put updates an expense by a request of its own, which names all of it.
func (w *cluster) put(p *process, f fate, o *operation, whole document) bool {
	return w.alone("put", p, f, o, func() (*models.Expense, error) {
		body := o.fields()
		body["deviceId"], body["description"], body["category"], body["type"] = o.d.id, whole.Description, whole.Category, whole.Type
		patch, meta, err := wire.ParseFullPatch(encoded(body))
		if err != nil {
			return nil, err
		}
		e, err := p.ledger.UpdateExpense(w.ctx, o.u.id, o.id, meta.Version, patch, o.d.author(meta.DeviceID))
		return &e, err
	})
}

// remove deletes an expense by a request of its own.
func (w *cluster) remove(p *process, f fate, o *operation) bool {
	return w.alone("delete", p, f, o, func() (*models.Expense, error) {
		e, err := p.ledger.DeleteExpense(w.ctx, o.u.id, o.id, o.d.author(o.d.id))
		return &e, err
	})
}

// alone sends an operation as a request of its own and tells whether the answer
// was 2xx.
func (w *cluster) alone(door string, p *process, f fate, o *operation, do func() (*models.Expense, error)) bool {
	var e *models.Expense
	out := w.send(p, f, func() (err error) {
		e, err = do()
		return err
	})
	w.note("%s: %s of op %d %s", p.name, door, o.n, f)
	refused := out.err != nil && models.KindOf(out.err) != models.Unavailable && !errors.Is(out.err, errDefect)
	var want answer
	if out.commits > 0 || refused {
		o.u.reference.begin(w.now)
		want = o.u.reference.single(o)
		w.outcome(door, o, want, want.status == models.StatusDuplicate)
	}
	if out.err != nil {
		w.expect(!refused || kinds[want.status] == models.KindOf(out.err), "%s came to %s and fails with %v", o, want.status, out.err)
		return false
	}
	if !out.heard {
		return false
	}
	d := documentOf(e)
	w.acknowledge(o.u, o, want.status, &d, want)
	return true
}

var kinds = map[models.Status]models.Kind{
	invalid: models.Invalid, conflict: models.Conflict, models.StatusNotFound: models.NotFound,
}

func numbers(ops []*operation) (ns []int) {
	for _, o := range ops {
		ns = append(ns, o.n)
	}
	return ns
}
