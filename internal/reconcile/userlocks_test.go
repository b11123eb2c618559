package reconcile

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/models"
)

func TestOneBatchOfADeviceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var locks userLocks
		applied, most := 0, 0
		for range 10 {
			go func() {
				unlock, err := locks.lock(t.Context(), "a", []string{"k"}, false)
				if err != nil {
					t.Errorf("enter: %v", err)
					return
				}
				applied++
				most = max(most, applied)
				time.Sleep(time.Second)
				applied--
				unlock()
			}()
		}
		synctest.Wait()
		unlock, err := locks.lock(t.Context(), "b", nil, false)
		if err != nil {
			t.Fatalf("another device waits: %v", err)
		}
		unlock()
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if most != 1 || len(locks.inFlight) != 0 {
			t.Errorf("%d were applied at once, %d entries are kept", most, len(locks.inFlight))
		}
	})
}

func TestWhoeverHangsUpWhileWaitingIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var locks userLocks
		unlock, err := locks.lock(t.Context(), "a", []string{"k"}, false)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = locks.lock(ctx, "a", []string{"k"}, false)
		if models.KindOf(err) != models.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		unlock()
		if len(locks.inFlight) != 0 {
			t.Errorf("%d entries are kept", len(locks.inFlight))
		}
	})
}

// SYNC_DUP_INFLIGHT=409 (docs/contract.md#d13).
func TestD13ABatchWithNothingNewIsRefusedIfSoChosen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var locks userLocks
		unlock, err := locks.lock(t.Context(), "a", []string{"1", "2"}, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, keys := range [][]string{{"1", "2"}, {"2"}, {"2", "1", "2"}} {
			if _, err := locks.lock(t.Context(), "a", keys, true); !errors.Is(err, errInFlight) || models.KindOf(err) != models.Conflict {
				t.Errorf("%v: got %v", keys, err)
			}
		}
		entered := 0
		for _, keys := range [][]string{{"1", "3"}, {"1", ""}} { // an operation that is new, or may be
			go func() {
				unlock, err := locks.lock(t.Context(), "a", keys, true)
				if err != nil {
					t.Errorf("%v: %v", keys, err)
					return
				}
				entered++
				unlock()
			}()
		}
		synctest.Wait()
		if _, err := locks.lock(t.Context(), "a", []string{"3"}, true); !errors.Is(err, errInFlight) {
			t.Errorf("what waits is under way too: %v", err)
		}
		unlock()
		synctest.Wait()
		if entered != 2 || len(locks.inFlight) != 0 {
			t.Errorf("%d entered, %d entries are kept", entered, len(locks.inFlight))
		}
		if unlock, err = locks.lock(t.Context(), "a", []string{"1", "2"}, true); err != nil {
			t.Fatalf("afterwards: %v", err)
		}
		unlock()
	})
}
