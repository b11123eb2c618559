package sockets

import (
	"sync"
	"time"
)

// gracePeriod is how long a device still counts as present after its last socket has
// gone: a page that is loaded anew is back by then. It holds for a user's devices and
// for the participants of rooms.
const gracePeriod = 3 * time.Second

// A graceTimer removes something that has gone and did not come back within the grace
// period. A cancelled timer never runs, even if its time was up already and it waits
// for the lock.
type graceTimer struct {
	timer     *time.Timer
	cancelled bool // guarded by the lock that startGrace was given
}

// startGrace runs remove after the grace period, holding mu. The caller must hold mu.
func startGrace(mu sync.Locker, remove func()) *graceTimer {
	return startGraceOf(gracePeriod, mu, remove)
}

// startGraceOf is startGrace with another period.
func startGraceOf(period time.Duration, mu sync.Locker, remove func()) *graceTimer {
	g := &graceTimer{}
	g.timer = time.AfterFunc(period, func() {
		mu.Lock()
		defer mu.Unlock()
		if !g.cancelled {
			remove()
		}
	})
	return g
}

// cancel stops the timer. The caller must hold the timer's lock. A nil graceTimer is
// one that was never started.
func (g *graceTimer) cancel() {
	if g != nil {
		g.cancelled = true
		g.timer.Stop()
	}
}
