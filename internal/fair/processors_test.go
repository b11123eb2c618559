package fair_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/fair"
)

// Of many callers at once, no more than half of the processors work, and all get their turn.
func TestLongWorkLeavesHalfOfTheProcessors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := fair.NewProcessors(8)
		var at, most, done atomic.Int64
		for i := range 20 {
			go func() {
				err := p.Do(t.Context(), fmt.Sprint("caller ", i), func() {
					most.Store(max(most.Load(), at.Add(1)))
					time.Sleep(time.Second)
					at.Add(-1)
				})
				if err == nil {
					done.Add(1)
				}
			}()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if most.Load() != 4 || done.Load() != 20 {
			t.Errorf("%d at once, %d done, want 4 and 20", most.Load(), done.Load())
		}
	})
}

func TestLongWorkOfACallerWhoLeftIsNotDone(t *testing.T) {
	p := fair.NewProcessors(8)
	for i := range 4 {
		started, end := make(chan struct{}), make(chan struct{})
		defer close(end)
		go func() { _ = p.Do(context.Background(), fmt.Sprint("caller ", i), func() { close(started); <-end }) }()
		<-started
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := p.Do(gone, "alice", func() { t.Error("the work was done") }); !errors.Is(err, context.Canceled) {
		t.Errorf("Do: %v, want that the caller left", err)
	}
}
