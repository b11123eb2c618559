package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// bearer is a context of the user's token as it was just found good.
func bearer(t testing.TB, s *store.Store, userID string) context.Context {
	t.Helper()
	u, err := s.UserByID(t.Context(), userID)
	if err != nil {
		t.Fatal(err)
	}
	return models.WithCredential(t.Context(), models.Credential{
		UserID: u.ID, Key: "this token", Generation: u.TokenGeneration, Until: time.Now().Add(time.Hour), Revocations: u.Revocations,
	})
}

// codeOf is the code of the refusal of a write that is made in ctx, "" for none.
func codeOf(t testing.TB, s *store.Store, ctx context.Context, userID string) string {
	t.Helper()
	ran := false
	err := s.Write(ctx, userID, func(*store.Tx) error { ran = true; return nil })
	var e *models.Error
	switch {
	case err == nil && ran:
		return ""
	case !errors.As(err, &e) || e.Kind != models.Unauthorized || ran:
		t.Fatalf("write: %v, ran: %v", err, ran)
	}
	return e.Code
}

func TestATokenIsCheckedInTheTransactionThatItIsUsedFor(t *testing.T) {
	later := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		end  func(ctx context.Context, s *store.Store, userID string) error
		want string
	}{
		"nothing ends": {func(context.Context, *store.Store, string) error { return nil }, ""},
		"another token's": {func(ctx context.Context, s *store.Store, id string) error {
			return s.RevokeToken(ctx, "another", id, later)
		}, ""},
		"signed out": {func(ctx context.Context, s *store.Store, id string) error {
			return s.RevokeToken(ctx, "this token", id, later)
		}, models.CodeSessionInvalid},
		"password": {
			func(ctx context.Context, s *store.Store, id string) error { return s.SetPassword(ctx, id, []byte("x")) },
			models.CodeSessionInvalid,
		},
		"account": {func(ctx context.Context, s *store.Store, id string) error {
			return s.DeleteUser(ctx, id)
		}, models.CodeUserNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, s *store.Store) {
				u := storetest.User(t, s)
				ctx := bearer(t, s, u.ID)
				if err := c.end(t.Context(), s, u.ID); err != nil {
					t.Fatal(err)
				}
				if got := codeOf(t, s, ctx, u.ID); got != c.want {
					t.Errorf("refused with %q, want %q", got, c.want)
				}
			})
		})
	}
}

// A write that waits for the user's lock is refused if the token ends meanwhile, also
// in another process, where the statement that takes the lock began before.
func TestAWriteThatWaitsForTheLockDoesNotOutliveItsToken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		s := storetest.Open(t, o)
		other := s
		if s.Dialect() == "postgres" {
			other = storetest.Open(t, o)
		}
		u := storetest.User(t, s)
		ctx, waiting := bearer(t, s, u.ID), make(chan error, 1)
		err := s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
			go func() { waiting <- other.Write(ctx, u.ID, func(*store.Tx) error { return nil }) }()
			await(t, "the writer waits", func() bool { return waits(t, s) })
			return tx.Revoke("this token", time.Now().Add(time.Hour))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-waiting; models.KindOf(err) != models.Unauthorized {
			t.Errorf("the write that waited: %v", err)
		}
	})
}

func waits(t testing.TB, s *store.Store) bool {
	if s.Dialect() == "sqlite" {
		return s.Waiting() > 0
	}
	return must(s.Count(t.Context(), "pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR %'"))(t) > 0
}

// A device that was noted between the DELETE and the COMMIT of a sign-out of all others stayed
// listed.
func TestADeviceThatIsNotedWhileTokensEndIsForgotten(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		s := storetest.Open(t, o)
		other := s
		if s.Dialect() == "postgres" {
			other = storetest.Open(t, o)
		}
		u := storetest.User(t, s)
		seen := models.DeviceToken{UserID: u.ID, DeviceID: "phone", Key: "key", ExpiresAt: time.Now().Add(time.Hour)}
		noted := make(chan error, 1)
		err := s.Write(t.Context(), u.ID, func(tx *store.Tx) error {
			if err := tx.EndTokens(); err != nil {
				return err
			}
			go func() { noted <- other.SeeDevices(t.Context(), []models.DeviceToken{seen}) }()
			await(t, "the note waits, or is made", func() bool { return waits(t, s) || len(noted) > 0 })
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-noted; err != nil {
			t.Fatal(err)
		}
		same(t, "devices", 0, len(must(s.Devices(t.Context(), u.ID))(t)))
		seen.Key, seen.Generation = "next", 1
		if err := s.SeeDevices(t.Context(), []models.DeviceToken{seen}); err != nil {
			t.Fatal(err)
		}
		same(t, "devices after the next sign-in", 1, len(must(s.Devices(t.Context(), u.ID))(t)))
	})
}

func TestAnExpiredTokenWritesNothing(t *testing.T) {
	o := storetest.Options(t)
	now := time.Now()
	o.Now = func() time.Time { return now }
	s := storetest.Open(t, o)
	u := storetest.User(t, s)
	ctx := bearer(t, s, u.ID)
	now = now.Add(2 * time.Hour)
	if got := codeOf(t, s, ctx, u.ID); got != models.CodeTokenExpired {
		t.Errorf("refused with %q", got)
	}
}
