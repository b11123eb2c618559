package auth

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"expenseflow/internal/keyring"
	"expenseflow/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	secret = []byte("0123456789abcdef0123456789abcdef")
	start  = time.Date(2026, 1, 19, 12, 0, 0, 0, time.UTC)
	alice  = models.User{ID: "64b000000000000000000001", Name: "Alice", Email: "alice@example.org"}
)

// store is a fake of the store.
type store struct {
	users   map[string]models.User
	revoked map[string]bool
	down    error
}

func (s *store) BearerOf(_ context.Context, id, key string) (u models.User, revoked bool, err error) {
	if s.down != nil {
		return models.User{}, false, s.down
	}
	u, ok := s.users[id]
	if !ok {
		return u, false, models.E(models.NotFound, "User not found")
	}
	return u, s.revoked[key], nil
}

func tokensAt(now time.Time) *Tokens {
	t := tokensOf(keyring.New(secret))
	t.now = func() time.Time { return now }
	return t
}

func tokensOf(ring keyring.Ring) *Tokens {
	t := NewTokens(ring, 7*24*time.Hour)
	t.now = func() time.Time { return start }
	return t
}

func newStore(users ...models.User) *store {
	s := &store{users: map[string]models.User{}, revoked: map[string]bool{}}
	for _, u := range users {
		s.users[u.ID] = u
	}
	return s
}

func issue(t *testing.T, u models.User) string {
	t.Helper()
	token, err := tokensAt(start).Issue(u, start)
	if err != nil {
		t.Fatalf("Issue: %v", err)
	}
	return token
}

func sign(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return token
}

func codeOf(err error) string {
	var e *models.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestAuthenticateAcceptsBearerAndBareToken(t *testing.T) {
	a := NewAuthenticator(tokensAt(start), newStore(alice))
	token := issue(t, alice)
	for _, header := range []string{"Bearer " + token, token, "  Bearer " + token + " "} {
		id, err := a.Authenticate(t.Context(), header)
		if err != nil {
			t.Fatalf("Authenticate(%q): %v", header, err)
		}
		if id.User.ID != alice.ID || id.Claims.TokenID == "" || id.Claims.Key != id.Claims.TokenID {
			t.Errorf("Authenticate(%q) = %+v", header, id)
		}
		if want := start.Add(7 * 24 * time.Hour); !id.Claims.ExpiresAt.Equal(want) {
			t.Errorf("expires at %v, want %v", id.Claims.ExpiresAt, want)
		}
	}
}

func TestTokensOfTheOriginalInstallationWork(t *testing.T) {
	a := NewAuthenticator(tokensAt(start), newStore(alice))
	for _, name := range []string{"id", "userId", "sub"} {
		old := sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{
			name: alice.ID, "iat": start.Unix(), "exp": start.Add(time.Hour).Unix(),
		})
		id, err := a.Authenticate(t.Context(), "Bearer "+old)
		if err != nil {
			t.Fatalf("claim %q: %v", name, err)
		}
		if id.Claims.TokenID != "" || len(id.Claims.Key) != 64 {
			t.Errorf("claim %q: claims %+v, want a hashed key and no token id", name, id.Claims)
		}
	}
}

func TestRefusalsAreDefinitiveAndCoded(t *testing.T) {
	good := jwt.MapClaims{"id": alice.ID, "iat": start.Unix(), "exp": start.Add(time.Hour).Unix()}
	with := func(k string, v any) jwt.MapClaims {
		c := jwt.MapClaims{}
		for name, value := range good {
			c[name] = value
		}
		if c[k] = v; v == nil {
			delete(c, k)
		}
		return c
	}
	critical := jwt.NewWithClaims(jwt.SigningMethodHS256, good)
	critical.Header["crit"] = []string{"exp"}
	withCrit, err := critical.SignedString(secret)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, token, code string }{
		{"none sent", "", CodeNoToken},
		{"only the word", "Bearer ", CodeNoToken},
		{"garbled", "Bearer abc", CodeTokenInvalid},
		{"three garbled parts", "a.b.c", CodeTokenInvalid},
		{"algorithm none", sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good), CodeTokenInvalid},
		{"HS512 of the right secret", sign(t, jwt.SigningMethodHS512, secret, good), CodeTokenInvalid},
		{"another secret", sign(t, jwt.SigningMethodHS256, []byte("another"), good), CodeTokenInvalid},
		{"expired", sign(t, jwt.SigningMethodHS256, secret, with("exp", start.Unix())), CodeTokenExpired},
		{
			"expired and another secret", sign(t, jwt.SigningMethodHS256, []byte("another"), with("exp", start.Unix()-1)),
			CodeTokenInvalid,
		},
		{"no end", sign(t, jwt.SigningMethodHS256, secret, with("exp", nil)), CodeTokenInvalid},
		{"not yet", sign(t, jwt.SigningMethodHS256, secret, with("nbf", start.Unix()+60)), CodeTokenInvalid},
		{"no user", sign(t, jwt.SigningMethodHS256, secret, with("id", nil)), CodeTokenInvalid},
		{"id is no text", sign(t, jwt.SigningMethodHS256, secret, with("id", 7)), CodeTokenInvalid},
		{"critical extension", withCrit, CodeTokenInvalid},
		{"unknown user", sign(t, jwt.SigningMethodHS256, secret, with("id", "64b0000000000000000000ff")), CodeUserNotFound},
		{"older generation", sign(t, jwt.SigningMethodHS256, secret, with("generation", 3)), CodeSessionInvalid},
		{"enormous", string(make([]byte, maxToken+1)), CodeTokenInvalid},
	}
	a := NewAuthenticator(tokensAt(start), newStore(alice))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := a.Authenticate(t.Context(), tt.token)
			if models.KindOf(err) != models.Unauthorized || codeOf(err) != tt.code {
				t.Errorf("Authenticate = %v, code %q; want unauthorized with %q", err, codeOf(err), tt.code)
			}
		})
	}
}

func TestThePreviousSecretVerifiesAndNeverSigns(t *testing.T) {
	next := []byte("the next secret of at least thirty-two bytes")
	before, swapped, done := tokensOf(keyring.New(secret)), tokensOf(keyring.New(next, secret)), tokensOf(keyring.New(next))
	old, err := before.Issue(alice, start)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := swapped.Issue(alice, start)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		tokens *Tokens
		token  string
		valid  bool
	}{
		"the old token while the secret is changed": {swapped, old, true},
		"the old token afterwards":                  {done, old, false},
		"the new token":                             {done, fresh, true},
		"the new token where the old secret signs":  {tokensOf(keyring.New(secret, next)), fresh, true},
		"the new token where only the old one is":   {before, fresh, false},
	} {
		if _, err := tt.tokens.Verify(tt.token); (err == nil) != tt.valid {
			t.Errorf("%s: Verify: %v, want valid: %v", name, err, tt.valid)
		}
	}
}

func TestSignedOutTokenStaysOut(t *testing.T) {
	s := newStore(alice)
	a := NewAuthenticator(tokensAt(start), s)
	token := issue(t, alice)
	id, err := a.Authenticate(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	s.revoked[id.Claims.Key] = true
	if _, err := a.Authenticate(t.Context(), token); codeOf(err) != CodeSessionInvalid {
		t.Errorf("after sign-out: %v, want code %s", err, CodeSessionInvalid)
	}
}

// A base64 text of 32 bytes ends with two unused bits: a lenient decoder accepts four
// encodings of one signature, and a sign-out would miss three of them.
func TestSignOutCannotBeDodgedByAnotherSpelling(t *testing.T) {
	old := sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"id": alice.ID, "exp": start.Add(time.Hour).Unix()})
	tokens := tokensAt(start)
	want, err := tokens.Verify(old)
	if err != nil {
		t.Fatal(err)
	}
	for _, last := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		got, err := tokens.Verify(old[:len(old)-1] + string(last))
		if err == nil && got.Key != want.Key {
			t.Errorf("spelling ending in %q has a key of its own", last)
		}
	}
}

func TestTroubleOfTheStoreIsNoRefusal(t *testing.T) {
	for _, down := range []error{
		errors.New("disk on fire"), models.E(models.Unavailable, "Service temporarily unavailable"),
		context.Canceled,
	} {
		s := newStore(alice)
		s.down = down
		_, err := NewAuthenticator(tokensAt(start), s).Authenticate(t.Context(), issue(t, alice))
		if models.KindOf(err) != models.Unavailable || !errors.Is(err, down) {
			t.Errorf("store says %v: got %v, want unavailable", down, err)
		}
	}
}

func TestGraceForgivesExpiryAlone(t *testing.T) {
	s := newStore(alice)
	token := issue(t, alice)
	late := NewAuthenticator(tokensAt(start.Add(8*24*time.Hour)), s)
	if _, err := late.AuthenticateWithGrace(t.Context(), token, 48*time.Hour); err != nil {
		t.Errorf("one day late with two days of grace: %v", err)
	}
	if _, err := late.AuthenticateWithGrace(t.Context(), token, time.Hour); codeOf(err) != CodeTokenExpired {
		t.Errorf("one day late with an hour of grace: %v", err)
	}
	s.users = nil
	if _, err := late.AuthenticateWithGrace(t.Context(), token, 48*time.Hour); codeOf(err) != CodeUserNotFound {
		t.Errorf("without an account: %v", err)
	}
}

func TestTwoSignInsInOneSecondGetTwoTokens(t *testing.T) {
	if first, second := issue(t, alice), issue(t, alice); first == second {
		t.Error("the tokens are equal")
	}
}

func FuzzVerify(f *testing.F) {
	tokens := tokensAt(start)
	good, err := tokens.Issue(alice, start)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.eyJpZCI6IjEifQ.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		claims, err := tokens.Verify(token)
		if err != nil && models.KindOf(err) != models.Unauthorized {
			t.Fatalf("Verify(%q): %v, want a refusal", token, err)
		}
		if err == nil && claims.UserID != alice.ID {
			t.Fatalf("Verify(%q) believes it is of %q", token, claims.UserID)
		}
	})
}
