package reconcile

import (
	"context"

	"expenseflow/internal/fair"
	"expenseflow/models"
)

// Limits of the queues that are applied at the same time, in bytes. Applying a queue takes
// many times its size in memory. Queues beyond the limits wait, fairly by user; they are
// not refused, because a browser would send them again for ever. Small queues have a
// limit of their own, so that they never wait for large ones.
const (
	maxQueueBytes      = 16 << 20
	maxSmallQueueBytes = 4 << 20
	smallQueue         = 64 << 10 // maximum size of a small queue
	maxWaiting         = 10_000   // queues
	// perOperation is added to the size of an operation's data.
	perOperation = 256
)

// A queueMemory limits the bytes of queues that are applied at the same time.
type queueMemory struct{ small, larger *fair.Pool }

func newQueueMemory() queueMemory {
	return queueMemory{
		small:  fair.New(fair.Options{Capacity: maxSmallQueueBytes, Waiting: maxWaiting}),
		larger: fair.New(fair.Options{Capacity: maxQueueBytes, Waiting: maxWaiting}),
	}
}

// acquire waits for memory for a queue of size bytes. The error is models.Unavailable.
func (m queueMemory) acquire(ctx context.Context, userID string, size int64) (release func(), err error) {
	pool := m.larger
	if size <= smallQueue {
		pool = m.small
	}
	size = min(size, maxQueueBytes)
	if err := pool.Acquire(ctx, userID, size); err != nil {
		return nil, &models.Error{
			Kind: models.Unavailable, Code: "BATCH_LIMIT", Setting: models.FixedLimit, Err: err,
			Msg: "Too many offline queues are being applied, please try again",
		}
	}
	return func() { pool.Release(userID, size) }, nil
}

func sizeOf(ops []models.Operation) int64 {
	size := perOperation * len(ops)
	for i := range ops {
		size += len(ops[i].Data)
	}
	return int64(size)
}

func sizeOfDelta(changes []models.DeltaChange) int64 {
	size := perOperation * len(changes)
	for i := range changes {
		size += len(changes[i].Data)
	}
	return int64(size)
}
