package sockets

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhoIsNotBackWithinTheGracePeriodIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		removed := 0
		mu.Lock()
		back, away := startGrace(&mu, func() { t.Error("it was back") }), startGrace(&mu, func() { removed++ })
		mu.Unlock()
		time.Sleep(gracePeriod - time.Nanosecond)
		mu.Lock()
		same(t, "removed before the end", 0, removed)
		back.cancel()
		mu.Unlock()
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		same(t, "removed", 1, removed)
		away.cancel() // no harm
	})
}

// A timer whose time is up may come to the lock after its device was back and has gone
// again: that absence has a grace period of its own.
func TestALateTimerEndsNoNewGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		mu.Lock()
		first := startGrace(&mu, func() { t.Error("removed by the timer of an earlier absence") })
		mu.Unlock()
		mu.Lock()
		time.Sleep(gracePeriod) // the timer fires and waits for the lock
		first.cancel()
		second := startGrace(&mu, func() { t.Error("removed too early") })
		mu.Unlock()
		time.Sleep(gracePeriod - time.Nanosecond)
		mu.Lock()
		second.cancel()
		mu.Unlock()
	})
}
