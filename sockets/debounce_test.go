package sockets

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// after runs touches at these milliseconds and gives the milliseconds at which
// the thing was done within a minute. do may take time or ask to come again.
func after(t *testing.T, do func(n int) (takes, again time.Duration), touches ...int) (done []int) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		start := time.Now()
		d := debounce{quiet: 50 * time.Millisecond, most: 250 * time.Millisecond}
		d.do = func() time.Duration {
			done = append(done, int(time.Since(start).Milliseconds()))
			takes, again := do(len(done))
			time.Sleep(takes)
			return again
		}
		for _, at := range touches {
			time.Sleep(time.Duration(at)*time.Millisecond - time.Since(start))
			d.touch()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		d.stop()
		d.touch()
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
		name    string
		do      func(int) (takes, again time.Duration)
		touches []int
		want    []int
	}{
		{"one touch", atOnce, []int{0}, []int{50}},
		{"two that are near", atOnce, []int{0, 40}, []int{90}},
		{"two that are far", atOnce, []int{0, 100}, []int{50, 150}},
		{"no quiet for a second", atOnce, every(15, 990), []int{250, 505, 760, 1015}},
		{"touched while it runs", slow, []int{0, 60, 70}, []int{50, 200}},
		{"in trouble", failing, []int{0}, []int{50, 1050, 2050}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := after(t, tt.do, tt.touches...); !slices.Equal(got, tt.want) {
				t.Errorf("done at %v ms, want %v", got, tt.want)
			}
		})
	}
}

func TestErrandsEndTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, began, ended := newErrands(), make(chan struct{}), false
		go e.run(func(ctx context.Context) {
			close(began)
			<-ctx.Done()
			time.Sleep(time.Second)
			ended = true
		})
		<-began
		e.end()
		if !ended {
			t.Error("end does not wait")
		}
		e.run(func(context.Context) { t.Error("something begins after the end") })
	})
}
