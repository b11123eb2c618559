package models

import (
	"context"
	"errors"
	"time"
)

// Error codes of refused tokens.
const (
	CodeNoToken        = "NO_TOKEN"        // no token was sent
	CodeTokenInvalid   = "TOKEN_INVALID"   // malformed, or the signature is wrong
	CodeTokenExpired   = "TOKEN_EXPIRED"   // past its expiry
	CodeSessionInvalid = "SESSION_INVALID" // signed out, or issued before a password change
	CodeUserNotFound   = "USER_NOT_FOUND"  // the account was removed
)

// RefuseToken returns the Unauthorized error of a token that will never be valid again.
func RefuseToken(code string, cause error) error {
	return &Error{Kind: Unauthorized, Msg: "Invalid token.", Code: code, Err: cause}
}

// A Credential identifies the token of an authenticated caller. The store checks it
// again in the transaction of each change, under the lock of the user's row, so a
// request that waits or whose body arrives late changes nothing after the token has
// ended, whichever process ended it.
type Credential struct {
	UserID     string
	Key        string    // of the token in the list of signed-out tokens
	Generation int64     // compared with User.TokenGeneration
	Until      time.Time // the token is refused from then on

	// Revocations is User.Revocations of the last time that the token was looked up
	// among the signed-out ones. While the two are equal no new lookup is needed.
	Revocations int64
}

// Check returns an Unauthorized error if the token has expired or is of an older
// generation than u's. Sign-outs of single tokens are not checked here.
func (c *Credential) Check(u *User, now time.Time) error {
	switch {
	case !now.Before(c.Until):
		return RefuseToken(CodeTokenExpired, errors.New("token has expired"))
	case c.Generation != u.TokenGeneration:
		return RefuseToken(CodeSessionInvalid, errors.New("token of another generation"))
	}
	return nil
}

type credentialKey struct{}

// WithCredential returns a copy of ctx with the credential of its caller.
func WithCredential(ctx context.Context, c Credential) context.Context {
	return context.WithValue(ctx, credentialKey{}, c)
}

// CredentialFrom returns the credential of ctx. Background work of the program, such
// as pruning, has none.
func CredentialFrom(ctx context.Context) (Credential, bool) {
	c, ok := ctx.Value(credentialKey{}).(Credential)
	return c, ok
}
