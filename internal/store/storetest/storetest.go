// Package storetest opens real databases for tests.
//
// New is a fresh SQLite file, or a fresh PostgreSQL schema when
// TEST_POSTGRES_DSN names a server. Each runs one test on both engines, with a
// server of its own if that is installed.
package storetest

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/testneed"
	"expenseflow/models"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// New opens a fresh, empty store, which is closed when the test ends.
func New(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, Options(t))
}

// Options names a fresh, empty database of the engine that New uses.
func Options(t testing.TB) store.Options {
	t.Helper()
	if dsn := os.Getenv("TEST_POSTGRES_DSN"); dsn != "" {
		return PostgresOptions(t, dsn)
	}
	return SQLiteOptions(t)
}

// SQLiteOptions names a file that is not there yet.
func SQLiteOptions(t testing.TB) store.Options {
	t.Helper()
	return store.Options{URL: filepath.Join(t.TempDir(), "expenseflow.db"), Logger: slog.New(slog.DiscardHandler)}
}

// PostgresDSN is the URL of a server: TEST_POSTGRES_DSN, or one of this test
// binary's own. Without a PostgreSQL installation the test skips.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	if dsn := os.Getenv("TEST_POSTGRES_DSN"); dsn != "" {
		return dsn
	}
	return testneed.Postgres(t)
}

// PostgresOptions names a fresh schema on the server of dsn, which is dropped
// when the test ends.
func PostgresOptions(t testing.TB, dsn string) store.Options {
	t.Helper()
	schema := fmt.Sprintf("test_%d_%d", os.Getpid(), schemas.Add(1))
	admin(t, dsn, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { admin(t, dsn, "DROP SCHEMA "+schema+" CASCADE") })
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("TEST_POSTGRES_DSN: %v", err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return store.Options{URL: u.String(), Logger: slog.New(slog.DiscardHandler), MaxConns: 10}
}

var schemas atomic.Int64

func admin(t testing.TB, dsn, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("connect to TEST_POSTGRES_DSN: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// Open opens a store, which is closed when the test ends. A SQLite file that is not there
// yet is a copy of one that was migrated once, with an epoch of its own.
func Open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	copied := CopyMigrated(t, o.URL)
	s, err := store.Open(t.Context(), o)
	if err == nil && copied {
		_, err = s.NewEpoch(t.Context())
	}
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}

// CopyMigrated makes the file of an empty database, and reports whether it did: not for a URL
// of PostgreSQL, a file that is there already or a folder that is not. All copies have one epoch.
func CopyMigrated(t testing.TB, file string) bool {
	t.Helper()
	if _, err := os.Stat(file); err == nil || strings.Contains(file, "://") {
		return false
	}
	if _, err := os.Stat(filepath.Dir(file)); err != nil {
		return false
	}
	data, err := migrated()
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		t.Fatalf("copy a migrated database: %v", err)
	}
	return true
}

// migrated is the content of an empty database's file.
var migrated = sync.OnceValues(func() (data []byte, err error) {
	dir, err := os.MkdirTemp("", "expenseflow-migrated-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "expenseflow.db")
	s, err := store.Open(context.Background(), store.Options{URL: file, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// Each runs test on SQLite and on PostgreSQL, as subtests of these names that
// run beside each other. Without a PostgreSQL installation that one skips.
func Each(t *testing.T, test func(t *testing.T, options func(t testing.TB) store.Options)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, SQLiteOptions)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		dsn := PostgresDSN(t)
		test(t, func(t testing.TB) store.Options { return PostgresOptions(t, dsn) })
	})
}

// User makes a user with this address, or one of its own.
func User(t testing.TB, s *store.Store, email ...string) models.User {
	t.Helper()
	u := models.User{ID: ID(), Name: "Alice", PasswordHash: []byte("x"), CreatedAt: models.Millis(time.Now())}
	u.Email = u.ID + "@example.org"
	if len(email) > 0 {
		u.Email = email[0]
	}
	if err := s.CreateUser(t.Context(), u); err != nil {
		t.Fatalf("create user: %v", err)
	}
	return u
}

// ID is a new id.
func ID() string { return bson.NewObjectID().Hex() }

// A sharer shares expenses; *ledger.Ledger is one.
type sharer interface {
	Share(ctx context.Context, userID, expenseID, email string, role models.Role, by models.Author) error
	DeliverInvitations(ctx context.Context) (int, error)
}

// Share has l share an expense with a user who has accepted its owner before, and
// waits until it has arrived. The error is l.Share's.
func Share(
	t testing.TB, s *store.Store, l sharer, ownerID, expenseID string, with models.User, role models.Role, by models.Author,
) error {
	t.Helper()
	err := s.Write(t.Context(), with.ID, func(tx *store.Tx) error { return tx.SetContact(ownerID, models.ContactAccepted) })
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	if err := l.Share(t.Context(), ownerID, expenseID, with.Email, role, by); err != nil {
		return err
	}
	if _, err := l.DeliverInvitations(t.Context()); err != nil {
		t.Fatalf("deliver: %v", err)
	}
	return nil
}
