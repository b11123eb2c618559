package socketio

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/engineio"
)

// sendAuthBack is what the official suite's server does on connect.
func sendAuthBack(s *Socket) { _ = s.Emit("auth", s.Handshake().Auth) }

func TestConnectIsAnsweredBeforeAnythingElse(t *testing.T) {
	tests := []struct{ name, nsp, say, prefix, auth string }{
		{"main namespace", "/", `0`, `0{"sid":"`, `2["auth",{}]`},
		{"main namespace with auth", "/", `0{"token":"123"}`, `0{"sid":"`, `2["auth",{"token":"123"}]`},
		{"another namespace", "/custom", `0/custom,`, `0/custom,{"sid":"`, `2/custom,["auth",{}]`},
		{"another namespace without a comma", "/custom", `0/custom`, `0/custom,{"sid":"`, `2/custom,["auth",{}]`},
		{"another namespace with auth", "/custom", `0/custom,{"a":[1]}`, `0/custom,{"sid":"`, `2/custom,["auth",{"a":[1]}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withServer(t, Config{}, func(b *fixture) {
				b.Of(tt.nsp).OnConnect(sendAuthBack)
				w := b.dial()
				w.send(tt.say)
				got := w.received()
				if len(got) != 2 || !strings.HasPrefix(got[0], tt.prefix) || got[1] != tt.auth {
					t.Errorf("client heard %q", got)
				}
				sid := strings.TrimSuffix(strings.TrimPrefix(got[0], tt.prefix), `"}`)
				if s := b.Of(tt.nsp).socket(sid); s == nil || !s.Connected() {
					t.Errorf("no connected socket has the id %q", sid)
				}
			})
		})
	}
}

func TestUnknownNamespaceIsRefusedAndNothingElse(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		w := b.dial()
		w.send(`0/random`)
		w.expect(`4/random,{"message":"Invalid namespace"}`)
		w.expectOpen()
		b.joinOn(w, "/")
		w.expectOpen()
	})
}

func TestConnectionWithoutConnectIsClosed(t *testing.T) {
	withServer(t, Config{ConnectTimeout: time.Second}, func(b *fixture) {
		silent, refused := b.dial(), b.dial()
		joined, _ := b.join("/")
		pass(900 * time.Millisecond)
		refused.send(`0/random`)
		silent.expectOpen()
		pass(200 * time.Millisecond)
		silent.expectClosed(reasonForcedServer)
		refused.expectClosed(reasonForcedServer)
		joined.expectOpen()
	})
}

func TestConnectionWithoutSocketsIsClosedAfterAWhile(t *testing.T) {
	withServer(t, Config{ConnectTimeout: time.Second}, func(b *fixture) {
		w, _ := b.join("/")
		pass(5 * time.Second)
		w.send(`1`)
		pass(900 * time.Millisecond)
		w.expectOpen()
		b.joinOn(w, "/")
		pass(5 * time.Second)
		w.expectOpen()
		w.send(`1`)
		pass(1100 * time.Millisecond)
		w.expectClosed(reasonForcedServer)
	})
}

func TestConnectionIsClosedWhenItsLastHopeIsRefused(t *testing.T) {
	withServer(t, Config{ConnectTimeout: 2 * time.Second}, func(b *fixture) {
		b.Of("/slow").Use(func(ctx context.Context, s *Socket) error {
			_ = pause(ctx, s)
			return &ConnectError{Message: "no"}
		})
		w, _ := b.join("/")
		w.send(`0/slow`, `1`)
		pass(1900 * time.Millisecond)
		w.expect(`4/slow,{"message":"no"}`)
		w.expectOpen()
		pass(200 * time.Millisecond)
		w.expectClosed(reasonForcedServer)
	})
}

func TestSlowMiddlewareIsClosedByTheConnectTimeout(t *testing.T) {
	withServer(t, Config{ConnectTimeout: time.Second}, func(b *fixture) {
		cause := make(chan error, 1)
		b.Of("/").Use(func(ctx context.Context, _ *Socket) error {
			<-ctx.Done()
			cause <- ctx.Err()
			return nil
		})
		w := b.dial()
		w.send(`0`)
		pass(1100 * time.Millisecond)
		w.expectClosed(reasonForcedServer)
		if err := <-cause; !errors.Is(err, context.Canceled) {
			t.Errorf("middleware's context ended with %v", err)
		}
		w.expect()
		if n := b.Of("/").len(); n != 0 {
			t.Errorf("%d sockets are left", n)
		}
	})
}

// pause is middleware that lasts a second.
func pause(context.Context, *Socket) error {
	time.Sleep(time.Second)
	return nil
}

func TestTwoConnectsWhileMiddlewareRunsGiveOneSocket(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		calls := 0
		b.Of("/").Use(pause)
		b.Of("/").OnConnect(func(*Socket) { calls++ })
		w := b.dial()
		w.send(`0`, `0`)
		pass(500 * time.Millisecond)
		w.send(`0{"again":true}`)
		pass(time.Second)
		if got := w.received(); len(got) != 1 || b.Of("/").len() != 1 || calls != 1 {
			t.Errorf("client heard %q, %d sockets, %d calls", got, b.Of("/").len(), calls)
		}
		w.expectOpen()
	})
}

func TestPacketOutOfPlaceClosesTheConnection(t *testing.T) {
	tests := []struct {
		name   string
		say    []string
		reason engineio.Reason
	}{
		{"second connect", []string{`0`, `0`}, reasonForcedServer},
		{"event before connect", []string{`2["a"]`}, reasonForcedServer},
		{"event while middleware runs", []string{`0/slow`, `2/slow,["a"]`}, reasonForcedServer},
		{"disconnect while middleware runs", []string{`0/slow`, `1/slow`}, reasonForcedServer},
		{"event for a namespace that was refused", []string{`0/random`, `2/random,["a"]`}, reasonForcedServer},
		{"event after disconnect", []string{`0`, `1`, `2["a"]`}, reasonForcedServer},
		{"ack after disconnect", []string{`0`, `1`, `31[]`}, reasonForcedServer},
		{"second disconnect", []string{`0`, `1`, `1`}, reasonForcedServer},
		{"disconnect before connect", []string{`1`}, reasonForcedServer},
		{"connect error from the client", []string{`0`, `4{"message":"x"}`}, reasonForcedServer},
		{"connect error before connect", []string{`4`}, reasonForcedServer},
		{"unknown packet type", []string{`0`, `abc`}, reasonForced},
		{"payload that is no list", []string{`0`, `2{}`}, reasonForced},
		{"bad acknowledgement id", []string{`0`, `2abc["message",1]`}, reasonForced},
		{"reserved event name", []string{`0`, `2["disconnecting"]`}, reasonForced},
		{"stray binary frame", []string{`0`, `<00>`}, reasonForced},
		{"text instead of an attachment", []string{`0`, `51-["a",{"_placeholder":true,"num":0}]`, `2["b"]`}, reasonForced},
		{"too many attachments", []string{`0`, `511-["a"]`}, reasonForced},
		{"invalid handshake", []string{`abc`}, reasonForced},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withServer(t, Config{}, func(b *fixture) {
				b.Of("/slow").Use(pause)
				b.Of("/").OnAny(func(_ context.Context, e *Event) { t.Errorf("event %s was handled", e.Name) })
				w := b.dial()
				w.send(tt.say...)
				w.expectClosed(tt.reason)
				w.send(`0`, `2["after"]`) // nothing is listened to any more
				w.closings.Wait()
				pass(2 * time.Second)
				if n := b.Of("/").len() + b.Of("/slow").len(); n != 0 {
					t.Errorf("%d sockets are left", n)
				}
			})
		})
	}
}

func TestTooManyNamespacesCloseTheConnection(t *testing.T) {
	withServer(t, Config{MaxNamespaces: 3}, func(b *fixture) {
		w := b.dial()
		for i := range 3 {
			b.Of(fmt.Sprintf("/n%d", i))
			b.joinOn(w, fmt.Sprintf("/n%d", i))
		}
		w.expectOpen()
		w.send(`0/n3`)
		w.expectClosed(reasonForcedServer)
	})
}

func TestMiddlewareDecides(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		want   string // what the client hears; "" for a closed transport
		reason engineio.Reason
	}{
		{"refusal", &ConnectError{Message: "Authentication error"}, `4{"message":"Authentication error"}`, ""},
		{
			"refusal with data", &ConnectError{Message: "no", Data: map[string]any{"code": "TOKEN_EXPIRED"}},
			`4{"message":"no","data":{"code":"TOKEN_EXPIRED"}}`, "",
		},
		{"wrapped refusal", fmt.Errorf("auth: %w", &ConnectError{Message: "no"}), `4{"message":"no"}`, ""},
		{"refusal whose data cannot be sent", &ConnectError{Message: "no", Data: make(chan int)}, `4{"message":"no"}`, ""},
		{"close the transport", ErrCloseTransport, "", reasonForcedServer},
		{"close the transport, wrapped", fmt.Errorf("database: %w", ErrCloseTransport), "", reasonForcedServer},
		{"any other error", errors.New("password of the database is x"), "", reasonForcedServer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withServer(t, Config{}, func(b *fixture) {
				n := b.Of("/")
				n.Use(func(_ context.Context, s *Socket) error {
					if s.Connected() || !errors.Is(s.Emit("early"), ErrDisconnected) {
						t.Error("the socket is connected in middleware")
					}
					return s.Join("room")
				})
				n.Use(func(context.Context, *Socket) error { return tt.err })
				n.Use(func(context.Context, *Socket) error { t.Error("the next middleware ran"); return nil })
				n.OnConnect(func(*Socket) { t.Error("OnConnect ran") })
				w := b.dial()
				w.send(`0`)
				if tt.want == "" {
					w.expect()
					w.expectClosed(tt.reason)
				} else {
					w.expect(tt.want)
					w.expectOpen()
				}
				if n.len() != 0 || len(n.roomNames()) != 0 {
					t.Errorf("%d sockets and rooms %q are left", n.len(), n.roomNames())
				}
			})
		})
	}
}

func TestPanickingMiddlewareClosesTheTransport(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		b.Of("/").Use(func(context.Context, *Socket) error { panic("x") })
		w := b.dial()
		w.send(`0`)
		w.expect()
		w.expectClosed(reasonForcedServer)
	})
}

func TestRefusedClientMayAskAgainAtOnce(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		b.Of("/").Use(func(_ context.Context, s *Socket) error {
			if string(s.Handshake().Auth) == `{"token":"good"}` {
				return nil
			}
			return &ConnectError{Message: "no"}
		})
		w := b.dial()
		w.send(`0`)
		w.expect(`4{"message":"no"}`)
		w.send(`0{"token":"good"}`)
		if got := w.received(); len(got) != 1 || !strings.HasPrefix(got[0], `0{"sid"`) {
			t.Errorf("client heard %q", got)
		}
	})
}

func TestClientThatLeavesDuringMiddlewareLeavesNoGhost(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		ended := make(chan struct{})
		b.Of("/").Use(func(ctx context.Context, s *Socket) error {
			<-ctx.Done()
			close(ended)
			return s.Join("room")
		})
		b.Of("/").OnConnect(func(*Socket) { t.Error("OnConnect ran") })
		w := b.dial()
		w.send(`0`)
		w.drop()
		<-ended
		synctest.Wait()
		if b.Of("/").len() != 0 || len(b.Of("/").roomNames()) != 0 {
			t.Error("a ghost is left")
		}
	})
}

func TestHandshakeTellsHowTheConnectionBegan(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		_, s := b.join("/")
		h := s.Handshake()
		if h.Header.Get("User-Agent") != "test" || h.Query.Get("room") != "7" || h.RemoteAddr != "192.0.2.1:1234" || h.Time.IsZero() {
			t.Errorf("handshake %+v", h.Handshake)
		}
	})
	withServer(t, Config{ReleaseHandshake: true}, func(b *fixture) {
		b.Of("/").OnConnect(func(s *Socket) {
			if s.Handshake().Header.Get("User-Agent") != "test" || string(s.Handshake().Auth) != `{"a":1}` {
				t.Error("released before OnConnect")
			}
		})
		w := b.dial()
		w.send(`0{"a":1}`)
		w.received()
		h := b.Of("/").FetchSockets()[0].Handshake()
		if h.Header != nil || h.Query != nil || string(h.Auth) != `{}` || h.RemoteAddr == "" {
			t.Errorf("handshake %+v, auth %s", h.Handshake, h.Auth)
		}
	})
}

func TestNamespaceNamesBeginWithASlash(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		if b.Of("chat") != b.Of("/chat") || b.Of("") != b.Of("/") || b.Of("chat").Name() != "/chat" {
			t.Error("two namespaces for one name")
		}
	})
}

// A client that joins and leaves faster than OnConnect runs is read as slowly as
// one that sends events.
func TestJoiningAndLeavingFillsTheInboxLikeEvents(t *testing.T) {
	withServer(t, Config{MaxInbox: 10}, func(b *fixture) {
		release := make(chan struct{})
		joined, left := 0, 0
		b.Of("/").OnConnect(func(s *Socket) {
			<-release
			joined++
			s.OnDisconnect(func(string) { left++ })
		})
		w := b.dial()
		read := 0
		go func() {
			for range 100 {
				w.send(`0`, `1`)
				read++
			}
		}()
		synctest.Wait()
		if read > 10 {
			t.Errorf("%d were read while the first waits", read)
		}
		close(release)
		synctest.Wait()
		if joined != 100 || left != 100 {
			t.Errorf("%d joined, %d left", joined, left)
		}
	})
}
