package transfer_test

import (
	stdsql "database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/store/transfer"
	"expenseflow/models"
)

// restorable is a database with three accounts, a backup of it, and another account after that.
func restorable(t testing.TB) (o store.Options, backup string) {
	t.Helper()
	o, backup = storetest.SQLiteOptions(t), filepath.Join(t.TempDir(), "backup.db")
	populated(t, o)
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	copyTo(t, s, backup)
	storetest.User(t, s, "late@example.org")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return o, backup
}

// wantDatabase wants so many accounts at path, and nothing beside it but these.
func wantDatabase(t testing.TB, path string, users int64, beside ...string) {
	t.Helper()
	s := storetest.Must(store.Attach(t.Context(), store.Options{URL: path}))(t)
	defer s.Close()
	if held := storetest.Must(transfer.SummaryOf(t.Context(), s))(t); held.Users() != users {
		t.Errorf("%d accounts in %s, want %d", held.Users(), path, users)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil {
		t.Fatal(err)
	}
	known := append(beside, "", "-wal", "-shm", ".lock")
	for _, f := range files {
		if suffix, ours := strings.CutPrefix(f, path); ours && !slices.Contains(known, suffix) {
			t.Errorf("left: %s", f)
		}
	}
}

// says reports whether an error says something to people.
func says(err error, words string) bool {
	return err != nil && strings.Contains(models.Message(err), words)
}

func TestARestoreTakesThePlaceOfWhatWas(t *testing.T) {
	o, backup := restorable(t)
	before, _ := state(t, o)
	_, err := transfer.RestoreFile(t.Context(), o, backup, false)
	if err == nil {
		t.Fatal("a database with accounts is replaced")
	}
	wantWords(t, models.Message(err), "holds 4 accounts", "--replace")
	wantDatabase(t, o.URL, 4)
	done, err := transfer.RestoreFile(t.Context(), o, backup, true)
	if err != nil {
		t.Fatal(err)
	}
	wantDatabase(t, o.URL, 3, strings.TrimPrefix(done.Kept, o.URL))
	if epoch, held := state(t, o); epoch == before || epoch != done.Epoch || done.Held.Heads != held.Heads {
		t.Errorf("epoch %s after %s: %+v", epoch, before, done)
	}
	wantDatabase(t, done.Kept, 4)
	fresh := storetest.SQLiteOptions(t)
	if done, err := transfer.RestoreFile(t.Context(), fresh, backup, false); err != nil || done.Kept != "" {
		t.Fatalf("where there was none: %+v %v", done, err)
	}
	wantDatabase(t, fresh.URL, 3)
	if _, err := transfer.InspectFile(t.Context(), backup); err != nil {
		t.Errorf("the backup afterwards: %v", err)
	}
}

func TestARestoreIsRefused(t *testing.T) {
	o, backup := restorable(t)
	newer, damaged := filepath.Join(t.TempDir(), "newer.db"), filepath.Join(t.TempDir(), "damaged.db")
	data, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string][]byte{newer: data, damaged: data[:len(data)/2]} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := stdsql.Open("sqlite", newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	for path, want := range map[string]string{newer: "newer version", damaged: "is damaged"} {
		if _, err := transfer.RestoreFile(t.Context(), o, path, true); !says(err, want) {
			t.Errorf("%s: %v", path, err)
		}
		wantDatabase(t, o.URL, 4)
	}
	server := storetest.Must(store.Open(t.Context(), o))(t)
	if _, err := transfer.RestoreFile(t.Context(), o, backup, true); !says(err, "in use by another") {
		t.Errorf("beside a server: %v", err)
	}
	server.Close()
	wantDatabase(t, o.URL, 4)
}

// A file that is damaged is what backups are for.
func TestADamagedDatabaseIsReplacedAndKept(t *testing.T) {
	o, backup := restorable(t)
	damage := strings.Repeat("damage", 100)
	if err := os.WriteFile(o.URL, []byte(damage), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.RestoreFile(t.Context(), o, backup, false); !says(err, "cannot be read") {
		t.Fatalf("without --replace: %v", err)
	}
	done, err := transfer.RestoreFile(t.Context(), o, backup, true)
	if err != nil {
		t.Fatal(err)
	}
	wantDatabase(t, o.URL, 3, strings.TrimPrefix(done.Kept, o.URL))
	if data, err := os.ReadFile(done.Kept); err != nil || string(data) != damage {
		t.Errorf("kept: %q %v", data, err)
	}
}

// Whoever is killed just before the new file gets its name leaves the old one with two.
func TestARestoreThatWasKilledLeavesADatabaseThatOpens(t *testing.T) {
	o, backup := restorable(t)
	second := o.URL + ".before-2026-11-30T164252.000Z"
	if err := os.Link(o.URL, second); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.URL+".restoring", []byte("half of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantDatabase(t, o.URL, 4, ".restoring")
	if _, err := os.Stat(second); err == nil {
		t.Error("the second name is there")
	}
	done, err := transfer.RestoreFile(t.Context(), o, backup, true)
	if err != nil {
		t.Fatal(err)
	}
	wantDatabase(t, o.URL, 3, strings.TrimPrefix(done.Kept, o.URL))
}

// A restore on PostgreSQL that breaks off, at its first statement or its last, leaves the database
// of before as it was.
func TestARestoreOnPostgresThatFailsLeavesWhatWas(t *testing.T) {
	o := storetest.PostgresOptions(t, storetest.PostgresDSN(t))
	populated(t, o)
	epoch, before := state(t, o)
	address := storetest.Must(url.Parse(o.URL))(t)
	schema := address.Query().Get("search_path")
	broken := errors.New("broken off")
	for name, c := range map[string]struct {
		schema  string
		replace bool
		load    func(transfer.Loading) error
		want    string
	}{
		"refused":        {schema, false, nil, "add --replace"},
		"another schema": {"public", true, nil, `of the schema "public"`},
		"broken off":     {schema, true, func(transfer.Loading) error { return broken }, "broken off"},
		"wrong SQL":      {schema, true, func(l transfer.Loading) error { return l.Exec("SELECT 1; SELEKT 2") }, "syntax error"},
		"other rows":     {schema, true, loadEmpty, "not what the backup has"},
	} {
		_, err := transfer.RestoreServer(t.Context(), o, before, c.schema, c.replace, c.load)
		if err == nil || !strings.Contains(err.Error()+models.Message(err), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if now, held := state(t, o); now != epoch || before.Difference(held) != "" {
			t.Errorf("%s: epoch %s and then %s, %s", name, epoch, now, before.Difference(held))
		}
	}
}

// loadEmpty makes tables without rows.
func loadEmpty(l transfer.Loading) error {
	return l.Exec("CREATE TABLE meta (key text PRIMARY KEY, value text); CREATE TABLE users (id text, log_start bigint, seq bigint); " +
		"CREATE TABLE goose_db_version (version_id bigint)")
}
