package engineio_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"expenseflow/internal/engineio"
)

// 9,900 parameters in 49 KB of query were kept for ten seconds as 1.3 MB.
func TestOversizedHandshakesAreRefusedUnread(t *testing.T) {
	h := open(t, engineio.Config{})
	for name, query := range map[string]string{
		"33 parameters": strings.Repeat("&a=1", 31),
		"over 2 KB":     "&token=" + strings.Repeat("x", 2048),
		"9,900 of them": strings.Repeat("&1000", 9_900),
	} {
		got := h.do("GET", newPolling+query, "")
		if got.Status != http.StatusRequestURITooLong || !strings.Contains(got.Body, "2048 bytes or 32 parameters") {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		if _, res, err := h.dialer.Dial(h.webSocketURL(newWebSocket+query), nil); err == nil ||
			res.StatusCode != http.StatusRequestURITooLong {
			t.Errorf("%s over WebSocket: %v", name, err)
		}
	}
	many := func(r *http.Request) {
		for i := range 120 {
			r.Header.Set(fmt.Sprintf("X-%d", i), "1")
		}
	}
	if got := h.do("GET", newPolling, "", many); got.Status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("120 headers: %d %s", got.Status, got.Body)
	}
	if h.server.Len() != 0 {
		t.Errorf("%d sessions", h.server.Len())
	}
	if got := h.do("GET", newPolling+"&token="+strings.Repeat("x", 1900), ""); got.Status != http.StatusOK {
		t.Errorf("a long token: %d", got.Status)
	}
}

func TestHandshakeKeepsOnlyWhatIsAskedFor(t *testing.T) {
	h := open(t, engineio.Config{KeepHeaders: []string{"Authorization"}, KeepQuery: []string{"a"}})
	h.do("GET", newPolling+"&a=1&b=2", "", func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer x")
		r.Header.Set("X-Custom", "big")
	})
	got := h.peer().Handshake()
	if len(got.Header) != 1 || got.Header.Get("Authorization") != "Bearer x" || len(got.Query) != 1 ||
		got.Query.Get("a") != "1" || got.URL != "/engine.io/" {
		t.Errorf("kept %+v", got)
	}
}

// 300 connections that had shown no token held a megabyte each.
func TestMessagesBeforeTheClientIsKnownAreSmall(t *testing.T) {
	h := open(t, engineio.Config{MaxEarlyPayload: 100}, echoing)
	long := "4" + strings.Repeat("x", 100)
	c, p := h.connect()
	c.write(long)
	if code := c.code(); code != websocket.CloseMessageTooBig {
		t.Errorf("closed with %d", code)
	}
	p.mustClose(t, engineio.ReasonTransportError, nil)
	query, p := h.poll()
	if got := h.do("POST", query, long); got.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("POST: %d", got.Status)
	}
	p.mustClose(t, engineio.ReasonTransportError, engineio.ErrPostTooLarge)

	c, p = h.connect()
	p.Establish(true)
	if c.write(long); c.read() != long {
		t.Error("no echo for a client that is known")
	}
	p.Establish(false)
	c.write(long)
	p.mustClose(t, engineio.ReasonTransportError, nil)
}

// The body of a POST was awaited for 45 s after its session had ended.
func TestPostIsNotAwaitedBeyondItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{})
		query, p := h.poll()
		c, _ := h.client.Transport.(*http.Transport).DialContext(t.Context(), "tcp", "pipe")
		defer c.Close()
		_, _ = fmt.Fprintf(c, "POST /engine.io/?%s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4", query)
		synctest.Wait()
		time.AfterFunc(10*time.Second, func() { p.Close(engineio.ReasonForced) })
		start := time.Now()
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if d := time.Since(start); err != nil || res.StatusCode != http.StatusBadRequest || d > 14*time.Second {
			t.Errorf("answered by %v (%v) after %v", res, err, d)
		}
	})
}

// 300 frames of a megabyte, each short of a byte, were 0.5 GB.
func TestUnfinishedMessagesAreBoundedTogether(t *testing.T) {
	h := open(t, engineio.Config{MaxUnfinished: 1 << 20}, echoing)
	part := frame(finText, 250_000, "4"+strings.Repeat("x", 240_000))
	var refused int
	for range 10 {
		c, p := h.connect()
		p.SetOwner("mallory")
		_, _ = c.NetConn().Write(part)
		select {
		case got := <-p.closed:
			refused++
			if code := c.code(); code != websocket.CloseTryAgainLater || got.Reason != engineio.ReasonTransportError {
				t.Errorf("closed with %d, %v", code, got)
			}
		case <-time.After(100 * time.Millisecond):
		}
	}
	if refused < 7 {
		t.Errorf("%d of 10 were refused", refused)
	}
	c, p := h.connect()
	p.SetOwner("alice")
	long := "4" + strings.Repeat("y", 200_000)
	if c.write(long); c.read() != long {
		t.Error("somebody else's message was not taken")
	}
	query, _ := h.poll()
	h.post(query, long)
	h.get(query)
}

// The bytes reserved for an unfinished or handled message are given back.
func TestBytesOfMessagesAreGivenBack(t *testing.T) {
	h := open(t, engineio.Config{MaxUnfinished: 1 << 20}, echoing)
	long := "4" + strings.Repeat("x", 90_000)
	c, _ := h.connect()
	query, _ := h.poll()
	for range 20 {
		if c.write(long); c.read() != long {
			t.Fatal("no echo")
		}
		h.post(query, long)
		h.get(query)
		broken, p := h.connect()
		_, _ = broken.NetConn().Write(frame(finText, 90_000, "4"+strings.Repeat("x", 80_000)))
		_ = broken.Close()
		receive(t, p.closed, "the close")
	}
	_, p := h.connect()
	for range 20 {
		release, ok := p.Reserve(90_000)
		if !ok {
			t.Fatal("nothing left")
		}
		release()
	}
}

// 150 handshakes a second of one address filled MAX_CONNECTIONS without a token.
func TestOneAddressDoesNotFillTheServer(t *testing.T) {
	var told []string
	h := open(t, engineio.Config{MaxSessions: 1000, MaxPending: 500, Dominated: func(address string, held, all int64) {
		told = append(told, fmt.Sprint(address, " ", held, " ", all))
	}})
	var last *httptest.ResponseRecorder
	for range 1500 {
		last = h.from("192.0.2.1:1", newPolling)
	}
	if last.Code != http.StatusServiceUnavailable ||
		last.Body.String() != `{"code":3,"message":"Too many sessions that have not joined, of this address or in all"}` {
		t.Errorf("got %d %s", last.Code, last.Body)
	}
	if n := h.server.Len(); n != 250 {
		t.Errorf("%d sessions of one address", n)
	}
	for i := range 100 {
		if got := h.from(fmt.Sprintf("192.0.2.%d:1", 2+i), newPolling); got.Code != http.StatusOK {
			t.Fatalf("newcomer %d: %d %s", i, got.Code, got.Body)
		}
	}
	if len(told) != 1 || told[0] != "192.0.2.1 200 200" {
		t.Errorf("told %v", told)
	}
}

// An established session does not count towards MaxPending.
func TestEstablishedSessionsMakeRoomForNewcomers(t *testing.T) {
	h := open(t, engineio.Config{MaxPending: 4}, func(p *peer) { p.Establish(true); p.Establish(true) })
	for range 20 {
		h.connect()
	}
	if got := h.server.Len(); got != 20 {
		t.Errorf("%d sessions", got)
	}
}

// No-ops, pongs, WebSocket pings and acks were not metered.
func TestFloodsOfAnyPacketEndTheSession(t *testing.T) {
	cfg := engineio.Config{PacketRate: 10, PacketBurst: 100}
	for name, packet := range map[string][]byte{
		"noops": small(finText, "6"), "pongs": small(finText, "3"), "messages": small(finText, "4"),
		"pings of WebSocket": small(finPing, ""), "pongs of WebSocket": small(0x8a, "x"), "empty fragments": small(more, ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, cfg)
			c, p := h.connect()
			go func() { _, _ = io.Copy(io.Discard, c.NetConn()) }()
			if name == "empty fragments" {
				_, _ = c.NetConn().Write(small(text, "4"))
			}
			_, _ = c.NetConn().Write(bytes.Repeat(packet, 100_000))
			p.mustClose(t, engineio.ReasonTransportError, engineio.ErrFlood)
		})
	}
	h := open(t, cfg)
	query, p := h.poll()
	if got := h.do("POST", query, strings.Repeat("6\x1e", 200)+"6"); got.Status != http.StatusBadRequest {
		t.Errorf("POST: %d", got.Status)
	}
	p.mustClose(t, engineio.ReasonTransportError, engineio.ErrFlood)
}

func TestWhoKeepsToThePacketRateStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{PacketRate: 10, PacketBurst: 20, PingInterval: time.Hour}, echoing)
		c, p := h.connect()
		for i := range 200 {
			c.write("4x")
			c.read()
			if i >= 15 {
				time.Sleep(100 * time.Millisecond)
			}
		}
		if !p.Charge(1) || p.Charge(1000) {
			t.Error("a charge was refused too early or not at all")
		}
		p.mustClose(t, engineio.ReasonTransportError, engineio.ErrFlood)
	})
}

// A polling client of python-engineio received 7 of 60 events, and then closed its session.
func TestAnAnswerHoldsSixteenPacketsAtMost(t *testing.T) {
	h := open(t, engineio.Config{}, func(p *peer) {
		for range 20 {
			p.send("early")
		}
	})
	opened := h.do("GET", newPolling, "").Body
	if n := strings.Count(opened, "\x1e") + 1; n > 16 {
		t.Errorf("%d packets in the first answer", n)
	}
	query, p := newPolling+"&sid="+parseOpen(t, strings.Split(opened, "\x1e")[0]).SID, h.peer()
	for range 60 {
		p.send("x")
	}
	for got := strings.Count(opened, "4early"); got < 80; {
		packets := strings.Split(h.get(query), "\x1e")
		if len(packets) > 16 {
			t.Fatalf("%d packets in one answer", len(packets))
		}
		got += len(packets)
	}
}

// Browsers fail a connection that offered sub-protocols and got none.
func TestTheFirstSubProtocolIsChosen(t *testing.T) {
	h := open(t, engineio.Config{})
	d := *h.dialer
	d.Subprotocols = []string{"x", "y"}
	c, _, err := d.DialContext(context.Background(), h.webSocketURL(newWebSocket), nil)
	if err != nil || c.Subprotocol() != "x" {
		t.Fatalf("chosen %q, %v", c.Subprotocol(), err)
	}
	_ = c.Close()
	if _, res := h.dialRaw(t, "Sec-WebSocket-Protocol: a b\r\n"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a name with a space is answered with %d", res.StatusCode)
	}
}

// Whoever runs the server is told which limit refused a request or ended a session.
func TestTheRefusedHookNamesTheLimit(t *testing.T) {
	heard := make(chan engineio.Refusal, 1)
	postponed := false
	h := open(t, engineio.Config{
		MaxSessions: 4, MaxPayload: 100, PacketRate: 10, PacketBurst: 100, MaxUnfinished: 10_000,
		Postpone: func(*http.Request) time.Duration {
			if postponed {
				return time.Second
			}
			return 0
		},
		AllowRequest: func(r *http.Request) error {
			if r.Header.Get("Origin") != "" {
				return fmt.Errorf("no")
			}
			return nil
		},
		Refused: func(r engineio.Refusal) { heard <- r },
	})
	want := func(limit engineio.Limit) engineio.Refusal {
		t.Helper()
		r := receive(t, heard, "the refusal")
		if r.Limit != limit {
			t.Errorf("heard %+v, want %s", r, limit)
		}
		return r
	}
	flooding, _ := h.connect()
	large, p := h.connect()
	p.SetOwner("alice")
	h.do("GET", newPolling, "")
	want(engineio.LimitSessions)
	go func() { _, _ = io.Copy(io.Discard, flooding.NetConn()) }()
	_, _ = flooding.NetConn().Write(bytes.Repeat(small(finText, "6"), 1000))
	if r := want(engineio.LimitPackets); r.Request != nil || r.Address != "127.0.0.1" || r.Owner != "" {
		t.Errorf("heard %+v", r)
	}
	large.write("4" + strings.Repeat("x", 100))
	if r := want(engineio.LimitPayload); r.Owner != "alice" {
		t.Errorf("heard %+v", r)
	}
	h.do("GET", newPolling, "", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") })
	want(engineio.LimitOrigin)
	h.do("GET", newPolling+strings.Repeat("&a=1", 32), "")
	want(engineio.LimitHead)
	h.eventually("there is room again", func() bool { return h.server.Len() == 0 })
	postponed = true
	h.do("GET", newPolling, "")
	want(engineio.LimitPostponed)
}

// A phone changes its network while it polls. Whoever has the id has the session; it stays
// counted for the address that opened it, so that nobody fills another's share.
func TestASessionGoesOnFromAnotherAddressAndIsCountedForItsFirst(t *testing.T) {
	address := func(r *http.Request) string { return r.Header.Get("X-Address") }
	h := open(t, engineio.Config{MaxSessions: 4, Address: address}, echoing)
	from := func(address string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Address", address) }
	}
	opened := h.do("GET", newPolling, "", from("first"))
	sid := regexp.MustCompile(`"sid":"([^"]+)"`).FindStringSubmatch(opened.Body)[1]
	if got := h.do("GET", newPolling, "", from("first")); got.Status != http.StatusOK {
		t.Fatalf("a second session: %d", got.Status)
	}
	query := newPolling + "&sid=" + sid
	if got := h.do("POST", query, "4hello", from("second")); got.Status != http.StatusOK {
		t.Errorf("a message from elsewhere: %d %s", got.Status, got.Body)
	}
	if got := h.do("GET", query, "", from("third")); got.Body != "4hello" {
		t.Errorf("a poll from elsewhere: %d %s", got.Status, got.Body)
	}
	if got := h.do("GET", newPolling, "", from("first")); got.Status != http.StatusServiceUnavailable {
		t.Errorf("a third session of the first address: %d", got.Status)
	}
	if got := h.do("GET", newPolling, "", from("second")); got.Status != http.StatusOK {
		t.Errorf("a session of the second address: %d", got.Status)
	}
}
