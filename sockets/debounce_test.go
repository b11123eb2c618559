package sockets

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// after calls trigger at these milliseconds and returns the milliseconds at which do ran
// within a minute. do returns how long it takes and when to retry.
func after(t *testing.T, do func(n int) (takes, again time.Duration), triggers ...int) (done []int) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		start := time.Now()
		d := debounce{waits: &debounceWaits{50 * time.Millisecond, 250 * time.Millisecond}}
		d.do = func() time.Duration {
			done = append(done, int(time.Since(start).Milliseconds()))
			takes, again := do(len(done))
			time.Sleep(takes)
			return again
		}
		for _, at := range triggers {
			time.Sleep(time.Duration(at)*time.Millisecond - time.Since(start))
			d.trigger()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		d.stop()
		d.trigger()
		time.Sleep(time.Minute)
	})
	return done
}

func atOnce(int) (takes, again time.Duration) { return 0, 0 }

func every(step, until int) (at []int) {
	for ms := 0; ms <= until; ms += step {
		at = append(at, ms)
	}
	return at
}

func TestDebounceWaitsForQuietAndNotForEver(t *testing.T) {
	slow := func(int) (takes, again time.Duration) { return 100 * time.Millisecond, 0 }
	failing := func(n int) (takes, again time.Duration) {
		if n < 3 {
			return 0, time.Second
		}
		return 0, 0
	}
	tests := []struct {
		name     string
		do       func(int) (takes, again time.Duration)
		triggers []int
		want     []int
	}{
		{"one trigger", atOnce, []int{0}, []int{50}},
		{"two that are near", atOnce, []int{0, 40}, []int{90}},
		{"two that are far", atOnce, []int{0, 100}, []int{50, 150}},
		{"no quiet for a second", atOnce, every(15, 990), []int{250, 505, 760, 1015}},
		{"triggered while it runs", slow, []int{0, 60, 70}, []int{50, 200}},
		{"in trouble", failing, []int{0}, []int{50, 1050, 2050}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := after(t, tt.do, tt.triggers...); !slices.Equal(got, tt.want) {
				t.Errorf("done at %v ms, want %v", got, tt.want)
			}
		})
	}
}
