package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"

	"golang.org/x/sync/errgroup"
)

// rich makes users of whom each has so many expenses.
func rich(t *testing.T, s *store.Store, users, rows int) (ids []string) {
	t.Helper()
	for range users {
		ids = append(ids, storetest.User(t, s).ID)
	}
	fill(t, s, ids[0], users*rows)
	for i, id := range ids {
		if err := s.Exec(t.Context(), "UPDATE expenses SET user_id = ? WHERE date > ? AND date <= ?", id, i*rows,
			(i+1)*rows); err != nil {
			t.Fatal(err)
		}
	}
	recount(t, s)
	return ids
}

// A slowReader takes one expense, and the others when it is told to.
type slowReader struct {
	taken, leave chan struct{}
	got          []string
}

func newSlowReader() *slowReader {
	return &slowReader{taken: make(chan struct{}), leave: make(chan struct{})}
}

func (r *slowReader) take(e models.Expense) error {
	if len(r.got) == 0 {
		close(r.taken)
		<-r.leave
	}
	r.got = append(r.got, e.ID)
	return nil
}

// inOrder are the ids that fill gave to the expenses of those dates, the newest first.
func inOrder(from, to int) (ids []string) {
	for i := to; i >= from; i-- {
		ids = append(ids, fmt.Sprintf("000000000000%d", 100_000_000_000+i))
	}
	return ids
}

// Five accounts that read their long lists slowly held all places for long reads, and so
// everybody's long lists, for ten minutes.
func TestFiveSlowAccountsKeptEverybodysLongListsWaiting(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		const rows = 1500
		users := rich(t, s, 6, rows)
		var g errgroup.Group
		var readers []*slowReader
		for _, id := range users[:5] {
			for range 2 {
				r := newSlowReader()
				readers = append(readers, r)
				g.Go(func() error { return s.EachExpense(t.Context(), id, r.take) })
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for name, read := range map[string]func(fn func(models.Expense) error) error{
			"list": func(fn func(models.Expense) error) error { return s.EachExpense(ctx, users[5], fn) },
			"pull": func(fn func(models.Expense) error) error {
				return s.ExpensesSyncedAfter(ctx, users[5], time.UnixMilli(1), fn)
			},
			"snapshot": func(fn func(models.Expense) error) error {
				_, err := s.Snapshot(ctx, users[5], func(_ int64, e models.Expense) error { return fn(e) })
				return err
			},
		} {
			n := 0
			if err := read(func(models.Expense) error { n++; return nil }); err != nil || n != rows {
				t.Errorf("%s of somebody else: %d expenses, %v", name, n, err)
			}
		}
		for i, r := range readers {
			<-r.taken // each of them got in
			close(r.leave)
			defer func() {
				if want := inOrder(i/2*rows+1, (i/2+1)*rows); !slices.Equal(r.got, want) {
					t.Errorf("slow reader %d got %d expenses, not each of %d once and in order", i, len(r.got), rows)
				}
			}()
		}
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// outlast has list be read by a slow reader whom others make lose its connection, calls
// change, and returns what the reader got in the end.
func outlast(t *testing.T, s *store.Store, userID string, list func(fn func(models.Expense) error) error,
	change func(),
) ([]string, error) {
	t.Helper()
	var g errgroup.Group
	slow, failed := newSlowReader(), make(chan error, 1)
	go func() { failed <- list(slow.take) }()
	<-slow.taken
	others := []*slowReader{newSlowReader(), newSlowReader(), newSlowReader()} // a user has two places
	for _, r := range others {
		g.Go(func() error { return s.EachExpense(t.Context(), userID, r.take) })
	}
	for _, r := range others {
		<-r.taken
	}
	for _, r := range others {
		close(r.leave)
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	change()
	close(slow.leave)
	err := <-failed
	return slow.got, err
}

// What follows in a list that has changed is of another moment: half of one list and
// half of another is none.
func TestAListThatChangedBehindASlowReaderIsCut(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		id := rich(t, s, 1, 3000)[0]
		change := func() {
			if err := s.Write(t.Context(), id, creates(expense(id), nil)); err != nil {
				t.Fatal(err)
			}
		}
		list := func(fn func(models.Expense) error) error { return s.EachExpense(t.Context(), id, fn) }
		got, err := outlast(t, s, id, list, change)
		wantKind(t, "list", err, models.Unavailable)
		if n := len(got); n == 0 || n >= 3000 || !slices.Equal(got, inOrder(3001-n, 3000)) {
			t.Errorf("%d expenses before it was cut", n)
		}
		snapshot := func(fn func(models.Expense) error) error {
			_, err := s.Snapshot(t.Context(), id, func(_ int64, e models.Expense) error { return fn(e) })
			return err
		}
		_, err = outlast(t, s, id, snapshot, change)
		wantKind(t, "snapshot", err, models.Unavailable)
	})
}

// A pull is in the order in which expenses were stored: what changes meanwhile comes last.
func TestAPullGoesOnBehindASlowReaderWhateverChanges(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		id := rich(t, s, 1, 3000)[0]
		pull := func(fn func(models.Expense) error) error {
			return s.ExpensesSyncedAfter(t.Context(), id, time.UnixMilli(0), fn)
		}
		added := expense(id)
		got, err := outlast(t, s, id, pull, func() {
			if err := s.Write(t.Context(), id, creates(added, nil)); err != nil {
				t.Fatal(err)
			}
		})
		want := inOrder(1, 3000)
		slices.Reverse(want)
		if err != nil || !slices.Equal(got, append(want, added.ID)) {
			t.Errorf("got %d expenses, not each once and in order: %v", len(got), err)
		}
	})
}

// A list of as many expenses as are read at once was handed out while it was still being
// read, by one of the few connections that authentication has.
func TestAListOfOneChunkHeldAConnectionOfEverybodys(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		users := rich(t, s, 1, 256)
		var g errgroup.Group
		var readers []*slowReader
		for range 12 {
			r := newSlowReader()
			readers = append(readers, r)
			g.Go(func() error { return s.EachExpense(t.Context(), users[0], r.take) })
		}
		for _, r := range readers {
			select {
			case <-r.taken:
			case <-time.After(20 * time.Second):
				t.Error("a reader waits for the connections of others")
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := s.UserByID(ctx, users[0]); err != nil {
			t.Errorf("who they are cannot be told: %v", err)
		}
		for _, r := range readers {
			close(r.leave)
		}
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// Each edit by another user read all notifications of everybody who has the expense.
func TestWhatOthersCausedIsFoundWithoutReadingAllNotifications(t *testing.T) {
	s := storetest.Open(t, storetest.SQLiteOptions(t))
	plan, err := s.PlanOfUnreadFrom(t.Context())
	if err != nil || !strings.Contains(plan, "notifications_unread (user_id=? AND actor_id=? AND type=?)") {
		t.Errorf("%q, %v", plan, err)
	}
}
