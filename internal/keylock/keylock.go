// Package keylock is a mutex for each of any number of keys.
//
// Invariants:
//   - At most one caller holds a key; callers of different keys do not wait for each
//     other.
//   - Those who wait for a key get it in the order in which they began to wait.
//   - A key that nobody holds or waits for takes no memory.
package keylock

import (
	"context"
	"sync"
)

// Locks are the mutexes. The zero Locks is ready; it must not be copied. Its methods
// may be called concurrently.
type Locks struct {
	mu   sync.Mutex
	held map[string]*lock
}

// A lock is the mutex of one key.
type lock struct {
	token chan struct{} // holds a value while somebody holds the key
	users int           // who holds the key or waits for it; guarded by Locks.mu
}

// Lock waits until nobody else holds key, and takes it. The caller must call unlock
// once. If ctx ends first, the key is not taken and the error is ctx's.
func (l *Locks) Lock(ctx context.Context, key string) (unlock func(), err error) {
	k := l.enter(key)
	select {
	case k.token <- struct{}{}:
		return func() { <-k.token; l.leave(key, k) }, nil
	case <-ctx.Done():
		l.leave(key, k)
		return nil, ctx.Err()
	}
}

// LockAll takes several different keys one after the other. Callers whose keys overlap
// must give them in the same order, such as sorted, or they could wait for each other
// for ever. If ctx ends first, no key is taken and the error is ctx's.
func (l *Locks) LockAll(ctx context.Context, keys []string) (unlock func(), err error) {
	if len(keys) == 1 {
		return l.Lock(ctx, keys[0])
	}
	unlocks := make([]func(), 0, len(keys))
	unlock = func() {
		for _, one := range unlocks {
			one()
		}
	}
	for _, key := range keys {
		one, err := l.Lock(ctx, key)
		if err != nil {
			unlock()
			return nil, err
		}
		unlocks = append(unlocks, one)
	}
	return unlock, nil
}

// enter counts the caller among the users of key.
func (l *Locks) enter(key string) *lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.held[key]
	if k == nil {
		k = &lock{token: make(chan struct{}, 1)}
		if l.held == nil {
			l.held = make(map[string]*lock)
		}
		l.held[key] = k
	}
	k.users++
	return k
}

// leave is the reverse of enter. The last user takes the lock away.
func (l *Locks) leave(key string, k *lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(l.held, key)
	}
}
