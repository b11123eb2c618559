package reconcile

import (
	"context"
	"encoding/json"

	"expenseflow/internal/store"
	"expenseflow/models"
)

// A retrial is a parked operation that a person wants applied after all.
type retrial struct {
	*item
	queued models.QueuedOperation // as it was found
	stored models.QueuedOperation // as it is in the end
}

// newRetrial takes data for the operation's own, if any is given.
func newRetrial(stored models.QueuedOperation, data json.RawMessage) *retrial {
	op := stored.Operation
	if given(data) {
		op.Data = data
	}
	it := &item{op: op, retried: true}
	it.read()
	return &retrial{item: it, queued: stored, stored: stored}
}

func given(data json.RawMessage) bool { return len(data) > 0 && string(data) != "null" }

// run applies what is still parked; what is applied already has its result.
func (j *retrial) run(ctx context.Context, r *Reconciler, s *session) error {
	switch j.stored.State {
	case models.Applied:
		return s.redact(&j.stored.Result)
	case models.Discarded:
		return errNoOperation
	}
	return r.attempt(ctx, s, j)
}

func (j *retrial) preload(*store.Preload, *session, bool) error { return nil }

func (j *retrial) apply(s *session) error {
	if err := j.perform(s); err != nil {
		return err
	}
	j.record(s)
	return nil
}

func (j *retrial) refuse(s *session, why string, _ bool) error {
	j.park(why, nil)
	j.record(s)
	return nil
}

// record keeps how the retrial ended. New data replaces the old only where it
// was good: what was queued first is the last copy there is.
func (j *retrial) record(s *session) {
	j.stored = j.queued
	j.stored.State, j.stored.Result, j.stored.UpdatedAt = j.state(), j.result, s.Tx.Now()
	if j.stored.State == models.Applied {
		j.stored.Operation = j.op
		j.stored.Data = nil // which nobody needs any more
	}
	s.Tx.UpdateOperation(j.stored)
}
