package models

import (
	"context"
	"errors"
	"time"
)

// Codes that the refusal of a token carries, so that a client can tell them apart.
const (
	CodeNoToken        = "NO_TOKEN"        // none was sent
	CodeTokenInvalid   = "TOKEN_INVALID"   // garbled, or signed by somebody else
	CodeTokenExpired   = "TOKEN_EXPIRED"   // was good once
	CodeSessionInvalid = "SESSION_INVALID" // signed out, or the password was changed since
	CodeUserNotFound   = "USER_NOT_FOUND"  // its account is gone
)

// RefuseToken is the error of a token that will never work again.
func RefuseToken(code string, cause error) error {
	return &Error{Kind: Unauthorized, Msg: "Invalid token.", Code: code, Err: cause}
}

// A Credential is the token by which a caller acts. It was good when the caller was
// authenticated; the store checks it again in the transaction of each change, under
// the lock of the user's row. So a request whose body arrives late, or that waits its
// turn, changes nothing after the token has ended, whichever process ended it.
type Credential struct {
	UserID     string
	Key        string    // names the token among sign-outs
	Generation int64     // compared with User.TokenGeneration
	Until      time.Time // from then on the token opens nothing

	// Revocations is User.Revocations when the token was last found not to be signed
	// out. As long as the two are equal nobody has to look it up again.
	Revocations int64
}

// Check tells whether u's row still honours the token at a moment, sign-outs of
// single tokens aside. Its error is of Unauthorized.
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

// WithCredential gives a context whose changes are made by the bearer of c.
func WithCredential(ctx context.Context, c Credential) context.Context {
	return context.WithValue(ctx, credentialKey{}, c)
}

// CredentialFrom gives what WithCredential put there. There is none behind the
// program's own work, such as the retention of old rows.
func CredentialFrom(ctx context.Context) (Credential, bool) {
	c, ok := ctx.Value(credentialKey{}).(Credential)
	return c, ok
}
