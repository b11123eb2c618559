package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// asRead returns a context in which a user is the caller, as authentication reads them.
func asRead(t *testing.T, s *store.Store, userID string) context.Context {
	t.Helper()
	u, _, err := s.BearerOf(t.Context(), userID, "token")
	if err != nil {
		t.Fatal(err)
	}
	if u.RowVersion == "" {
		t.Fatal("the row has no version: the test tests nothing")
	}
	ctx := models.WithCredential(t.Context(), models.Credential{UserID: userID, Key: "token", Until: time.Now().Add(time.Hour)})
	return models.WithReadCaller(ctx, u)
}

func openPostgres(t *testing.T) (*store.Store, models.User) {
	t.Helper()
	s := storetest.Open(t, storetest.PostgresOptions(t, storetest.PostgresDSN(t)))
	return s, storetest.User(t, s)
}

// insertOne writes an expense with its change, and counts how often the function ran.
func insertOne(tx *store.Tx, runs *int) error {
	*runs++
	e := models.Expense{ID: storetest.ID(), UserID: tx.User().ID, Version: 1, Amount: 1, Type: "expense", LastSyncedAt: tx.Now()}
	tx.InsertExpense(e)
	tx.AppendChange(models.ExpenseCreated, e, models.Author{DeviceID: "phone"})
	return nil
}

// Whatever happened to the row since it was read, each change is in the log once.
func TestWritersThatReadTheSameRowAllGetTheirTurn(t *testing.T) {
	s, u := openPostgres(t)
	const writers = 12
	all := make([]context.Context, writers)
	for i := range all {
		all[i] = asRead(t, s, u.ID)
	}
	var wait sync.WaitGroup
	runs := make([]int, writers)
	for i, ctx := range all {
		wait.Go(func() {
			if err := s.Write(ctx, u.ID, func(tx *store.Tx) error { return insertOne(tx, &runs[i]) }); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	once := 0
	for _, n := range runs {
		if n == 1 {
			once++
		}
	}
	if once != 1 {
		t.Errorf("%d of %d writers did not need the lock", once, writers)
	}
	changes, err := s.Changes(t.Context(), u.ID, 0, 2*writers)
	if err != nil || len(changes) != writers {
		t.Errorf("%d changes, %v", len(changes), err)
	}
	now, err := s.UserByID(t.Context(), u.ID)
	if err != nil || now.Expenses != writers || now.Seq != writers {
		t.Errorf("%d expenses, sequence %d, %v", now.Expenses, now.Seq, err)
	}
}

// A token that was signed out after the caller's row was read changes nothing.
func TestAnUnlockedWriteDoesNotOutliveItsToken(t *testing.T) {
	s, u := openPostgres(t)
	ctx := asRead(t, s, u.ID)
	if err := s.RevokeToken(t.Context(), "token", u.ID, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	runs := 0
	err := s.Write(ctx, u.ID, func(tx *store.Tx) error { return insertOne(tx, &runs) })
	if models.KindOf(err) != models.Unauthorized {
		t.Errorf("error %v", err)
	}
	if now, err := s.UserByID(t.Context(), u.ID); err != nil || now.Expenses != 0 {
		t.Errorf("%d expenses, %v", now.Expenses, err)
	}
}

// What a transaction reads of other rows is read under the lock.
func TestAnUnlockedWriteThatReadsBeginsAgainWithTheLock(t *testing.T) {
	s, u := openPostgres(t)
	runs, found := 0, false
	err := s.Write(asRead(t, s, u.ID), u.ID, func(tx *store.Tx) error {
		if err := insertOne(tx, &runs); err != nil {
			return err
		}
		_, err := tx.RoleOf(storetest.ID())
		if found = models.KindOf(err) == models.NotFound; found {
			err = nil
		}
		return err
	})
	if err != nil || !found || runs != 2 {
		t.Errorf("ran %d times, %v", runs, err)
	}
	if now, err := s.UserByID(t.Context(), u.ID); err != nil || now.Expenses != 1 {
		t.Errorf("%d expenses, %v", now.Expenses, err)
	}
}

// A rule that refuses the change leaves nothing, and a removed user is gone.
func TestAnUnlockedWriteThatFailsLeavesNothing(t *testing.T) {
	s, u := openPostgres(t)
	refused := errors.New("refused")
	runs := 0
	err := s.Write(asRead(t, s, u.ID), u.ID, func(tx *store.Tx) error { return errors.Join(insertOne(tx, &runs), refused) })
	if !errors.Is(err, refused) || runs != 1 {
		t.Errorf("ran %d times, %v", runs, err)
	}
	ctx := asRead(t, s, u.ID)
	if err := s.DeleteUser(t.Context(), u.ID); err != nil {
		t.Fatal(err)
	}
	err = s.Write(ctx, u.ID, func(tx *store.Tx) error { return insertOne(tx, &runs) })
	if models.KindOf(err) != models.Unauthorized {
		t.Errorf("error %v", err)
	}
}
