package main

import (
	"encoding/json"
	"slices"

	"expenseflow/models"
)

// personDecides lets a person look at what is parked, and try one of it again, as
// it was or mended, or give it up.
func (w *world) personDecides() {
	d, p := pick(w, w.devices), pick(w, w.processes)
	waiting := d.u.waiting()
	if len(waiting) == 0 || !p.up {
		return
	}
	k := pick(w, waiting)
	stored := w.find(p, k)
	if w.chance(30) {
		w.discard(p, w.draw(1), k, stored)
		return
	}
	w.retry(p, w.draw(1), d, k, stored, w.chance(60))
}

// waiting is what is parked, in order.
func (u *user) waiting() (ks []*kept) {
	for _, k := range u.reference.kept {
		if k.state == models.Parked {
			ks = append(ks, k)
		}
	}
	slices.SortFunc(ks, func(a, b *kept) int { return a.o.n - b.o.n })
	return ks
}

// find asks for what is parked and gives the id of one of it.
func (w *world) find(p *process, k *kept) string {
	ops, err := p.reconciler.Pending(w.ctx, k.o.d.u.id)
	w.expect(err == nil, "what is parked cannot be read: %v", err)
	for _, op := range ops {
		if op.ResourceID == k.o.id && op.DeviceID == k.o.d.id && op.Timestamp != nil && *op.Timestamp == k.o.at {
			return op.ID
		}
	}
	w.expect(false, "%s is not parked", k.o)
	return ""
}

func (w *world) discard(p *process, f fate, k *kept, stored string) {
	out := w.send(p, f, func() error { return p.reconciler.Discard(w.ctx, k.o.d.u.id, stored) })
	w.note("%s: op %d is given up, %d commits", p.name, k.o.n, out.commits)
	if out.commits > 0 {
		k.state = models.Discarded
		w.outcome("discard", k.o, k.answer.status, false)
	}
}

// retry tries a parked operation again; mended, it breaks no rule and names no
// version.
func (w *world) retry(p *process, f fate, d *device, k *kept, stored string, mended bool) {
	var data json.RawMessage
	again := *k.o
	if mended && again.action != models.Delete {
		again.bad, again.seen = false, nil
		if again.amount == 0 {
			again.amount = 1
		}
		data = again.data()
	}
	again.client, again.foreign = "", false // a person decided that it is not what the name stands for, and whose it is
	var r models.Result
	out := w.send(p, f, func() (err error) {
		r, err = p.reconciler.Retry(w.ctx, d.u.id, d.u.author(d.id), stored, data)
		return err
	})
	w.note("%s: op %d is tried again, mended %t, %s", p.name, again.n, mended, f)
	if out.commits == 0 {
		w.expect(out.err == nil || !out.heard || f.trouble != none, "a retry failed: %v", out.err)
		return
	}
	want := d.u.reference.retry(&again)
	w.outcome("retry", &again, want.status, false)
	w.expect(out.err != nil || !out.heard || r.Status == want.status, "%s came to %s when it was tried again, and is answered %s", &again, want.status, r.Status)
}
