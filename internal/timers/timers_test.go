package timers_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"expenseflow/internal/timers"
)

// An alarm is what the tests set timers of.
type alarm struct {
	timer timers.Timer[*alarm]
	want  time.Duration // when it is due; 0 if it is not set
	rung  []time.Duration
}

// Whatever is set, moved and stopped in whatever order, each timer rings at its last moment
// and at no other.
func TestEachTimerRingsOnceAtItsLastMoment(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := make([]alarm, rapid.IntRange(1, 20).Draw(rt, "timers"))
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			q := &timers.Queue[*alarm]{Ring: func(a *alarm) { a.rung = append(a.rung, time.Since(began)) }}
			for range rapid.IntRange(1, 60).Draw(rt, "steps") {
				a := &all[rapid.IntRange(0, len(all)-1).Draw(rt, "which")]
				if due := time.Duration(rapid.IntRange(0, 50).Draw(rt, "due")) * time.Millisecond; due == 0 {
					q.Stop(&a.timer)
					a.want = 0
				} else {
					q.Set(&a.timer, a, began.Add(due))
					a.want = due
				}
			}
			time.Sleep(time.Second)
			synctest.Wait()
			for i := range all {
				if a := &all[i]; a.want == 0 && len(a.rung) > 0 || a.want > 0 && !slices.Equal(a.rung, []time.Duration{a.want}) {
					rt.Errorf("timer %d rang at %v, was due at %v", i, a.rung, a.want)
				}
			}
		})
	})
}

func TestATimerIsSetAgainWhileItRings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, q := time.Now(), &timers.Queue[*alarm]{}
		q.Ring = func(a *alarm) {
			if a.rung = append(a.rung, time.Since(began)); len(a.rung) < 3 {
				q.Set(&a.timer, a, time.Now().Add(time.Second))
			}
		}
		var a alarm
		q.Set(&a.timer, &a, began.Add(time.Second))
		time.Sleep(time.Minute)
		synctest.Wait()
		if want := []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}; !slices.Equal(a.rung, want) {
			t.Errorf("rang at %v, want %v", a.rung, want)
		}
	})
}

// Slack is for those that would ring soon after one that is due. The first is never early.
func TestOnlyTimersNearOneThatIsDueAreEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		q := &timers.Queue[*alarm]{Slack: 100 * time.Millisecond}
		q.Ring = func(a *alarm) { a.rung = append(a.rung, time.Since(began)) }
		all := make([]alarm, 4)
		for i, due := range []time.Duration{1000, 1100, 1101, 1300} {
			q.Set(&all[i].timer, &all[i], began.Add(due*time.Millisecond))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		for i, want := range []time.Duration{1000, 1000, 1101, 1300} {
			if got := all[i].rung; !slices.Equal(got, []time.Duration{want * time.Millisecond}) {
				t.Errorf("timer %d rang at %v, want %v ms", i, got, int64(want))
			}
		}
	})
}
