package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// refusedFile opens a file that must be refused with a sentence that holds want.
func refusedFile(t *testing.T, path, want string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: path})
	if err == nil {
		s.Close()
		t.Fatalf("%s was opened", path)
	}
	if msg := models.Message(err); !strings.Contains(msg, want) || !strings.Contains(msg, path) {
		t.Errorf("the refusal says %q, not %q", msg, want)
	}
}

// filled is a database file with some hundred pages, which nobody has open.
func filled(t *testing.T) string {
	t.Helper()
	o := storetest.SQLiteOptions(t)
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	u := storetest.User(t, s)
	fill(t, s, u.ID, 2000)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return o.URL
}

// A file of no bytes began an empty database, so that every token was 401, on which
// browsers throw their queues away.
func TestAnEmptyDatabaseFileIsRefused(t *testing.T) {
	path := filled(t)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	refusedFile(t, path, "is empty")
}

// A process that ends while it makes the file leaves none that would be refused.
func TestAStartThatWasCutOffIsNoEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "expenseflow.db")
	for _, left := range []string{".new", ".new-wal"} {
		if err := os.WriteFile(path+left, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Open(t, store.Options{URL: path})
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// Corrupt pages were 503 for ever, with readiness saying yes.
func TestADamagedFileIsRefusedWhenItIsOpened(t *testing.T) {
	path := filled(t)
	damage(t, path)
	refusedFile(t, path, "is damaged")
}

func TestReadinessSaysNoWhileTheFileIsDamaged(t *testing.T) {
	path := filled(t)
	s := storetest.Open(t, store.Options{URL: path, MaxReaders: 1})
	if err := s.Writable(t.Context()); err != nil {
		t.Fatal(err)
	}
	damage(t, path)
	await(t, "read that fails", func() bool { // pages that are cached are good until they are read anew
		_ = s.Exec(t.Context(), "PRAGMA shrink_memory")
		_, err := s.Count(t.Context(), "(SELECT MAX(description || notes), MAX(payload) FROM expenses, changes)")
		return err != nil
	})
	wantKind(t, "Intact", s.Intact(), models.Unavailable)
	wantKind(t, "Writable", s.Writable(t.Context()), models.Unavailable)
}

// damage overwrites the second half of a file.
func damage(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	noise := []byte(strings.Repeat("noise ", int(info.Size()/12)))
	if _, err := f.WriteAt(noise, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	_ = os.Chtimes(path, time.Now(), time.Now())
}

// Under another name of the same file, a second process was let in.
func TestAHardLinkToTheFileIsRefused(t *testing.T) {
	path := filled(t)
	storetest.Open(t, store.Options{URL: path})
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Link(path, link); err != nil {
		t.Fatal(err)
	}
	refusedFile(t, link, "several names")
}
