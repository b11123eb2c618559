package engineio_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/engineio"
)

var brisk = engineio.Config{PingInterval: 300 * time.Millisecond, PingTimeout: 200 * time.Millisecond}

func TestHeartbeatOverPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, brisk)
		query, p := h.poll()
		for range 5 {
			start := time.Now()
			if got := h.get(query); got != "2" {
				t.Fatalf("got %q", got)
			}
			if d := time.Since(start); d != 300*time.Millisecond {
				t.Errorf("pinged after %v", d)
			}
			time.Sleep(150 * time.Millisecond)
			h.post(query, "3")
		}
		if len(p.messages) > 0 || len(p.closed) > 0 {
			t.Error("the receiver heard of it")
		}
	})
}

func TestHeartbeatOverWebSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, brisk)
		c, p := h.connect()
		for range 5 {
			if got := c.read(); got != "2" {
				t.Fatalf("got %q", got)
			}
			time.Sleep(199 * time.Millisecond)
			c.write("3")
		}
		c.read()
		start := time.Now()
		c.code()
		if d := time.Since(start); d != 200*time.Millisecond {
			t.Errorf("closed after %v", d)
		}
		p.mustClose(t, engineio.ReasonPingTimeout, nil)
	})
}

func TestSilentPollingSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, brisk)
		query, p := h.poll()
		time.Sleep(499 * time.Millisecond)
		if n := h.server.Len(); n != 1 {
			t.Fatalf("%d sessions before the time", n)
		}
		time.Sleep(2 * time.Millisecond)
		if got := h.do("GET", query, ""); got.Status != http.StatusBadRequest {
			t.Errorf("GET: %d %q", got.Status, got.Body)
		}
		p.mustClose(t, engineio.ReasonPingTimeout, nil)
		if n := h.server.Stats().PingTimeouts; n != 1 {
			t.Errorf("%d timeouts counted", n)
		}
	})
}

// A pong that nobody asked for must not put off the next ping.
func TestUnaskedPongsChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, brisk)
		c, p := h.connect()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 20 {
				time.Sleep(14 * time.Millisecond)
				c.write("3")
			}
		}()
		start := time.Now()
		if got := c.read(); got != "2" || time.Since(start) != 300*time.Millisecond {
			t.Errorf("got %q after %v", got, time.Since(start))
		}
		<-done
		c.code()
		p.mustClose(t, engineio.ReasonPingTimeout, nil)
	})
}

// While the receiver blocks, the pong waits unread behind the message. That is
// not the client's fault, even if the receiver ends at the moment when the pong is due.
func TestBusyReceiverIsNotAPingTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := openWithoutNetwork(t, brisk, func(p *peer) { p.onMessage = func(*peer, engineio.Message) { <-release } })
		c, p := h.connect()
		c.write("4work")
		c.read()
		go c.write("3")
		time.Sleep(5 * time.Second)
		close(release)
		if got := c.read(); got != "2" {
			t.Errorf("got %q", got)
		}
		if len(p.closed) > 0 {
			t.Errorf("closed: %v", <-p.closed)
		}
	})
}

func TestPingOutstandingDuringAnUpgradeGetsFreshTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, brisk)
		query, p := h.poll()
		if got := h.get(query); got != "2" {
			t.Fatalf("got %q", got)
		}
		c := h.probe(query)
		time.Sleep(190 * time.Millisecond)
		c.write("5")
		time.Sleep(190 * time.Millisecond)
		c.write("3")
		if got := c.read(); got != "2" || len(p.closed) > 0 {
			t.Errorf("got %q", got)
		}
	})
}

func TestPingThatWaitsIsHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, brisk)
		query, _ := h.poll()
		c := h.probe(query)
		time.Sleep(310 * time.Millisecond) // nobody polls
		c.write("5")
		if got := c.read(); got != "2" {
			t.Errorf("got %q", got)
		}
	})
}

func TestCloseIsGivenUpAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{CloseTimeout: time.Second})
		_, p := h.poll()
		p.send("nobody fetches this")
		start := time.Now()
		p.Close(engineio.ReasonForced)
		<-p.Done()
		if d := time.Since(start); d != time.Second {
			t.Errorf("given up after %v", d)
		}
		p.mustClose(t, engineio.ReasonForced, nil)
	})
}

// A client that fetches nothing keeps its queue only until the next ping, even if it would
// answer that unseen.
func TestPollingClientThatFetchesNothingIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{})
		_, p := h.poll()
		p.send("first")
		start := time.Now()
		<-p.Done()
		if d := time.Since(start); d != 25*time.Second {
			t.Errorf("closed after %v", d)
		}
		p.mustClose(t, engineio.ReasonSlow, engineio.ErrStalled)
	})
}

// The last POST of a client that never fetches the replies waits for room in the queue.
// That does not excuse a missing pong, as a message that is being handled would.
func TestPollingClientThatOnlyPostsIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{QueueBytes: 1000}, echoing)
		query, p := h.poll()
		if got := h.get(query); got != "2" {
			t.Fatalf("got %q", got)
		}
		posted := h.later("POST", query, strings.Repeat("4hello\x1e", 100)+"4last")
		start := time.Now()
		p.mustCloseWithin(t, time.Minute, engineio.ReasonSlow)
		if d := time.Since(start); d != 20*time.Second {
			t.Errorf("closed after %v", d)
		}
		<-posted
	})
}

// mustCloseWithin is mustClose with a deadline.
func (p *peer) mustCloseWithin(t *testing.T, d time.Duration, reason engineio.Reason) {
	t.Helper()
	select {
	case <-p.Done():
		p.mustClose(t, reason, nil)
	case <-time.After(d):
		t.Fatalf("still open after %v", d)
	}
}

// A client on a slow network that reads an answer in small pieces is not closed as slow,
// although more waits for it when a ping is due.
func TestAnswerOnAThinLineIsProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{})
		query, p := h.poll()
		p.send(strings.Repeat("x", 480_000))
		p.send("second")
		if got := h.readSlowly(query, 16_000, time.Second); got != 480_001 {
			t.Errorf("got %d bytes", got)
		}
		if got := h.get(query); got != "2\x1e4second" || len(p.closed) > 0 {
			t.Errorf("then %q", got)
		}
	})
}

// readSlowly polls and reads the answer in small pieces; it returns its length.
func (h *testServer) readSlowly(query string, bit int64, pause time.Duration) (n int64) {
	h.t.Helper()
	res, err := h.client.Get(h.base + "?" + query)
	if err != nil {
		h.t.Fatalf("GET: %v", err)
	}
	defer res.Body.Close()
	for err == nil {
		var m int64
		time.Sleep(pause)
		m, err = io.CopyN(io.Discard, res.Body, bit)
		n += m
	}
	return n
}

// When a session closes, a client that has not polled for long is not waited for.
func TestCloseDoesNotWaitForWhoStaysAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{})
		_, silent := h.poll()
		_, deaf := h.poll()
		deaf.send("no")
		time.Sleep(10 * time.Second)
		query, present := h.poll()
		for _, p := range []*peer{silent, deaf, present} {
			p.Close(engineio.ReasonForced)
		}
		synctest.Wait()
		silent.mustClose(t, engineio.ReasonForced, nil)
		deaf.mustClose(t, engineio.ReasonForced, nil)
		time.Sleep(2 * time.Second)
		if got := h.get(query); got != "1" {
			t.Errorf("the one that polls got %q", got)
		}
	})
}

// One that fetches what is queued may take as long as Config.CloseTimeout.
func TestCloseWaitsForWhoFetches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{})
		query, p := h.poll()
		for range 4 {
			p.send(strings.Repeat("x", 100_000))
		}
		p.Close(engineio.ReasonForced)
		for range 4 {
			time.Sleep(6 * time.Second)
			if got := h.get(query); len(got) != 100_001 {
				t.Fatalf("got %d bytes", len(got))
			}
		}
		if got := h.get(query); got != "1" {
			t.Errorf("then %q", got)
		}
	})
}

// A pong is timed from the moment at which its ping was due, by transport.
func TestPongsAreTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took := map[bool][]time.Duration{}
		cfg := brisk
		cfg.ObservePing = func(webSocket bool, d time.Duration) { took[webSocket] = append(took[webSocket], d) }
		h := openWithoutNetwork(t, cfg)
		query, _ := h.poll()
		h.get(query)
		time.Sleep(40 * time.Millisecond)
		h.post(query, "33") // the second was not asked for
		c, _ := h.connect()
		c.read()
		time.Sleep(70 * time.Millisecond)
		c.write("3")
		synctest.Wait()
		if len(took[false]) == 0 || took[false][0] != 40*time.Millisecond ||
			len(took[true]) != 1 || took[true][0] != 70*time.Millisecond {
			t.Errorf("polling %v, WebSocket %v", took[false], took[true])
		}
	})
}
