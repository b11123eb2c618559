package store

import (
	"context"
	"errors"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/models"
)

// authorize checks the credential of the transaction's context
// (models.WithCredential) against the user's locked row. It is the one place where a
// token is checked at the moment of its use, for every entry point that changes
// something.
//
// Whoever signs a token out or changes a password holds the same lock, so what is
// found here cannot change before the transaction ends. User.Revocations
// says whether any token of the user was signed out since this one was looked up; only then
// a statement looks it up again. A subquery beside the lock would not do on PostgreSQL, which
// answers it as of before the wait for the lock.
func (tx *Tx) authorize() error {
	c, ok := models.CredentialFrom(tx.ctx)
	if !ok {
		return nil
	}
	if c.UserID != tx.user.ID {
		return errors.New("the caller is not the user of the transaction")
	}
	u := tx.user
	if err := c.Check(&u, time.UnixMilli(tx.clockAtStart)); err != nil {
		return err
	}
	if c.Revocations == u.Revocations {
		return nil
	}
	_, revoked, err := oneIn[revokedToken](tx, tx.orm().Where("token_key = ?", c.Key))
	if err == nil && revoked {
		err = models.RefuseToken(models.CodeSessionInvalid, errors.New("token was signed out"))
	}
	return err
}

// goneFor is the error of a user whose row is not there, for the bearer of a token of theirs
// its refusal.
func goneFor(ctx context.Context, userID string, err error) error {
	if c, bearer := models.CredentialFrom(ctx); bearer && c.UserID == userID && errors.Is(err, find.ErrUserGone) {
		return models.RefuseToken(models.CodeUserNotFound, err)
	}
	return err
}
