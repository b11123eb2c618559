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

	"expenseflow/models"
)

const (
	// maxToken bounds what is decoded before anything is believed.
	maxToken = 8 << 10
	// maxTokenID is the longest jti that serves as a key as it is.
	maxTokenID = 64
)

// Claims are what a good token says.
type Claims struct {
	UserID     string
	TokenID    string // jti; "" for tokens of the original installation
	Generation int64  // compared with models.User.TokenGeneration
	IssuedAt   time.Time
	ExpiresAt  time.Time

	// Key names the token among sign-outs: its jti, or a hash of its signed
	// part where it has none. Two spellings of one token have one key.
	Key string
}

// Tokens issues and verifies tokens. Its methods may be called concurrently.
type Tokens struct {
	secret []byte
	expire time.Duration
	now    func() time.Time
	parser *jwt.Parser
}

// NewTokens makes Tokens that sign with secret and last for expire.
func NewTokens(secret []byte, expire time.Duration) *Tokens {
	return &Tokens{
		secret: secret,
		expire: expire,
		now:    time.Now,
		// Dates are checked in verify, which knows about grace.
		parser: jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation()),
	}
}

// wireClaims is the payload of a token. The contract's clients read id,
// userId is for the second seed's (docs/contract.md#live-features), sub for foreign ones.
type wireClaims struct {
	ID         string           `json:"id,omitempty"`
	UserID     string           `json:"userId,omitempty"`
	Subject    string           `json:"sub,omitempty"`
	TokenID    string           `json:"jti,omitempty"`
	IssuedAt   *jwt.NumericDate `json:"iat,omitempty"`
	ExpiresAt  *jwt.NumericDate `json:"exp,omitempty"`
	NotBefore  *jwt.NumericDate `json:"nbf,omitempty"`
	Generation int64            `json:"generation,omitempty"`
}

// The methods of jwt.Claims. The parser asks none of them but needs the type.

func (c *wireClaims) GetExpirationTime() (*jwt.NumericDate, error) { return c.ExpiresAt, nil }
func (c *wireClaims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.IssuedAt, nil }
func (c *wireClaims) GetNotBefore() (*jwt.NumericDate, error)      { return c.NotBefore, nil }
func (c *wireClaims) GetIssuer() (string, error)                   { return "", nil }
func (c *wireClaims) GetSubject() (string, error)                  { return c.Subject, nil }
func (c *wireClaims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

// Issue signs a token for u that is good from now until the configured age.
// Two calls in one second give different tokens (docs/contract.md#d23).
func (t *Tokens) Issue(u models.User, now time.Time) (string, error) {
	claims := &wireClaims{
		ID: u.ID, UserID: u.ID, TokenID: rand.Text(), Generation: u.TokenGeneration,
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(t.expire)),
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(t.secret)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return signed, nil
}

// Verify checks the token's signature and dates, and nothing that needs a
// database. Its errors are models.Unauthorized with CodeTokenInvalid or
// CodeTokenExpired.
func (t *Tokens) Verify(token string) (Claims, error) { return t.verify(token, 0) }

func (t *Tokens) verify(token string, grace time.Duration) (Claims, error) {
	if len(token) > maxToken {
		return Claims{}, refuse(CodeTokenInvalid, errors.New("token is too long"))
	}
	var wire wireClaims
	parsed, err := t.parser.ParseWithClaims(token, &wire, func(*jwt.Token) (any, error) { return t.secret, nil })
	if err != nil {
		return Claims{}, refuse(CodeTokenInvalid, err)
	}
	if _, ok := parsed.Header["crit"]; ok { // RFC 7515 4.1.11: not understood means refused
		return Claims{}, refuse(CodeTokenInvalid, errors.New("token has critical extensions"))
	}
	if err := wire.checkDates(t.now(), grace); err != nil {
		return Claims{}, err
	}
	return wire.claims(token)
}

// checkDates refuses tokens without an end: nothing could ever sign their
// owner out, and the original issued none.
func (c *wireClaims) checkDates(now time.Time, grace time.Duration) error {
	switch {
	case c.ExpiresAt == nil:
		return refuse(CodeTokenInvalid, errors.New("token has no exp"))
	case c.NotBefore != nil && now.Before(c.NotBefore.Time):
		return refuse(CodeTokenInvalid, errors.New("token is not good yet"))
	case !now.Before(c.ExpiresAt.Add(grace)):
		return refuse(CodeTokenExpired, errors.New("token has expired"))
	}
	return nil
}

func (c *wireClaims) claims(token string) (Claims, error) {
	out := Claims{
		UserID: firstOf(c.ID, c.UserID, c.Subject), TokenID: c.TokenID, Generation: c.Generation,
		ExpiresAt: c.ExpiresAt.Time, Key: key(c.TokenID, token),
	}
	if c.IssuedAt != nil {
		out.IssuedAt = c.IssuedAt.Time
	}
	if out.UserID == "" {
		return Claims{}, refuse(CodeTokenInvalid, errors.New("token names no user"))
	}
	return out, nil
}

// key hashes the signed part only: the signature's last character has spare
// bits, so the whole text of one token can be spelled in several ways.
func key(tokenID, token string) string {
	if tokenID != "" && len(tokenID) <= maxTokenID {
		return tokenID
	}
	signed := token[:strings.LastIndexByte(token, '.')]
	sum := sha256.Sum256([]byte(signed))
	return hex.EncodeToString(sum[:])
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
