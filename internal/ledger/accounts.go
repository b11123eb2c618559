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
	errConfirm     = models.E(models.Invalid, "Password is incorrect")
	errPassword    = models.E(models.Invalid, "Current password is incorrect")
)

// PasswordRules are what a new password has to satisfy. Passwords that are stored
// already are not held against them.
type PasswordRules struct {
	MinLength int                        // in UTF-16 units; 0 is models.MinPassword
	Common    func(password string) bool // reports whether it is refused as too common; nil refuses none
}

// check returns the rule that a new password in this field breaks.
func (r *PasswordRules) check(field, password string) []models.Violation {
	broken := models.CheckPassword(field, password, r.MinLength)
	if len(broken) == 0 && r.Common != nil && r.Common(password) {
		return []models.Violation{{Field: field, Rule: models.RuleCommon}}
	}
	return broken
}

// Accounts registers users and checks who they are. Its methods may be called
// concurrently.
type Accounts struct {
	store     *store.Store
	hasher    Hasher
	passwords PasswordRules
}

// NewAccounts makes Accounts on s.
func NewAccounts(s *store.Store, h Hasher, passwords PasswordRules) *Accounts {
	if passwords.MinLength == 0 {
		passwords.MinLength = models.MinPassword
	}
	return &Accounts{store: s, hasher: h, passwords: passwords}
}

// Register makes an account. Errors: models.Invalid with the contract's text
// when the address is taken, *models.InvalidError, and the store's and the
// hasher's models.Unavailable.
func (a *Accounts) Register(ctx context.Context, name, email, password string) (models.User, error) {
	r := models.Registration{Name: name, Email: email, Password: password}.Normalize()
	if err := models.InvalidIf(append(r.CheckWho(), a.passwords.check("password", r.Password)...)); err != nil {
		return models.User{}, err
	}
	if err := a.free(ctx, r.Email); err != nil {
		models.AttemptFrom(ctx).Wrong("") // it tells that the address has an account
		return models.User{}, err         // before a quarter of a second is spent on the hash
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
	_ = a.store.WakeInvitations(ctx, u.Email) // else the next start of a process does
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
	if err := models.InvalidIf(a.passwords.check("newPassword", replacement)); err != nil {
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

// Confirm checks the password of a user who is signed in. Errors: models.Invalid for
// another password, models.NotFound if the user is gone, and models.Unavailable.
func (a *Accounts) Confirm(ctx context.Context, userID, password string) error {
	u, err := a.caller(ctx, userID)
	if err != nil {
		return fmt.Errorf("confirm a password: %w", err)
	}
	return a.verify(ctx, u.PasswordHash, password, errConfirm)
}

// RemoveAccount removes a user and all that is theirs at once: whoever had an expense
// of theirs has it no more, and none of their tokens opens anything. Errors:
// models.NotFound if the user is gone already, and store.Write's.
func (l *Ledger) RemoveAccount(ctx context.Context, userID string) error {
	if err := l.Write(ctx, userID, func(w *Work) error { return w.Tx.DeleteUser() }); err != nil {
		return fmt.Errorf("remove an account: %w", err)
	}
	return nil
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
