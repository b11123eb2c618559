package engineio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/engineio"
)

func TestShutdownSendsWhatIsQueuedAndLetsClientsReconnect(t *testing.T) {
	h := open(t, engineio.Config{})
	c, onWebSocket := h.connect()
	query, onPolling := h.poll()
	held, idle := h.poll()
	waiting := h.held(held)
	onWebSocket.send(strings.Repeat("x", 500_000))
	onPolling.send("last")
	down := make(chan error, 1)
	go func() { down <- h.server.Shutdown(context.Background()) }()
	if got := c.read(); len(got) != 500_001 {
		t.Errorf("websocket got %d bytes", len(got))
	}
	if code := c.code(); code != 1001 {
		t.Errorf("websocket closed with %d", code)
	}
	if got := receive(t, waiting, "the held poll"); got.Body != "1" {
		t.Errorf("held poll: %+v", got)
	}
	if got := h.get(query); got != "4last" {
		t.Errorf("polling: %q", got)
	}
	if got := h.get(query); got != "1" {
		t.Errorf("polling: %q", got)
	}
	if err := receive(t, down, "Shutdown"); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	for _, p := range []*peer{onWebSocket, onPolling, idle} {
		p.mustClose(t, engineio.ReasonForced, nil)
	}
	got := h.do("GET", newPolling, "")
	if want := `{"code":3,"message":"Server is shutting down"}`; got.Status != 503 || got.Body != want {
		t.Errorf("newcomer: %d %s", got.Status, got.Body)
	}
	h.shutdown() // again does no harm
}

func TestShutdownDoesNotWaitLongForOneClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{})
		_, p := h.poll()
		start := time.Now()
		if err := h.server.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("waited %v for a client that does not poll", d)
		}
		p.mustClose(t, engineio.ReasonForced, nil)
	})
}

func TestShutdownCutsWhatOutlastsItsContext(t *testing.T) {
	h := open(t, engineio.Config{})
	_, slow := h.connect()
	fill(t, slow, group(strings.Repeat("x", 10_000)))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := h.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, engineio.ErrReceiversBusy) {
		t.Errorf("Shutdown: %v", err)
	}
	slow.mustClose(t, engineio.ReasonForced, nil)
}

func TestShutdownNamesReceiversThatDoNotReturn(t *testing.T) {
	release := make(chan struct{})
	h := open(t, engineio.Config{}, func(p *peer) { p.onMessage = func(*peer, engineio.Message) { <-release } })
	c, p := h.connect()
	c.write("4block")
	h.eventually("the receiver blocks", func() bool { return h.server.Stats().MessagesIn == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.server.Shutdown(ctx); !errors.Is(err, engineio.ErrReceiversBusy) {
		t.Errorf("Shutdown: %v", err)
	}
	close(release)
	p.mustClose(t, engineio.ReasonForced, nil)
}

// Sessions that begin during a shutdown are refused or closed, never forgotten.
func TestShutdownDuringAStorm(t *testing.T) {
	h := open(t, engineio.Config{}, echoing)
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
			}
			_, _ = h.try(context.Background(), "GET", newPolling, "")
			if c, _, err := h.dialer.Dial("ws"+strings.TrimPrefix(h.base, "http")+"?"+newWebSocket, nil); err == nil {
				_ = c.Close()
			}
		}
	}()
	h.eventually("some sessions were opened", func() bool { return h.server.Stats().Opened > 20 })
	h.shutdown()
	if n := h.server.Len(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
	close(stop)
	<-ended
}

// A session that was closed, and whose client does not poll, may take long to end. A
// shutdown may not.
func TestShutdownDoesNotWaitForWhoWasClosedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{})
		_, p := h.poll()
		p.send("why")
		p.Close("told to go")
		time.Sleep(time.Second)
		start := time.Now()
		if err := h.server.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("waited %v", d)
		}
		p.mustClose(t, "told to go", nil)
	})
}

// A connection that was admitted just before the server ended outlived it.
func TestAConnectionAdmittedWhileTheServerEndsIsCutToo(t *testing.T) {
	for range 60 {
		t.Run("", func(t *testing.T) {
			h := open(t, engineio.Config{}) // which is cut at the end
			if _, _, err := h.dialer.Dial("ws"+strings.TrimPrefix(h.base, "http")+"?"+newWebSocket, nil); err != nil {
				t.Fatalf("dial: %v", err)
			}
		})
	}
}
