package store_test

import (
	"errors"
	"testing"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

func TestAttachChangesNoSchema(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		attach := func() error {
			s, err := store.Attach(t.Context(), o)
			if err != nil {
				return err
			}
			return s.Close()
		}
		change := func(statement string) {
			t.Helper()
			s, err := store.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if err = errors.Join(s.Exec(t.Context(), statement), s.Close()); err != nil {
				t.Fatal(err)
			}
		}
		var e *store.SchemaError
		change("SELECT 1")
		if err := attach(); err != nil {
			t.Errorf("what Open made: %v", err)
		}
		change("DELETE FROM goose_db_version WHERE version_id > 9")
		for range 2 { // the first attempt migrates nothing
			if err := attach(); !errors.As(err, &e) || e.Found != 9 || e.Own <= 9 || models.KindOf(err) != models.Unavailable {
				t.Errorf("a schema that is behind: %v", err)
			}
		}
	})
}

func TestAttachRefusesWhatANewerProgramMade(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		s, err := store.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, ?)", true)
		if err = errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		_, err = store.Attach(t.Context(), o)
		wantWords(t, models.Message(err), "newer version", "9999")
	})
}

func TestAccountsAreListedInPages(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		for _, email := range []string{"a_b@example.org", "axb@example.org", "c%@example.org", "d@example.org"} {
			storetest.User(t, s, email)
		}
		for _, tt := range []struct {
			after, match string
			limit        int
			want         []string
		}{
			{"", "", 2, []string{"a_b@example.org", "axb@example.org"}},
			{"axb@example.org", "", 9, []string{"c%@example.org", "d@example.org"}},
			{"", "a_b", 9, []string{"a_b@example.org"}},
			{"", "%", 9, []string{"c%@example.org"}},
			{"", "nobody", 9, nil},
		} {
			found, err := s.Accounts(t.Context(), tt.after, tt.match, tt.limit)
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range found {
				if i >= len(tt.want) || a.Email != tt.want[i] {
					t.Errorf("after %q, %q: %v, want %v", tt.after, tt.match, found, tt.want)
				}
			}
			if len(found) != len(tt.want) {
				t.Errorf("after %q, %q: %d accounts, want %v", tt.after, tt.match, len(found), tt.want)
			}
		}
	})
}

func TestEveryTokenEndsWithAPasswordAndASignOut(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u := storetest.User(t, s, "alice@example.org")
		for want, end := range []func() error{
			func() error { return s.SetPassword(t.Context(), u.ID, []byte("a hash")) },
			func() error { return s.SignOutEverywhere(t.Context(), u.ID) },
		} {
			if err := end(); err != nil {
				t.Fatal(err)
			}
			u, err := s.UserByID(t.Context(), u.ID)
			if err != nil || u.TokenGeneration != int64(want+1) || string(u.PasswordHash) != "a hash" {
				t.Errorf("generation %d, want %d, %q %v", u.TokenGeneration, want+1, u.PasswordHash, err)
			}
		}
		if err := s.SignOutEverywhere(t.Context(), "000000000000000000000000"); models.KindOf(err) != models.NotFound {
			t.Errorf("nobody: %v", err)
		}
	})
}
