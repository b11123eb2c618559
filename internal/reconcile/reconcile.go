// Package reconcile applies the operations that a device queued while it was offline, and
// returns the changes that it missed.
//
// What it promises:
//
//   - The results of a batch are positional: results[i] belongs to operations[i], and the
//     lengths are equal. The browser pairs them by index and empties its queue on any 2xx
//     (docs/contract.md#clients, docs/contract.md#d11). So an operation that can never
//     succeed is parked, which means stored until the user retries or discards it, and the
//     others proceed. A temporary server error fails the whole batch with
//     models.Unavailable, so that the queue stays in the browser.
//   - Replays are harmless. The idempotency key of an operation (docs/contract.md#d16) is
//     stored in the transaction of its effect. A repetition, alone or in another batch,
//     gets the first result and causes no change and no event.
//   - No batch fails for ever. An operation that makes its chunk fail, even by a panic, is
//     parked. One that exceeds the limits of size, or the limit of parked operations, is
//     rejected and not stored.
//   - Permissions are checked when an operation is applied, not when it was queued. A
//     change of an expense that is no longer shared with the user is treated as one of an
//     absent expense (docs/contract.md#d21). A replay does not show an expense to which
//     the user has lost access.
//   - Operations are ordered by commit. The clock of a device only dates expenses
//     (docs/contract.md#d15) and distinguishes operations.
//
// A repeated request is recognised in three places: an operation of a batch or a delta by its
// key (operationKey, deltaKey), a CREATE whose POST was stored but not answered by claimPost,
// and a request with an Idempotency-Key or clientId by ledger's Work.CreateOnce.
//
// Operations are applied in chunks of one transaction each, written by bulk statements
// (docs/contract.md#batches). If a chunk fails because of its data, its operations are
// applied one by one.
package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// What happens to a batch while the same batch is in progress (SYNC_DUP_INFLIGHT,
// docs/contract.md#d13).
const (
	DupReplay = "replay" // it waits and gets the stored results
	DupRefuse = "409"    // it is refused, unless it contains a new operation
)

// defaultChunk is the number of operations per transaction: large enough to make commits
// cheap, small enough not to block other writers for long.
const defaultChunk = 200

// Options are a Reconciler's settings; the zero value has the defaults.
type Options struct {
	DupInflight string // DupReplay (default) or DupRefuse
	ChunkSize   int    // operations per transaction; 0 is 200
	Logger      *slog.Logger

	// OnParked is called after the commit with the operations that were parked, but not
	// for replays (docs/contract.md#d11: sync_error). Once per batch it is called with an
	// operation without an ID if the limit of parked operations is reached. It must not
	// block; it may be nil.
	OnParked func(userID string, ops []models.QueuedOperation)

	// OnSettled is called after the commit when parked operations of a user were retried
	// with success or discarded, so that devices that show them ask again. It must not block; it may be nil.
	OnSettled func(userID string, how models.OperationState)
}

func (o Options) withDefaults() Options {
	if o.ChunkSize <= 0 {
		o.ChunkSize = defaultChunk
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.OnParked == nil {
		o.OnParked = func(string, []models.QueuedOperation) {}
	}
	if o.OnSettled == nil {
		o.OnSettled = func(string, models.OperationState) {}
	}
	return o
}

// A Reconciler applies queues. Its methods may be called concurrently.
type Reconciler struct {
	ledger *ledger.Ledger
	store  *store.Store
	opts   Options
	locks  userLocks
	memory queueMemory
	counts outcomeCounts
}

// New returns a Reconciler that changes expenses through l and reads from s.
func New(l *ledger.Ledger, s *store.Store, o Options) *Reconciler {
	return &Reconciler{ledger: l, store: s, opts: o.withDefaults(), memory: newQueueMemory()}
}

// Apply applies the operations of a batch in order and returns their results: results[i]
// belongs to ops[i]. by is the author of the request; each operation has its own device.
//
// Errors: models.Unavailable, after which the client should send the same batch again
// (operations that were applied are replayed), and models.Conflict if the same batch is
// in progress and DupInflight is DupRefuse.
func (r *Reconciler) Apply(
	ctx context.Context, userID string, by models.Author, ops []models.Operation,
) ([]models.Result, error) {
	if len(ops) == 0 {
		return []models.Result{}, nil
	}
	done, err := r.memory.acquire(ctx, userID, sizeOf(ops))
	if err != nil {
		return nil, err
	}
	defer done()
	items, err := newBatchItems(ctx, userID, ops)
	if err != nil {
		return nil, err
	}
	unlock, err := r.locks.lock(ctx, userID, keysOf(items), r.opts.DupInflight == DupRefuse)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := r.run(ctx, userID, by, asJobs(items)); err != nil {
		return nil, fmt.Errorf("apply batch: %w", err)
	}
	results := make([]models.Result, len(items))
	for i, it := range items {
		results[i] = it.result
		r.counts.add(it.outcome())
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
// constant memory. It returns the first error of fn.
func (r *Reconciler) EachPending(ctx context.Context, userID string, fn func(models.QueuedOperation) error) error {
	return r.store.EachParked(ctx, userID, fn)
}

// pendingBytes is the maximum size of the result of Pending, which is sent in one message.
const pendingBytes = 256 << 10

// Pending returns the oldest of the user's parked operations, as many as fit into one
// message. Data that exceeds today's limit is left out.
func (r *Reconciler) Pending(ctx context.Context, userID string) ([]models.QueuedOperation, error) {
	ops, _, err := r.store.ParkedPage(ctx, userID, models.ParkedPlace{}, models.MaxParked, pendingBytes)
	for i := range ops {
		if len(ops[i].Data) > wire.MaxDataBytes {
			ops[i].Data = nil
		}
	}
	return ops, err
}

// Status returns when an operation of the user was last applied, nil for never, and the
// number of parked operations.
func (r *Reconciler) Status(ctx context.Context, userID string) (lastSync *time.Time, pending int64, err error) {
	return r.store.SyncStatus(ctx, userID)
}

// Retry applies a parked operation again, with other data unless data is nil or null. It
// does not check which account queued it, because the user decides. If the operation fails
// again, it stays parked with its old data and the new error. For an operation that was
// applied already it returns the stored result.
//
// Errors: models.NotFound for an unknown or discarded operation, and models.Unavailable.
func (r *Reconciler) Retry(
	ctx context.Context, userID string, by models.Author, id string, data json.RawMessage,
) (models.Result, error) {
	row, err := r.retry(ctx, userID, by, id, data)
	if err != nil {
		return models.Result{}, fmt.Errorf("retry operation: %w", err)
	}
	if row.State == models.Applied {
		r.opts.OnSettled(userID, models.Applied)
	}
	return row.Result, nil
}

// retry is Retry, and returns the operation as it is stored then.
func (r *Reconciler) retry(
	ctx context.Context, userID string, by models.Author, id string, data json.RawMessage,
) (models.QueuedOperation, error) {
	var j *retry
	err := r.transact(ctx, userID, &callState{by: by, devices: devices{}}, func(s *txScope) error {
		stored, err := s.Tx.Operation(id)
		if err != nil {
			return err
		}
		j = newRetry(stored, data)
		return j.run(ctx, r, s)
	})
	if err != nil {
		return models.QueuedOperation{}, err
	}
	return j.row, nil
}

// Discard discards a parked operation. A replay still gets the parked result. Errors:
// models.NotFound if it is not parked, and models.Unavailable.
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
	r.opts.OnSettled(userID, models.Discarded)
	return nil
}

var errNoOperation = models.E(models.NotFound, "Operation not found")

// Pull calls fn with each expense that was stored after since, the result of the previous
// Pull. For the zero time, and for a time outside of the epoch (models.LogState.Covers), it
// calls fn with all expenses. next is the newest LastSyncedAt that was committed for the
// user, not the time of a clock, so the next Pull misses nothing
// (docs/contract.md#delta-and-pull).
func (r *Reconciler) Pull(
	ctx context.Context, userID string, since time.Time, fn func(models.Expense) error,
) (next time.Time, err error) {
	l, err := r.store.LogState(ctx, userID)
	if err != nil {
		return next, fmt.Errorf("pull: %w", err)
	}
	if !l.Covers(since) {
		since = time.Time{}
	}
	if err := r.store.ExpensesSyncedAfter(ctx, userID, since, fn); err != nil {
		return next, fmt.Errorf("pull: %w", err)
	}
	return l.SyncedAt, nil
}
