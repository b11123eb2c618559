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

// Delta applies the queue of the frontend's last version and answers it in
// place (docs/contract.md#documents). That browser keeps what did not succeed and sends it
// again, perhaps with another version; hence only successes are stored for
// replay, and nothing is parked. Deleting what is gone is a success.
//
// The error is models.Unavailable, after which the same queue is to be sent again.
func (r *Reconciler) Delta(ctx context.Context, userID string, by models.Author, changes []models.DeltaChange) ([]models.DeltaResult, error) {
	done, err := r.enterRoom(ctx, userID, sizeOfDelta(changes))
	if err != nil {
		return nil, err
	}
	defer done()
	leave, err := r.lanes.enter(ctx, userID, nil, false)
	if err != nil {
		return nil, err
	}
	defer leave()
	items := make([]*deltaItem, len(changes))
	for i, c := range changes {
		if ctx.Err() != nil {
			return nil, left(ctx)
		}
		items[i] = newDeltaItem(userID, c)
	}
	if err := r.run(ctx, userID, by, asJobs(items)); err != nil {
		return nil, fmt.Errorf("apply delta: %w", err)
	}
	results := make([]models.DeltaResult, len(items))
	for i, d := range items {
		results[i] = d.result
	}
	return results, nil
}

// A deltaItem is one change of a delta, its data read before any transaction.
type deltaItem struct {
	change  models.DeltaChange
	key     string
	draft   models.Draft
	patch   models.Patch
	refused error
	result  models.DeltaResult
}

func newDeltaItem(userID string, c models.DeltaChange) *deltaItem {
	if err := checkChange(c); err != nil {
		return &deltaItem{change: c, refused: err}
	}
	d := &deltaItem{change: c, key: deltaKey(userID, c)}
	err := guard(func() error {
		switch c.Action {
		case models.Create:
			d.draft, _, d.refused = wire.MongooseDraft(c.Data)
		case models.Update:
			d.patch, _, d.refused = wire.MongoosePatch(c.Data)
		case models.Delete:
		default:
			d.refused = models.E(models.Invalid, textAction)
		}
		return nil
	})
	if err != nil {
		d.refused = models.E(models.Invalid, textFailed)
	}
	return d
}

// checkChange refuses a change whose data or names are larger than anybody's, before
// anything is made of them.
func checkChange(c models.DeltaChange) error {
	if models.UTF16Len(c.ID) > wire.MaxID || models.UTF16Len(wire.Name(c.LocalID)) > wire.MaxID {
		return models.E(models.Invalid, "The id of a change is longer than 256 characters")
	}
	return wire.CheckData(c.Data)
}

// deltaKey names a change by its place in the browser's queue, when it was queued
// and its data; "" if the browser told neither place nor time. Without the data,
// two devices that create in one millisecond would share a name, for their places
// are made of the time.
func deltaKey(userID string, c models.DeltaChange) string {
	if c.LocalID == nil || c.Timestamp == nil {
		return ""
	}
	at := strconv.FormatInt(*c.Timestamp, 10)
	return ledger.Key("delta", userID, string(c.LocalID), at, string(c.Action), c.ID, string(wire.Canonical(c.Data)))
}

func (d *deltaItem) preload(p *store.Preload, s *session, resolved bool) error {
	switch {
	case d.change.Action == models.Create:
	case resolved:
		id, err := s.Resolve(d.change.ID, s.by.DeviceID)
		p.ExpenseIDs = append(p.ExpenseIDs, id)
		return err
	case !models.ID24(d.change.ID):
		p.Aliases = append(p.Aliases, store.AliasKey{DeviceID: s.by.DeviceID, TempID: d.change.ID})
	}
	p.OperationKeys = append(p.OperationKeys, d.key)
	return nil
}

// apply replays a success, or does what the change asks and stores a success.
func (d *deltaItem) apply(s *session) error {
	d.result = models.DeltaResult{Change: d.change}
	stored, ok, err := s.Tx.OperationByKey(d.key)
	if err != nil {
		return err
	}
	if ok {
		err = s.redact(&stored.Result)
		d.result.Expense = stored.Result.Expense
		return err
	}
	if err := d.settle(s, d.act(s)); err != nil {
		return err
	}
	if d.key != "" && d.result.Error == "" && d.result.Current == nil {
		d.keep(s)
	}
	return nil
}

// refuse answers that the change can never be applied; the browser keeps it.
func (d *deltaItem) refuse(_ *session, why string, _ bool) error {
	d.result = models.DeltaResult{Change: d.change, Error: why}
	return nil
}

func (d *deltaItem) act(s *session) error {
	foreign, err := d.otherAccount(s)
	switch {
	case err != nil:
		return err
	case foreign:
		return models.E(models.Invalid, textOtherAccount)
	case d.refused != nil:
		return d.refused
	}
	switch d.change.Action {
	case models.Create:
		return d.create(s)
	case models.Update:
		return d.update(s)
	}
	return d.delete(s)
}

func (d *deltaItem) otherAccount(s *session) (bool, error) {
	if d.change.Timestamp == nil {
		return false, nil
	}
	return s.foreign(s.by.DeviceID, *d.change.Timestamp)
}

// settle turns what the client can be told into a result; other errors remain.
func (d *deltaItem) settle(s *session, err error) error {
	var conflict *models.ConflictError
	switch {
	case err == nil:
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

func (d *deltaItem) create(s *session) error {
	e, err := s.Create(d.draft.Dated(*queuedAt(d.change.Timestamp, s.Tx.Clock())), s.by)
	if err != nil {
		return err
	}
	if name := d.localName(); name != "" {
		s.Tx.SetAlias(s.by.DeviceID, name, e.ID)
	}
	d.result.Expense = &e
	return nil
}

// localName is what the browser calls the expense until it knows better.
func (d *deltaItem) localName() string {
	if d.change.ID != "" {
		return d.change.ID
	}
	return wire.Name(d.change.LocalID)
}

func (d *deltaItem) update(s *session) error {
	id, err := s.Resolve(d.change.ID, s.by.DeviceID)
	if err != nil {
		return err
	}
	e, err := s.Update(id, d.change.Version, d.patch, s.by)
	if err != nil {
		return err
	}
	d.result.Expense = &e
	return nil
}

func (d *deltaItem) delete(s *session) error {
	id, err := s.Resolve(d.change.ID, s.by.DeviceID)
	if err != nil {
		return err
	}
	if _, err := s.Seen(id, d.change.Version); err != nil {
		return err
	}
	_, err = s.Delete(id, s.by)
	return err
}

// keep stores a success for its replay.
func (d *deltaItem) keep(s *session) {
	now := s.Tx.Now()
	s.Tx.InsertOperation(models.QueuedOperation{
		ID: ledger.NewID(), UserID: s.Tx.User().ID, Key: d.key, State: models.Applied,
		Operation: models.Operation{
			Action: d.change.Action, ResourceType: "expense", ResourceID: d.localName(),
			DeviceID: s.by.DeviceID, Timestamp: d.change.Timestamp,
		},
		Result:    models.Result{ResourceID: d.localName(), Status: deltaStatus[d.change.Action], Expense: d.result.Expense},
		CreatedAt: now, UpdatedAt: now,
	})
}

var deltaStatus = map[models.Action]models.Status{
	models.Create: models.StatusCreated, models.Update: models.StatusUpdated, models.Delete: models.StatusDeleted,
}
