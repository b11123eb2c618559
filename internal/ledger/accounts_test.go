package ledger_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// A fakeHasher stores passwords unhashed and records its calls.
type fakeHasher struct {
	compared []string // the hashes
	err      error
}

func (f *fakeHasher) Hash(_ context.Context, password string) ([]byte, error) {
	return []byte("hash of " + password), f.err
}

func (f *fakeHasher) Compare(_ context.Context, hash []byte, password string) error {
	f.compared = append(f.compared, string(hash))
	if f.err != nil {
		return f.err
	}
	if string(hash) != "hash of "+password {
		return models.E(models.Invalid, "mismatch")
	}
	return nil
}

func eachAccounts(t *testing.T, test func(t *testing.T, a *ledger.Accounts, h *fakeHasher)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		h := &fakeHasher{}
		test(t, ledger.NewAccounts(storetest.Open(t, options(t)), h, ledger.PasswordRules{}), h)
	})
}

func TestRegisterAndLogIn(t *testing.T) {
	eachAccounts(t, func(t *testing.T, a *ledger.Accounts, _ *fakeHasher) {
		made, err := a.Register(t.Context(), " Al ", " Al@B.Test ", "secret")
		if err != nil || made.Name != "Al" || made.Email != "al@b.test" || !models.IsID(made.ID) {
			t.Fatalf("registered %+v, %v", made, err)
		}
		got, err := a.Login(t.Context(), "AL@b.test ", "secret")
		if diff := cmp.Diff(made, got); err != nil || diff != "" {
			t.Errorf("%v, logged in (-registered +found):\n%s", err, diff)
		}
		_, err = a.Register(t.Context(), "Eve", "aL@b.tesT", "secret")
		if models.Message(err) != "User already exists" || models.KindOf(err) != models.Invalid {
			t.Errorf("registered twice: %v", err)
		}
		for _, r := range [][3]string{
			{"", "x@b.co", "secret"},
			{"X", "x@b", "secret"},
			{"X", "x@b.co", "12345"},
			{strings.Repeat("x", 51), "x@b.co", "secret"},
		} {
			if _, err := a.Register(t.Context(), r[0], r[1], r[2]); models.KindOf(err) != models.Invalid {
				t.Errorf("registered %v: %v", r, err)
			}
		}
	})
}

// A wrong password and an unknown address have the same cost and the same error.
func TestStrangersCannotTellWhoHasAnAccount(t *testing.T) {
	eachAccounts(t, func(t *testing.T, a *ledger.Accounts, h *fakeHasher) {
		if _, err := a.Register(t.Context(), "Al", "al@b.co", "secret"); err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, email := range []string{"al@b.co", "eve@b.co", "no address", "\x00"} {
			_, err := a.Login(t.Context(), email, "wrong")
			told = append(told, models.Message(err))
		}
		if diff := cmp.Diff([]string{"Invalid credentials", "Invalid credentials", "Invalid credentials", "Invalid credentials"},
			told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"hash of secret", "", "", ""}, h.compared); diff != "" {
			t.Errorf("compared (-want +got):\n%s", diff)
		}
	})
}

func TestChangePasswordEndsOlderTokens(t *testing.T) {
	eachAccounts(t, func(t *testing.T, a *ledger.Accounts, _ *fakeHasher) {
		u, err := a.Register(t.Context(), "Al", "al@b.co", "secret")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.ChangePassword(t.Context(), u.ID, "wrong", "better!"); models.Message(err) != "Current password is incorrect" {
			t.Errorf("with a wrong password: %v", err)
		}
		if _, err := a.ChangePassword(t.Context(), u.ID, "secret", "short"); models.KindOf(err) != models.Invalid {
			t.Errorf("to a short one: %v", err)
		}
		changed, err := a.ChangePassword(t.Context(), u.ID, "secret", "better!")
		if err != nil || changed.TokenGeneration != u.TokenGeneration+1 {
			t.Errorf("changed %+v, %v", changed, err)
		}
		if _, err := a.Login(t.Context(), "al@b.co", "secret"); err == nil {
			t.Error("the old password still works")
		}
		if _, err := a.Login(t.Context(), "al@b.co", "better!"); err != nil {
			t.Errorf("the new password: %v", err)
		}
	})
}

// A server error must not look like a wrong password (docs/contract.md#status-codes).
func TestAStormIsNoWrongPassword(t *testing.T) {
	eachAccounts(t, func(t *testing.T, a *ledger.Accounts, h *fakeHasher) {
		h.err = models.E(models.Unavailable, "busy")
		if _, err := a.Login(t.Context(), "al@b.co", "x"); models.KindOf(err) != models.Unavailable {
			t.Errorf("log in: %v", err)
		}
		if _, err := a.Register(t.Context(), "Al", "al@b.co", "secret"); models.KindOf(err) != models.Unavailable {
			t.Errorf("register: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		h.err = ctx.Err()
		if _, err := a.Login(t.Context(), "al@b.co", "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("whoever hung up: %v", err)
		}
	})
}
