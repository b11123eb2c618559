package main

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// A result holds the figures of one measurement of one peer, by name.
type result map[string]float64

// latencies collects durations. It may be used concurrently.
type latencies struct {
	mu sync.Mutex
	d  []time.Duration
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	l.d = append(l.d, d)
	l.mu.Unlock()
}

// at gives the quantile q in milliseconds, NaN without samples.
func (l *latencies) at(q float64) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.d) == 0 {
		return math.NaN()
	}
	slices.Sort(l.d)
	i := min(int(q*float64(len(l.d))), len(l.d)-1)
	return float64(l.d[i].Nanoseconds()) / 1e6
}

// summary gives median, least and greatest of v.
func summary(v []float64) (median, least, greatest float64) {
	if len(v) == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	median = s[len(s)/2]
	if len(s)%2 == 0 {
		median = (s[len(s)/2-1] + s[len(s)/2]) / 2
	}
	return median, s[0], s[len(s)-1]
}

func scaled(n int, scale float64, least int) int {
	return max(int(float64(n)*scale), least)
}

func scaledTime(d time.Duration, scale float64) time.Duration {
	return max(time.Duration(float64(d)*scale), 2*time.Second)
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func ignore(int) func([]byte) { return func([]byte) {} }
