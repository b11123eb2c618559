package main

import (
	"bytes"
	"maps"
	"slices"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// patience is how often a device with a good network may have to send its queue
// until it is empty.
const patience = 5

// wholeLog is more than any log has.
const wholeLog = 100_000

// settle makes the network well and lets everything arrive. One poll has to be
// enough: it is a second's worth.
func (w *cluster) settle() {
	w.note("all is well from here on")
	for _, p := range w.processes {
		if !p.up {
			p.start()
		}
	}
	for _, d := range w.devices {
		d.comeBack()
		for range patience {
			if len(d.queue) > 0 {
				d.sync(pick(w, w.processes), fate{}, slices.Clone(d.queue))
			}
		}
		w.expect(len(d.queue) == 0, "%s cannot get rid of its queue", d.name)
	}
	for _, p := range w.processes {
		p.poll()
	}
	for _, d := range w.devices {
		d.drain()
	}
}

// comeBack connects a device that has no connection.
func (d *device) comeBack() {
	if d.link == nil {
		d.connect(pick(d.w, d.w.processes), d.claim())
	}
}

// drain handles events until there are no more.
func (d *device) drain() {
	for more := true; more; more = d.link == nil || len(d.link.queue) > 0 {
		d.comeBack()
		p := d.link.p
		d.handle(len(d.link.queue)) // loads the page too, if it is not
		for p.step() {
		}
	}
}

// check holds what is left of a user against what was promised.
func (w *cluster) check(u *user) {
	log := w.log(u)
	w.checkReference(u, log)
	w.checkVersions(log)
	w.checkAcknowledged(u, log)
	fold := w.checkFold(u, log)
	for _, d := range w.devices {
		if d.u != u {
			continue
		}
		w.expect(maps.Equal(fold, d.rows), "%s shows %v, the log says %v", d.name, d.rows, fold)
		w.expect(d.position == int64(len(log)), "%s is at %d of %d", d.name, d.position, len(log))
	}
	w.checkParked(u)
	w.note("%s: %d changes, %d expenses", u.name, len(log), len(fold))
}

// log is the user's, which has no gap.
func (w *cluster) log(u *user) []models.Change {
	kept, err := w.harness.store.Changes(w.ctx, u.id, int64(u.start), wholeLog)
	w.expect(err == nil, "the log cannot be read: %v", err)
	log := append(slices.Clip(u.log[:u.start]), kept...) // what is cut off as it was
	for i, c := range log {
		w.expect(c.Seq == int64(i)+1 && c.UserID == u.id, "entry %d of the log is %d of %s", i+1, c.Seq, c.UserID)
	}
	head, err := w.harness.store.Head(w.ctx, u.id)
	w.expect(err == nil && head == int64(len(log)), "the log has %d entries and ends at %d: %v", len(log), head, err)
	return log
}

// checkReference: every operation is in the log as if each had been applied once,
// in the order of commits.
func (w *cluster) checkReference(u *user, log []models.Change) {
	w.expect(len(log) == len(u.reference.log), "the log of %s has %d entries, not %d", u.name, len(log), len(u.reference.log))
	for i, c := range log {
		d, want := documentOf(&c.Expense), u.reference.log[i]
		u.knows(c.EntityID, want.made)
		got := entry{c.Kind, want.made, c.At.UnixMilli(), d.row()}
		w.expect(got == want, "change %d of %s is %v, not %v", c.Seq, u.name, got, want)
	}
}

// checkVersions: an expense's versions begin at 1 and grow by 1, a deletion has its
// last one, and moments do not go back.
func (w *cluster) checkVersions(log []models.Change) {
	version := map[string]int64{}
	for i, c := range log {
		want := version[c.EntityID]
		if c.Kind != models.ExpenseDeleted {
			want++
		}
		w.expect(c.Expense.Version == want, "change %d has version %d after %d", c.Seq, c.Expense.Version, version[c.EntityID])
		w.expect(i == 0 || !c.At.Before(log[i-1].At), "change %d is of before the one before it", c.Seq)
		version[c.EntityID] = want
	}
}

// checkAcknowledged: whatever a device was told has been done is in the log exactly
// once. It knows nothing of the reference.
func (w *cluster) checkAcknowledged(u *user, log []models.Change) {
	effects := map[string]int{}
	for _, c := range log {
		switch c.Kind {
		case models.ExpenseCreated:
			effects["making of "+c.EntityID+" as "+c.Expense.Description]++
		case models.ExpenseUpdated:
			effects[c.Expense.Merchant]++
		case models.ExpenseDeleted:
			effects["end of "+c.EntityID]++
		}
	}
	for _, o := range w.operations {
		effect, t := o.text, w.told[o.n]
		switch t.status {
		case models.StatusDeleted:
			effect = "end of " + t.id
		case models.StatusCreated, models.StatusDuplicate:
			effect = "making of " + t.id + " as " + o.text
		case models.StatusUpdated:
		default:
			continue
		}
		w.expect(t.u != u || effects[effect] == 1, "%s was acknowledged and is %d times in the log", o, effects[effect])
	}
}

// checkFold: the log's fold is what SELECT gives. It gives it as devices show it.
func (w *cluster) checkFold(u *user, log []models.Change) map[string]document {
	fold := map[string]models.Expense{}
	for _, c := range log {
		if c.Kind == models.ExpenseDeleted {
			delete(fold, c.EntityID)
		} else {
			fold[c.EntityID] = c.Expense
		}
	}
	n, shown := 0, map[string]document{}
	err := w.harness.store.EachExpense(w.ctx, u.id, func(e models.Expense) error {
		logged, there := fold[e.ID]
		same := there && bytes.Equal(wire.AppendPulledExpense(nil, &e), wire.AppendPulledExpense(nil, &logged))
		w.expect(same, "SELECT gives %v, the log %v", e, logged)
		shown[e.ID] = documentOf(&e)
		n++
		return nil
	})
	w.expect(err == nil && n == len(fold), "SELECT gives %d expenses, the log %d: %v", n, len(fold), err)
	return shown
}

// checkParked: what waits for the user is what has to.
func (w *cluster) checkParked(u *user) {
	parked := 0
	err := w.harness.store.EachParked(w.ctx, u.id, func(models.QueuedOperation) error { parked++; return nil })
	w.expect(err == nil, "parked operations cannot be read: %v", err)
	want := len(u.reference.waiting())
	w.expect(parked == want, "%d operations are parked, not %d", parked, want)
}

// acknowledge notes what a device was told, which has to be true.
func (w *cluster) acknowledge(u *user, o *operation, s models.Status, d *document, want answer) {
	got, id := answer{status: s, made: want.made}, ""
	if d != nil {
		got.row, id = d.row(), d.ID
	}
	w.expect(got == want, "%s came to %v and is answered %v", o, want, got)
	w.recordAnswer(u, o, s, id, want.made)
}

// recordAnswer notes the same, and which expense it is about.
func (w *cluster) recordAnswer(u *user, o *operation, s models.Status, id string, made int) {
	if made != 0 {
		u.knows(id, made)
	}
	w.told[o.n] = told{u, s, id}
}
