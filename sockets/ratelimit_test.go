package sockets

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// All of a thousand refused commands were told to come again in 17 ms, and all but one
// were refused again.
func TestEveryRefusedEventWasToldTheSameTime(t *testing.T) {
	m := newRateMeter(60, 60)
	now := time.Now()
	for range 60 {
		same(t, "within the burst", time.Duration(0), m.take(now))
	}
	var last time.Duration
	for i := range 1000 {
		wait := m.take(now)
		if i > 0 && wait-last < m.share {
			t.Fatalf("refusal %d is told %v, the one before it %v", i, wait, last)
		}
		last = wait
	}
	same(t, "of the last", 17*time.Second, last)
}

// Whoever comes again when it was told to is not refused again.
func TestWhoWaitsAsLongAsToldFindsAShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		perSecond := rapid.SampledFrom([]float64{0.1, 5, 60, 1000}).Draw(t, "rate")
		burst := rapid.IntRange(1, 50).Draw(t, "burst")
		m := newRateMeter(perSecond, burst)
		now := time.Now()
		var again []time.Time
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			if wait := m.take(now); wait > 0 {
				again = append(again, now.Add(wholeMillis(wait)))
			}
		}
		for _, at := range again {
			if wait := m.take(at); wait > 0 {
				t.Fatalf("refused again for %v after waiting until %v", wait, at.Sub(now))
			}
		}
	})
}
