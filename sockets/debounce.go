package sockets

import (
	"sync"
	"time"
)

// A debounce runs do once for many calls of trigger: when there was none for the time
// quiet, and at the latest the time most after the first. It needs no goroutine while
// there is nothing to do. One call of do runs at a time. Its methods may be called
// concurrently.
type debounce struct {
	quiet, most time.Duration
	// do returns how long to wait before it is tried again, 0 if it succeeded.
	do func() (retry time.Duration)

	mu        sync.Mutex
	timer     *time.Timer // nil unless it is set
	latest    time.Time   // when the timer fires at the latest
	running   bool
	triggered bool // while do was running
	stopped   bool
}

// trigger asks for a run of do. It never blocks.
func (d *debounce) trigger() {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.stopped:
	case d.running:
		d.triggered = true
	case d.timer == nil:
		d.schedule(d.quiet, d.most)
	default:
		d.timer.Reset(min(d.quiet, time.Until(d.latest)))
	}
}

// schedule sets the timer. The caller must hold mu.
func (d *debounce) schedule(wait, most time.Duration) {
	d.latest = time.Now().Add(max(wait, most))
	d.timer = time.AfterFunc(wait, d.run)
}

func (d *debounce) run() {
	if !d.begin() {
		return
	}
	retry := d.do()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = false
	switch {
	case d.stopped:
	case retry > 0:
		d.schedule(retry, retry)
	case d.triggered:
		d.schedule(d.quiet, d.most)
	}
	d.triggered = false
}

// begin reports whether do is to run now. It is not if the timer was set anew while
// it fired.
func (d *debounce) begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped || d.timer == nil || d.running {
		return false
	}
	d.timer.Stop()
	d.timer, d.running = nil, true
	return true
}

// stop lets no further run begin. One that has begun may still run when stop returns.
func (d *debounce) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	if d.timer != nil {
		d.timer.Stop()
	}
}
