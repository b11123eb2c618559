package storetest

import (
	"context"
	"testing"

	"expenseflow/internal/store"
	"expenseflow/models"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// Write runs fn as one transaction that must succeed.
func Write(t testing.TB, s *store.Store, userID string, fn func(tx *store.Tx)) {
	t.Helper()
	err := s.Write(context.Background(), userID, func(tx *store.Tx) error {
		fn(tx)
		return nil
	})
	if err != nil {
		t.Fatalf("Write: %v", err)
	}
}

// SQL runs statements on a connection of its own to PostgreSQL.
func SQL(t testing.TB, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, s := range statements {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// Must gives v, and ends the test if err is not nil.
func Must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Same fails the test if got is not want.
func Same(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// WantKind fails the test unless err is of this kind.
func WantKind(t testing.TB, what string, err error, want models.Kind) {
	t.Helper()
	if err == nil || models.KindOf(err) != want {
		t.Errorf("%s: error %v of kind %d, want kind %d", what, err, models.KindOf(err), want)
	}
}
