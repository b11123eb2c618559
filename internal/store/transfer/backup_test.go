package transfer_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/store/transfer"
	"expenseflow/models"

	"golang.org/x/sync/errgroup"
)

// create stores an expense and its change.
func create(tx *store.Tx) error {
	e := expense(tx.User().ID)
	tx.InsertExpense(e)
	tx.AppendChange(models.ExpenseCreated, e, models.Author{})
	return nil
}

// copyTo writes the pages of s into a file.
func copyTo(t testing.TB, s *store.Store, path string) (held transfer.Summary) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = transfer.CopyFile(t.Context(), s, func(m transfer.Summary, _ transfer.FileSize) error {
		held = m
		return nil
	}, func(page []byte) error {
		_, err := f.Write(page)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// A copy that is made while writers go on is of one moment, and whole.
func TestACopyBesideWritersIsOfOneMoment(t *testing.T) {
	s := storetest.Open(t, storetest.SQLiteOptions(t))
	users := []models.User{storetest.User(t, s), storetest.User(t, s)}
	ctx, stop := context.WithCancel(t.Context())
	var g errgroup.Group
	for _, u := range users {
		g.Go(func() error {
			for ctx.Err() == nil {
				if err := s.Write(t.Context(), u.ID, create); err != nil {
					return err
				}
			}
			return nil
		})
	}
	before := int64(-1)
	for range 5 {
		path := filepath.Join(t.TempDir(), "copy.db")
		held := copyTo(t, s, path)
		found, err := transfer.InspectFile(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if d := held.Difference(found); d != "" {
			t.Error(d)
		}
		if found.Expenses() < before {
			t.Errorf("%d expenses after %d", found.Expenses(), before)
		}
		before = found.Expenses()
		checkWhole(t, path)
	}
	stop()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

// checkWhole wants each user's log to be as long as the user's row says, and no file beside path.
func checkWhole(t testing.TB, path string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Errorf("beside the copy: %v %v", files, err)
	}
	s := storetest.Open(t, store.Options{URL: path})
	expenses := storetest.Must(transfer.Count(t.Context(), s, "expenses"))(t)
	if n := storetest.Must(transfer.Count(t.Context(), s, "changes"))(t); n != expenses {
		t.Errorf("%d changes of other many expenses", n)
	}
}

func TestWhatIsNoBackupIsNamed(t *testing.T) {
	s := storetest.Open(t, storetest.SQLiteOptions(t))
	for range 40 {
		storetest.User(t, s)
	}
	whole := filepath.Join(t.TempDir(), "whole.db")
	copyTo(t, s, whole)
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	torn := append([]byte(nil), data...)
	for i := 2 * 4096; i < len(torn); i += 4096 {
		copy(torn[i:], "torn torn torn torn torn torn")
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"text":     {[]byte("this is a text that is long enough to be taken for something"), "is not a SQLite database"},
		"nothing":  {nil, "is no database of this program"},
		"cut":      {data[:len(data)/2], "is damaged"},
		"one page": {data[:4096], "is damaged"},
		"torn":     {torn, "is damaged"},
	} {
		path := filepath.Join(t.TempDir(), "x.db")
		if err := os.WriteFile(path, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := transfer.InspectFile(t.Context(), path)
		if err == nil || models.KindOf(err) != models.Invalid {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantWords(t, models.Message(err), c.want)
	}
}

func TestTheLastBackupIsRemembered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		if at := storetest.Must(s.LastBackup(t.Context()))(t); !at.IsZero() {
			t.Errorf("of a new database: %v", at)
		}
		of := time.Date(2026, 3, 1, 2, 3, 4, 5e6, time.UTC)
		for range 2 {
			if err := s.RecordBackup(t.Context(), of); err != nil {
				t.Fatal(err)
			}
		}
		if at := storetest.Must(s.LastBackup(t.Context()))(t); !at.Equal(of) {
			t.Errorf("%v", at)
		}
	})
}
