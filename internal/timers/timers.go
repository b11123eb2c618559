// Package timers has one timer of the runtime serve any number of moments at which
// something is due.
//
// A time.Timer costs each of ten thousand idle connections 150 bytes, and wakes the process
// for each of them. A Timer costs 32, and those that are due together ring together.
//
// What it promises:
//
//   - A timer rings once for each time that it was set, not before it is due unless
//     Queue.Slack allows that, and as soon as those that were due before it have rung.
//   - A queue refers to no timer that is not set, and without timers has none of the
//     runtime's set either.
package timers

import (
	"sync"
	"time"
)

// A Queue rings timers of values of T. Its exported fields must not change after the first
// Set. Its methods may be called concurrently, also from Ring.
type Queue[T any] struct {
	// Ring is called for the value of each timer that is due, one after the other. It must
	// not block. The timer may have been set anew or stopped just before, as with
	// time.AfterFunc.
	Ring func(T)

	// Slack is how long before they are due timers ring together with one that is due.
	Slack time.Duration

	mu      sync.Mutex
	began   time.Time // the first Set
	timers  dueHeap[T]
	next    *time.Timer // for the first of them; nil before the first Set
	ringing bool        // Ring is being called: next is set afterwards
}

// A Timer is when a value is due. The zero Timer is not set.
type Timer[T any] struct {
	of    T
	place int // in Queue.timers, plus 1; 0 if it is not set. Guarded by Queue.mu
}

// Set has a timer of the value ring at the moment at, in place of the one for which it was
// set before. A timer always has the same value.
func (q *Queue[T]) Set(t *Timer[T], of T, at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.began.IsZero() {
		q.began = time.Now()
	}
	t.of = of
	q.timers.set(t, time.Since(q.began)+time.Until(at)) // at may be of the wall clock alone
	if t.place == 1 {
		q.schedule()
	}
}

// Stop has a timer not ring any more.
func (q *Queue[T]) Stop(t *Timer[T]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.place == 0 {
		return
	}
	q.timers.remove(t)
	if len(q.timers) == 0 {
		q.next.Stop()
	}
}

// schedule sets the runtime's timer for the first of the queue's. The caller must hold mu.
func (q *Queue[T]) schedule() {
	if q.ringing || len(q.timers) == 0 {
		return
	}
	wait := q.timers[0].due - time.Since(q.began)
	if q.next == nil {
		q.next = time.AfterFunc(wait, q.run)
		return
	}
	q.next.Reset(wait)
}

// run rings what is due.
func (q *Queue[T]) run() {
	due := q.takeDue()
	if len(due) == 0 {
		return
	}
	for _, of := range due {
		q.Ring(of)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ringing = false
	q.schedule()
}

// takeDue removes and returns what is due. That is nothing if the first timer was set anew
// just before, or if another call rings, which sets the runtime's timer afterwards.
func (q *Queue[T]) takeDue() (due []T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Since(q.began)
	if q.ringing || len(q.timers) == 0 || q.timers[0].due > now {
		q.schedule()
		return nil
	}
	q.ringing = true
	for len(q.timers) > 0 && q.timers[0].due <= now+q.Slack {
		first := q.timers[0].timer
		due = append(due, first.of)
		q.timers.remove(first)
	}
	return due
}
