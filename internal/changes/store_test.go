package changes_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"expenseflow/internal/changes"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"

	"golang.org/x/sync/errgroup"
)

// Two users' logs grow while subscribers come late and are full now and then, and half of
// the wakes are lost.
func TestListenersFollowARealLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		users := []models.User{storetest.User(t, s), storetest.User(t, s)}
		tail := changes.New(s, encode, changes.Options{
			PageSize: 16, Poll: 50 * time.Millisecond,
			Logger: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithCancel(t.Context())
		var running errgroup.Group
		running.Go(func() error { return tail.Run(ctx) })

		const writers, each = 4, 50
		var g errgroup.Group
		for range writers {
			g.Go(func() error { return createMany(s, tail, users, each) })
		}
		var mu sync.Mutex
		all := map[*recorder]string{}
		for range 20 {
			g.Go(func() error {
				u := users[rand.N(len(users))]
				head, err := s.Head(t.Context(), u.ID)
				l := subscribe(tail, u.ID, rand.N(head+1))
				mu.Lock()
				all[l] = u.ID
				mu.Unlock()
				for range 20 {
					l.setRoom(rand.N(10))
					l.Resume()
				}
				l.setRoom(unlimited)
				l.Resume()
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		for l, userID := range all {
			head, err := s.Head(t.Context(), userID)
			if err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(20 * time.Second); l.Position() < head && time.Now().Before(deadline); {
				time.Sleep(5 * time.Millisecond) // the poll of a real clock
			}
			if l.missing(head) {
				t.Errorf("from %d, got %d of %d, in order: %v", l.from, len(l.got), head-l.from, l.inOrder())
			}
		}
		cancel()
		if err := running.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// A subscriber whose next change was pruned, and those of a deleted account, waited for
// ever and got nothing more.
func TestWhoFellBehindAPrunedLogWaitedForEver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		users := []models.User{storetest.User(t, s)}
		tail := changes.New(s, encode, changes.Options{PageSize: 4, Logger: slog.New(slog.DiscardHandler)})
		if err := createMany(s, tail, users, 10); err != nil {
			t.Fatal(err)
		}
		head, err := s.Head(t.Context(), users[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		slow, swift := subscribe(tail, users[0].ID, 0), subscribe(tail, users[0].ID, head)
		slow.setRoom(6)
		step := func() {
			t.Helper()
			for tail.Step(t.Context()) {
			}
			if err := tail.Poll(t.Context()); err != nil {
				t.Fatal(err)
			}
			for tail.Step(t.Context()) {
			}
		}
		step()
		if _, err := s.PruneLogs(t.Context(), time.Now().Add(time.Hour), 100); err != nil {
			t.Fatal(err)
		}
		slow.setRoom(unlimited)
		slow.Resume()
		step()
		if slow.lost != 1 || slow.Position() != 6 || swift.lost != 0 {
			t.Errorf("lost %d times at %d, at the head %d times", slow.lost, slow.Position(), swift.lost)
		}
		if err := createMany(s, tail, users, 1); err != nil {
			t.Fatal(err)
		}
		step()
		if newest, err := s.Head(t.Context(), users[0].ID); err != nil || swift.missing(newest) {
			t.Errorf("at the head, got %v up to %d (%v)", swift.got, newest, err)
		}
		if err := s.DeleteUser(t.Context(), users[0].ID); err != nil {
			t.Fatal(err)
		}
		step()
		if slow.lost != 1 || swift.lost != 1 {
			t.Errorf("of an account that is gone, lost %d and %d times", slow.lost, swift.lost)
		}
	})
}

func createMany(s *store.Store, tail *changes.Tail[int64], users []models.User, n int) error {
	for range n {
		u := users[rand.N(len(users))]
		err := s.Write(context.Background(), u.ID, func(tx *store.Tx) error {
			for range 1 + rand.N(3) {
				tx.AppendChange(models.ExpenseCreated, models.Expense{ID: storetest.ID(), UserID: u.ID}, models.Author{})
			}
			return nil
		})
		if err != nil {
			return err
		}
		if rand.N(2) == 0 {
			tail.Wake(u.ID)
		}
	}
	return nil
}

// BenchmarkCatchUp reads a log of 10,000 changes from its start.
func BenchmarkCatchUp(b *testing.B) {
	s := storetest.New(b)
	u := storetest.User(b, s)
	for range 10 {
		err := s.Write(b.Context(), u.ID, func(tx *store.Tx) error {
			for range 1000 {
				tx.AppendChange(models.ExpenseCreated, models.Expense{ID: storetest.ID(), UserID: u.ID, Description: "Lunch"},
					models.Author{DeviceID: "phone"})
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	tail := changes.New(s, encode, changes.Options{})
	ctx, cancel := context.WithCancel(b.Context())
	var g errgroup.Group
	g.Go(func() error { return tail.Run(ctx) })
	for b.Loop() {
		done := make(chan struct{})
		sub := tail.Subscribe(u.ID, 0, 1, func(page []changes.Item[int64]) int {
			if page[len(page)-1].Seq == 10_000 {
				close(done)
			}
			return len(page)
		}, nil)
		<-done
		sub.Close()
	}
	cancel()
	if err := g.Wait(); err != nil {
		b.Error(err)
	}
}
