package reconcile

import (
	"context"
	"encoding/json"

	"expenseflow/internal/store"
	"expenseflow/models"
)

// A retry is a job that applies a parked operation again.
type retry struct {
	*batchItem
	queued models.QueuedOperation // before the retry
	row    models.QueuedOperation // after it
}

// newRetry returns the retry of a stored operation, with data instead of its own if it
// has any.
func newRetry(stored models.QueuedOperation, data json.RawMessage) *retry {
	op := stored.Operation
	if hasData(data) {
		op.Data = data
	}
	it := &batchItem{operation: operation{op: op, retried: true}}
	it.parse()
	return &retry{batchItem: it, queued: stored, row: stored}
}

func hasData(data json.RawMessage) bool { return len(data) > 0 && string(data) != "null" }

// run applies the operation if it is still parked.
func (j *retry) run(ctx context.Context, r *Reconciler, s *txScope) error {
	switch j.row.State {
	case models.Applied:
		return s.redact(&j.row.Result)
	case models.Discarded:
		return errNoOperation
	}
	return r.attempt(ctx, s, j)
}

func (j *retry) preload(*store.Preload, *txScope, bool) error { return nil }

func (j *retry) apply(s *txScope) error {
	if err := j.applyNew(s); err != nil {
		return err
	}
	j.record(s)
	return nil
}

func (j *retry) refuse(s *txScope, why string, _ bool) error {
	j.park(why, nil)
	j.record(s)
	return nil
}

// record updates the stored operation. New data replaces the old only if it was applied,
// because the stored data is the only copy.
func (j *retry) record(s *txScope) {
	j.row = j.queued
	j.row.State, j.row.Result, j.row.UpdatedAt = j.state(), j.result, s.Tx.Now()
	if j.row.State == models.Applied {
		j.row.Operation = j.op
		j.row.Data = nil // not needed any more
	}
	s.Tx.UpdateOperation(j.row)
}
