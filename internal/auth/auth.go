// Package auth tells who is calling: tokens, sign-outs and password hashes.
//
// A refusal is definitive or it is none. Browsers throw their offline queue away
// on a 401 (docs/contract.md#d18, docs/contract.md#d19), so models.Unauthorized means that this token will
// never work again, and trouble of ours is models.Unavailable.
//
// Tokens are HS256 only, whatever their header claims. Tokens that the original
// installation issued with the same JWT_SECRET keep working (docs/contract.md#tokens).
package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"expenseflow/models"
)

// Codes that a refusal carries (models.RefuseToken).
const (
	CodeNoToken        = models.CodeNoToken
	CodeTokenInvalid   = models.CodeTokenInvalid
	CodeTokenExpired   = models.CodeTokenExpired
	CodeSessionInvalid = models.CodeSessionInvalid
	CodeUserNotFound   = models.CodeUserNotFound
)

// users is what the Authenticator asks the store.
type users interface {
	// UserByID gives models.NotFound for an account that does not exist.
	UserByID(ctx context.Context, id string) (models.User, error)
	// TokenRevoked tells whether the token of this key was signed out.
	TokenRevoked(ctx context.Context, key string) (bool, error)
}

// An Identity is a caller whose token was found good.
type Identity struct {
	User   models.User
	Claims Claims

	// Credential is what the store checks again when the caller changes something.
	Credential models.Credential
}

// An Authenticator turns tokens into identities. Its methods may be called
// concurrently.
type Authenticator struct {
	tokens *Tokens
	users  users
}

// NewAuthenticator makes an Authenticator that trusts what tokens signed and
// looks accounts and sign-outs up in users.
func NewAuthenticator(tokens *Tokens, users users) *Authenticator {
	return &Authenticator{tokens: tokens, users: users}
}

// Authenticate finds out whose token bearer is: the value of an Authorization
// header or the bare token.
//
// Errors: models.Unauthorized with one of the codes when the token will never
// work again, models.Unavailable when the store could not be asked.
func (a *Authenticator) Authenticate(ctx context.Context, bearer string) (Identity, error) {
	return a.AuthenticateWithin(ctx, bearer, 0)
}

// AuthenticateWithin is Authenticate for a token that may have expired up to
// grace ago (SYNC_TOKEN_GRACE, docs/contract.md#d18). Everything else must be right.
func (a *Authenticator) AuthenticateWithin(ctx context.Context, bearer string, grace time.Duration) (Identity, error) {
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

// credential is the token as it was found good: u was read before the sign-outs were.
func credential(u *models.User, c Claims, grace time.Duration) models.Credential {
	return models.Credential{
		UserID: u.ID, Key: c.Key, Generation: c.Generation, Until: c.ExpiresAt.Add(grace), Revocations: u.Revocations,
	}
}

// account finds the token's account and checks that the token still stands for it.
func (a *Authenticator) account(ctx context.Context, c Claims) (models.User, error) {
	user, err := a.users.UserByID(ctx, c.UserID)
	switch {
	case err != nil && models.KindOf(err) == models.NotFound:
		return models.User{}, refuse(CodeUserNotFound, err)
	case err != nil:
		return models.User{}, unavailable("find the token's account", err)
	case c.Generation != user.TokenGeneration:
		return models.User{}, refuse(CodeSessionInvalid, errors.New("token of another generation"))
	}
	revoked, err := a.users.TokenRevoked(ctx, c.Key)
	switch {
	case err != nil:
		return models.User{}, unavailable("look the token up among sign-outs", err)
	case revoked:
		return models.User{}, refuse(CodeSessionInvalid, errors.New("token was signed out"))
	}
	return user, nil
}

// Token gives the token in an Authorization header: the first "Bearer " is
// removed, and a bare token is taken as it is (docs/contract.md#routes).
func Token(header string) string {
	return strings.TrimSpace(strings.Replace(header, "Bearer ", "", 1))
}

func refuse(code string, cause error) error { return models.RefuseToken(code, cause) }

// unavailable makes trouble of ours retryable, whatever the store called it:
// an unclassified error here must not look like a bad token.
func unavailable(doing string, err error) error {
	if models.KindOf(err) == models.Unavailable {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return &models.Error{Kind: models.Unavailable, Msg: "Service temporarily unavailable", Err: fmt.Errorf("%s: %w", doing, err)}
}

type identityKey struct{}

// WithIdentity gives a context that carries the caller and their credential.
func WithIdentity(ctx context.Context, id Identity) context.Context {
	if id.Credential.UserID != "" {
		ctx = models.WithCredential(ctx, id.Credential)
	}
	return context.WithValue(ctx, identityKey{}, id)
}

// FromContext gives the caller that WithIdentity put there, and whether there
// is one.
func FromContext(ctx context.Context) (Identity, bool) {
	id, ok := ctx.Value(identityKey{}).(Identity)
	return id, ok
}
