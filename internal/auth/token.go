package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"expenseflow/internal/keyring"
	"expenseflow/models"
)

const (
	// maxToken is the maximum length of a token that is decoded.
	maxToken = 8 << 10
	// maxTokenID is the maximum length of a jti that is used as a key.
	maxTokenID = 64
)

// Claims are the claims of a valid token.
type Claims struct {
	UserID     string
	TokenID    string // jti; "" for tokens of the original installation
	Generation int64  // compared with models.User.TokenGeneration
	IssuedAt   time.Time
	ExpiresAt  time.Time

	// SignedIn is when the user gave the password: IssuedAt, but for a token that Renew made.
	SignedIn time.Time

	// Key identifies the token in the list of signed-out tokens: its jti, or a hash of
	// its signed part if it has none. It does not depend on the encoding of the signature.
	Key string
}

// Tokens issues and verifies tokens. Its methods may be called concurrently.
type Tokens struct {
	signing   []byte
	verifying jwt.VerificationKeySet
	expire    time.Duration
	now       func() time.Time
	parser    *jwt.Parser
}

// NewTokens returns Tokens that are signed with the ring's first secret, verified with any
// of them, and expire after expire.
func NewTokens(ring keyring.Ring, expire time.Duration) *Tokens {
	keys := ring.Keys()
	return &Tokens{
		signing:   keys.Signing(),
		verifying: verificationKeys(keys),
		expire:    expire,
		now:       time.Now,
		// verify checks the dates, with a grace period.
		parser: jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation()),
	}
}

func verificationKeys(keys keyring.Keys) (set jwt.VerificationKeySet) {
	for _, key := range keys {
		set.Keys = append(set.Keys, key)
	}
	return set
}

// jwtClaims is the payload of a token. The user's ID is in id and userId, which different
// clients read (docs/contract.md#live-features). Tokens of other issuers may have it in
// sub only.
type jwtClaims struct {
	ID         string           `json:"id,omitempty"`
	UserID     string           `json:"userId,omitempty"`
	Subject    string           `json:"sub,omitempty"`
	TokenID    string           `json:"jti,omitempty"`
	IssuedAt   *jwt.NumericDate `json:"iat,omitempty"`
	ExpiresAt  *jwt.NumericDate `json:"exp,omitempty"`
	NotBefore  *jwt.NumericDate `json:"nbf,omitempty"`
	AuthTime   *jwt.NumericDate `json:"auth_time,omitempty"` // when the user signed in, if before IssuedAt
	Generation int64            `json:"generation,omitempty"`
}

// The methods of jwt.Claims, which the parser requires but does not call.

func (c *jwtClaims) GetExpirationTime() (*jwt.NumericDate, error) { return c.ExpiresAt, nil }
func (c *jwtClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.IssuedAt, nil }
func (c *jwtClaims) GetNotBefore() (*jwt.NumericDate, error)      { return c.NotBefore, nil }
func (c *jwtClaims) GetIssuer() (string, error)                   { return "", nil }
func (c *jwtClaims) GetSubject() (string, error)                  { return c.Subject, nil }
func (c *jwtClaims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

// Issue returns a signed token for u that is valid from now until the configured age. Two
// calls in the same second return different tokens (docs/contract.md#d23).
func (t *Tokens) Issue(u models.User, now time.Time) (string, error) {
	return t.sign(t.newClaims(u, now))
}

// Renew is Issue for a user who has a valid token with the claims old. It returns the
// claims of the new token too.
func (t *Tokens) Renew(u models.User, old Claims, now time.Time) (string, Claims, error) {
	claims := t.newClaims(u, now)
	if !old.SignedIn.IsZero() {
		claims.AuthTime = jwt.NewNumericDate(old.SignedIn)
	}
	token, err := t.sign(claims)
	if err != nil {
		return "", Claims{}, err
	}
	renewed, err := claims.claims(token)
	return token, renewed, err
}

func (t *Tokens) newClaims(u models.User, now time.Time) *jwtClaims {
	return &jwtClaims{
		ID: u.ID, UserID: u.ID, TokenID: rand.Text(), Generation: u.TokenGeneration,
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(t.expire)),
	}
}

func (t *Tokens) sign(claims *jwtClaims) (string, error) {
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(t.signing)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return signed, nil
}

// Verify checks the token's signature and dates without a database. The error is
// models.Unauthorized with CodeTokenInvalid or CodeTokenExpired.
func (t *Tokens) Verify(token string) (Claims, error) { return t.verify(token, 0) }

func (t *Tokens) verify(token string, grace time.Duration) (Claims, error) {
	if len(token) > maxToken {
		return Claims{}, refuseToken(CodeTokenInvalid, errors.New("token is too long"))
	}
	var payload jwtClaims
	parsed, err := t.parser.ParseWithClaims(token, &payload, func(*jwt.Token) (any, error) { return t.verifying, nil })
	if err != nil {
		return Claims{}, refuseToken(CodeTokenInvalid, err)
	}
	if _, ok := parsed.Header["crit"]; ok { // RFC 7515 4.1.11: unknown extensions must be refused
		return Claims{}, refuseToken(CodeTokenInvalid, errors.New("token has critical extensions"))
	}
	if err := payload.checkDates(t.now(), grace); err != nil {
		return Claims{}, err
	}
	return payload.claims(token)
}

// checkDates checks exp and nbf. Tokens without exp are refused, because a sign-out could
// not be forgotten at any time.
func (c *jwtClaims) checkDates(now time.Time, grace time.Duration) error {
	switch {
	case c.ExpiresAt == nil:
		return refuseToken(CodeTokenInvalid, errors.New("token has no exp"))
	case c.NotBefore != nil && now.Before(c.NotBefore.Time):
		return refuseToken(CodeTokenInvalid, errors.New("token is not good yet"))
	case !now.Before(c.ExpiresAt.Add(grace)):
		return refuseToken(CodeTokenExpired, errors.New("token has expired"))
	}
	return nil
}

func (c *jwtClaims) claims(token string) (Claims, error) {
	out := Claims{
		UserID: firstNonEmpty(c.ID, c.UserID, c.Subject), TokenID: c.TokenID, Generation: c.Generation,
		ExpiresAt: c.ExpiresAt.Time, Key: tokenKey(c.TokenID, token),
	}
	if c.IssuedAt != nil {
		out.IssuedAt, out.SignedIn = c.IssuedAt.Time, c.IssuedAt.Time
	}
	if c.AuthTime != nil {
		out.SignedIn = c.AuthTime.Time
	}
	if out.UserID == "" {
		return Claims{}, refuseToken(CodeTokenInvalid, errors.New("token names no user"))
	}
	return out, nil
}

// tokenKey returns Claims.Key. It hashes only the signed part, because the last character
// of the signature has unused bits, so the same signature has several encodings.
func tokenKey(tokenID, token string) string {
	if tokenID != "" && len(tokenID) <= maxTokenID {
		return tokenID
	}
	signed := token[:strings.LastIndexByte(token, '.')]
	sum := sha256.Sum256([]byte(signed))
	return hex.EncodeToString(sum[:])
}

func firstNonEmpty(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
