package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/keyring"
)

// refresh returns another token for the bearer of token.
func (r *running) refresh(token string) string {
	r.t.Helper()
	return r.done200("POST", "/api/auth/refresh", token, "").field("token")
}

func TestATokenIsRefreshed(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		first, mallory := r.register("alice@example.org"), r.register("mallory@example.org")
		s, _ := r.dial(fmt.Sprintf(`{"token":%q,"deviceId":"phone"}`, first))
		for !strings.Contains(s.ask("presence:list", `{}`), "phone") { // recorded as soon as it is present
		}
		second := r.refresh(first)
		if n := strings.Count(r.done200("GET", "/api/sessions", second, "").body, `"devices":["phone"]`); n != 2 {
			t.Errorf("the phone has %d tokens in the list of sessions, want both", n)
		}
		if a := s.ask("auth:refresh", fmt.Sprintf(`{"token":%q}`, mallory)); !strings.Contains(a, `"code":"FORBIDDEN"`) {
			t.Errorf("the token of somebody else: %s", a)
		}
		if a := s.ask("auth:refresh", fmt.Sprintf(`{"token":%q}`, second)); !strings.Contains(a, `"ok":true`) {
			t.Fatalf("auth:refresh: %s", a)
		}

		r.done200("POST", "/api/auth/logout", first, "")
		if a := r.call("POST", "/api/auth/refresh", first, ""); a.code != http.StatusUnauthorized {
			t.Errorf("a token that was signed out is refreshed: %d %s", a.code, a.body)
		}
		if a := s.ask("presence:list", `{}`); !strings.Contains(a, "phone") {
			t.Errorf("the socket has gone with its first token: %s", a)
		}
		third := r.refresh(second)
		if a := r.done200("DELETE", "/api/devices/phone", second, ""); a.body != `{"deviceId":"phone","tokens":2}` {
			t.Errorf("sign the phone out: %s", a.body)
		}
		if !s.gone() {
			t.Error("the socket outlives the sign-out of its device")
		}
		if a := r.call("GET", "/api/user/profile", third, ""); a.code != http.StatusUnauthorized {
			t.Errorf("a token that no socket has used outlives the sign-out of its device: %d %s", a.code, a.body)
		}
	})
}

// By the time of the sign-in it is told whose an offline queue is: a token that is renewed
// while a queue waits does not make its operations another account's.
func TestARefreshedTokenIsOfTheSameSignIn(t *testing.T) {
	r := start(t)
	tokens := auth.NewTokens(keyring.New([]byte(testSecret)), time.Hour)
	r.register("alice@example.org")
	u, err := r.app.store.UserByEmail(t.Context(), "alice@example.org")
	if err != nil {
		t.Fatal(err)
	}
	signedIn := time.Now().Add(-time.Minute).Truncate(time.Second)
	token, err := tokens.Issue(u, signedIn)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		token = r.refresh(token)
	}
	if c, err := tokens.Verify(token); err != nil || !c.SignedIn.Equal(signedIn) || time.Since(c.IssuedAt) > 30*time.Second {
		t.Errorf("claims %+v, %v, want a sign-in at %v", c, err, signedIn)
	}
}

func TestNewTokensAreLimitedByUser(t *testing.T) {
	r := start(t, "REFRESH_RATE_LIMIT=2/15m")
	token := r.register("alice@example.org")
	for range 2 {
		token = r.refresh(token)
	}
	a := r.call("POST", "/api/auth/refresh", token, "")
	if a.code != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
		t.Errorf("the third in a row: %d %v", a.code, a.header)
	}
	r.refresh(r.register("bob@example.org"))
}

func TestNobodyRegistersWithAllowRegistrationFalse(t *testing.T) {
	r := start(t, "ALLOW_REGISTRATION=false")
	a := r.call("POST", "/api/auth/register", "", `{"name":"Alice","email":"alice@example.org","password":"a rare secret"}`)
	if a.code != http.StatusForbidden || a.field("code") != "REGISTRATION_CLOSED" {
		t.Errorf("register: %d %s", a.code, a.body)
	}
	if a := r.call("GET", "/api/auth/options", "", ""); a.body != `{"registration":false,"minPassword":8}` {
		t.Errorf("options: %d %s", a.code, a.body)
	}
}
