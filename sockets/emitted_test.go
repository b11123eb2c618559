package sockets

import (
	"strings"
	"testing"
	"time"

	"expenseflow/internal/engineio"
	"expenseflow/internal/socketio"
	"expenseflow/models"
)

const (
	aliceID = "aaaaaaaaaaaaaaaaaaaaaaa1"
	bobID   = "bbbbbbbbbbbbbbbbbbbbbbb2"
)

// wantFrame wants a frame that begins and ends like this.
func (b *testClient) wantFrame(prefix, suffix string) {
	b.t.Helper()
	if f := b.frame(); !strings.HasPrefix(f, prefix) || !strings.HasSuffix(f, suffix) {
		b.t.Errorf("got %s, want %s ... %s", f, prefix, suffix)
	}
}

// openFollowing opens a socket and waits until it has joined its user's room: the answer to
// CONNECT comes before.
func (w *fixture) openFollowing(t *testing.T, token, userID string) *testClient {
	t.Helper()
	c := w.open(t, token)
	w.storeChange(userID, "it follows", models.Author{})
	c.wantCreated("it follows")
	return c
}

func encodeEvent(t *testing.T, name string, args ...any) *socketio.Packet {
	t.Helper()
	p, err := socketio.Encode(namespace, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAnEmittedEventReachesTheRoomsThatItNames(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", aliceID, time.Hour)
	w.tokens.add("b", bobID, time.Hour)
	alice, bob := w.openFollowing(t, "a", aliceID), w.openFollowing(t, "b", bobID)
	for i, tt := range []struct {
		rooms, except []string
		unknown       int
		alice, bob    bool
	}{
		{nil, nil, 0, true, true},
		{[]string{aliceID}, nil, 0, true, false},
		{[]string{"user:" + bobID}, nil, 0, false, true},
		{[]string{aliceID, "user:" + aliceID, bobID, "admins"}, nil, 1, true, true},
		{[]string{"admins"}, nil, 1, false, false},
		{[]string{"expense:" + aliceID, "", "*", "user:", "user:user:" + aliceID, strings.ToUpper(aliceID)}, nil, 6, false, false},
		{nil, []string{aliceID}, 0, false, true},
		{nil, []string{"user:" + bobID, "admins"}, 0, true, false},
		{[]string{aliceID}, []string{aliceID}, 0, false, false},
	} {
		if unknown := w.Emit(tt.rooms, tt.except, encodeEvent(t, "said", i)); unknown != tt.unknown {
			t.Errorf("%d: %d unknown rooms", i, unknown)
		}
		w.Emit(nil, nil, encodeEvent(t, "next", i))
		for _, c := range []struct {
			client *testClient
			heard  bool
		}{{alice, tt.alice}, {bob, tt.bob}} {
			if c.heard {
				c.client.wantFrame(`42["said",`, "]")
			}
			c.client.wantFrame(`42["next",`, "]")
		}
	}
}

// A client takes the last argument of an event for its place in the log if that is a string.
func TestAnEmittedEventMovesNoPosition(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", aliceID, time.Hour)
	alice := w.openFollowing(t, "a", aliceID)
	w.Emit(nil, nil, encodeEvent(t, "first"))
	first := alice.frame()
	_, offset, _ := strings.Cut(first, ",")
	if !strings.HasPrefix(first, `42["first","`) {
		t.Fatalf("got %s", first)
	}
	w.Emit(nil, nil, encodeEvent(t, "said", "a text"))
	alice.wantFrame(`42["said","a text",`, offset)
	w.Emit(nil, nil, encodeEvent(t, "said", "a text", 1))
	alice.wantFrame(`42["said","a text",1]`, "")
}

func TestSocketsAreDisconnectedByRoom(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", aliceID, time.Hour)
	w.tokens.add("b", bobID, time.Hour)
	alice, bob := w.openFollowing(t, "a", aliceID), w.openFollowing(t, "b", bobID)
	if unknown := w.DisconnectSockets([]string{"admins"}, nil, true); unknown != 1 {
		t.Errorf("%d unknown rooms", unknown)
	}
	w.DisconnectSockets([]string{aliceID}, nil, true)
	alice.wantFrame("41", "")
	alice.wantClosed()
	w.Emit(nil, nil, encodeEvent(t, "still", 1))
	bob.wantFrame(`42["still",1]`, "")
	w.DisconnectSockets(nil, nil, false)
	bob.wantFrame("41", "")
}
