package transfer_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/store/transfer"
	"expenseflow/models"
)

func quiet(string, int64, int64) {}

// populated is a database with rows in many tables, which is closed.
func populated(t testing.TB, o store.Options) {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for n := range 3 {
		u := storetest.User(t, s)
		storetest.Write(t, s, u.ID, func(tx *store.Tx) {
			if err := createMany(tx, n, 700); err != nil {
				t.Fatal(err)
			}
		})
		storetest.Write(t, s, u.ID, func(tx *store.Tx) {
			if err := create(tx); err != nil {
				t.Fatal(err)
			}
		})
		if _, err := s.Installation(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.RevokeToken(t.Context(), "key of "+u.ID, u.ID, models.Millis(u.CreatedAt.AddDate(1, 0, 0))); err != nil {
			t.Fatal(err)
		}
	}
}

// state is what devices can tell two databases apart by.
func state(t testing.TB, o store.Options) (epoch string, held transfer.Summary) {
	t.Helper()
	s, err := store.Attach(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return storetest.Must(s.Epoch(t.Context()))(t), storetest.Must(transfer.SummaryOf(t.Context(), s))(t)
}

func TestMovedToPostgresAndBackItIsTheSame(t *testing.T) {
	lite, back := storetest.SQLiteOptions(t), storetest.SQLiteOptions(t)
	pg := storetest.PostgresOptions(t, storetest.PostgresDSN(t))
	populated(t, lite)
	epoch, held := state(t, lite)
	for _, step := range []struct{ from, to store.Options }{{lite, pg}, {pg, back}} {
		moved, err := transfer.Move(t.Context(), step.from, step.to, quiet)
		if err != nil {
			t.Fatal(err)
		}
		if held.Difference(moved) != "" && step.from.URL == lite.URL {
			t.Errorf("moved %+v of %+v", moved, held)
		}
	}
	again, now := state(t, back)
	if d := held.Difference(now); d != "" || again != epoch {
		t.Errorf("epoch %s and then %s; %s", epoch, again, d)
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(back.URL), "*"))
	if len(files) != 2 { // and its lock
		t.Errorf("left: %v", files)
	}
}

// A table that is not in the list would stay behind.
func TestAMoveForgetsNoTable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		want := append(transfer.TableNames(), "goose_db_version")
		if s.Dialect() == "postgres" {
			want = append(want, "moved", "processes", "present") // of running processes
		}
		for _, name := range storetest.Must(transfer.LiveTables(t.Context(), s))(t) {
			if !strings.Contains(" "+strings.Join(want, " ")+" ", " "+name+" ") {
				t.Errorf("%s is not copied", name)
			}
		}
	})
}

func TestAMoveIsRefused(t *testing.T) {
	dsn := storetest.PostgresDSN(t)
	lite, pg, other := storetest.SQLiteOptions(t), storetest.PostgresOptions(t, dsn), storetest.SQLiteOptions(t)
	populated(t, lite)
	populated(t, pg)
	populated(t, other)
	refuse := func(from, to store.Options, words ...string) {
		t.Helper()
		_, err := transfer.Move(t.Context(), from, to, quiet)
		if err == nil {
			t.Fatal("it moves")
		}
		wantWords(t, models.Message(err), words...)
	}
	refuse(lite, pg, "holds 3 accounts", "needs an empty one")
	refuse(lite, other, "holds 3 accounts")
	refuse(lite, lite, "there already")
	server := storetest.Must(store.Open(t.Context(), lite))(t)
	refuse(lite, storetest.SQLiteOptions(t), "in use by another process")
	server.Close()
	server = storetest.Must(store.Open(t.Context(), pg))(t)
	if _, _, err := server.Heartbeat(t.Context(), models.Member{ID: "a", URL: "http://10.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	refuse(pg, storetest.SQLiteOptions(t), "A server uses the database", "http://10.0.0.1")
	server.Close()
	if err := os.WriteFile(other.URL, []byte("no database, but longer than the header of one"), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse(lite, other, "cannot be read")
}

// What breaks in the middle leaves the other database empty, and a second try works.
func TestAMoveThatBreaksOffIsRepeated(t *testing.T) {
	dsn := storetest.PostgresDSN(t)
	lite := storetest.SQLiteOptions(t)
	populated(t, lite)
	for _, to := range []store.Options{storetest.PostgresOptions(t, dsn), storetest.SQLiteOptions(t)} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := transfer.Move(ctx, lite, to, func(table string, _, _ int64) {
			if table == "operations" {
				cancel()
			}
		})
		if err == nil {
			t.Fatal("it was not broken off")
		}
		if strings.Contains(to.URL, "://") {
			if _, held := state(t, to); held.Users() != 0 {
				t.Errorf("left: %+v", held)
			}
		} else if _, err := os.Stat(to.URL); err == nil {
			t.Error("the file is there")
		}
		if _, err := transfer.Move(t.Context(), lite, to, quiet); err != nil {
			t.Errorf("the second try: %v", err)
		}
	}
}
