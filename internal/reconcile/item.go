package reconcile

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"expenseflow/internal/failpoint"
	"expenseflow/internal/ledger"
	"expenseflow/internal/seededbug"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// textOtherAccount is docs/contract.md#accounts-on-one-device's.
const textOtherAccount = "Queued by another account"

const (
	// claimSlack widens the window in which a lost answer is looked for
	// (docs/contract.md#d17), on both sides.
	claimSlack = 5 * time.Second
	// futureSlack is how far a device's clock may run ahead and still date an
	// expense (docs/contract.md#d15).
	futureSlack = 5 * time.Minute
	// claimReach is how long after it named an expense a browser may have queued
	// its operation. It does both at once: a longer way means that the digits of
	// the name are no time, or that the clock was set meanwhile.
	claimReach = 24 * time.Hour
	// tempPrefix and milliseconds since 1970 are how the browser names an expense
	// that it made offline.
	tempPrefix = "temp_"
)

// earliest is the first moment that dates an expense (docs/contract.md#d15): clocks
// that were never set show 1970 or a little later.
var earliest = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// An item is one operation of a batch, its data read before any transaction.
type item struct {
	op      models.Operation
	key     string // docs/contract.md#d16; "" if the operation cannot be told from its repetition
	retried bool   // by a person, who may do what the rules of a queue forbid

	draft   models.Draft // of a CREATE
	client  string       // its client's own name for it; "" if it has none
	patch   models.Patch // of an UPDATE
	seen    *int64       // the version that an UPDATE names
	refused error        // what is wrong with the data, for the client
	bounds  error        // the data is so large or so deep that it is not even kept

	result models.Result
}

// newItems prepares a batch. It ends early when ctx does, for a client that has
// gone: its error is models.Unavailable then.
func newItems(ctx context.Context, userID string, ops []models.Operation) ([]*item, error) {
	items := make([]*item, len(ops))
	seen := make(map[string]int, len(ops))
	for i, op := range ops {
		if ctx.Err() != nil {
			return nil, left(ctx)
		}
		if err := wire.CheckData(op.Data); err != nil {
			op.Data = nil
			items[i] = &item{op: op, bounds: err}
			continue
		}
		name := operationKey(userID, op)
		items[i] = &item{op: op, key: nth(name, seen[name])}
		items[i].read()
		seen[name]++
	}
	return items, nil
}

// left is the error of work that was given up because ctx ended.
func left(ctx context.Context) error {
	return &models.Error{Kind: models.Unavailable, Msg: "Service temporarily unavailable", Err: ctx.Err()}
}

// operationKey names an operation by all that tells it from others (docs/contract.md#d16); temporary ids alone do not, for two creations in one millisecond share
// theirs. Without a time of its own only a CREATE has a name: the same UPDATE
// may be meant twice, with another between them.
func operationKey(userID string, op models.Operation) string {
	if op.Timestamp == nil && op.Action != models.Create || seededbug.Enabled(seededbug.NoDedupe) {
		return ""
	}
	at := ""
	if op.Timestamp != nil {
		at = strconv.FormatInt(*op.Timestamp, 10)
	}
	data := ""
	if given(op.Data) {
		data = ledger.Key(string(wire.Canonical(op.Data)))
	}
	return ledger.Key("batch", userID, op.DeviceID, string(op.Action), op.ResourceID, at, data)
}

// nth tells the nth of several identical operations in one batch from the first.
func nth(name string, n int) string {
	if n == 0 || name == "" {
		return name
	}
	return ledger.Key(name, strconv.Itoa(n))
}

// read checks the operation's data.
func (it *item) read() {
	err := guard(func() error {
		switch it.op.Action {
		case models.Create:
			var m wire.Meta
			it.draft, m, it.refused = wire.MongooseDraft(it.op.Data)
			it.client = m.ClientID
		case models.Update:
			var m wire.Meta
			it.patch, m, it.refused = wire.MongoosePatch(it.op.Data)
			it.seen = m.Version
		}
		return nil
	})
	if err != nil {
		it.refused = models.E(models.Invalid, textFailed)
	}
}

// preload names the rows that apply is going to read.
func (it *item) preload(p *store.Preload, s *session, resolved bool) error {
	switch {
	case it.bounds != nil:
		return nil
	case resolved:
		return it.preloadTarget(p, s)
	case it.op.Action == models.Create:
		if _, _, ok := it.window(); ok {
			p.PostHashes = append(p.PostHashes, ledger.DataHash(it.draft))
		}
		p.OperationKeys = append(p.OperationKeys, it.creation(s).Key(s.Tx.User().ID))
	case !models.ID24(it.op.ResourceID):
		p.Aliases = append(p.Aliases, store.AliasKey{DeviceID: it.op.DeviceID, TempID: it.op.ResourceID})
	}
	p.OperationKeys = append(p.OperationKeys, it.key)
	return nil
}

// preloadTarget names the expense that the operation is about.
func (it *item) preloadTarget(p *store.Preload, s *session) error {
	if it.op.Action == models.Create {
		return nil
	}
	id, err := s.Resolve(it.op.ResourceID, it.op.DeviceID)
	p.ExpenseIDs = append(p.ExpenseIDs, id)
	return err
}

// apply replays the stored result of this operation, or performs it and stores
// what came of it in the same transaction.
func (it *item) apply(s *session) error {
	if it.bounds != nil {
		it.reject(models.Message(it.bounds), "")
		return nil
	}
	stored, ok, err := s.Tx.OperationByKey(it.key)
	failpoint.Here(failpoint.AfterDedupe)
	if err != nil {
		return err
	}
	if ok {
		it.result = stored.Result
		return s.redact(&it.result)
	}
	if err := it.perform(s); err != nil {
		return err
	}
	return it.keep(s, it.op)
}

// refuse parks the operation.
func (it *item) refuse(s *session, why string, lean bool) error {
	it.park(why, nil)
	op := it.op
	if lean {
		op.Data = nil
	}
	return it.keep(s, op)
}

// keep stores the operation with its result. What was applied needs its data no
// more; what is parked may find no room, and is rejected then.
func (it *item) keep(s *session, op models.Operation) error {
	if it.state() == models.Applied {
		op.Data = nil
	}
	now := s.Tx.Now()
	q := models.QueuedOperation{
		ID: ledger.NewID(), UserID: s.Tx.User().ID, Operation: op, Key: it.key,
		State: it.state(), Result: it.result, CreatedAt: now, UpdatedAt: now,
	}
	s.Tx.TouchDevice(models.Author{DeviceID: op.DeviceID, Browser: s.by.Browser})
	if q.State == models.Parked {
		if fits, err := s.parks(q); err != nil || !fits {
			it.reject(textParkedFull, models.CodeParkedFull)
			return err
		}
	}
	s.Tx.InsertOperation(q)
	return nil
}

// state says whether the operation waits for a person: an edit of what is not
// there does, although the browser is told success (docs/contract.md#d21).
func (it *item) state() models.OperationState {
	lost := it.result.Status == models.StatusNotFound && it.op.Action == models.Update
	if lost || it.result.Status == models.StatusParked {
		return models.Parked
	}
	return models.Applied
}

// perform does what the operation asks, or parks it by the rules.
func (it *item) perform(s *session) error {
	foreign, err := it.otherAccount(s)
	switch {
	case err != nil:
		return err
	case foreign:
		it.park(textOtherAccount, nil)
		return nil
	case it.refused != nil:
		it.park(models.Message(it.refused), nil)
		return nil
	}
	return it.settle(it.act(s))
}

// settle turns a refusal by the rules into a result; other errors remain.
func (it *item) settle(err error) error {
	var conflict *models.ConflictError
	var broken *models.InvalidError
	switch {
	case errors.As(err, &conflict):
		it.park(conflict.Error(), &conflict.Stored)
	case errors.As(err, &broken):
		it.park(models.Message(it.inWords(broken)), nil)
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

func (it *item) inWords(broken error) error {
	if it.op.Action == models.Create {
		return wire.CreateError(broken)
	}
	return wire.UpdateError(broken)
}

func (it *item) park(why string, current *models.Expense) {
	it.result = models.Result{ResourceID: it.op.ResourceID, Status: models.StatusParked, Error: why, Current: current}
}

// reject answers that the operation was neither applied nor kept.
func (it *item) reject(why, code string) {
	it.result = models.Result{ResourceID: it.op.ResourceID, Status: models.StatusRejected, Error: why, Code: code}
}

func (it *item) done(status models.Status, e *models.Expense) {
	it.result = models.Result{ResourceID: it.op.ResourceID, Status: status, Expense: e}
}

func (it *item) act(s *session) error {
	switch it.op.Action {
	case models.Create:
		return it.create(s)
	case models.Update:
		return it.update(s)
	}
	return it.delete(s)
}

func (it *item) create(s *session) error {
	e, claimed, err := it.claim(s)
	if err == nil && !claimed {
		e, claimed, err = s.CreateOnce(it.creation(s))
	}
	if err != nil {
		return err
	}
	status := models.StatusCreated
	if claimed {
		status = models.StatusDuplicate
	}
	if !models.ID24(it.op.ResourceID) {
		s.Tx.SetAlias(it.op.DeviceID, it.op.ResourceID, e.ID)
	}
	it.done(status, &e)
	return nil
}

// creation is the operation for the ledger. A retried one has no name: a person
// decided that it is not what the name stands for.
func (it *item) creation(s *session) ledger.Creation {
	c := ledger.Creation{Draft: it.draft, Author: it.author(s), Date: it.date(s.Tx.Clock()), ClientID: it.client}
	if it.retried {
		c.ClientID = ""
	}
	return c
}

// claim finds the expense that this operation made already, by a POST whose
// answer was lost (docs/contract.md#d17). If it was deleted since, it stays so.
func (it *item) claim(s *session) (models.Expense, bool, error) {
	from, to, ok := it.window()
	if !ok {
		return models.Expense{}, false, nil
	}
	id, ok, err := s.Tx.ClaimPost(it.op.DeviceID, ledger.DataHash(it.draft), from, to)
	if err != nil || !ok {
		return models.Expense{}, false, err
	}
	e, err := s.Tx.Expense(id)
	if models.KindOf(err) == models.NotFound {
		return it.asPosted(s, id), true, nil
	}
	return e, true, err
}

// window is when a POST of the same data must have been received to be the
// same: the browser names the expense and queues the operation as soon as it
// takes the POST for lost. Digits that are no time of then open no window: in a
// doubtful case there are two expenses (docs/contract.md#d17). An operation with a
// name of its client's is known by that alone.
func (it *item) window() (from, to time.Time, ok bool) {
	digits, temporary := strings.CutPrefix(it.op.ResourceID, tempPrefix)
	ms, err := strconv.ParseInt(digits, 10, 64)
	if it.op.Action != models.Create || it.refused != nil || it.client != "" || it.op.Timestamp == nil || !temporary || err != nil {
		return from, to, false
	}
	named, queued := time.UnixMilli(ms), time.UnixMilli(*it.op.Timestamp)
	if named.Before(earliest) || named.Before(queued.Add(-claimReach)) || named.After(queued.Add(futureSlack)) {
		return from, to, false
	}
	return named.Add(-claimSlack), queued.Add(claimSlack), true
}

// asPosted describes an expense that was made and deleted again: the browser
// needs its id to forget the temporary one.
func (it *item) asPosted(s *session, id string) models.Expense {
	now, d := s.Tx.Now(), it.draft.Dated(*it.date(s.Tx.Clock()))
	return models.Expense{
		ID: id, UserID: s.Tx.User().ID, Description: d.Description, Amount: d.Amount, Category: d.Category,
		Type: d.Type, Date: *d.Date, Day: models.NamedDay(*d.Date, d.Day, s.Tx.Zone()), Currency: d.Currency, Merchant: d.Merchant, Notes: d.Notes,
		Version: 1, LastSyncedAt: now, CreatedAt: now, UpdatedAt: now,
	}
}

// date is the expense's own, else when the device queued it if its clock is
// believable, else now (docs/contract.md#d15).
func (it *item) date(now time.Time) *time.Time {
	if it.draft.Date != nil {
		return it.draft.Date
	}
	return queuedAt(it.op.Timestamp, now)
}

func queuedAt(timestamp *int64, now time.Time) *time.Time {
	if timestamp == nil {
		return &now
	}
	at := time.UnixMilli(*timestamp).UTC()
	if at.Before(earliest) || at.After(now.Add(futureSlack)) {
		return &now
	}
	return &at
}

func (it *item) update(s *session) error {
	id, err := s.Resolve(it.op.ResourceID, it.op.DeviceID)
	if err != nil {
		return err
	}
	if seededbug.Enabled(seededbug.ClientClock) {
		if e, err := s.Tx.Expense(id); err == nil && it.op.Timestamp != nil && *it.op.Timestamp < e.UpdatedAt.UnixMilli() {
			it.done(models.StatusUpdated, &e)
			return nil
		}
	}
	e, err := s.Update(id, it.seen, it.patch, it.author(s))
	if err != nil {
		return err
	}
	it.done(models.StatusUpdated, &e)
	return nil
}

func (it *item) delete(s *session) error {
	id, err := s.Resolve(it.op.ResourceID, it.op.DeviceID)
	if err != nil {
		return err
	}
	e, err := s.Delete(id, it.author(s))
	if err != nil {
		return err
	}
	it.done(models.StatusDeleted, &e)
	return nil
}

// author is the device that queued the operation; of a retried one, the device
// of whoever retried it, for the other has thrown its copy away.
func (it *item) author(s *session) models.Author {
	if it.retried {
		return s.by
	}
	return models.Author{DeviceID: it.op.DeviceID, TokenID: s.by.TokenID, Browser: s.by.Browser}
}

// otherAccount tells whether another user queued the operation on this device:
// the browser's queue survives a sign-out, and would be sent with the next
// user's token (docs/contract.md#accounts-on-one-device).
func (it *item) otherAccount(s *session) (bool, error) {
	if it.retried || it.op.Timestamp == nil {
		return false, nil
	}
	return s.foreign(it.op.DeviceID, *it.op.Timestamp)
}
