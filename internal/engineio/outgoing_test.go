package engineio_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"expenseflow/internal/engineio"
)

func TestManySendersKeepTheirOwnOrder(t *testing.T) {
	const senders, each = 8, 2000
	h := open(t, engineio.Config{MaxQueueBytes: 1 << 30})
	c, p := h.connect()
	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() {
			for i := range each {
				p.send(fmt.Sprint(sender, " ", i))
			}
		})
	}
	next := make([]int, senders)
	for range senders * each {
		var sender, i int
		if _, err := fmt.Sscanf(c.read(), "4%d %d", &sender, &i); err != nil || i != next[sender] {
			t.Fatalf("sender %d: got %d, want %d (%v)", sender, i, next[sender], err)
		}
		next[sender]++
	}
	all.Wait()
	h.eventually("nothing waits", func() bool { return p.Queued() == 0 })
}

// An event and its attachments stay together however many goroutines send, and pings come
// between groups only.
func TestGroupsStayContiguous(t *testing.T) {
	h := open(t, engineio.Config{PingInterval: time.Millisecond, PingTimeout: patience, MaxQueueBytes: 1 << 30})
	c, p := h.connect()
	attachment := engineio.Message{Data: make([]byte, 30_000), Binary: true}
	event := engineio.NewGroup(engineio.Message{Data: []byte("event")}, attachment, attachment)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				p.Send(event)
				p.send("between")
			}
		})
	}
	for events := 0; events < 200; {
		switch c.read() {
		case "2":
			c.write("3")
		case "4event":
			events++
			for range 2 {
				if got := c.read(); len(got) != 30_002 {
					t.Fatalf("after an event came %q", got)
				}
			}
		}
	}
	all.Wait()
}

func TestBroadcastReachesEveryTransport(t *testing.T) {
	h := open(t, engineio.Config{})
	g := engineio.NewGroup(engineio.Message{Data: []byte("news")}, engineio.Message{Data: []byte{1}, Binary: true})
	c, onWebSocket := h.connect()
	query, onPolling := h.poll()
	onWebSocket.Send(g)
	onPolling.Send(g)
	if a, b := c.read(), c.read(); a != "4news" || b != "b:\x01" {
		t.Errorf("websocket: %q, %q", a, b)
	}
	if got := h.get(query); got != "4news\x1ebAQ==" {
		t.Errorf("polling: %q", got)
	}
}

// fill sends until the queue refuses, to a client that does not read.
func fill(t *testing.T, p *peer, g *engineio.Group) (sent int) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); sent++ {
		if !p.TrySend(g) {
			return sent
		}
	}
	t.Fatal("the queue is never full")
	return 0
}

// A client that answers heartbeats and does not read costs a bounded queue, delays no other
// client, and is closed as slow.
func TestSlowReader(t *testing.T) {
	const bound = 1 << 20
	h := open(t, engineio.Config{QueueBytes: bound, StallTimeout: time.Second})
	_, slow := h.connect()
	c, brisk := h.connect()
	g := group(strings.Repeat("x", 1000))
	sent := fill(t, slow, g)
	start := time.Now()
	for !slow.TrySend(g) && len(slow.closed) == 0 { // it goes on refusing
		if q := slow.Queued(); q > bound+g.Size() {
			t.Fatalf("%d bytes wait", q)
		}
		brisk.send("quick")
		if got := c.read(); got != "4quick" {
			t.Fatalf("got %q", got)
		}
	}
	slow.mustClose(t, engineio.ReasonSlow, engineio.ErrStalled)
	t.Logf("%d messages of 1 kB taken by queue and kernel, closed after %v", sent, time.Since(start))
	if kernel := sent*1000 - bound; kernel > 4<<20 {
		t.Errorf("the kernel took %d bytes", kernel)
	}
	if h.server.Stats().Slow != 1 {
		t.Errorf("stats %+v", h.server.Stats())
	}
}

// Many of them at once must not occupy the workers.
func TestStalledReadersDelayNobody(t *testing.T) {
	h := open(t, engineio.Config{StallTimeout: patience})
	g := group(strings.Repeat("x", 10_000))
	for range 4 * runtime.GOMAXPROCS(0) {
		_, p := h.connect()
		fill(t, p, g)
	}
	c, p := h.connect()
	var worst time.Duration
	for range 200 {
		start := time.Now()
		p.send("quick")
		c.read()
		worst = max(worst, time.Since(start))
	}
	if worst > time.Second {
		t.Errorf("worst round trip %v", worst)
	}
}

func TestDrainedComesOncePerRefusal(t *testing.T) {
	h := open(t, engineio.Config{StallTimeout: patience})
	c, p := h.connect()
	g := group(strings.Repeat("x", 10_000))
	for round := range 3 {
		sent := fill(t, p, g)
		for range 5 { // more refusals before the drain are the same one
			p.TrySend(g)
		}
		for range sent {
			c.read()
		}
		receive(t, p.drained, "Drained")
		h.eventually("nothing waits", func() bool { return p.Queued() == 0 })
		if n := len(p.drained); n != 0 {
			t.Errorf("round %d: %d more", round, n)
		}
	}
}

// A sender that only continues on Drained gets everything through, at the
// client's pace, whatever the transport.
func TestSenderPacedByDrained(t *testing.T) {
	const total = 3000
	pages := func(p *peer) {
		next := 0
		p.onDrained = func(p *peer) {
			for next < total && p.TrySend(group(fmt.Sprintf("%d %01000d", next, 0))) {
				next++
			}
		}
		p.onMessage = func(p *peer, _ engineio.Message) { p.onDrained(p) }
	}
	h := open(t, engineio.Config{QueueBytes: 64 << 10}, pages)
	want := func(i int, packet string) {
		if !strings.HasPrefix(packet, fmt.Sprintf("4%d ", i)) {
			t.Fatalf("packet %d is %.20q", i, packet)
		}
	}
	c, _ := h.connect()
	c.write("4start")
	for i := range total {
		want(i, c.read())
	}
	query, _ := h.poll()
	h.post(query, "4start")
	for i := 0; i < total; {
		for packet := range strings.SplitSeq(h.get(query), "\x1e") {
			want(i, packet)
			i++
		}
	}
}

func TestSendClosesASessionOverItsLimit(t *testing.T) {
	h := open(t, engineio.Config{QueueBytes: 10_000, MaxQueueBytes: 50_000})
	_, p := h.poll()
	for range 100 {
		p.send(strings.Repeat("x", 1000))
	}
	p.mustClose(t, engineio.ReasonSlow, engineio.ErrQueueFull)
	if p.TrySend(group("x")) {
		t.Error("a closed session takes messages")
	}
}

// Sockets of one account, each within its own bound, filled the memory with replies that
// their client did not read.
func TestRepliesOfOneOwnerFilledTheMemory(t *testing.T) {
	h := open(t, engineio.Config{QueueBytes: 10_000, MaxQueueBytes: 1 << 30, MaxExcess: 100_000})
	queue := func(owner string, replies int) *peer {
		_, p := h.poll()
		p.SetOwner(owner)
		for range replies {
			p.send(strings.Repeat("x", 1000))
		}
		return p
	}
	first, second := queue("mallory", 25), queue("mallory", 25)
	other := queue("bob", 25)
	queue("mallory", 60).mustClose(t, engineio.ReasonSlow, engineio.ErrQueueFull) // over half with the others'
	for name, p := range map[string]*peer{"first": first, "second": second, "another owner's": other} {
		if p.Queued() < 25_000 {
			t.Errorf("the %s queue was dropped", name)
		}
	}
	if p := queue("carol", 28); p.Queued() < 28_000 { // what was closed holds nothing
		t.Error("a newcomer's queue was dropped")
	}
}

// A client that sends requests but does not read the replies is not read any more.
func TestRequestsWaitWhileRepliesPileUp(t *testing.T) {
	handled := 0
	h := open(t, engineio.Config{QueueBytes: 100_000, StallTimeout: patience}, func(p *peer) {
		p.onMessage = func(p *peer, _ engineio.Message) {
			handled++ // one at a time
			p.send(strings.Repeat("x", 10_000))
		}
	})
	c, p := h.connect()
	const requests = 3000
	go func() {
		for range requests {
			_ = c.WriteMessage(websocket.TextMessage, []byte("4please"))
		}
	}()
	h.eventually("the queue is over its bound", func() bool { return p.Queued() > 100_000 })
	for range 100 {
		if q := p.Queued(); q > 100_000+2*11_000 {
			t.Fatalf("%d bytes wait", q)
		}
		time.Sleep(time.Millisecond)
	}
	for range requests {
		c.read()
	}
	if handled != requests {
		t.Errorf("%d of %d requests handled", handled, requests)
	}
}

// Connections that are no plain sockets are written by a goroutine that lives only
// while something waits.
func TestConnectionsThatCannotBeTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{StallTimeout: 5 * time.Second})
		c, p := h.connect()
		for i := range 100 {
			p.send(fmt.Sprint(i))
		}
		for i := range 100 {
			if got := c.read(); got != fmt.Sprint("4", i) {
				t.Fatalf("got %q", got)
			}
		}
		start := time.Now()
		p.send(strings.Repeat("x", 100)) // nobody reads a pipe, so nothing of it is taken
		<-p.Done()
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("closed after %v", d)
		}
		p.mustClose(t, engineio.ReasonSlow, engineio.ErrStalled)
	})
}

func TestDoneIsClosedWithTheSession(t *testing.T) {
	h := open(t, engineio.Config{})
	_, p := h.poll()
	early := p.Done()
	p.Close(engineio.ReasonForced)
	select {
	case <-early:
		t.Error("done although the client was not told")
	default:
	}
	h.cut()
	receive(t, early, "the end")
	receive(t, p.Done(), "the end, asked for later")
	if got := p.Transport(); got != engineio.Polling {
		t.Errorf("transport %q", got)
	}
}

// A client that stalled and caught up is served as before.
func TestStallThatEndedLeavesNoDeadline(t *testing.T) {
	const stall = 200 * time.Millisecond
	h := open(t, engineio.Config{StallTimeout: stall})
	c, p := h.connect()
	sent := fill(t, p, group(strings.Repeat("x", 10_000)))
	for range sent {
		c.read()
	}
	receive(t, p.drained, "Drained")
	time.Sleep(2 * stall) // past the deadline of the stalled write
	p.send("later")
	if got := c.read(); got != "4later" {
		t.Errorf("got %q", got)
	}
}

// overTLS returns h as it is reached over TLS.
func overTLS(t *testing.T, h *testServer) *testServer {
	server := httptest.NewTLSServer(h.server)
	t.Cleanup(server.Close)
	encrypted := &testServer{t: t, server: h.server, peers: h.peers, base: strings.Replace(server.URL, "https", "http", 1) + "/"}
	encrypted.dialer = &websocket.Dialer{NetDialContext: func(_ context.Context, network, addr string) (net.Conn, error) {
		return tls.Dial(network, addr, server.Client().Transport.(*http.Transport).TLSClientConfig)
	}}
	return encrypted
}

// TLS says goodbye to a client before it closes, for which one that reads nothing cannot be
// waited for: whoever sent to it waited too. The goodbye takes five seconds; a busy machine
// needs as long now and then, so one quiet moment is enough.
func TestNobodyWaitsForTheGoodbyeOfTLS(t *testing.T) {
	for begun := time.Now(); ; {
		took := stalledOverTLS(t)
		if took <= 4*time.Second {
			return
		}
		if time.Since(begun) > patience {
			t.Fatalf("its session was locked for %s", took)
		}
	}
}

// stalledOverTLS sends to a client that reads nothing until it is closed, and gives how long
// that took.
func stalledOverTLS(t *testing.T) time.Duration {
	h := open(t, engineio.Config{StallTimeout: 300 * time.Millisecond})
	c, p := overTLS(t, h).connect()
	_ = c.NetConn().(*tls.Conn).NetConn().(*net.TCPConn).SetReadBuffer(4 << 10) // or the goodbye finds room
	began := time.Now()
	p.send(strings.Repeat("x", 32<<20)) // more than both ends of the connection take
	p.mustClose(t, engineio.ReasonSlow, engineio.ErrStalled)
	return time.Since(began)
}

func TestOverTLS(t *testing.T) {
	encrypted := overTLS(t, open(t, engineio.Config{}, echoing))
	c, p := encrypted.connect()
	for _, text := range []string{"4hello", "4" + strings.Repeat("x", 500_000)} {
		c.write(text)
		if got := c.read(); got != text {
			t.Errorf("sent %d bytes, got %d", len(text), len(got))
		}
	}
	if !p.Handshake().Secure {
		t.Error("the handshake does not say so")
	}
	p.Close(engineio.ReasonForced)
	if code := c.code(); code != 1000 {
		t.Errorf("closed with %d", code)
	}
}

func TestEmptyGroupSendsNothing(t *testing.T) {
	h := open(t, engineio.Config{})
	c, onWebSocket := h.connect()
	query, onPolling := h.poll()
	for _, p := range []*peer{onWebSocket, onPolling} {
		p.Send(engineio.NewGroup())
		if !p.TrySend(engineio.NewGroup()) {
			t.Error("refused")
		}
		p.send("after")
	}
	if got := c.read(); got != "4after" {
		t.Errorf("websocket got %q", got)
	}
	if got := h.get(query); got != "4after" {
		t.Errorf("polling got %q", got)
	}
}
