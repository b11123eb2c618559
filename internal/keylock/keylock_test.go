package keylock

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// len is how many keys are held or waited for.
func (l *Locks) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held)
}

// mustLock takes a key that is free or becomes free.
func mustLock(t *testing.T, l *Locks, keys ...string) (unlock func()) {
	t.Helper()
	unlock, err := l.LockAll(t.Context(), keys)
	if err != nil {
		t.Errorf("lock %q: %v", keys, err)
		return func() {}
	}
	return unlock
}

func TestWaitersGetTheirKeyInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Locks
		first := mustLock(t, &l, "a")
		var order []int
		for i := range 10 {
			go func() {
				unlock := mustLock(t, &l, "a")
				order = append(order, i)
				time.Sleep(time.Second)
				unlock()
			}()
			synctest.Wait() // it waits for the key
		}
		mustLock(t, &l, "b")() // whoever wants another key does not wait
		if len(order) != 0 {
			t.Errorf("%v hold a key that is held", order)
		}
		first()
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(order, want) || l.len() != 0 {
			t.Errorf("order %v, %d keys are kept", order, l.len())
		}
	})
}

func TestWaiterWhoseContextEndsLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Locks
		unlock := mustLock(t, &l, "b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.LockAll(ctx, []string{"a", "b", "c"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		mustLock(t, &l, "a")() // it was given back
		unlock()
		if l.len() != 0 {
			t.Errorf("%d keys are kept", l.len())
		}
	})
}

// However many callers want whatever sets of keys, all get them, no key is held twice
// at once, and nothing is kept afterwards.
func TestNoKeyIsHeldTwiceAndNobodyStarves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		keys := []string{"a", "b", "c", "d"}
		sets := rapid.SliceOfN(rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 0, len(keys), rapid.ID), 1, 20).Draw(rt, "sets")
		synctest.Test(t, func(t *testing.T) {
			var l Locks
			var mu sync.Mutex // guards holders and served
			holders, served := map[string]int{}, 0
			count := func(set []string, n int) {
				mu.Lock()
				defer mu.Unlock()
				for _, key := range set {
					if holders[key] += n; holders[key] > 1 {
						t.Errorf("%d hold %s", holders[key], key)
					}
				}
				served += max(0, -n)
			}
			for _, set := range sets {
				slices.Sort(set)
				go func() {
					defer mustLock(t, &l, set...)()
					count(set, 1)
					time.Sleep(time.Second)
					count(set, -1)
				}()
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if served != len(sets) || l.len() != 0 {
				t.Errorf("%d of %d were served, %d keys are kept", served, len(sets), l.len())
			}
		})
	})
}
