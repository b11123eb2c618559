package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"

	"golang.org/x/sync/errgroup"
)

// queued holds the writing connection, lets writers line up one behind the
// other, frees the connection, and gives their errors in order.
func queued(t *testing.T, s *store.Store, userID string, writers ...func(tx *store.Tx) error) []error {
	t.Helper()
	inside, leave := make(chan struct{}), make(chan struct{})
	var g errgroup.Group
	g.Go(func() error {
		return s.Write(t.Context(), userID, func(*store.Tx) error { close(inside); <-leave; return errOnPurpose })
	})
	<-inside
	outcomes := make([]error, len(writers))
	for i, fn := range writers {
		g.Go(func() error {
			defer func() {
				if v := recover(); v != nil {
					outcomes[i] = errPanic
				}
			}()
			outcomes[i] = s.Write(t.Context(), userID, fn)
			return nil
		})
		await(t, "place in line", func() bool { return s.Waiting() == i+1 })
	}
	close(leave)
	if err := g.Wait(); !errors.Is(err, errOnPurpose) {
		t.Fatal(err)
	}
	return outcomes
}

var errPanic = errors.New("panicked")

// sharing is a store whose writers share commits as long as any stand in line.
func sharing(t *testing.T) (*store.Store, models.User) {
	t.Helper()
	s := storetest.Open(t, storetest.SQLiteOptions(t))
	s.ShareFor(time.Hour)
	return s, storetest.User(t, s)
}

func creates(e models.Expense, then error) func(tx *store.Tx) error {
	return func(tx *store.Tx) error {
		tx.InsertExpense(e)
		tx.AppendChange(models.ExpenseCreated, e, models.Author{})
		return then
	}
}

func TestOneOfManyThatShareACommitFailsAlone(t *testing.T) {
	s, u := sharing(t)
	a, b, c, d := expense(u.ID), expense(u.ID), expense(u.ID), expense(u.ID)
	got := queued(t, s, u.ID,
		creates(b, errOnPurpose), creates(a, nil), creates(b, errOnPurpose),
		func(tx *store.Tx) error { _ = creates(d, nil)(tx); panic("in the rules") },
		creates(c, nil), creates(d, errOnPurpose))
	for i, want := range []error{errOnPurpose, nil, errOnPurpose, errPanic, nil, errOnPurpose} {
		if !errors.Is(got[i], want) {
			t.Errorf("writer %d: %v, want %v", i, got[i], want)
		}
	}
	wholeLog(t, s, u.ID)
	list, _, err := s.Expenses(t.Context(), u.ID, 1, 10)
	if err != nil || len(list) != 2 {
		t.Errorf("stored: %v, %v", list, err)
	}
}

// TestAGroupThatIsLostIsLostForAll: if SQLite rolls the shared transaction back,
// as it does when the disk is full, nobody hears of success.
func TestAGroupThatIsLostIsLostForAll(t *testing.T) {
	s, u := sharing(t)
	a, b, c := expense(u.ID), expense(u.ID), expense(u.ID)
	got := queued(t, s, u.ID, creates(a, nil), creates(b, nil),
		func(tx *store.Tx) error { return errors.Join(tx.Exec("ROLLBACK"), errOnPurpose) },
		creates(c, nil))
	wantKind(t, "first", got[0], models.Unavailable)
	wantKind(t, "second", got[1], models.Unavailable)
	if !errors.Is(got[2], errOnPurpose) || got[3] != nil {
		t.Errorf("the one whose fault it is: %v; the next group: %v", got[2], got[3])
	}
	wholeLog(t, s, u.ID)
	same(t, "stored", c, must(s.ExpenseOf(t.Context(), u.ID, c.ID))(t))
	same(t, "head", int64(1), must(s.Head(t.Context(), u.ID))(t))
}

func TestAWriterWhoGivesUpLosesNothing(t *testing.T) {
	s, u := sharing(t)
	for range 200 { // so that the turn comes before, with and after the end
		inside, leave := make(chan struct{}), make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		var g errgroup.Group
		g.Go(func() error {
			return s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
				close(inside)
				<-leave
				return creates(expense(u.ID), nil)(tx)
			})
		})
		<-inside
		g.Go(func() error {
			err := s.Write(ctx, u.ID, creates(expense(u.ID), nil))
			if models.KindOf(err) == models.Unavailable {
				return nil
			}
			return err
		})
		await(t, "place in line", func() bool { return s.Waiting() == 1 })
		go cancel()
		close(leave)
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	wholeLog(t, s, u.ID)
	if head := must(s.Head(t.Context(), u.ID))(t); head < 200 {
		t.Errorf("head %d after 200 writers", head)
	}
}

// TestOtherStatementsDoNotJoinATransaction: an account made while writers share
// a commit does not hang on theirs.
func TestOtherStatementsDoNotJoinATransaction(t *testing.T) {
	s, u := sharing(t)
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			for range 30 {
				if err := s.Write(t.Context(), u.ID, creates(expense(u.ID), nil)); err != nil {
					return err
				}
			}
			return nil
		})
		g.Go(func() error {
			for range 10 {
				id := storetest.ID()
				if err := s.CreateUser(t.Context(), models.User{ID: id, Email: id, PasswordHash: []byte{1}}); err != nil {
					return err
				}
				if _, err := s.UserByID(t.Context(), id); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	wholeLog(t, s, u.ID)
}
