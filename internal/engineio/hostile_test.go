package engineio_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"expenseflow/internal/engineio"
)

// frame makes a client's frame, masked with zeros so that the payload is readable. Its
// header announces n bytes, whatever the length of payload.
func frame(first byte, n uint64, payload string) []byte {
	b := []byte{first, 0x80 | 127}
	b = binary.BigEndian.AppendUint64(b, n)
	b = append(b, 0, 0, 0, 0)
	return append(b, payload...)
}

// small makes a frame of at most 125 bytes.
func small(first byte, payload string) []byte {
	b := []byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}
	return append(b, payload...)
}

const (
	finText  = 0x81
	text     = 0x01
	more     = 0x00
	finMore  = 0x80
	finPing  = 0x89
	finBomb  = 0xc1 // text, compressed
	finOther = 0x83 // reserved opcode
)

// heap is the memory in use after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAnnouncedLengthAllocatesNothing(t *testing.T) {
	const clients = 50
	h := open(t, engineio.Config{MaxPayload: 100 << 20})
	liars := make([]*webSocketClient, clients)
	for i := range liars {
		liars[i], _ = h.connect()
	}
	before := heap()
	for _, c := range liars {
		_, _ = c.NetConn().Write(frame(finText, 100<<20, "4only this")) // of 100 MiB
	}
	time.Sleep(50 * time.Millisecond) // let it be read; reading less makes the test weaker, not wrong
	if grown := int64(heap()) - int64(before); grown > clients*64<<10 {
		t.Errorf("%d bytes for %d liars", grown, clients)
	}
}

func TestLengthsThatNoOneMayHave(t *testing.T) {
	for _, n := range []uint64{1_000_001, 1 << 40, 1 << 63, 1<<64 - 1} {
		h := open(t, engineio.Config{})
		c, p := h.connect()
		_, _ = c.NetConn().Write(frame(finText, n, "4x"))
		c.code()
		p.mustClose(t, engineio.ReasonTransportError, nil)
	}
}

func TestMessageOfOneByteFragments(t *testing.T) {
	const n = 100_000
	h := open(t, engineio.Config{})
	c, p := h.connect()
	var b bytes.Buffer
	b.Write(small(text, "4"))
	for range n {
		b.Write(small(more, "x"))
	}
	b.Write(small(finMore, ""))
	_, _ = c.NetConn().Write(b.Bytes())
	if got := receive(t, p.messages, "the message"); len(got.Data) != n {
		t.Errorf("%d bytes", len(got.Data))
	}
}

func TestFragmentsAreBoundedTogether(t *testing.T) {
	h := open(t, engineio.Config{MaxPayload: 1000})
	c, p := h.connect()
	_, _ = c.NetConn().Write(small(text, "4"))
	for range 100 {
		_, _ = c.NetConn().Write(small(more, strings.Repeat("x", 100)))
	}
	if code := c.code(); code != websocket.CloseMessageTooBig {
		t.Errorf("closed with %d", code)
	}
	p.mustClose(t, engineio.ReasonTransportError, nil)
}

func TestFramesAgainstTheRules(t *testing.T) {
	tests := map[string][]byte{
		"unmasked":              {finText, 1, '4'},
		"reserved bits":         small(0xf1, "4x"),
		"compressed unasked":    small(finBomb, "4x"),
		"reserved opcode":       small(finOther, "4x"),
		"continuation of none":  small(finMore, "4x"),
		"message in a message":  append(small(text, "4"), small(finText, "4x")...),
		"fragmented ping":       small(0x09, "x"),
		"long ping":             frame(finPing, 200, strings.Repeat("x", 200)),
		"close of one byte":     small(0x88, "x"),
		"close with wrong code": small(0x88, "\x03\xed"),
		"not WebSocket at all":  []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
	}
	for name, bytes := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, engineio.Config{})
			c, p := h.connect()
			_, _ = c.NetConn().Write(bytes)
			c.code()
			got := receive(t, p.closed, "the close")
			if got.Reason != engineio.ReasonTransportError && got.Reason != engineio.ReasonTransportClose {
				t.Errorf("closed with %q", got.Reason)
			}
		})
	}
}

// Pings of a client that does not read the pongs queue a bounded number of them.
func TestPingFloodIsNotReadWhilePongsPileUp(t *testing.T) {
	h := open(t, engineio.Config{StallTimeout: time.Second})
	before := heap()
	c, p := h.connect()
	ping := bytes.Repeat(small(finPing, strings.Repeat("x", 125)), 1000)
	_ = c.NetConn().SetWriteDeadline(time.Now().Add(patience))
	sent := 0
	for {
		n, err := c.NetConn().Write(ping)
		sent += n
		if err != nil {
			break
		}
	}
	if grown := int64(heap()) - int64(before); grown > 4<<20 {
		t.Errorf("%d bytes held after %d bytes of pings", grown, sent)
	}
	p.mustClose(t, engineio.ReasonSlow, engineio.ErrStalled)
}

func TestFrameFloodDelaysNobody(t *testing.T) {
	h := open(t, engineio.Config{}, func(p *peer) {
		p.onMessage = func(p *peer, m engineio.Message) {
			if len(m.Data) > 0 {
				echo(p, m)
			}
		}
	})
	stop := make(chan struct{})
	var flood sync.WaitGroup
	for range 3 {
		c, _ := h.connect()
		noise := bytes.Repeat(append(small(finText, "4"), small(finText, "6")...), 2000)
		flood.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = c.NetConn().Write(noise)
				}
			}
		})
	}
	c, _ := h.connect()
	var worst time.Duration
	for range 50 {
		start := time.Now()
		c.write("4x")
		c.read()
		worst = max(worst, time.Since(start))
	}
	close(stop)
	flood.Wait()
	if worst > 2*time.Second {
		t.Errorf("worst round trip %v", worst)
	}
}

// 64 KiB that decompress to 64 MiB is stopped at MaxPayload.
func TestCompressionBomb(t *testing.T) {
	h := open(t, engineio.Config{PerMessageDeflate: true})
	h.dialer.EnableCompression = true
	bomb := deflated(1 << 26)
	before := heap()
	c, p := h.connect()
	_, _ = c.NetConn().Write(frame(finBomb, uint64(len(bomb)), string(bomb)))
	if code := c.code(); code != websocket.CloseMessageTooBig {
		t.Errorf("closed with %d", code)
	}
	p.mustClose(t, engineio.ReasonTransportError, nil)
	if grown := int64(heap()) - int64(before); grown > 16<<20 {
		t.Errorf("%d bytes held", grown)
	}
}

// deflated is a message of n times "4" as permessage-deflate sends it.
func deflated(n int) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	block := bytes.Repeat([]byte("4"), 1<<16)
	for ; n > 0; n -= len(block) {
		_, _ = w.Write(block)
	}
	_ = w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

func TestRubbishCompressed(t *testing.T) {
	h := open(t, engineio.Config{PerMessageDeflate: true})
	h.dialer.EnableCompression = true
	c, p := h.connect()
	_, _ = c.NetConn().Write(small(finBomb, "\xff\xff\xff\xff"))
	c.code()
	got := receive(t, p.closed, "the close")
	if got.Err == nil {
		t.Errorf("closed with %v", got)
	}
}

// A body that does not arrive is waited for no longer than a heartbeat.
func TestSlowPostBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{})
		query, p := h.poll()
		c, _ := h.client.Transport.(*http.Transport).DialContext(t.Context(), "tcp", "pipe")
		defer c.Close()
		_, _ = fmt.Fprintf(c, "POST /engine.io/?%s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4", query)
		start := time.Now()
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if d := time.Since(start); err != nil || res.StatusCode != http.StatusBadRequest || d != 45*time.Second {
			t.Errorf("answered by %v (%v) after %v", res, err, d)
		}
		receive(t, p.closed, "the close")
	})
}

// The same for a request that is refused before its body is read.
func TestRefusedPostIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{})
		query, _ := h.poll()
		for _, request := range []string{
			"POST /?transport=polling&sid=unknown HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4",
			"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n4\r\n",
			"PUT /?" + query + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4",
			"POST /?" + query + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nContent-Type: application/octet-stream\r\n\r\n4",
		} {
			c, _ := h.client.Transport.(*http.Transport).DialContext(t.Context(), "tcp", "pipe")
			_, _ = io.WriteString(c, request)
			start := time.Now()
			answer, _ := io.ReadAll(c)
			if d := time.Since(start); d > 3*time.Second || !bytes.HasPrefix(answer, []byte("HTTP/1.1 40")) {
				t.Errorf("answered by %q after %v", answer, d)
			}
			_ = c.Close()
		}
	})
}

// The same for a request with a body where there must be none.
func TestBodyOfAGetIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{CORS: &engineio.CORS{}})
		query, p := h.poll()
		p.send("hello")
		for request, want := range map[string]string{"GET /?" + newPolling: "200", "GET /?" + query: "200", "OPTIONS /": "204"} {
			c, _ := h.client.Transport.(*http.Transport).DialContext(t.Context(), "tcp", "pipe")
			_ = c.SetReadDeadline(time.Now().Add(time.Hour))
			_, _ = io.WriteString(c, request+" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
			start := time.Now()
			answer, _ := io.ReadAll(c)
			if d := time.Since(start); d > 3*time.Second || !bytes.HasPrefix(answer, []byte("HTTP/1.1 "+want)) {
				t.Errorf("%s is answered by %q after %v", request, answer, d)
			}
			_ = c.Close()
		}
	})
}

func TestSilentWebSocketEndsWithItsHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openWithoutNetwork(t, engineio.Config{})
		c, p := h.connect()
		start := time.Now()
		_ = c.SetReadDeadline(time.Time{})
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				break
			}
		}
		if d := time.Since(start); d != 45*time.Second {
			t.Errorf("ended after %v", d)
		}
		p.mustClose(t, engineio.ReasonPingTimeout, nil)
	})
}

var visits = flag.Int("visits", 480, "how many short sessions a storm is")

// Many connections that open and close at once leave nothing behind, and each is closed.
//
//	go test -run Storm -visits 100000 ./internal/engineio
func TestStormOfConnectionsLeavesNothing(t *testing.T) {
	const workers = 8
	each := *visits / workers
	h := open(t, engineio.Config{}, echoing)
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for i := range each {
				h.visitRandomly((worker + i) % 6)
			}
		})
	}
	all.Wait()
	h.eventually("all sessions ended", func() bool { return h.server.Stats().Polling+h.server.Stats().WebSocket == 0 })
	s := h.server.Stats()
	if s.Opened != int64(workers*each) || s.Closed != s.Opened || h.server.Len() != 0 {
		t.Errorf("stats %+v, %d listed", s, h.server.Len())
	}
}

// visitRandomly opens a session and ends it, for each n in another way.
func (h *testServer) visitRandomly(n int) {
	if n < 3 {
		c := h.dial(newWebSocket)
		parseOpen(h.t, c.read())
		h.visitRandomlyByWebSocket(c, n)
		return
	}
	got, err := h.try(context.Background(), "GET", newPolling, "")
	if err != nil {
		h.t.Errorf("handshake: %v", err)
		return
	}
	query := newPolling + "&sid=" + parseOpen(h.t, got.Body).SID
	switch n {
	case 3:
		h.post(query, "1")
	case 4:
		h.post(query, "4x\x1e1")
	case 5:
		c := h.probe(query)
		c.write("5")
		c.write("4x")
		c.read()
		_ = c.Close()
	}
}

func (h *testServer) visitRandomlyByWebSocket(c *webSocketClient, n int) {
	switch n {
	case 0:
		_ = c.Close()
	case 1:
		c.write("1")
		c.code()
	case 2:
		c.write("4x")
		c.read()
		_ = c.NetConn().(*net.TCPConn).SetLinger(0) // reset
		_ = c.Close()
	}
}

// Closed is called once for a session that both sides close at the same time.
func TestClosesThatCrossComeOnce(t *testing.T) {
	h := open(t, engineio.Config{})
	for i := range 100 {
		c, p := h.connect()
		var both sync.WaitGroup
		both.Go(func() { p.Close(engineio.ReasonForced) })
		both.Go(func() { c.write("1") })
		both.Go(func() { p.send(fmt.Sprint(i)) })
		both.Wait()
		c.code()
		receive(t, p.closed, "the close")
		if len(p.closed) > 0 {
			t.Fatal("closed twice")
		}
	}
}
