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
		ls := newLanes()
		passing, most := 0, 0
		for range 10 {
			go func() {
				leave, err := ls.enter(t.Context(), "a", []string{"k"}, false)
				if err != nil {
					t.Errorf("enter: %v", err)
					return
				}
				passing++
				most = max(most, passing)
				time.Sleep(time.Second)
				passing--
				leave()
			}()
		}
		synctest.Wait()
		leave, err := ls.enter(t.Context(), "b", nil, false)
		if err != nil {
			t.Fatalf("another device waits: %v", err)
		}
		leave()
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if most != 1 || len(ls.open) != 0 {
			t.Errorf("%d passed at once, %d lanes stayed open", most, len(ls.open))
		}
	})
}

func TestWhoeverHangsUpWhileWaitingIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ls := newLanes()
		leave, err := ls.enter(t.Context(), "a", []string{"k"}, false)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = ls.enter(ctx, "a", []string{"k"}, false)
		if models.KindOf(err) != models.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		leave()
		if len(ls.open) != 0 {
			t.Errorf("%d lanes stayed open", len(ls.open))
		}
	})
}

// SYNC_DUP_INFLIGHT=409 (docs/contract.md#d13).
func TestD13ABatchWithNothingNewIsRefusedIfSoChosen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ls := newLanes()
		leave, err := ls.enter(t.Context(), "a", []string{"1", "2"}, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, keys := range [][]string{{"1", "2"}, {"2"}, {"2", "1", "2"}} {
			if _, err := ls.enter(t.Context(), "a", keys, true); !errors.Is(err, errInFlight) || models.KindOf(err) != models.Conflict {
				t.Errorf("%v: got %v", keys, err)
			}
		}
		entered := 0
		for _, keys := range [][]string{{"1", "3"}, {"1", ""}} { // an operation that is new, or may be
			go func() {
				leave, err := ls.enter(t.Context(), "a", keys, true)
				if err != nil {
					t.Errorf("%v: %v", keys, err)
					return
				}
				entered++
				leave()
			}()
		}
		synctest.Wait()
		if _, err := ls.enter(t.Context(), "a", []string{"3"}, true); !errors.Is(err, errInFlight) {
			t.Errorf("what waits is under way too: %v", err)
		}
		leave()
		synctest.Wait()
		if entered != 2 || len(ls.open) != 0 {
			t.Errorf("%d entered, %d lanes stayed open", entered, len(ls.open))
		}
		if leave, err = ls.enter(t.Context(), "a", []string{"1", "2"}, true); err != nil {
			t.Fatalf("afterwards: %v", err)
		}
		leave()
	})
}
