package ledger

import (
	"context"
	"fmt"
	"time"

	"expenseflow/internal/store"
	"expenseflow/models"
)

// A Hasher hashes passwords (auth.Hasher).
type Hasher interface {
	Hash(ctx context.Context, password string) ([]byte, error)
	// Compare gives models.Invalid for a password that is not the hash's. A nil
	// hash matches none and costs the time of a real one.
	Compare(ctx context.Context, hash []byte, password string) error
}

var (
	errTaken       = models.E(models.Invalid, "User already exists")
	errCredentials = models.E(models.Invalid, "Invalid credentials")
	errPassword    = models.E(models.Invalid, "Current password is incorrect")
)

// Accounts registers users and checks who they are. Its methods may be called
// concurrently.
type Accounts struct {
	store       *store.Store
	hasher      Hasher
	minPassword int
}

// NewAccounts makes Accounts on s. minPassword is the shortest new password in
// UTF-16 units; 0 is models.MinPassword.
func NewAccounts(s *store.Store, h Hasher, minPassword int) *Accounts {
	if minPassword == 0 {
		minPassword = models.MinPassword
	}
	return &Accounts{store: s, hasher: h, minPassword: minPassword}
}

// Register makes an account. Errors: models.Invalid with the contract's text
// when the address is taken, *models.InvalidError, and the store's and the
// hasher's models.Unavailable.
func (a *Accounts) Register(ctx context.Context, name, email, password string) (models.User, error) {
	r := models.Registration{Name: name, Email: email, Password: password}.Normalize()
	if err := models.InvalidIf(r.Check(a.minPassword)); err != nil {
		return models.User{}, err
	}
	if err := a.free(ctx, r.Email); err != nil {
		return models.User{}, err // before a quarter of a second is spent on the hash
	}
	hash, err := a.hasher.Hash(ctx, r.Password)
	if err != nil {
		return models.User{}, fmt.Errorf("register: %w", err)
	}
	u := models.User{ID: NewID(), Name: r.Name, Email: r.Email, PasswordHash: hash, CreatedAt: models.Millis(time.Now())}
	switch err := a.store.CreateUser(ctx, u); {
	case models.KindOf(err) == models.Conflict:
		return models.User{}, errTaken
	case err != nil:
		return models.User{}, fmt.Errorf("register: %w", err)
	}
	return u, nil
}

func (a *Accounts) free(ctx context.Context, email string) error {
	_, err := a.store.UserByEmail(ctx, email)
	switch {
	case err == nil:
		return errTaken
	case models.KindOf(err) == models.NotFound:
		return nil
	}
	return fmt.Errorf("register: %w", err)
}

// Login finds the account of an address and a password. An unknown address and
// a wrong password give the same models.Invalid after the same time. Other
// errors are models.Unavailable.
func (a *Accounts) Login(ctx context.Context, email, password string) (models.User, error) {
	u, err := a.store.UserByEmail(ctx, models.NormalizeEmail(email))
	if err != nil && models.KindOf(err) != models.NotFound {
		return models.User{}, fmt.Errorf("log in: %w", err)
	}
	if err := a.verify(ctx, u.PasswordHash, password, errCredentials); err != nil {
		return models.User{}, err
	}
	return u, nil
}

// verify gives mismatch for a wrong password.
func (a *Accounts) verify(ctx context.Context, hash []byte, password string, mismatch error) error {
	err := a.hasher.Compare(ctx, hash, password)
	switch {
	case err == nil:
		return nil
	case models.KindOf(err) == models.Invalid:
		return mismatch
	}
	return fmt.Errorf("check a password: %w", err)
}

// ChangePassword replaces the user's password and gives the user as they are
// then: every token given out before is of an older generation and refused.
// Errors: models.Invalid for a wrong current password, *models.InvalidError for
// a new one that breaks a rule, models.NotFound if the user is gone, and
// models.Unavailable.
func (a *Accounts) ChangePassword(ctx context.Context, userID, current, replacement string) (models.User, error) {
	if err := models.InvalidIf(models.CheckPassword("newPassword", replacement, a.minPassword)); err != nil {
		return models.User{}, err
	}
	u, err := a.caller(ctx, userID)
	if err != nil {
		return models.User{}, fmt.Errorf("change password: %w", err)
	}
	if err := a.verify(ctx, u.PasswordHash, current, errPassword); err != nil {
		return models.User{}, err
	}
	return a.setPassword(ctx, userID, replacement)
}

// caller is the user who acts, while the token is good by which they do: a password
// that was changed meanwhile is no wrong guess.
func (a *Accounts) caller(ctx context.Context, userID string) (models.User, error) {
	u, err := a.store.UserByID(ctx, userID)
	c, bearer := models.CredentialFrom(ctx)
	switch {
	case !bearer:
		return u, err
	case models.KindOf(err) == models.NotFound:
		return u, models.RefuseToken(models.CodeUserNotFound, err)
	case err != nil:
		return u, err
	}
	return u, c.Check(&u, time.Now())
}

func (a *Accounts) setPassword(ctx context.Context, userID, password string) (models.User, error) {
	hash, err := a.hasher.Hash(ctx, password)
	if err != nil {
		return models.User{}, fmt.Errorf("change password: %w", err)
	}
	if err := a.store.SetPassword(ctx, userID, hash); err != nil {
		return models.User{}, fmt.Errorf("change password: %w", err)
	}
	u, err := a.store.UserByID(ctx, userID)
	if err != nil {
		return models.User{}, fmt.Errorf("change password: %w", err)
	}
	return u, nil
}
