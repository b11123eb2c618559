package store_test

import (
	"context"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"

	"golang.org/x/sync/errgroup"
)

// holdLongReads takes all places for long reads that the user, who has many expenses,
// may have at a time, until the test ends.
func holdLongReads(t *testing.T, s *store.Store, userID string) {
	t.Helper()
	leave, taking := make(chan struct{}), make(chan struct{})
	var g errgroup.Group
	for range 2 {
		g.Go(func() error {
			first := true
			return s.EachExpense(context.Background(), userID, func(models.Expense) error {
				if first {
					taking <- struct{}{}
				}
				first = false
				<-leave
				return nil
			})
		})
		<-taking
	}
	t.Cleanup(func() {
		close(leave)
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// waitsForAPlace reports whether read waits for a place for long reads; then it ends it.
func waitsForAPlace(t *testing.T, s *store.Store, read func(ctx context.Context) error) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- read(ctx) }()
	for waited := false; ; waited = waited || s.LongReadsAwaited() {
		if waited {
			cancel()
		}
		select {
		case err := <-done:
			if err != nil && (!waited || models.KindOf(err) != models.Unavailable) {
				t.Error(err)
			}
			return waited
		case <-time.After(time.Millisecond):
		}
	}
}

// A browser that was away for a minute waited behind the long lists of its own account.
func TestAFewNewExpensesOfALargeAccountWaitForNoPlace(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		fill(t, s, u.ID, 3000)
		holdLongReads(t, s, u.ID)
		for after, want := range map[int64]bool{2990: false, 2744: false, 2743: true, 0: true} {
			rows := int64(0)
			waited := waitsForAPlace(t, s, func(ctx context.Context) error {
				return s.ExpensesSyncedAfter(ctx, u.ID, time.UnixMilli(after), func(models.Expense) error { rows++; return nil })
			})
			if waited != want || !waited && rows != 3000-after {
				t.Errorf("after %d: waited %v, %d rows", after, waited, rows)
			}
		}
	})
}

// A dashboard of many years was read by the connections that authentication needs.
func TestDashboardsOfLongRangesKeepNobodyWaiting(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		fill(t, s, u.ID, 1000)
		err := s.Exec(t.Context(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
			INSERT INTO daily_totals (user_id, day, category, type, currency, units, micros, count)
			SELECT ?, i, 'food', 'expense', '', 1, 0, 1 FROM n`, u.ID)
		if err != nil {
			t.Fatal(err)
		}
		read := func(from, to models.Day) func(context.Context) error {
			return func(ctx context.Context) error {
				d, err := s.Dashboard(ctx, u.ID, models.DayRefOf(from), models.DayRefOf(to))
				if want := int64(to-from) + 1; err == nil && (d.Expense.Units != want || int64(len(d.Series)) != want) {
					t.Errorf("days %d to %d: %v in %d days", from, to, d.Expense, len(d.Series))
				}
				return err
			}
		}
		if waitsForAPlace(t, s, read(1, 2500)) {
			t.Error("a long range waits though nobody else reads")
		}
		holdLongReads(t, s, u.ID)
		if waitsForAPlace(t, s, read(1, 31)) || waitsForAPlace(t, s, read(1, 2000)) {
			t.Error("a short range waited for a place")
		}
		if !waitsForAPlace(t, s, read(1, 2001)) {
			t.Error("a long range took no place")
		}
	})
}

// A full list of parked operations was read by the connections that authentication needs.
func TestManyParkedOperationsKeepNobodyWaiting(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		fill(t, s, u.ID, 1000)
		park := func(n int) {
			write(t, s, u.ID, func(tx *store.Tx) {
				for range n {
					op := operation(tx, "", "temp_1", nil)
					op.State = models.Parked
					tx.InsertOperation(op)
				}
			})
		}
		each := func(ctx context.Context) error {
			return s.EachParked(ctx, u.ID, func(models.QueuedOperation) error { return nil })
		}
		page := func(ctx context.Context) error {
			_, _, err := s.ParkedPage(ctx, u.ID, models.ParkedPlace{}, 1000, 256<<10)
			return err
		}
		park(31)
		holdLongReads(t, s, u.ID)
		if waitsForAPlace(t, s, each) || waitsForAPlace(t, s, page) {
			t.Error("a few parked operations waited for a place")
		}
		park(300)
		if !waitsForAPlace(t, s, each) || !waitsForAPlace(t, s, page) {
			t.Error("many parked operations took no place")
		}
	})
}
