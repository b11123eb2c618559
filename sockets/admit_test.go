package sockets

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/engineio"
	"expenseflow/models"
)

func TestRefusalsSayAuthenticationErrorAndWhy(t *testing.T) {
	refuse := func(code string) error {
		return &models.Error{Kind: models.Unauthorized, Msg: "Invalid token.", Code: code}
	}
	tests := []struct {
		name, auth string
		err        error // of the authenticator
		code       string
	}{
		{"no auth", ``, nil, "NO_TOKEN"},
		{"empty auth", `{}`, nil, "NO_TOKEN"},
		{"null", `{"token":null}`, nil, "NO_TOKEN"},
		{"empty", `{"token":""}`, nil, "NO_TOKEN"},
		{"a number", `{"token":7}`, nil, "TOKEN_INVALID"},
		{"an object", `{"token":{"token":"good"}}`, nil, "TOKEN_INVALID"},
		{"unknown", `{"token":"bad"}`, nil, "TOKEN_INVALID"},
		{"expired", `{"token":"good"}`, refuse(auth.CodeTokenExpired), "TOKEN_EXPIRED"},
		{"without a user", `{"token":"good"}`, refuse(auth.CodeUserNotFound), "USER_NOT_FOUND"},
		{"signed out", `{"token":"good"}`, refuse(auth.CodeSessionInvalid), "TOKEN_INVALID"},
		{"refused without a code", `{"token":"good"}`, refuse(""), "TOKEN_INVALID"},
	}
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("good", "alice", time.Hour)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.tokens.failWith(tt.err)
			got := w.dial(t, nil).connect(tt.auth)
			same(t, "answer", `44{"message":"Authentication error","data":{"code":"`+tt.code+`"}}`, got)
		})
	}
}

// After a CONNECT_ERROR the page stays offline until it is loaded again, so a failure of
// the server must not cause one (docs/contract.md#d19).
func TestD19TroubleOfOursClosesTheTransportInsteadOfRefusing(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("good", "alice", time.Hour)
	for _, trouble := range []error{
		models.E(models.Unavailable, "Service temporarily unavailable"), errors.New("anything else"),
		context.DeadlineExceeded,
	} {
		w.tokens.failWith(trouble)
		b := w.dial(t, nil)
		b.send(`40{"token":"good"}`)
		b.wantClosed()
	}
	w.tokens.failWith(nil)
	w.open(t, "good")
}

func TestTokenMayComeInThreeWays(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("good", "alice", time.Hour)
	header := http.Header{"Authorization": {"Bearer good"}}
	tests := []struct {
		name, auth string
		header     http.Header
	}{
		{"bare", `{"token":"good"}`, nil},
		{"bearer", `{"token":"Bearer good"}`, nil},
		{"header", ``, header},
		{"header beside an empty token", `{"token":""}`, header},
		{"auth goes before the header", `{"token":"good"}`, http.Header{"Authorization": {"Bearer bad"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := w.dial(t, tt.header).connect(tt.auth); got[:2] != "40" {
				t.Errorf("answered %q", got)
			}
		})
	}
}

const crowdedAnswer = `44{"message":"Too many connections","data":{"code":"CONNECTION_LIMIT"}}`

func TestUserHasOnlySoManySockets(t *testing.T) {
	w := newFixture(t, Options{MaxPerUser: 2}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	w.tokens.add("b", "bob", time.Hour)
	first := w.open(t, "a")
	w.open(t, "a")

	same(t, "third of one user", crowdedAnswer, w.dial(t, nil).connect(`{"token":"a"}`))
	w.open(t, "b") // another user's

	w.waitForOneLess(t, func() { _ = first.conn.Close() })
	w.open(t, "a")
}

// waitForOneLess waits until what f does has ended one session.
func (w *fixture) waitForOneLess(t *testing.T, f func()) {
	t.Helper()
	before := w.Len()
	f()
	for deadline := time.Now().Add(patience); w.Len() >= before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the session stays")
		}
	}
}

// A client that disconnects while its token is checked is counted already, and no
// OnDisconnect listener is called for it.
func TestSocketThatNeverCameGivesItsPlaceBack(t *testing.T) {
	w := newFixture(t, Options{MaxPerUser: 1}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	for range 50 {
		b := w.dial(t, nil)
		b.send(`40{"token":"a"}`)
		_ = b.conn.Close()
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if got := w.dial(t, nil).connect(`{"token":"a"}`); got != crowdedAnswer {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the place is never free again")
		}
	}
}

// A token can be signed out between its check and the registration of the session: it is
// checked again then.
func TestSignOutDuringConnectIsNotMissed(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	var once sync.Once
	w.tokens.before = func() {
		once.Do(func() {
			w.tokens.revoke("a")
			w.SignOut("alice", "a")
		})
	}
	same(t, "answer", `44{"message":"Authentication error","data":{"code":"TOKEN_INVALID"}}`,
		w.dial(t, nil).connect(`{"token":"a"}`))
}

func TestSignOutEndsTheTokensSockets(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a1", "alice", time.Hour)
	w.tokens.add("a2", "alice", time.Hour)
	w.tokens.add("b", "bob", time.Hour)
	phone, tablet, laptop, bobs := w.open(t, "a1"), w.open(t, "a1"), w.open(t, "a2"), w.open(t, "b")

	w.SignOut("alice", "a1")
	for _, b := range []*testClient{phone, tablet} {
		same(t, "goodbye", "41", b.frame())
		b.wantClosed()
	}
	w.storeChange("alice", "still here", models.Author{})
	laptop.wantCreated("still here")

	w.SignOut("alice", "") // as after a password change
	same(t, "goodbye", "41", laptop.frame())
	laptop.wantClosed()
	w.storeChange("bob", "not concerned", models.Author{})
	bobs.wantCreated("not concerned")
}

// The client is told why before the socket is closed (docs/contract.md#d33).
func TestSocketEndsWithItsToken(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("short", "alice", 100*time.Millisecond)
	b := w.open(t, "short")
	b.skipTo(t, "auth:expiring")
	name, why := b.nextEvent()
	same(t, "event", "auth_expired", name)
	same(t, "payload", map[string]any{"error": "Authentication error", "code": "TOKEN_EXPIRED"}, why)
	same(t, "goodbye", "41", b.frame())
	b.wantClosed()
}

// A polling client that lost its network cannot be told of the shutdown. It must neither
// delay the shutdown nor make it fail.
func TestVanishedPollingClientDoesNotHoldUpShutdown(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	w.pollOnce(t, `40{"token":"a"}`)

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}
