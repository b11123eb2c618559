// Package reconcile applies what a device queued while it was offline.
//
// What it promises:
//
//   - The reply to a batch is positional: results[i] answers operations[i], and
//     the lengths are equal. The browser pairs them by index and empties its
//     queue on any 2xx (docs/contract.md#clients, docs/contract.md#d11). Hence: an operation that can never
//     succeed is parked, which means kept for a person to retry or discard, and
//     its neighbours proceed; but trouble of ours fails the whole batch with
//     models.Unavailable, so that the queue stays in the browser.
//   - Replay is harmless. An operation's key (docs/contract.md#d16) names it and is
//     stored in the transaction of its effect; its second arrival, alone or in
//     another batch, gets the first result again, changes nothing and announces
//     nothing.
//   - No batch fails for ever: an operation that brings its chunk down, be it by
//     a panic, ends parked. One that is larger than any page makes, or for which
//     there is no room among the parked ones, is rejected and not kept.
//   - Rights count when an operation is applied, not when it was queued: an edit of
//     an expense that is no longer shared with the user is one of what is not there
//     (docs/contract.md#d21), and parked as such; one that they may only read parks any. A
//     replay shows nothing to which the right has ended.
//   - Order is the order of commit. A device's clock dates an expense
//     (docs/contract.md#d15), tells two operations apart and is nothing else.
//
// Operations are applied in chunks of one transaction each, which bulk
// statements write (docs/contract.md#batches). A chunk that fails on its data is
// applied again operation by operation.
package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"expenseflow/internal/fair"
	"expenseflow/internal/ledger"
	"expenseflow/internal/seededbug"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// What happens to a batch while the same device's same batch is under way
// (SYNC_DUP_INFLIGHT, docs/contract.md#d13).
const (
	DupReplay = "replay" // it waits and gets the stored results
	DupRefuse = "409"    // it is refused, unless it brings an operation that is new
)

// defaultChunk is how many operations one transaction applies: enough to make
// its commit cheap, few enough to let other writers in soon.
const defaultChunk = 200

// Options are a Reconciler's settings; the zero value has the defaults.
type Options struct {
	DupInflight string // DupReplay (default) or DupRefuse
	ChunkSize   int    // operations per transaction; 0 is 200
	Logger      *slog.Logger

	// Parked hears of operations that were parked, after the commit and never on
	// a replay (docs/contract.md#d11: sync_error), and once in a batch, by an operation
	// without an ID, that no more can be. It must not block; it may be nil.
	Parked func(userID string, ops []models.QueuedOperation)
}

func (o Options) withDefaults() Options {
	if o.ChunkSize <= 0 {
		o.ChunkSize = defaultChunk
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Parked == nil {
		o.Parked = func(string, []models.QueuedOperation) {}
	}
	return o
}

// A Reconciler applies queues. Its methods may be called concurrently.
type Reconciler struct {
	ledger *ledger.Ledger
	store  *store.Store
	opts   Options
	lanes  *lanes
	room   *fair.Pool // of queues that are being applied, by user
}

// New makes a Reconciler that changes expenses through l and reads s.
func New(l *ledger.Ledger, s *store.Store, o Options) *Reconciler {
	return &Reconciler{ledger: l, store: s, opts: o.withDefaults(), lanes: newLanes(), room: newRoom()}
}

// Apply applies a batch in its order and answers it in place. by is whose token
// brought the batch; each operation names its own device.
//
// Errors: models.Unavailable, after which the same batch is to be sent again
// (what of it was applied will be replayed), and models.Conflict while the same
// batch is under way, if that was chosen.
func (r *Reconciler) Apply(ctx context.Context, userID string, by models.Author, ops []models.Operation) ([]models.Result, error) {
	if len(ops) == 0 {
		return []models.Result{}, nil
	}
	done, err := r.enterRoom(ctx, userID, sizeOf(ops))
	if err != nil {
		return nil, err
	}
	defer done()
	items, err := newItems(ctx, userID, ops)
	if err != nil {
		return nil, err
	}
	leave, err := r.lanes.enter(ctx, userID, keysOf(items), r.opts.DupInflight == DupRefuse)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := r.run(ctx, userID, by, asJobs(items)); err != nil && !seededbug.Enabled(seededbug.AckBeforeCommit) {
		return nil, fmt.Errorf("apply batch: %w", err)
	}
	results := make([]models.Result, len(items))
	for i, it := range items {
		results[i] = it.result
	}
	return results, nil
}

func asJobs[J job](js []J) []job {
	jobs := make([]job, len(js))
	for i, j := range js {
		jobs[i] = j
	}
	return jobs
}

// EachPending calls fn with each of the user's parked operations, oldest first, in
// constant memory. An error of fn ends it.
func (r *Reconciler) EachPending(ctx context.Context, userID string, fn func(models.QueuedOperation) error) error {
	return r.store.EachParked(ctx, userID, fn)
}

// pendingBytes is how much Pending gives at most: it goes into one message, and less
// than that may wait for a slow socket.
const pendingBytes = 256 << 10

// Pending are the oldest of the user's parked operations, as many as go into one
// message; the data of one that is larger than any can be now is left out.
func (r *Reconciler) Pending(ctx context.Context, userID string) ([]models.QueuedOperation, error) {
	ops, _, err := r.store.ParkedPage(ctx, userID, store.ParkedPlace{}, MaxParked, pendingBytes)
	for i := range ops {
		if len(ops[i].Data) > wire.MaxData {
			ops[i].Data = nil
		}
	}
	return ops, err
}

// Status is when an operation of the user was last applied, nil for never, and
// how many are parked.
func (r *Reconciler) Status(ctx context.Context, userID string) (lastSync *time.Time, pending int64, err error) {
	return r.store.SyncStatus(ctx, userID)
}

// Retry applies a parked operation again, with other data if data is given (an
// object; nil and null keep what was queued), whichever account queued it: a
// person decided. If it fails again it stays parked, with its old data and the
// new reason. What is applied already gives its result again.
//
// Errors: models.NotFound for an operation that is not there or was discarded,
// and models.Unavailable.
func (r *Reconciler) Retry(ctx context.Context, userID string, by models.Author, id string, data json.RawMessage) (models.Result, error) {
	var j *retrial
	err := r.transact(ctx, userID, &call{by: by, devices: devices{}}, func(s *session) error {
		stored, err := s.Tx.Operation(id)
		if err != nil {
			return err
		}
		j = newRetrial(stored, data)
		return j.run(ctx, r, s)
	})
	if err != nil {
		return models.Result{}, fmt.Errorf("retry operation: %w", err)
	}
	return j.stored.Result, nil
}

// Discard gives a parked operation up. Its replay still gets the answer that it
// was parked. Errors: models.NotFound for one that is not parked, and
// models.Unavailable.
func (r *Reconciler) Discard(ctx context.Context, userID, id string) error {
	err := r.ledger.Write(ctx, userID, func(w *ledger.Work) error {
		op, err := w.Tx.Operation(id)
		if err != nil {
			return err
		}
		if op.State != models.Parked {
			return errNoOperation
		}
		op.State, op.UpdatedAt = models.Discarded, w.Tx.Now()
		w.Tx.UpdateOperation(op)
		return nil
	})
	if err != nil {
		return fmt.Errorf("discard operation: %w", err)
	}
	return nil
}

var errNoOperation = models.E(models.NotFound, "Operation not found")

// Pull calls fn with each expense that was stored after the moment that the
// last Pull returned; the zero time gives all of them. The next Pull goes on
// from next and misses nothing: it is the newest moment that was committed for
// this user, not what a clock says (docs/contract.md#delta-and-pull). A moment that is none of
// this epoch's (models.LogState.Dates) gives all of them too.
func (r *Reconciler) Pull(ctx context.Context, userID string, since time.Time, fn func(models.Expense) error) (next time.Time, err error) {
	l, err := r.store.LogState(ctx, userID)
	if err != nil {
		return next, fmt.Errorf("pull: %w", err)
	}
	if !l.Dates(since) {
		since = time.Time{}
	}
	if err := r.store.ExpensesSyncedAfter(ctx, userID, since, fn); err != nil {
		return next, fmt.Errorf("pull: %w", err)
	}
	return l.SyncedAt, nil
}
