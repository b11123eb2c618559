package main

import (
	"encoding/json"
	"slices"

	"expenseflow/models"
)

// personDecides lets a person look at what is parked, and try one of it again, as
// it was or mended, or give it up.
func (w *cluster) personDecides() {
	d, p := pick(w, w.devices), pick(w, w.processes)
	waiting := d.u.reference.waiting()
	if len(waiting) == 0 || !p.up {
		return
	}
	k := pick(w, waiting)
	stored := w.find(p, d.u, k)
	if w.chance(30) {
		w.discard(p, w.draw(1), d.u, k, stored)
		return
	}
	w.retry(p, w.draw(1), d, k, stored, w.chance(60))
}

// find asks for what is parked, which comes in order, and gives the id of one of it.
func (w *cluster) find(p *process, u *user, k *kept) string {
	ops, err := p.reconciler.Pending(w.ctx, u.id)
	waiting := u.reference.waiting()
	w.expect(err == nil && len(ops) == len(waiting), "%d operations are parked, not %d: %v", len(ops), len(waiting), err)
	i := slices.Index(waiting, k)
	op := &ops[i]
	same := op.ResourceID == k.o.id && op.DeviceID == k.o.d.id && op.Timestamp != nil && *op.Timestamp == k.o.at
	w.expect(same, "%s is parked as %s of %s", k.o, op.ResourceID, op.DeviceID)
	return op.ID
}

func (w *cluster) discard(p *process, f fate, u *user, k *kept, stored string) {
	out := w.send(p, f, func() error { return p.reconciler.Discard(w.ctx, u.id, stored) })
	w.note("%s: op %d is given up, %d commits", p.name, k.o.n, out.commits)
	if out.commits > 0 {
		u.reference.begin(w.now)
		u.reference.discard(k)
		w.outcome("discard", k.o, answer{status: k.answer.status}, false)
	}
}

// retry tries a parked operation again; mended, it breaks no rule and names no
// version.
func (w *cluster) retry(p *process, f fate, d *device, k *kept, stored string, mended bool) {
	var data json.RawMessage
	again := *k.o
	if mended && again.action != models.Delete {
		again.bad, again.poison, again.seen = false, false, nil
		if again.amount == 0 {
			again.amount = 1
		}
		data = again.data()
	}
	again.retried = true // a person decided that it is not what its name stands for, and whose it is
	var r models.Result
	out := w.send(p, f, func() (err error) {
		r, err = p.reconciler.Retry(w.ctx, d.u.id, d.author(d.id), stored, data)
		return err
	})
	w.note("%s: op %d is tried again, mended %t, %s", p.name, again.n, mended, f)
	if out.commits == 0 {
		w.expect(out.err == nil || !out.heard || f.trouble != none, "a retry failed: %v", out.err)
		return
	}
	d.u.reference.begin(w.now)
	want := d.u.reference.retry(k, &again, d)
	w.outcome("retry", &again, want, false)
	w.expect(out.err != nil || !out.heard || r.Status == want.status, "%s came to %s when it was tried again, and is answered %s",
		&again, want.status, r.Status)
}
