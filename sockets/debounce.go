package sockets

import (
	"context"
	"sync"
	"time"
)

// A debounce does something soon after it was touched: when it was left alone for
// quiet, and at the latest most after the first touch. It costs no goroutine while
// there is nothing to do, and does one thing at a time.
type debounce struct {
	quiet, most time.Duration
	// do gives how long to wait before it is tried again, 0 if it was done.
	do func() (again time.Duration)

	mu      sync.Mutex
	timer   *time.Timer // nil unless it is set
	latest  time.Time   // when the timer must have run
	running bool
	touched bool // while it ran
	over    bool
}

// touch says that there is something to do. It never blocks.
func (d *debounce) touch() {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.over:
	case d.running:
		d.touched = true
	case d.timer == nil:
		d.set(d.quiet, d.most)
	default:
		d.timer.Reset(min(d.quiet, time.Until(d.latest)))
	}
}

// set starts the timer. d.mu is held.
func (d *debounce) set(wait, most time.Duration) {
	d.latest = time.Now().Add(max(wait, most))
	d.timer = time.AfterFunc(wait, d.run)
}

func (d *debounce) run() {
	if !d.begin() {
		return
	}
	again := d.do()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = false
	switch {
	case d.over:
	case again > 0:
		d.set(again, again)
	case d.touched:
		d.set(d.quiet, d.most)
	}
	d.touched = false
}

// begin tells whether there is something to do: the timer may have been set anew
// while it ran out.
func (d *debounce) begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over || d.timer == nil || d.running {
		return false
	}
	d.timer.Stop()
	d.timer, d.running = nil, true
	return true
}

// stop ends it. What is under way may still be so when it returns.
func (d *debounce) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	if d.timer != nil {
		d.timer.Stop()
	}
}

// errands are what timers do for a Hub, so that it can wait for them in the end.
type errands struct {
	ctx  context.Context
	stop context.CancelFunc

	mu      sync.Mutex
	over    bool
	running sync.WaitGroup
}

func newErrands() *errands {
	e := &errands{}
	e.ctx, e.stop = context.WithCancel(context.Background())
	return e
}

// run runs fn, unless it is over.
func (e *errands) run(fn func(context.Context)) {
	e.mu.Lock()
	if e.over {
		e.mu.Unlock()
		return
	}
	e.running.Add(1)
	e.mu.Unlock()
	defer e.running.Done()
	fn(e.ctx)
}

// end lets nothing begin any more and waits for the rest, whose context ends.
func (e *errands) end() {
	e.mu.Lock()
	e.over = true
	e.mu.Unlock()
	e.stop()
	e.running.Wait()
}
