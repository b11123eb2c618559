package reconcile

import (
	"context"

	"expenseflow/internal/fair"
	"expenseflow/models"
)

// What queues take in memory while they are applied is many times their bytes, so only
// so much of them is in work at once. The others wait, fair by user; they are not
// refused, for a browser would send them again for ever.
const (
	roomBytes   = 16 << 20
	roomWaiting = 10_000
	// perOperation is what an operation counts beside its data.
	perOperation = 256
)

func newRoom() *fair.Pool {
	return fair.New(fair.Options{Capacity: roomBytes, Waiting: roomWaiting})
}

// enterRoom waits for room for a queue of that size. The error is models.Unavailable.
func (r *Reconciler) enterRoom(ctx context.Context, userID string, size int64) (leave func(), err error) {
	size = min(size, roomBytes)
	if err := r.room.Acquire(ctx, userID, size); err != nil {
		return nil, &models.Error{
			Kind: models.Unavailable, Code: "BATCH_LIMIT", Msg: "Too many offline queues are being applied, please try again", Err: err,
		}
	}
	return func() { r.room.Release(userID, size) }, nil
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
