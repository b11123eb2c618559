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
	// Compare returns models.Invalid for a password that is not the hash's. A nil
	// hash matches none and costs the time of a real one.
	Compare(ctx context.Context, hash []byte, password string) error
}

var (
	errAddressTaken         = models.E(models.Invalid, "User already exists")
	errCredentials          = models.E(models.Invalid, "Invalid credentials")
	errWrongPassword        = models.E(models.Invalid, "Password is incorrect")
	errWrongCurrentPassword = models.E(models.Invalid, "Current password is incorrect")
)

// PasswordRules are the rules of new passwords. They do not apply to stored ones.
type PasswordRules struct {
	MinLength int                        // in UTF-16 units; 0 is models.MinPassword
	Common    func(password string) bool // reports whether it is too common; nil accepts all
}

// check returns the rule that a new password breaks. field is the name in the request.
func (r *PasswordRules) check(field, password string) []models.Violation {
	broken := models.CheckPassword(field, password, r.MinLength)
	if len(broken) == 0 && r.Common != nil && r.Common(password) {
		return []models.Violation{{Field: field, Rule: models.RuleCommon}}
	}
	return broken
}

// Accounts registers users and checks passwords. Its methods may be called concurrently.
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

// Register creates an account. Errors: *models.InvalidError, models.Invalid if the
// address is taken, and models.Unavailable.
func (a *Accounts) Register(ctx context.Context, name, email, password string) (models.User, error) {
	r := models.Registration{Name: name, Email: email, Password: password}.Normalize()
	if err := models.InvalidIf(append(r.CheckIdentity(), a.passwords.check("password", r.Password)...)); err != nil {
		return models.User{}, err
	}
	if err := a.checkEmailFree(ctx, r.Email); err != nil {
		models.AttemptFrom(ctx).RecordFailure("") // the error reveals that the address has an account
		return models.User{}, err
	}
	hash, err := a.hasher.Hash(ctx, r.Password)
	if err != nil {
		return models.User{}, fmt.Errorf("register: %w", err)
	}
	u := models.User{ID: NewID(), Name: r.Name, Email: r.Email, PasswordHash: hash, CreatedAt: models.Millis(time.Now())}
	switch err := a.store.CreateUser(ctx, u); {
	case models.KindOf(err) == models.Conflict:
		return models.User{}, errAddressTaken
	case err != nil:
		return models.User{}, fmt.Errorf("register: %w", err)
	}
	_ = a.store.WakeInvitations(ctx, u.Email) // after an error the next start of a process does
	return u, nil
}

func (a *Accounts) checkEmailFree(ctx context.Context, email string) error {
	_, err := a.store.UserByEmail(ctx, email)
	switch {
	case err == nil:
		return errAddressTaken
	case models.KindOf(err) == models.NotFound:
		return nil
	}
	return fmt.Errorf("register: %w", err)
}

// Login returns the user with this address and password. An unknown address and a wrong
// password cause the same models.Invalid after the same time. Other errors are
// models.Unavailable.
func (a *Accounts) Login(ctx context.Context, email, password string) (models.User, error) {
	u, err := a.store.UserByEmail(ctx, models.NormalizeEmail(email))
	if err != nil && models.KindOf(err) != models.NotFound {
		return models.User{}, fmt.Errorf("log in: %w", err)
	}
	if err := a.verifyPassword(ctx, u.PasswordHash, password, errCredentials); err != nil {
		return models.User{}, err
	}
	return u, nil
}

// verifyPassword returns mismatch if password is not the one hashed.
func (a *Accounts) verifyPassword(ctx context.Context, hash []byte, password string, mismatch error) error {
	err := a.hasher.Compare(ctx, hash, password)
	switch {
	case err == nil:
		return nil
	case models.KindOf(err) == models.Invalid:
		return mismatch
	}
	return fmt.Errorf("check a password: %w", err)
}

// ChangePassword replaces the user's password and returns the updated user. It starts a
// new token generation, so every token issued before is refused. Errors: models.Invalid
// for a wrong current password, *models.InvalidError for an invalid new one,
// models.NotFound if the user was removed, and models.Unavailable.
func (a *Accounts) ChangePassword(ctx context.Context, userID, current, replacement string) (models.User, error) {
	if err := models.InvalidIf(a.passwords.check("newPassword", replacement)); err != nil {
		return models.User{}, err
	}
	u, err := a.authenticatedUser(ctx, userID)
	if err != nil {
		return models.User{}, fmt.Errorf("change password: %w", err)
	}
	if err := a.verifyPassword(ctx, u.PasswordHash, current, errWrongCurrentPassword); err != nil {
		return models.User{}, err
	}
	return a.setPassword(ctx, userID, replacement)
}

// authenticatedUser returns the user, after checking that the token of ctx is still valid. Without
// this check, a request that waited while the password was changed would count as a
// wrong guess.
func (a *Accounts) authenticatedUser(ctx context.Context, userID string) (models.User, error) {
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

// ResetPassword is ChangePassword by an operator, who does not know the current one.
func (a *Accounts) ResetPassword(ctx context.Context, userID, replacement string) error {
	if err := models.InvalidIf(a.passwords.check("newPassword", replacement)); err != nil {
		return err
	}
	_, err := a.setPassword(ctx, userID, replacement)
	return err
}

// ConfirmPassword checks the password of a signed-in user. Errors: models.Invalid for a wrong
// password, models.NotFound if the user was removed, and models.Unavailable.
func (a *Accounts) ConfirmPassword(ctx context.Context, userID, password string) error {
	u, err := a.authenticatedUser(ctx, userID)
	if err != nil {
		return fmt.Errorf("confirm a password: %w", err)
	}
	return a.verifyPassword(ctx, u.PasswordHash, password, errWrongPassword)
}

// RemoveAccount removes a user with all their data in one transaction. Users with whom
// they shared expenses lose access, and their tokens become invalid. Errors:
// models.NotFound if the user was removed already, and those of store.Write.
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
