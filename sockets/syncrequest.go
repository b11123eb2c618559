package sockets

import (
	"context"
	"log/slog"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// An operationQueue has the parked operations of users, oldest first, and the changes
// that a client missed; *reconcile.Reconciler is one.
type operationQueue interface {
	Pending(ctx context.Context, userID string) ([]models.QueuedOperation, error)
	ChangesSince(ctx context.Context, userID string, since *models.Cursor, limit int) (models.LogPage, error)
}

// syncRequests handles sync_request (docs/contract.md#live-events).
type syncRequests struct{ queue operationQueue }

// pending returns the parked operations of the user, whatever the arguments are.
func (r *syncRequests) pending(ctx context.Context, s *session, _ *socketio.Event) (any, error) {
	ops, err := r.queue.Pending(ctx, s.userID)
	if err != nil {
		return nil, err
	}
	return wire.NewQueuedOperations(ops), nil
}

// maxMissed bounds how many changes one answer has, which is made in memory. It is more
// than one transaction of a batch appends, so that a client that continues by
// serverTime always gets further.
const maxMissed = 500

// missed returns what was changed and deleted since the position or the time that the
// argument names; nil if it names none.
func (r *syncRequests) missed(ctx context.Context, s *session, e *socketio.Event) (any, error) {
	if len(e.Args) == 0 {
		return nil, nil
	}
	since, asked, err := wire.ParseSyncRequest(e.Args[0])
	if err != nil || !asked {
		return nil, err
	}
	page, err := r.queue.ChangesSince(ctx, s.userID, &since, maxMissed)
	if err != nil {
		return nil, err
	}
	return wire.SyncChanges(s.userID, &page), nil
}

// parkedEvent tells a user's devices that an operation was parked.
const parkedEvent = "sync_error"

// A syncFailure is the payload of sync_error (docs/contract.md#permanent-or-retryable).
type syncFailure struct {
	Error     string                `json:"error"`
	Code      string                `json:"code,omitempty"`
	Operation *wire.QueuedOperation `json:"operation,omitempty"` // the one that was parked
}

// maxParkedData is how large an operation may be to be sent in sync_error, in bytes. A
// queue may have megabytes of nonsense; sync_request returns all of it.
const maxParkedData = 64 << 10

// sendParked tells sockets of operations that were parked. A socket whose queue is full
// misses it, and can ask for the parked operations.
func sendParked(to []*socketio.Socket, ops []models.QueuedOperation, log *slog.Logger) {
	for _, op := range ops {
		p, err := socketio.Encode(namespace, parkedEvent, newSyncFailure(op))
		if err != nil {
			log.Error("parked operation cannot be encoded", slog.String("operation_id", op.ID), slog.Any("error", err))
			continue
		}
		for _, socket := range to {
			socket.TrySend(p)
		}
	}
}

func newSyncFailure(op models.QueuedOperation) syncFailure {
	if op.ID == "" || len(op.Data) > maxParkedData {
		return syncFailure{Error: op.Result.Error, Code: op.Result.Code}
	}
	queued := wire.NewQueuedOperation(op)
	return syncFailure{Error: op.Result.Error, Operation: &queued}
}

// settledEvent tells a user's devices that parked operations were decided on.
const settledEvent = "sync_settled"

// A settling is the payload of sync_settled: how the operations were decided on, `retried` or `discarded`.
type settling struct {
	How string `json:"how"`
}

func newSettling(how models.OperationState) settling {
	if how == models.Discarded {
		return settling{"discarded"}
	}
	return settling{"retried"}
}
