// Package fair shares a bounded resource of the process, such as bytes of memory,
// connections or processor slots, among the keys that request it. A key stands for whoever
// must not take all of it: a network address, a user.
//
// Invariants of a Pool:
//   - All keys together never hold more than the capacity, one key never more than
//     PerKey.
//   - While at most half of the capacity is held, every key gets what it requests. So a
//     hundred people behind one proxy, who share one address, are not refused while there
//     is room.
//   - Above half, a key gets more only up to an equal share of the capacity among the keys
//     that hold some and one more: so there is room for new keys. A key that holds nothing
//     gets what it requests as long as there is room.
//   - Waiting callers are served round-robin by key, and FIFO within a key.
package fair

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// ErrFull means that a key holds its share already and that nobody else may wait, or that
// it requested more than it could ever get.
var ErrFull = errors.New("no room: the share is used up")

// Options configure a Pool.
type Options struct {
	Capacity int64 // what all keys may hold together; at least 1
	PerKey   int64 // what one key may hold at any time; 0 is no limit but the capacity
	Waiting  int64 // how many Acquire calls may wait, divided by the same rule; 0 is none
}

// A Pool is a bounded resource. Its methods are safe for concurrent use.
type Pool struct {
	capacity, perKey int64
	waiting          *Pool // bounds the callers of Acquire that wait; nil if none may

	mu     sync.Mutex
	used   int64
	held   map[string]int64     // by key; never 0
	queues map[string][]*waiter // by key; never empty
	order  []string             // the keys of queues, the next one first
}

type waiter struct {
	n       int64
	granted chan struct{} // closed under mu
}

// New returns a Pool of which nothing is held.
func New(o Options) *Pool {
	p := &Pool{capacity: max(1, o.Capacity), perKey: o.PerKey, held: map[string]int64{}, queues: map[string][]*waiter{}}
	if p.perKey <= 0 || p.perKey > p.capacity {
		p.perKey = p.capacity
	}
	if o.Waiting > 0 {
		p.waiting = New(Options{Capacity: o.Waiting})
	}
	return p
}

// Try takes n for key and reports whether that was possible. It never overtakes callers
// that wait. The caller must Release what was taken.
func (p *Pool) Try(key string, n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.order) > 0 || p.verdict(key, n) != grant {
		return false
	}
	p.take(key, n)
	return true
}

// Acquire takes n for key, and waits until that is possible. The caller must Release what
// was taken. Errors: ErrFull, and ctx's error if it ends first.
func (p *Pool) Acquire(ctx context.Context, key string, n int64) error {
	if p.Try(key, n) {
		return nil
	}
	if n > p.perKey || p.waiting == nil || !p.waiting.Try(key, 1) {
		return ErrFull
	}
	defer p.waiting.Release(key, 1)
	w := p.enqueue(key, n)
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
		p.abandon(key, w)
		return ctx.Err()
	}
}

// Release gives back n of what key holds.
func (p *Pool) Release(key string, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.give(key, n)
	p.serve()
}

// Use returns what key holds and what all keys hold together.
func (p *Pool) Use(key string) (mine, all int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held[key], p.used
}

// Awaited reports whether anybody waits in Acquire.
func (p *Pool) Awaited() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.order) > 0
}

// Crowded reports whether more than half of the callers that may wait do.
func (p *Pool) Crowded() bool {
	if p.waiting == nil {
		return false
	}
	_, waiting := p.waiting.Use("")
	return waiting > p.waiting.capacity/2
}

// A verdict says whether a request is granted now and, if not, why.
type verdict uint8

const (
	grant   verdict = iota
	noShare         // the key holds too much; other keys may overtake it
	noRoom          // too little is left; nobody may overtake it
)

// verdict decides about a request. The caller must hold mu.
func (p *Pool) verdict(key string, n int64) verdict {
	mine := p.held[key]
	share := p.capacity / int64(len(p.held)+1)
	switch {
	case mine+n > p.perKey, mine > 0 && p.used+n > p.capacity/2 && mine+n > share:
		return noShare
	case p.used+n > p.capacity:
		return noRoom
	}
	return grant
}

// take and give account for n. The caller must hold mu.
func (p *Pool) take(key string, n int64) {
	if n > 0 {
		p.held[key] += n
		p.used += n
	}
}

func (p *Pool) give(key string, n int64) {
	p.used -= n
	if p.held[key] -= n; p.held[key] <= 0 {
		delete(p.held, key)
	}
}

func (p *Pool) enqueue(key string, n int64) *waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &waiter{n: n, granted: make(chan struct{})}
	if len(p.queues[key]) == 0 {
		p.order = append(p.order, key)
	}
	p.queues[key] = append(p.queues[key], w)
	p.serve()
	return w
}

// serve grants waiting requests as far as there is room. A request for which there is too
// little keeps those behind it waiting, or small ones would starve it. The caller must hold
// mu.
func (p *Pool) serve() {
	for passed := 0; passed < len(p.order); {
		key := p.order[0]
		w := p.queues[key][0]
		switch p.verdict(key, w.n) {
		case noRoom:
			return
		case noShare:
			p.order = append(p.order[1:], key)
			passed++
		case grant:
			p.take(key, w.n)
			close(w.granted)
			p.advance(key)
			passed = 0
		}
	}
}

// advance removes the first waiter of the first key, and moves the key to the end. The
// caller must hold mu.
func (p *Pool) advance(key string) {
	p.order = p.order[1:]
	if p.queues[key] = p.queues[key][1:]; len(p.queues[key]) > 0 {
		p.order = append(p.order, key)
	} else {
		delete(p.queues, key)
	}
}

// abandon removes a waiter whose context has ended, or gives back what it was granted.
func (p *Pool) abandon(key string, w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-w.granted:
		p.give(key, w.n)
	default:
		i := slices.Index(p.queues[key], w)
		if p.queues[key] = slices.Delete(p.queues[key], i, i+1); len(p.queues[key]) == 0 {
			delete(p.queues, key)
			p.order = slices.DeleteFunc(p.order, func(k string) bool { return k == key })
		}
	}
	p.serve()
}
