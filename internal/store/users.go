package store

import (
	"context"
	"errors"
	"time"

	"expenseflow/models"
)

// UserByID is the user of this id; models.NotFound if there is none.
func (s *Store) UserByID(ctx context.Context, id string) (models.User, error) {
	return s.findUser(ctx, "id", id)
}

// UserByEmail is the user of this address, which is trimmed and in lower case;
// models.NotFound if there is none.
func (s *Store) UserByEmail(ctx context.Context, email string) (models.User, error) {
	return s.findUser(ctx, "email", email)
}

func (s *Store) findUser(ctx context.Context, column, value string) (models.User, error) {
	var r userRow
	err := s.one(ctx, s.r, "SELECT "+userColumns+" FROM users WHERE "+column+" = ?", []any{value}, r.dest()...)
	if err != nil {
		return models.User{}, noUser(err)
	}
	return r.user(), nil
}

// CreateUser saves a new user; models.Conflict if the address is taken.
func (s *Store) CreateUser(ctx context.Context, u models.User) error {
	r := userRow{
		ID: u.ID, Name: u.Name, Email: u.Email, PasswordHash: u.PasswordHash,
		CreatedAt: u.CreatedAt.UnixMilli(), TokenGeneration: u.TokenGeneration,
		TimeZone: u.ChosenZone, Currency: u.ChosenCurrency,
	}
	if err := checkText([]any{r.ID, r.Name, r.Email}); err != nil {
		return err
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	err = fail(s.d, s.w.WithContext(ctx).Create(&r).Error)
	if errors.As(err, new(*duplicateError)) {
		return &models.Error{Kind: models.Conflict, Msg: "User already exists", Err: err}
	}
	return err
}

// SetPassword stores a new hash and raises the token generation, which ends
// every token given out before, the devices that came with them are forgotten, and
// the log says so. models.NotFound if the user is gone.
func (s *Store) SetPassword(ctx context.Context, id string, hash []byte) error {
	return s.Write(ctx, id, func(tx *Tx) error {
		tx.Append(models.Change{Kind: models.SignedOut})
		_ = tx.exec("DELETE FROM user_devices WHERE user_id = ?", id) // the next exec gives its error
		return tx.exec("UPDATE users SET password_hash = ?, token_generation = token_generation + 1 WHERE id = ?", hash, id)
	})
}

// DeleteUser is Tx.DeleteUser in a transaction of its own; models.NotFound if the user
// is gone already.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	return s.Write(ctx, id, (*Tx).DeleteUser)
}

// DeleteUser removes the user and all that is theirs, for those too with whom it was
// shared. What they were invited to is kept for whoever has their address next.
func (tx *Tx) DeleteUser() error {
	if err := tx.part(); err != nil {
		return err
	}
	if err := tx.partInvitations(); err != nil {
		return err
	}
	for _, table := range unkeyed {
		if err := tx.exec("DELETE FROM "+table+" WHERE user_id = ?", tx.user.ID); err != nil {
			return err
		}
	}
	return tx.exec("DELETE FROM users WHERE id = ?", tx.user.ID)
}

// partInvitations takes the user out of all invitations and contacts.
func (tx *Tx) partInvitations() error {
	tx.undelivered = true
	for _, step := range []struct{ query, arg string }{
		{"UPDATE invitations SET user_id = '', state = 'withdrawn' WHERE user_id = ? AND (state = 'pending' OR state = 'withdrawn')", tx.user.ID},
		{"UPDATE invitations SET state = CASE WHEN state = 'pending' THEN 'waiting' ELSE 'gone' END WHERE email = ? AND (state = 'pending' OR state = 'withdrawn')", tx.user.Email},
		{"DELETE FROM contacts WHERE other_id = ?", tx.user.ID},
	} {
		if err := tx.exec(step.query, step.arg); err != nil {
			return err
		}
	}
	return nil
}

// unkeyed are the tables whose rows do not go by themselves with their user: a
// foreign key would be looked up for each row of a batch, under a lock that makes
// it hold.
var unkeyed = []string{expenseTable.name, changeTable.name, operationTable.name, aliasTable.name, "shares", activityTable.name, "user_devices", "kept_rooms", "invitations", "contacts"}

// RevokeToken refuses a token until it has expired by itself, and writes that into
// the log. Revoking twice is no error; models.NotFound if the user is gone.
func (s *Store) RevokeToken(ctx context.Context, tokenKey, userID string, until time.Time) error {
	if err := checkText([]any{tokenKey}); err != nil {
		return err
	}
	return s.Write(ctx, userID, func(tx *Tx) error {
		tx.revoke(tokenKey, until)
		return nil
	})
}

// TokenRevoked tells whether RevokeToken was called for this token.
func (s *Store) TokenRevoked(ctx context.Context, tokenKey string) (bool, error) {
	var n int64
	err := s.one(ctx, s.r, "SELECT COUNT(*) FROM revoked_tokens WHERE token_key = ?", []any{tokenKey}, &n)
	if errors.As(err, new(*DataError)) {
		return false, nil
	}
	return n > 0, err
}
