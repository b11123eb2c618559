// Package auth authenticates callers: it issues and verifies tokens, checks whether they
// were signed out, and hashes passwords.
//
// A 401 is always final: browsers discard their offline queue on it
// (docs/contract.md#d18, docs/contract.md#d19). So models.Unauthorized means that the
// token will never be valid again; a temporary server error is models.Unavailable.
//
// Only HS256 is accepted, whatever the header of a token says. Tokens that the original
// server issued with the same JWT_SECRET are valid (docs/contract.md#tokens).
package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"expenseflow/models"
)

// Error codes of refused tokens (models.RefuseToken).
const (
	CodeNoToken        = models.CodeNoToken
	CodeTokenInvalid   = models.CodeTokenInvalid
	CodeTokenExpired   = models.CodeTokenExpired
	CodeSessionInvalid = models.CodeSessionInvalid
	CodeUserNotFound   = models.CodeUserNotFound
)

// users is implemented by *store.Store.
type users interface {
	// BearerOf returns a user, and whether their token of this key was signed out, as of one
	// moment; models.NotFound for an unknown id.
	BearerOf(ctx context.Context, userID, tokenKey string) (u models.User, revoked bool, err error)
}

// An Identity is an authenticated caller.
type Identity struct {
	User   models.User
	Claims Claims

	// Credential is checked again by the store in each transaction of the caller.
	Credential models.Credential
}

// An Authenticator verifies tokens. Its methods may be called concurrently.
type Authenticator struct {
	tokens *Tokens
	users  users
}

// NewAuthenticator returns an Authenticator that verifies signatures with tokens, and
// looks up accounts and sign-outs in users.
func NewAuthenticator(tokens *Tokens, users users) *Authenticator {
	return &Authenticator{tokens: tokens, users: users}
}

// Authenticate returns the owner of a token. bearer is the value of an Authorization
// header or the bare token.
//
// Errors: models.Unauthorized with one of the codes if the token is not valid and never
// will be, models.Unavailable if the store failed.
func (a *Authenticator) Authenticate(ctx context.Context, bearer string) (Identity, error) {
	return a.AuthenticateWithGrace(ctx, bearer, 0)
}

// AuthenticateWithGrace is Authenticate, but accepts a token that expired up to grace ago
// (SYNC_TOKEN_GRACE, docs/contract.md#d18).
func (a *Authenticator) AuthenticateWithGrace(ctx context.Context, bearer string, grace time.Duration) (Identity, error) {
	token := Token(bearer)
	if token == "" {
		return Identity{}, &models.Error{Kind: models.Unauthorized, Msg: "Access denied. No token provided.", Code: CodeNoToken}
	}
	claims, err := a.tokens.verify(token, grace)
	if err != nil {
		return Identity{}, err
	}
	user, err := a.account(ctx, claims)
	if err != nil {
		return Identity{}, err
	}
	return Identity{User: user, Claims: claims, Credential: credential(&user, claims, grace)}, nil
}

// credential returns the credential of a valid token. u must have been read no later than
// the sign-outs were, so that its Revocations is not newer than that check.
func credential(u *models.User, c Claims, grace time.Duration) models.Credential {
	return models.Credential{
		UserID: u.ID, Key: c.Key, Generation: c.Generation, Until: c.ExpiresAt.Add(grace), Revocations: u.Revocations,
	}
}

// account returns the token's account. It refuses tokens of an older generation and those
// that were signed out.
func (a *Authenticator) account(ctx context.Context, c Claims) (models.User, error) {
	user, revoked, err := a.users.BearerOf(ctx, c.UserID, c.Key)
	switch {
	case err != nil && models.KindOf(err) == models.NotFound:
		return models.User{}, refuseToken(CodeUserNotFound, err)
	case err != nil:
		return models.User{}, unavailable("find the token's account", err)
	case c.Generation != user.TokenGeneration:
		return models.User{}, refuseToken(CodeSessionInvalid, errors.New("token of another generation"))
	case revoked:
		return models.User{}, refuseToken(CodeSessionInvalid, errors.New("token was signed out"))
	}
	return user, nil
}

// Token returns the token in an Authorization header: the value without its first
// "Bearer ". A bare token is returned unchanged (docs/contract.md#routes).
func Token(header string) string {
	return strings.TrimSpace(strings.Replace(header, "Bearer ", "", 1))
}

func refuseToken(code string, cause error) error { return models.RefuseToken(code, cause) }

// unavailable converts any error of the store to models.Unavailable.
func unavailable(doing string, err error) error {
	if models.KindOf(err) == models.Unavailable {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return &models.Error{Kind: models.Unavailable, Msg: "Service temporarily unavailable", Err: fmt.Errorf("%s: %w", doing, err)}
}

type identityKey struct{}

// WithIdentity returns a copy of ctx with the caller and their credential.
func WithIdentity(ctx context.Context, id Identity) context.Context {
	if id.Credential.UserID != "" {
		ctx = models.WithCredential(ctx, id.Credential)
	}
	if id.User.RowVersion != "" {
		ctx = models.WithReadCaller(ctx, id.User)
	}
	return context.WithValue(ctx, identityKey{}, id)
}

// FromContext returns the caller of ctx; false if it has none.
func FromContext(ctx context.Context) (Identity, bool) {
	id, ok := ctx.Value(identityKey{}).(Identity)
	return id, ok
}
