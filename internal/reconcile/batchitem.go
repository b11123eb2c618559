package reconcile

import (
	"context"
	"errors"
	"strconv"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A batchItem is one operation of a batch with its result.
type batchItem struct {
	operation
	tooLarge error // the data exceeds wire.CheckData's limits, so the operation is not even stored

	result   models.Result
	replayed bool // whether result is that of an earlier time
}

// newBatchItems prepares a batch. If ctx ends, because the client has disconnected, it
// returns models.Unavailable.
func newBatchItems(ctx context.Context, userID string, ops []models.Operation) ([]*batchItem, error) {
	items := make([]*batchItem, len(ops))
	seen := make(map[string]int, len(ops)) // number of operations with this key
	for i, op := range ops {
		if ctx.Err() != nil {
			return nil, canceledError(ctx)
		}
		if err := wire.CheckData(op.Data); err != nil {
			op.Data = nil
			items[i] = &batchItem{operation: operation{op: op}, tooLarge: err}
			continue
		}
		key := operationKey(userID, op)
		items[i] = &batchItem{operation: operation{op: op, key: nthKey(key, seen[key])}}
		items[i].parse()
		seen[key]++
	}
	return items, nil
}

// operationKey returns the idempotency key of an operation (docs/contract.md#d16). It
// includes the data, because two expenses that were created in one millisecond have the
// same temporary id. Without a timestamp only a CREATE has a key: the same UPDATE may be
// intended twice, with another one in between.
func operationKey(userID string, op models.Operation) string {
	if op.Timestamp == nil && op.Action != models.Create {
		return ""
	}
	at := ""
	if op.Timestamp != nil {
		at = strconv.FormatInt(*op.Timestamp, 10)
	}
	data := ""
	if hasData(op.Data) {
		data = ledger.HashKey(string(wire.Canonical(op.Data)))
	}
	return ledger.HashKey("batch", userID, op.DeviceID, string(op.Action), op.ResourceID, at, data)
}

// nthKey returns the key of the nth, from 0, of several identical operations in a batch.
func nthKey(key string, n int) string {
	if n == 0 || key == "" {
		return key
	}
	return ledger.HashKey(key, strconv.Itoa(n))
}

// preload implements job.
func (it *batchItem) preload(p *store.Preload, s *txScope, resolved bool) error {
	if it.tooLarge != nil {
		return nil
	}
	if it.op.Action == models.Create && !resolved {
		if _, _, ok := it.postWindow(); ok {
			p.PostHashes = append(p.PostHashes, ledger.DataHash(it.draft))
		}
		p.OperationKeys = append(p.OperationKeys, it.creation(s).Key(s.Tx.User().ID))
	}
	return it.operation.preload(p, s, resolved)
}

// apply implements job. It returns the stored result of a repetition, else performs the
// operation and stores the result in the same transaction.
func (it *batchItem) apply(s *txScope) error {
	if it.tooLarge != nil {
		it.reject(models.Message(it.tooLarge), "")
		return nil
	}
	stored, ok, err := s.Tx.OperationByKey(it.key)
	if err != nil {
		return err
	}
	it.replayed = ok
	if ok {
		it.result = stored.Result
		return s.redact(&it.result)
	}
	if err := it.applyNew(s); err != nil {
		return err
	}
	return it.store(s, it.op)
}

// refuse implements job. It parks the operation.
func (it *batchItem) refuse(s *txScope, why string, withoutData bool) error {
	it.park(why, nil)
	op := it.op
	if withoutData {
		op.Data = nil
	}
	return it.store(s, op)
}

// store stores the operation with its result, without data if it was applied. If there is
// no room for a parked operation, it is rejected and not stored.
func (it *batchItem) store(s *txScope, op models.Operation) error {
	state := it.state()
	if state == models.Applied {
		op.Data = nil
	}
	q := it.newRecord(s, op, state, it.result)
	s.Tx.TouchDevice(models.Author{DeviceID: op.DeviceID, Browser: s.by.Browser})
	if q.State != models.Parked {
		s.Tx.InsertOperation(q)
		return nil
	}
	err := s.Park(q)
	if errors.Is(err, ledger.ErrParkedFull) {
		it.reject(ledger.ErrParkedFull.Msg, ledger.ErrParkedFull.Code)
		return nil
	}
	return err
}

// state returns the state in which the operation is stored. An UPDATE of an expense that
// does not exist is parked, although its result is a success (docs/contract.md#d21).
func (it *batchItem) state() models.OperationState {
	targetGone := it.result.Status == models.StatusNotFound && it.op.Action == models.Update
	if targetGone || it.result.Status == models.StatusParked {
		return models.Parked
	}
	return models.Applied
}

// applyNew performs the operation, or parks it.
func (it *batchItem) applyNew(s *txScope) error {
	refusal, err := it.refusal(s)
	if err != nil {
		return err
	}
	if refusal != nil {
		it.park(models.Message(refusal), nil)
		return nil
	}
	status := doneStatus[it.op.Action]
	e, err := it.perform(s, it.author(s), func(s *txScope) (models.Expense, error) {
		e, again, err := it.create(s)
		if again {
			status = models.StatusDuplicate
		}
		return e, err
	})
	if err != nil {
		return it.toResult(err)
	}
	it.done(status, &e)
	return nil
}

// toResult converts an error of the ledger that a user can act on to a result. It returns
// other errors.
func (it *batchItem) toResult(err error) error {
	var conflict *models.ConflictError
	var broken *models.InvalidError
	switch {
	case errors.As(err, &conflict):
		it.park(conflict.Error(), &conflict.Stored)
	case errors.As(err, &broken):
		it.park(models.Message(it.mongooseError(broken)), nil)
	case models.KindOf(err) == models.Forbidden, models.KindOf(err) == models.Conflict:
		it.park(models.Message(err), nil)
	case models.KindOf(err) == models.NotFound:
		it.done(models.StatusNotFound, nil)
		if it.op.Action == models.Update {
			it.result.Error = models.Message(err)
		}
	default:
		return err
	}
	return nil
}

func (it *batchItem) mongooseError(broken error) error {
	if it.op.Action == models.Create {
		return wire.MongooseCreateError(broken)
	}
	return wire.MongooseUpdateError(broken)
}

func (it *batchItem) park(why string, current *models.Expense) {
	it.result = models.Result{ResourceID: it.op.ResourceID, Status: models.StatusParked, Error: why, Current: current}
}

// reject sets the result of an operation that is neither applied nor stored.
func (it *batchItem) reject(why, code string) {
	it.result = models.Result{ResourceID: it.op.ResourceID, Status: models.StatusRejected, Error: why, Code: code}
}

func (it *batchItem) done(status models.Status, e *models.Expense) {
	it.result = models.Result{ResourceID: it.op.ResourceID, Status: status, Expense: e}
}

// create creates the expense. again reports that it existed already: created by a POST
// whose response was lost, or by a request with the same client id.
func (it *batchItem) create(s *txScope) (e models.Expense, again bool, err error) {
	e, again, err = it.claimPost(s)
	if err == nil && !again {
		e, again, err = s.CreateOnce(it.creation(s))
	}
	if err == nil && !models.IsID(it.op.ResourceID) {
		s.Tx.SetAlias(it.op.DeviceID, it.op.ResourceID, e.ID)
	}
	return e, again, err
}

// creation returns the request to the ledger. A retried operation has no client id,
// because the user decided that it is not a repetition.
func (it *batchItem) creation(s *txScope) ledger.ExpenseCreation {
	at := it.queuedAt(s.Tx.Clock())
	c := ledger.ExpenseCreation{Draft: it.draft, Author: it.author(s), Date: &at, ClientID: it.clientID}
	if it.retried {
		c.ClientID = ""
	}
	return c
}

// author returns the device that queued the operation. For a retried one it is the device
// of the retry, because the other has removed it from its queue.
func (it *batchItem) author(s *txScope) models.Author {
	if it.retried {
		return s.by
	}
	return models.Author{DeviceID: it.op.DeviceID, TokenID: s.by.TokenID, Browser: s.by.Browser}
}
