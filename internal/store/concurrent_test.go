package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
	"expenseflow/models"

	"golang.org/x/sync/errgroup"
)

// TestEightWritersLeaveLogsWithoutHoles writes for three users from eight
// goroutines, some of whose transactions fail, while readers look on.
func TestEightWritersLeaveLogsWithoutHoles(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		users := []models.User{storetest.User(t, s), storetest.User(t, s), storetest.User(t, s)}
		const writers, each = 8, 40
		var g errgroup.Group
		var committed [3]atomic.Int64
		stop := make(chan struct{})
		var readers errgroup.Group
		for _, u := range users {
			readers.Go(func() error { return watchLog(s, u.ID, stop) })
		}
		for w := range writers {
			g.Go(func() error {
				for i := range each {
					n := (w + i) % len(users)
					err := writeSome(s, users[n].ID, i)
					if errors.Is(err, errOnPurpose) {
						continue
					}
					if err != nil {
						return err
					}
					committed[n].Add(1)
				}
				return nil
			})
		}
		err := g.Wait()
		close(stop)
		if err := errors.Join(err, readers.Wait()); err != nil {
			t.Fatal(err)
		}
		for n, u := range users {
			wholeLog(t, s, u.ID)
			same(t, "head", 3*committed[n].Load(), must(s.Head(t.Context(), u.ID))(t))
		}
	})
}

var errOnPurpose = errors.New("on purpose")

// writeSome creates, updates and half the time deletes; each fifth fails.
func writeSome(s *store.Store, userID string, i int) error {
	return s.Write(context.Background(), userID, func(tx *store.Tx) error {
		e := expense(userID)
		e.LastSyncedAt = tx.Now()
		tx.InsertExpense(e)
		tx.AppendChange(models.ExpenseCreated, e, models.Author{})
		e.Version++
		tx.UpdateExpense(e)
		tx.AppendChange(models.ExpenseUpdated, e, models.Author{})
		if i%5 == 4 {
			return errOnPurpose
		}
		if i%2 == 0 {
			tx.AppendChange(models.ExpenseDeleted, e, models.Author{})
			return tx.DeleteExpense(e)
		}
		tx.AppendChange(models.ExpenseUpdated, e, models.Author{})
		return nil
	})
}

// watchLog tails a log and checks that it never shows a hole, nor a moment that
// does not grow from one transaction to the next.
func watchLog(s *store.Store, userID string, stop chan struct{}) error {
	seq, last := int64(0), time.Time{}
	for {
		page, err := s.Changes(context.Background(), userID, seq, 7)
		if err != nil {
			return err
		}
		for _, c := range page {
			if c.Seq != seq+1 || c.At.Before(last) {
				return fmt.Errorf("change %d at %v follows %d at %v", c.Seq, c.At, seq, last)
			}
			seq, last = c.Seq, c.At
		}
		if len(page) > 0 {
			continue
		}
		select {
		case <-stop:
			return nil
		default:
			runtime.Gosched()
		}
	}
}

func TestAReaderOfACursorMissesNothing(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		var g errgroup.Group
		var done atomic.Bool
		seen := map[string]bool{}
		g.Go(func() error {
			var cursor time.Time
			for last := false; !last; {
				last = done.Load() // once more after the last write
				next, err := s.LastSynced(t.Context(), u.ID)
				if err != nil {
					return err
				}
				err = s.ExpensesSyncedAfter(t.Context(), u.ID, cursor, func(e models.Expense) error { seen[e.ID] = true; return nil })
				if err != nil {
					return err
				}
				cursor = next
			}
			return nil
		})
		var writers errgroup.Group
		for range 4 {
			writers.Go(func() error {
				for range 25 {
					err := s.Write(context.Background(), u.ID, func(tx *store.Tx) error {
						e := expense(u.ID)
						e.LastSyncedAt = tx.Now()
						tx.InsertExpense(e)
						return nil
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		err := writers.Wait()
		done.Store(true)
		if err := errors.Join(err, g.Wait()); err != nil {
			t.Fatal(err)
		}
		same(t, "expenses that the cursor met", 100, len(seen))
	})
}

func TestASerialisationFailureRunsAgain(t *testing.T) {
	dsn := storetest.PostgresDSN(t)
	s := storetest.Open(t, storetest.PostgresOptions(t, dsn))
	u := storetest.User(t, s)
	for _, code := range []string{"40001", "40P01", "55P03"} {
		runs := 0
		e := expense(u.ID)
		write(t, s, u.ID, func(tx *store.Tx) {
			tx.InsertExpense(e)
			if runs++; runs < 4 {
				_ = tx.Exec("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '" + code + "'; END $$")
			}
		})
		same(t, "runs after "+code, 4, runs)
	}
	runs := 0
	err := s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
		runs++
		return tx.Exec("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
	})
	wantKind(t, "for ever", err, models.Unavailable)
	same(t, "runs", 8, runs)
}

func TestSQLSTATEsAreSorted(t *testing.T) {
	dsn := storetest.PostgresDSN(t)
	s := storetest.Open(t, storetest.PostgresOptions(t, dsn))
	u := storetest.User(t, s)
	for code, want := range map[string]models.Kind{
		"22001": models.Invalid, "22P02": models.Invalid, "23502": models.Invalid, "54000": models.Invalid,
		"53100": models.Unavailable, "53200": models.Unavailable, "53300": models.Unavailable, "57014": models.Unavailable,
		"57P01": models.Unavailable, "58030": models.Unavailable, "XX000": models.Unavailable, "08006": models.Unavailable,
		"25006": models.Unavailable, "42P01": models.Internal,
	} {
		err := s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
			return tx.Exec("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '" + code + "'; END $$")
		})
		wantKind(t, "SQLSTATE "+code, err, want)
		var data *store.DataError
		same(t, code+" is a DataError", want == models.Invalid, errors.As(err, &data))
	}
}

// TestPostgresGoesAndComesBack: while the server is away everything answers
// Unavailable, and when it is back all goes on without being opened again.
func TestPostgresGoesAndComesBack(t *testing.T) {
	server := testneed.NewPostgres(t)
	s := storetest.Open(t, store.Options{URL: server.URL})
	u := storetest.User(t, s)
	var mu sync.Mutex
	var acknowledged []string
	var g errgroup.Group
	ctx, stop := context.WithCancel(t.Context())
	for range 4 {
		g.Go(func() error {
			for ctx.Err() == nil {
				e := expense(u.ID)
				err := s.Write(context.Background(), u.ID, func(tx *store.Tx) error {
					tx.InsertExpense(e)
					tx.AppendChange(models.ExpenseCreated, e, models.Author{})
					return nil
				})
				if err != nil && models.KindOf(err) != models.Unavailable {
					return err
				}
				if err == nil {
					mu.Lock()
					acknowledged = append(acknowledged, e.ID)
					mu.Unlock()
				}
			}
			return nil
		})
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(acknowledged) }
	for range 2 {
		await(t, "writes", func() bool { return count() > 20 })
		server.Stop(t)
		wantKind(t, "Ping", s.Ping(t.Context()), models.Unavailable)
		before := count()
		server.Start(t)
		await(t, "writes after the restart", func() bool { return count() > before+20 })
	}
	stop()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, id := range acknowledged {
		if _, err := s.ExpenseOf(t.Context(), u.ID, id); err != nil {
			t.Errorf("acknowledged expense %s: %v", id, err)
		}
	}
	wholeLog(t, s, u.ID)
}

func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s", what)
		}
	}
}

// TestAFullDiskIsTroubleAndNoCorruption lets SQLite run out of pages.
func TestAFullDiskIsTroubleAndNoCorruption(t *testing.T) {
	s := storetest.Open(t, storetest.SQLiteOptions(t))
	u := storetest.User(t, s)
	if err := s.Exec(t.Context(), "PRAGMA max_page_count = 120"); err != nil {
		t.Fatal(err)
	}
	save := func() error {
		return s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
			for range 20 {
				e := expense(u.ID)
				tx.InsertExpense(e)
				tx.AppendChange(models.ExpenseCreated, e, models.Author{})
			}
			return nil
		})
	}
	var err error
	for err == nil {
		err = save()
	}
	wantKind(t, "a full disk", err, models.Unavailable)
	wholeLog(t, s, u.ID)
	if err := s.Exec(t.Context(), "PRAGMA max_page_count = 100000"); err != nil {
		t.Fatal(err)
	}
	if err := save(); err != nil {
		t.Errorf("with room again: %v", err)
	}
	wholeLog(t, s, u.ID)
}

// TestABusyUserLeavesConnectionsToOthers: more writers of one user than there
// are connections do not keep another user waiting.
func TestABusyUserLeavesConnectionsToOthers(t *testing.T) {
	s := storetest.Open(t, storetest.PostgresOptions(t, storetest.PostgresDSN(t))) // 10 connections
	busy, other := storetest.User(t, s), storetest.User(t, s)
	leave := make(chan struct{})
	var g errgroup.Group
	for range 30 {
		g.Go(func() error {
			return s.Write(t.Context(), busy.ID, func(*store.Tx) error { <-leave; return nil })
		})
	}
	write(t, s, other.ID, func(tx *store.Tx) { tx.InsertExpense(expense(other.ID)) })
	close(leave)
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

func TestTheWaitForAWriteEndsWithTheCaller(t *testing.T) {
	engines(t, waitEndsWithCaller)
}

func waitEndsWithCaller(t *testing.T, s *store.Store) {
	u := storetest.User(t, s)
	inside, leave := make(chan struct{}), make(chan struct{})
	var g errgroup.Group
	g.Go(func() error {
		return s.Write(t.Context(), u.ID, func(*store.Tx) error { close(inside); <-leave; return nil })
	})
	<-inside
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Write(ctx, u.ID, func(*store.Tx) error { t.Error("runs"); return nil })
	wantKind(t, "Write", err, models.Unavailable)
	close(leave)
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

// TestAWriteOutlivesItsCaller: a request whose client has gone is finished, for
// a transaction that is cut in the middle costs a connection.
func TestAWriteOutlivesItsCaller(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		e := expense(u.ID)
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Write(ctx, u.ID, func(tx *store.Tx) error {
			cancel()
			tx.InsertExpense(e)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "expense", e, must(s.ExpenseOf(t.Context(), u.ID, e.ID))(t))
	})
}

// TestAPostWhoseClientIsGoneIsNotAppliedBehindItsQueue: a page whose POST broke off
// sends the same in its queue. Applied before that, the POST is claimed (docs/contract.md#d17); applied behind it, it would be a
// second expense.
func TestAPostWhoseClientIsGoneIsNotAppliedBehindItsQueue(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 50 { // where the turn has come too, either may be seen first
			err := s.Write(ctx, u.ID, func(*store.Tx) error { t.Error("runs"); return nil })
			wantKind(t, "Write", err, models.Unavailable)
		}
		if err := s.Write(t.Context(), u.ID, creates(expense(u.ID), nil)); err != nil {
			t.Error(err) // whoever is there is not held up
		}
	})
}

// TestAHundredThousandExpensesStreamInConstantMemory looks at the live heap while
// the list is being read.
func TestAHundredThousandExpensesStreamInConstantMemory(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		alone.Lock() // the other engine's heap is not to be counted
		defer alone.Unlock()
		u := storetest.User(t, s)
		rows := testneed.Fewer(100_000)
		fill(t, s, u.ID, rows)
		heap := liveHeap()
		n, most := 0, uint64(0)
		err := s.EachExpense(t.Context(), u.ID, func(models.Expense) error {
			if n++; n%(rows/5) == 0 {
				most = max(most, liveHeap())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "streamed", rows, n)
		allowed := max(8<<20, int64(rows)*160) // rows that were kept would take over 400 bytes each
		if grown := int64(most) - int64(heap); grown > allowed {
			t.Errorf("the live heap grew by %d bytes while %d rows were read", grown, rows)
		}
		stopped := errors.New("enough")
		if err := s.EachExpense(t.Context(), u.ID, func(models.Expense) error { return stopped }); !errors.Is(err, stopped) {
			t.Errorf("a reader's own error: %v", err)
		}
	})
}

var alone sync.Mutex

// fill makes many expenses at once.
func fill(t testing.TB, s *store.Store, userID string, rows int) {
	t.Helper()
	err := s.Exec(t.Context(), `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO expenses SELECT '000000000000' || (100000000000 + i), ?, 'Lunch', 12500000, 'food', 'expense',
			i, 'EUR', '', '', 1, i, i, i, 0, 0, i / 86400000, '' FROM n`, rows, userID)
	if err != nil {
		t.Fatal(err)
	}
	recount(t, s)
}

// recount sets what Write keeps count of, after rows were written past it.
func recount(t testing.TB, s *store.Store) {
	t.Helper()
	err := s.Exec(t.Context(), "UPDATE users SET expenses = (SELECT COUNT(*) FROM expenses WHERE user_id = users.id)")
	if err != nil {
		t.Fatal(err)
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A few readers of long lists who took nothing in kept everybody's list, snapshot
// and pull waiting, however short, for as long as they liked.
func TestSlowReadersOfLongListsStoppedEverybodysShortOnes(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u, other := storetest.User(t, s), storetest.User(t, s)
		fill(t, s, u.ID, 1000)
		if err := s.Exec(t.Context(), "UPDATE expenses SET user_id = ? WHERE date <= 256", other.ID); err != nil {
			t.Fatal(err)
		}
		recount(t, s)
		leave, taking := make(chan struct{}), make(chan struct{}, 30)
		var g errgroup.Group
		for range cap(taking) {
			g.Go(func() error {
				return s.EachExpense(t.Context(), u.ID, func(models.Expense) error { taking <- struct{}{}; <-leave; return nil })
			})
		}
		for range 2 { // as many as one user may have at a time
			<-taking
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		n := 0
		if err := s.EachExpense(ctx, other.ID, func(models.Expense) error { n++; return nil }); err != nil || n != 256 {
			t.Errorf("listed %d: %v", n, err)
		}
		if _, err := s.Snapshot(ctx, other.ID, func(int64, models.Expense) error { n++; return nil }); err != nil || n != 512 {
			t.Errorf("listed %d in a snapshot: %v", n-256, err)
		}
		go func() {
			for range taking { // the readers go on
			}
		}()
		close(leave)
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
		close(taking)
	})
}

// TestSlowReadersLeaveConnectionsToOthers: lists that nobody takes in do not
// stop a log from being read.
func TestSlowReadersLeaveConnectionsToOthers(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s)
		fill(t, s, u.ID, 1000)
		leave := make(chan struct{})
		var g errgroup.Group
		for range 20 {
			g.Go(func() error {
				return s.EachExpense(t.Context(), u.ID, func(models.Expense) error { <-leave; return nil })
			})
		}
		for range 20 {
			if _, err := s.Head(t.Context(), u.ID); err != nil {
				t.Error(err)
			}
		}
		close(leave)
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// Authentication reads by the same few connections as pages do.
func TestDeepPagesMadeEverybodyWait(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u, other := storetest.User(t, s), storetest.User(t, s)
		fill(t, s, u.ID, 3000)
		var want []string
		if err := s.EachExpense(t.Context(), u.ID, func(e models.Expense) error { want = append(want, e.ID); return nil }); err != nil {
			t.Fatal(err)
		}
		for _, page := range []int{1, 2, 30, 60} {
			es, total, err := s.Expenses(t.Context(), u.ID, page, 50)
			if err != nil || total != 3000 || len(es) != 50 || es[0].ID != want[(page-1)*50] || es[49].ID != want[page*50-1] {
				t.Errorf("page %d: %d of %d, %v", page, len(es), total, err)
			}
		}
		leave, taking := make(chan struct{}), make(chan struct{}, 2)
		var g errgroup.Group
		for range 2 {
			g.Go(func() error {
				return s.EachExpense(t.Context(), u.ID, func(models.Expense) error {
					select {
					case taking <- struct{}{}:
					default:
					}
					<-leave
					return nil
				})
			})
		}
		<-taking
		<-taking
		ctx, cancel := context.WithCancel(t.Context())
		refused := make(chan error, 1)
		go func() { _, _, err := s.Expenses(ctx, u.ID, 60, 50); refused <- err }()
		for !s.LongReadsAwaited() && len(refused) == 0 {
			runtime.Gosched()
		}
		if _, err := s.UserByID(t.Context(), other.ID); err != nil {
			t.Error(err)
		}
		if _, _, err := s.Expenses(t.Context(), u.ID, 2, 50); err != nil {
			t.Errorf("a page near the top: %v", err)
		}
		cancel()
		if err := <-refused; models.KindOf(err) != models.Unavailable {
			t.Errorf("a deep page beside two long lists of the same user: %v", err)
		}
		close(leave)
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
}
