package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

const textAction = "Invalid action"

// Delta applies the changes of a POST /api/sync/delta, the queue of the last version of the
// original frontend: results[i] is the result of changes[i] (docs/contract.md#documents).
// That frontend keeps changes that failed and sends them again, possibly with another
// version, so only successes are stored for replays and nothing is parked. Deleting an
// expense that does not exist is a success.
//
// The error is models.Unavailable; the client should send the same queue again.
func (r *Reconciler) Delta(
	ctx context.Context, userID string, by models.Author, changes []models.DeltaChange,
) ([]models.DeltaResult, error) {
	done, err := r.memory.acquire(ctx, userID, sizeOfDelta(changes))
	if err != nil {
		return nil, err
	}
	defer done()
	unlock, err := r.locks.lock(ctx, userID, nil, false)
	if err != nil {
		return nil, err
	}
	defer unlock()
	items := make([]*deltaItem, len(changes))
	for i, c := range changes {
		if ctx.Err() != nil {
			return nil, canceledError(ctx)
		}
		items[i] = newDeltaItem(userID, by.DeviceID, c)
	}
	if err := r.run(ctx, userID, by, asJobs(items)); err != nil {
		return nil, fmt.Errorf("apply delta: %w", err)
	}
	results := make([]models.DeltaResult, len(items))
	for i, d := range items {
		results[i] = d.result
		r.counts.add(d.outcome())
	}
	return results, nil
}

// A deltaItem is one change of a delta with its result.
type deltaItem struct {
	operation
	change models.DeltaChange
	result models.DeltaResult

	replayed bool // whether result is that of an earlier time
}

func newDeltaItem(userID, deviceID string, c models.DeltaChange) *deltaItem {
	d := &deltaItem{change: c, operation: operation{op: models.Operation{
		Action: c.Action, ResourceType: "expense", ResourceID: c.ID, DeviceID: deviceID, Data: c.Data, Timestamp: c.Timestamp,
	}}}
	if d.invalid = checkChange(c); d.invalid != nil {
		return d
	}
	d.key = deltaKey(userID, c)
	d.parse()
	d.seen = c.Version
	return d
}

// checkChange returns an error if the data or an id of a change exceeds its limit.
func checkChange(c models.DeltaChange) error {
	if models.UTF16Len(c.ID) > wire.MaxIDLength || models.UTF16Len(wire.LocalIDText(c.LocalID)) > wire.MaxIDLength {
		return models.E(models.Invalid, "The id of a change is longer than 256 characters")
	}
	return wire.CheckData(c.Data)
}

// deltaKey returns the idempotency key of a change: a hash of its key in the browser's
// database, its timestamp and its data; "" if it has no localId or no timestamp. The data
// is included because localIds are made of the time, so two devices may have the same.
func deltaKey(userID string, c models.DeltaChange) string {
	if c.LocalID == nil || c.Timestamp == nil {
		return ""
	}
	at := strconv.FormatInt(*c.Timestamp, 10)
	return ledger.HashKey("delta", userID, string(c.LocalID), at, string(c.Action), c.ID, string(wire.Canonical(c.Data)))
}

// apply implements job. It returns the stored result of a repeated success, else performs
// the change and stores a success.
func (d *deltaItem) apply(s *txScope) error {
	d.result = models.DeltaResult{Change: d.change}
	stored, ok, err := s.Tx.OperationByKey(d.key)
	if err != nil {
		return err
	}
	d.replayed = ok
	if ok {
		err = s.redact(&stored.Result)
		d.result.Expense = stored.Result.Expense
		return err
	}
	if err := d.applyNew(s); err != nil {
		return err
	}
	if d.key != "" && d.result.Error == "" && d.result.Current == nil {
		d.store(s)
	}
	return nil
}

// refuse implements job. The browser keeps the change.
func (d *deltaItem) refuse(_ *txScope, why string, _ bool) error {
	d.result = models.DeltaResult{Change: d.change, Error: why}
	return nil
}

// applyNew performs the change and sets its result.
func (d *deltaItem) applyNew(s *txScope) error {
	refusal, err := d.refusal(s)
	if err != nil {
		return err
	}
	if refusal != nil {
		return d.toResult(refusal)
	}
	e, err := d.perform(s, s.by, d.create)
	if err != nil {
		return d.toResult(err)
	}
	if d.op.Action != models.Delete {
		d.result.Expense = &e
	}
	return nil
}

// toResult converts an error that a user can act on to a result. It returns other errors.
func (d *deltaItem) toResult(err error) error {
	var conflict *models.ConflictError
	switch {
	case errors.As(err, new(*store.DataError)):
		return err
	case errors.As(err, &conflict):
		d.result.Current = &conflict.Stored
	case models.KindOf(err) == models.NotFound && d.change.Action == models.Delete:
	case slices.Contains([]models.Kind{models.NotFound, models.Forbidden, models.Invalid, models.TooLarge}, models.KindOf(err)):
		d.result.Error = models.Message(err)
	default:
		return err
	}
	return nil
}

func (d *deltaItem) create(s *txScope) (models.Expense, error) {
	e, err := s.Create(d.draft.WithDate(d.queuedAt(s.Tx.Clock())), s.by)
	if name := d.localName(); err == nil && name != "" {
		s.Tx.SetAlias(s.by.DeviceID, name, e.ID)
	}
	return e, err
}

// localName returns the temporary id that the browser uses for the expense.
func (d *deltaItem) localName() string {
	if d.change.ID != "" {
		return d.change.ID
	}
	return wire.LocalIDText(d.change.LocalID)
}

// store stores a success for replays.
func (d *deltaItem) store(s *txScope) {
	op := d.op
	op.ResourceID, op.Data = d.localName(), nil
	s.Tx.InsertOperation(d.newRecord(s, op, models.Applied, models.Result{
		ResourceID: op.ResourceID, Status: doneStatus[op.Action], Expense: d.result.Expense,
	}))
}
