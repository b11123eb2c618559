package store_test

import (
	"sync"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// A read outside transactions is observed once, and a transaction once with all that it reads.
func TestReadsAndTransactionsAreObserved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		var mu sync.Mutex
		seen := map[store.Work]int{}
		o := options(t)
		o.Observe = func(w store.Work, took time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			if took < 0 {
				t.Errorf("it took %v", took)
			}
			seen[w]++
		}
		s := storetest.Open(t, o)
		u := storetest.User(t, s)
		count := func(do func() error) (reads, writes int) {
			mu.Lock()
			clear(seen)
			mu.Unlock()
			if err := do(); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			defer mu.Unlock()
			return seen[store.Reading], seen[store.Writing]
		}
		if r, w := count(func() error { return s.Ping(t.Context()) }); r != 1 || w != 0 {
			t.Errorf("a read: %d reads, %d transactions", r, w)
		}
		r, w := count(func() error {
			return s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
				_, err := tx.Expense(storetest.ID())
				if models.KindOf(err) == models.NotFound {
					err = nil
				}
				return err
			})
		})
		if r != 0 || w != 1 {
			t.Errorf("a transaction that reads: %d reads, %d transactions", r, w)
		}
	})
}

// Writers that wait for SQLite's one writing connection show as waits.
func TestWaitsForTheTurnToWriteAreCounted(t *testing.T) {
	s := storetest.Open(t, storetest.SQLiteOptions(t))
	u := storetest.User(t, s)
	before := s.PoolStats()
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if err := s.Write(t.Context(), u.ID, func(*store.Tx) error { time.Sleep(5 * time.Millisecond); return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if after := s.PoolStats(); after.Waits == before.Waits || after.Waited <= before.Waited {
		t.Errorf("%+v, then %+v", before, after)
	}
}
