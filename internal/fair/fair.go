// Package fair divides something that a process has a limited amount of, such as
// bytes of memory, connections or processor slots, among the keys that ask for it.
// A key stands for whoever must not take it all: a network address, a user.
//
// Invariants of a Pool:
//   - All keys together never hold more than the capacity, one key never more than
//     PerKey.
//   - While at most half of the capacity is held, every key gets what it asks for.
//     So a hundred people behind one proxy, who are one address, are not held back
//     while the process has room.
//   - Above half, a key gets more only up to an equal share of the capacity, counted
//     with one key more than there are: newcomers find room. A key that holds nothing
//     gets what it asks for as long as there is room.
//   - Who waits is served key by key in turn, and in order of arrival within a key.
package fair

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// ErrFull reports that a key holds its share already and that nobody else may
// wait, or that it asked for more than it could ever get.
var ErrFull = errors.New("no room: the share is used up")

// Options describe a Pool.
type Options struct {
	Capacity int64 // what all keys may hold together; at least 1
	PerKey   int64 // what one key may hold at any time; 0 is no limit but the capacity
	Waiting  int64 // how many Acquire calls may wait, divided by the same rule; 0 is none
}

// A Pool is the amount that is divided. Its methods may be called concurrently.
type Pool struct {
	capacity, perKey int64
	places           *Pool // where Acquire waits; nil if nobody may

	mu     sync.Mutex
	used   int64
	held   map[string]int64     // by key; never 0
	queues map[string][]*waiter // by key; never empty
	turns  []string             // the keys of queues, the next one first
}

type waiter struct {
	n       int64
	granted chan struct{} // closed under mu
}

// New makes a Pool of which nothing is held.
func New(o Options) *Pool {
	p := &Pool{capacity: max(1, o.Capacity), perKey: o.PerKey, held: map[string]int64{}, queues: map[string][]*waiter{}}
	if p.perKey <= 0 || p.perKey > p.capacity {
		p.perKey = p.capacity
	}
	if o.Waiting > 0 {
		p.places = New(Options{Capacity: o.Waiting})
	}
	return p
}

// Try takes n for key and reports whether it could. It never overtakes waiters.
// What was taken is to be given back by Release.
func (p *Pool) Try(key string, n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.turns) > 0 || p.verdict(key, n) != grant {
		return false
	}
	p.take(key, n)
	return true
}

// Acquire takes n for key and waits for it if it must. What was taken is to be
// given back by Release. Errors: ErrFull, and ctx's error if it ends first.
func (p *Pool) Acquire(ctx context.Context, key string, n int64) error {
	if p.Try(key, n) {
		return nil
	}
	if n > p.perKey || p.places == nil || !p.places.Try(key, 1) {
		return ErrFull
	}
	defer p.places.Release(key, 1)
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

// Crowded reports whether more than half of the places to wait are taken.
func (p *Pool) Crowded() bool {
	if p.places == nil {
		return false
	}
	_, waiting := p.places.Use("")
	return waiting > p.places.capacity/2
}

// A verdict says whether a request is granted now, and if not, why.
type verdict uint8

const (
	grant   verdict = iota
	noShare         // the key holds too much; others may pass it
	noRoom          // there is too little left; nobody may pass it
)

// verdict judges a request. The caller must hold mu.
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
		p.turns = append(p.turns, key)
	}
	p.queues[key] = append(p.queues[key], w)
	p.serve()
	return w
}

// serve grants what waits as far as there is room. A request for which there is
// too little room keeps those behind it waiting, or small ones would starve it.
// The caller must hold mu.
func (p *Pool) serve() {
	for passed := 0; passed < len(p.turns); {
		key := p.turns[0]
		w := p.queues[key][0]
		switch p.verdict(key, w.n) {
		case noRoom:
			return
		case noShare:
			p.turns = append(p.turns[1:], key)
			passed++
		case grant:
			p.take(key, w.n)
			close(w.granted)
			p.advance(key)
			passed = 0
		}
	}
}

// advance removes the first waiter of the first key, and puts the key behind the
// others. The caller must hold mu.
func (p *Pool) advance(key string) {
	p.turns = p.turns[1:]
	if p.queues[key] = p.queues[key][1:]; len(p.queues[key]) > 0 {
		p.turns = append(p.turns, key)
	} else {
		delete(p.queues, key)
	}
}

// abandon removes a waiter whose caller left, or gives back what it was granted.
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
			p.turns = slices.DeleteFunc(p.turns, func(k string) bool { return k == key })
		}
	}
	p.serve()
}
