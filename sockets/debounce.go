package sockets

import (
	"sync"
	"time"
)

// A debounce runs do once for many calls of trigger: when there was none for the time
// waits.quiet, and at the latest the time waits.most after the first. It needs no goroutine while
// there is nothing to do. One call of do runs at a time. Its methods may be called
// concurrently.
type debounce struct {
	waits *debounceWaits
	// do returns how long to wait before it is tried again, 0 if it succeeded.
	do func() (retry time.Duration)

	mu        sync.Mutex
	set       *debounceTimer // nil unless it is set
	running   bool
	triggered bool // while do was running
	stopped   bool
}

// debounceWaits are the times of a debounce, which many have in common.
type debounceWaits struct{ quiet, most time.Duration }

// A debounceTimer is the timer of a debounce while that waits.
type debounceTimer struct {
	*time.Timer
	latest time.Time // when it fires at the latest
}

// trigger asks for a run of do. It never blocks.
func (d *debounce) trigger() {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.stopped:
	case d.running:
		d.triggered = true
	case d.set == nil:
		d.schedule(*d.waits)
	default:
		d.set.Reset(min(d.waits.quiet, time.Until(d.set.latest)))
	}
}

// schedule sets the timer. The caller must hold mu.
func (d *debounce) schedule(w debounceWaits) {
	d.set = &debounceTimer{time.AfterFunc(w.quiet, d.run), time.Now().Add(max(w.quiet, w.most))}
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
		d.schedule(debounceWaits{retry, retry})
	case d.triggered:
		d.schedule(*d.waits)
	}
	d.triggered = false
}

// begin reports whether do is to run now. It is not if the timer was set anew while
// it fired.
func (d *debounce) begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped || d.set == nil || d.running {
		return false
	}
	d.set.Stop()
	d.set, d.running = nil, true
	return true
}

// stop lets no further run begin. One that has begun may still run when stop returns.
func (d *debounce) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	if d.set != nil {
		d.set.Stop()
	}
}
