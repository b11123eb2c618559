package socketiotest_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/engineio"
	"expenseflow/internal/socketio"
	"expenseflow/internal/socketio/socketiotest"
)

// echo serves one event that comes back, on a server that lets in whoever says a token.
func echo(t *testing.T) (url string) {
	t.Helper()
	s := socketio.New(socketio.Config{Engine: engineio.Config{PingInterval: 50 * time.Millisecond, CloseTimeout: time.Second}})
	s.Of("/").On("say", func(_ context.Context, e *socketio.Event) { _ = e.Socket().Emit("said", e.Values()...) })
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		_ = s.Shutdown(context.Background())
		server.Close()
	})
	return server.URL
}

func TestAClientHearsTextAndBinaryByEachTransport(t *testing.T) {
	for name, o := range map[string]socketiotest.Options{"websocket": {}, "polling": {Polling: true}} {
		t.Run(name, func(t *testing.T) {
			c, err := socketiotest.Dial(t.Context(), echo(t), o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if answer, err := c.Connect(""); err != nil || !strings.HasPrefix(answer, `40{"sid":"`) {
				t.Fatalf("CONNECT: %s, %v", answer, err)
			}
			time.Sleep(120 * time.Millisecond) // pings come, and are answered
			binary := socketiotest.Binary([]byte{1, 2, 3})
			for _, packet := range []string{`42["say","a"]`, `451-["say",{"_placeholder":true,"num":0}]`, binary} {
				if err := c.Send(packet); err != nil {
					t.Fatal(err)
				}
			}
			for _, want := range []string{`42["said","a"]`, `451-["said",{"_placeholder":true,"num":0}]`, binary} {
				if got, err := c.Receive(); got != want || err != nil {
					t.Errorf("heard %s, %v, want %s", got, err, want)
				}
			}
		})
	}
}

func TestARefusalIsTheServersAnswer(t *testing.T) {
	for _, polling := range []bool{false, true} {
		_, err := socketiotest.Dial(t.Context(), echo(t), socketiotest.Options{Polling: polling, Query: "&sid=nobody"})
		var refused *socketiotest.RefusedError
		if !errors.As(err, &refused) || refused.Status != 400 || !strings.Contains(refused.Body, "Session ID unknown") {
			t.Errorf("polling %t: %v", polling, err)
		}
	}
}

// A server that sends only pings was waited for without end, though the wait was bounded.
func TestPingsPutOffNoDeadline(t *testing.T) {
	for _, polling := range []bool{false, true} {
		c, err := socketiotest.Dial(t.Context(), echo(t), socketiotest.Options{Polling: polling, Patience: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if packet, err := c.Receive(); err == nil {
			t.Errorf("received %q", packet)
		}
	}
}
