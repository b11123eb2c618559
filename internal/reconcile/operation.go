package reconcile

import (
	"context"
	"time"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// textOtherAccount is the error of docs/contract.md#accounts-on-one-device.
const textOtherAccount = "Queued by another account"

// futureSlack is how far a device's clock may run ahead and still date an expense
// (docs/contract.md#d15).
const futureSlack = 5 * time.Minute

// minQueuedAt is the earliest time that dates an expense (docs/contract.md#d15): clocks
// that were never set show 1970 or a little later.
var minQueuedAt = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// An operation is a parsed entry of a device's queue: what the items of batches and of
// deltas have in common.
type operation struct {
	op      models.Operation
	key     string // idempotency key; "" if a repetition cannot be recognised
	retried bool   // whether the user retries it: the other-account check is skipped

	draft    models.Draft // of a CREATE
	clientID string       // of a CREATE: the client's id of the request; "" if it has none
	patch    models.Patch // of an UPDATE
	seen     *int64       // the version that the client last read; nil if it sent none
	invalid  error        // why the data is invalid; the message is for the client
}

// parse parses the data of the operation.
func (o *operation) parse() {
	err := recoverPanic(func() error {
		var m wire.Meta
		switch o.op.Action {
		case models.Create:
			o.draft, m, o.invalid = wire.ParseMongooseDraft(o.op.Data)
			o.clientID = m.ClientID
		case models.Update:
			o.patch, m, o.invalid = wire.ParseMongoosePatch(o.op.Data)
			o.seen = m.Version
		case models.Delete:
		default:
			o.invalid = models.E(models.Invalid, textAction)
		}
		return nil
	})
	if err != nil {
		o.invalid = models.E(models.Invalid, textFailed)
	}
}

// preload adds the rows that the operation reads to p (see job).
func (o *operation) preload(p *store.Preload, s *txScope, resolved bool) error {
	create := o.op.Action == models.Create
	switch {
	case resolved && create:
		return nil
	case resolved:
		id, err := s.Resolve(o.op.ResourceID, o.op.DeviceID)
		p.ExpenseIDs = append(p.ExpenseIDs, id)
		return err
	case !create && !models.IsID(o.op.ResourceID):
		p.Aliases = append(p.Aliases, store.AliasKey{DeviceID: o.op.DeviceID, TempID: o.op.ResourceID})
	}
	p.OperationKeys = append(p.OperationKeys, o.key)
	return nil
}

// refusal returns why the operation must not be applied: another user queued it on this
// device (docs/contract.md#accounts-on-one-device), or its data is invalid. err is a
// failure to find out.
func (o *operation) refusal(s *txScope) (refusal, err error) {
	if o.retried || o.op.Timestamp == nil {
		return o.invalid, nil
	}
	foreign, err := s.queuedByOtherAccount(o.op.DeviceID, *o.op.Timestamp)
	if err == nil && foreign {
		return models.E(models.Invalid, textOtherAccount), nil
	}
	return o.invalid, err
}

// perform does what the operation asks, by calling create for a CREATE, and returns the
// expense as it is then, or its last state.
func (o *operation) perform(s *txScope, by models.Author, create func(*txScope) (models.Expense, error)) (models.Expense, error) {
	switch o.op.Action {
	case models.Create:
		return create(s)
	case models.Update:
		return o.update(s, by)
	}
	return o.delete(s, by)
}

func (o *operation) update(s *txScope, by models.Author) (models.Expense, error) {
	id, err := s.Resolve(o.op.ResourceID, o.op.DeviceID)
	if err != nil {
		return models.Expense{}, err
	}
	return s.Update(id, o.seen, o.patch, by)
}

func (o *operation) delete(s *txScope, by models.Author) (models.Expense, error) {
	id, err := s.Resolve(o.op.ResourceID, o.op.DeviceID)
	if err != nil {
		return models.Expense{}, err
	}
	if o.seen != nil {
		if _, err := s.CheckVersion(id, o.seen); err != nil {
			return models.Expense{}, err
		}
	}
	return s.Delete(id, by)
}

// queuedAt returns when the device queued the operation, if its clock is plausible, else
// now. It dates expenses without a date (docs/contract.md#d15).
func (o *operation) queuedAt(now time.Time) time.Time {
	if o.op.Timestamp == nil {
		return now
	}
	at := time.UnixMilli(*o.op.Timestamp).UTC()
	if at.Before(minQueuedAt) || at.After(now.Add(futureSlack)) {
		return now
	}
	return at
}

// newRecord returns the record of op and its result for replays.
func (o *operation) newRecord(
	s *txScope, op models.Operation, state models.OperationState, r models.Result,
) models.QueuedOperation {
	now := s.Tx.Now()
	return models.QueuedOperation{
		ID: ledger.NewID(), UserID: s.Tx.User().ID, Operation: op, Key: o.key,
		State: state, Result: r, CreatedAt: now, UpdatedAt: now,
	}
}

// doneStatus is the status of an action that was applied.
var doneStatus = map[models.Action]models.Status{
	models.Create: models.StatusCreated, models.Update: models.StatusUpdated, models.Delete: models.StatusDeleted,
}

// canceledError returns the error of work that was abandoned because ctx ended.
func canceledError(ctx context.Context) error {
	return &models.Error{Kind: models.Unavailable, Msg: "Service temporarily unavailable", Err: ctx.Err()}
}
