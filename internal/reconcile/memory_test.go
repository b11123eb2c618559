package reconcile

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Two large queues, one being applied and one waiting, blocked the small queues of all users
// until the first was done.
func TestALargeQueueThatWaitsKeptSmallOnesOfOthersWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newQueueMemory()
		leave, err := r.acquire(t.Context(), "alice", 10<<20)
		if err != nil {
			t.Fatal(err)
		}
		second := make(chan error, 1)
		go func() {
			leave, err := r.acquire(t.Context(), "bob", 10<<20)
			if err == nil {
				leave()
			}
			second <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		small, err := r.acquire(ctx, "carol", 1<<10)
		if err != nil {
			t.Errorf("a queue of a kilobyte: %v", err)
		} else {
			small()
		}
		select {
		case err := <-second:
			t.Errorf("both large queues were in work at once: %v", err)
		default:
		}
		leave()
		if err := <-second; err != nil {
			t.Errorf("the second large queue: %v", err)
		}
	})
}
