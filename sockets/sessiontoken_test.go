package sockets

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/engineio"
	"expenseflow/models"
)

// refresh sends auth:refresh with a token and wants it taken.
func (b *testClient) refresh(t *testing.T, token string) {
	t.Helper()
	b.send(fmt.Sprintf(`421["auth:refresh",{"token":%q}]`, token))
	if _, ack := b.readAck(t, "1"); ack["ok"] != true || ack["expiresAt"] == nil {
		t.Fatalf("auth:refresh was answered %v", ack)
	}
}

func TestTheClientIsToldOnceBeforeItsTokenExpires(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	ends := time.Now().Add(200 * time.Millisecond)
	w.tokens.add("short", "alice", time.Until(ends))
	b := w.open(t, "short")
	name, said := b.nextEvent()
	same(t, "event", "auth:expiring", name)
	if at, err := time.Parse(time.RFC3339, fmt.Sprint(said["expiresAt"])); err != nil || at.Sub(ends).Abs() > 10*time.Millisecond {
		t.Errorf("it says %v, want %v", said, ends)
	}
	name, _ = b.nextEvent()
	same(t, "event", "auth_expired", name)
}

// A token of less than two minutes is announced in the middle of its life.
func TestTheNoticeComesAMinuteBeforeTheEnd(t *testing.T) {
	now := time.Now()
	for life, want := range map[time.Duration]time.Duration{
		time.Hour: 59 * time.Minute, 2 * time.Minute: time.Minute, time.Minute: 30 * time.Second,
	} {
		id := auth.Identity{Claims: auth.Claims{IssuedAt: now, ExpiresAt: now.Add(life)}}
		if got := newSessionToken(&id).notice.Sub(now); got != want {
			t.Errorf("a token of %v is announced after %v, want %v", life, got, want)
		}
	}
}

func TestARefreshedSocketOutlivesItsFirstToken(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	ends := time.Now().Add(time.Second)
	w.tokens.add("first", "alice", time.Until(ends))
	w.tokens.add("next", "alice", time.Hour)
	b := w.open(t, "first")
	b.refresh(t, "next")
	time.Sleep(time.Until(ends.Add(50 * time.Millisecond)))
	w.storeChange("alice", "still here", models.Author{})
	b.wantCreated("still here") // and not auth_expired
}

func TestARefusedTokenLeavesTheOneThatTheSocketHas(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	w.tokens.add("b", "bob", time.Hour)
	b := w.open(t, "a")
	refuse := func(code string) error { return models.RefuseToken(code, nil) }
	for _, tt := range []struct {
		name, arg string
		fail      error
		code      string
	}{
		{"another user's", `{"token":"b"}`, nil, "FORBIDDEN"},
		{"expired", `{"token":"a"}`, refuse(auth.CodeTokenExpired), "TOKEN_EXPIRED"},
		{"signed out", `{"token":"a"}`, refuse(auth.CodeSessionInvalid), "SESSION_INVALID"},
		{"malformed", `{"token":"x.y.z"}`, nil, "TOKEN_INVALID"},
		{"of an account that is gone", `{"token":"a"}`, refuse(auth.CodeUserNotFound), "USER_NOT_FOUND"},
		{"none", `{}`, nil, "INVALID"},
		{"no text", `{"token":7}`, nil, "INVALID"},
		{"while the database is away", `{"token":"a"}`, models.E(models.Unavailable, "down"), "UNAVAILABLE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.tokens.failWith(tt.fail)
			b.wantRejected(t, `["auth:refresh",`+tt.arg+`]`, tt.code)
		})
	}
	w.tokens.failWith(nil)
	w.SignOut("bob", "b")
	w.storeChange("alice", "still hers", models.Author{})
	b.wantCreated("still hers")
	w.SignOut("alice", "a")
	same(t, "goodbye", "41", b.frame())
}

// A sign-out that is in the log comes late: that of the first token no longer concerns the
// socket, and neither does one of all tokens that was before the new one was checked.
func TestASignOutFindsTheTokenThatTheSocketHasNow(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("first", "alice", time.Hour)
	w.tokens.add("next", "alice", time.Hour)
	b := w.open(t, "first")
	for range 3 {
		w.log.add("alice", models.ExpenseCreated, "before", models.Author{})
	}
	w.tokens.mu.Lock()
	w.tokens.seqs = w.log.head
	w.tokens.mu.Unlock()
	b.refresh(t, "next")
	w.SignOut("alice", "first")
	for _, key := range []string{"first", ""} {
		w.onChange(&models.Change{UserID: "alice", Seq: 3, Kind: models.SignedOut, EntityID: key})
	}
	w.tail.Wake("alice")
	b.wantCreated("before", "before", "before")

	w.onChange(&models.Change{UserID: "alice", Seq: 4, Kind: models.SignedOut, EntityID: "next"})
	same(t, "goodbye", "41", b.frame())
}

// The new token is signed out between its check and its use.
func TestATokenSignedOutWhileItIsCheckedIsNotTaken(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("first", "alice", time.Hour)
	w.tokens.add("next", "alice", time.Hour)
	b := w.open(t, "first")
	var once sync.Once
	w.tokens.mu.Lock()
	w.tokens.before = func() {
		once.Do(func() {
			w.tokens.revoke("next")
			w.SignOut("alice", "next")
		})
	}
	w.tokens.mu.Unlock()
	b.wantRejected(t, `["auth:refresh",{"token":"next"}]`, "TOKEN_INVALID")
	w.storeChange("alice", "by the first", models.Author{})
	b.wantCreated("by the first")
}

func TestChangesOfEitherTokenAreTheSocketsOwn(t *testing.T) {
	w := newFixture(t, Options{SuppressSelf: true}, engineio.Config{})
	for _, token := range []string{"first", "next", "last"} {
		w.tokens.add(token, "alice", time.Hour)
	}
	b := w.open(t, "first")
	b.refresh(t, "next")
	w.storeChange("alice", "made with the first before, and read now", models.Author{TokenID: "first"})
	w.storeChange("alice", "own", models.Author{TokenID: "next"})
	w.storeChange("alice", "another device's", models.Author{TokenID: "last"})
	b.wantCreated("another device's")
	b.refresh(t, "last")
	w.storeChange("alice", "own", models.Author{TokenID: "last"})
	w.storeChange("alice", "two tokens ago", models.Author{TokenID: "first"})
	b.wantCreated("two tokens ago")
}

// A device is signed out by its tokens: the new one is recorded as the first was.
func TestTheNewTokenIsRecordedForItsDevice(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("first", "alice", time.Hour)
	w.tokens.add("next", "alice", time.Hour)
	b := w.dial(t, nil)
	b.connect(`{"token":"first","deviceId":"phone"}`)
	b.refresh(t, "next")
	w.FlushDevices()
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	same(t, "recorded", []string{"phone first", "phone next"}, w.seen.seen)
}
