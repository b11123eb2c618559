package reconcile

import (
	"context"
	"sync"

	"expenseflow/internal/keylock"
	"expenseflow/models"
)

var errInFlight = &models.Error{
	Kind: models.Conflict, Msg: "Sync already in progress", Code: "SYNC_IN_PROGRESS", Setting: "SYNC_DUP_INFLIGHT",
}

// A userLocks serialises the queues of each user in this process, in order of arrival
// (docs/contract.md#results), and records which operations are in progress. It reduces
// contention in the database; that nothing is applied twice is ensured by idempotency keys
// and the lock of the user's row. The zero value is ready to use.
type userLocks struct {
	locks keylock.Locks

	mu       sync.Mutex
	inFlight map[string]*inFlight // by user; an entry exists while a queue is applied or waits
}

// An inFlight is the queues of one user that are being applied or wait.
type inFlight struct {
	queues     int
	operations map[string]int // number of queues with an operation, by its key
}

func keysOf(items []*batchItem) []string {
	keys := make([]string, len(items))
	for i, it := range items {
		keys[i] = it.key
	}
	return keys
}

// lock waits until no other queue of the user is being applied. With refuse it returns
// errInFlight instead if the other queues contain all of keys: the browser keeps its queue
// then (docs/contract.md#d13). It returns models.Unavailable if ctx ends first.
func (l *userLocks) lock(ctx context.Context, userID string, keys []string, refuse bool) (unlock func(), err error) {
	if !l.register(userID, keys, refuse) {
		return nil, errInFlight
	}
	release, err := l.locks.Lock(ctx, userID)
	if err != nil {
		l.deregister(userID, keys)
		return nil, canceledError(ctx)
	}
	return func() {
		release()
		l.deregister(userID, keys)
	}, nil
}

// register records a queue with these operations as in progress. With refuse it returns
// false, and records nothing, if others in progress contain all of them.
func (l *userLocks) register(userID string, keys []string, refuse bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.inFlight[userID]
	if f == nil {
		f = &inFlight{operations: map[string]int{}}
		if l.inFlight == nil {
			l.inFlight = map[string]*inFlight{}
		}
		l.inFlight[userID] = f
	} else if refuse && f.holds(keys) {
		return false
	}
	f.queues++
	for _, k := range keys {
		f.operations[k]++
	}
	return true
}

// holds reports whether all of keys are in progress. An operation without a key is always
// new.
func (f *inFlight) holds(keys []string) bool {
	for _, k := range keys {
		if k == "" || f.operations[k] == 0 {
			return false
		}
	}
	return true
}

// deregister removes what register recorded.
func (l *userLocks) deregister(userID string, keys []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.inFlight[userID]
	for _, k := range keys {
		if f.operations[k]--; f.operations[k] == 0 {
			delete(f.operations, k)
		}
	}
	if f.queues--; f.queues == 0 {
		delete(l.inFlight, userID)
	}
}
