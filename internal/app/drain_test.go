package app

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestADrainClosesEachSocketAtAMomentOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sockets, spread = 1000, 30 * time.Second
		began := time.Now()
		perSecond := make([]int, spread/time.Second+1)
		var closers []func()
		for range sockets {
			closers = append(closers, func() { perSecond[time.Since(began)/time.Second]++ })
		}
		closeOverTime(t.Context(), closers, spread, func() bool { return false })
		sum := 0
		for second, closed := range perSecond {
			if sum += closed; closed > sockets/10 {
				t.Errorf("%d sockets were closed in second %d", closed, second)
			}
		}
		if d := time.Since(began); sum != sockets || d > spread+drainStep {
			t.Errorf("%d were closed in %v", sum, d)
		}
	})
}

func TestADrainEndsWhenNothingIsLeftOrItsTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		closers := []func(){func() {}, func() {}}
		closeOverTime(t.Context(), closers, time.Hour, func() bool { return time.Since(began) > time.Second })
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("it ended after %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		closeOverTime(ctx, closers, time.Hour, func() bool { return false })
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("it outlasted its context by %v", d)
		}
	})
}
