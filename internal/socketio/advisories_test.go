package socketio

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/engineio"
	"expenseflow/internal/socketio/socketiotest"
)

// One test for each advisory that the file SECURITY.md of socketio/socket.io lists
// for the server and what it is made of, in the order of that file, and one that
// came later. Each does to this server what was done to that one, and then checks
// that another client is served as if nothing had happened.

// underAttack is a server with a client that must not be affected by the test.
type underAttack struct {
	*Server
	t         *testing.T
	url       string
	addr      string
	bystander peer
}

func startUnderAttack(t *testing.T, cfg Config) *underAttack {
	t.Helper()
	s, url := serve(t, cfg)
	conversation(s)
	b := &underAttack{Server: s, t: t, url: url, addr: strings.TrimPrefix(url, "http://"), bystander: dialWebSocket(t, url)}
	b.bystander.send(`0`)
	expectHear(t, b.bystander, `0{"sid":"*`, `2["auth",{}]`)
	t.Cleanup(b.checkBystander)
	return b
}

// checkBystander checks that the bystander client, and a new one, are served.
func (b *underAttack) checkBystander() {
	b.bystander.send(`21["message-with-ack","still there"]`)
	expectHear(b.t, b.bystander, `31["still there"]`)
	fresh := dialWebSocket(b.t, b.url)
	fresh.send(`0`)
	expectHear(b.t, fresh, `0{"sid":"*`)
}

// raw opens a TCP connection and sends lines of a request.
func (b *underAttack) raw(lines ...string) *net.TCPConn {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(conn, strings.Join(append(lines, "", ""), "\r\n"))
	return conn.(*net.TCPConn)
}

// handshake are the lines of a WebSocket handshake.
func handshake(extra ...string) []string {
	return append([]string{
		"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1", "Host: test", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, extra...)
}

// status is the status of the answer on conn.
func (b *underAttack) status(conn net.Conn) int {
	b.t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// rawWebSocket opens a WebSocket whose frames the test writes itself.
func (b *underAttack) rawWebSocket() (*net.TCPConn, *bufio.Reader) {
	b.t.Helper()
	conn := b.raw(handshake()...)
	r := bufio.NewReader(conn)
	if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		b.t.Fatalf("handshake: %v, %v", res, err)
	}
	if _, open := readFrame(b.t, r); len(open) == 0 || open[0] != '0' {
		b.t.Fatalf("first frame %q", open)
	}
	return conn, r
}

// shortFrame is a client's frame of at most 125 bytes, masked with zeros so that its
// payload is readable.
func shortFrame(first byte, payload string) []byte {
	return append([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

// readFrame reads a server's frame.
func readFrame(t *testing.T, r *bufio.Reader) (first byte, payload []byte) {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatalf("read frame: %v", err)
	}
	n := int(head[1])
	if n == 126 {
		size := make([]byte, 2)
		if _, err := io.ReadFull(r, size); err != nil {
			t.Fatal(err)
		}
		n = int(binary.BigEndian.Uint16(size))
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		t.Fatal(err)
	}
	return head[0], payload
}

// isClosed waits for the end of a connection.
func isClosed(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := io.Copy(io.Discard, conn)
	return err == nil || !strings.Contains(err.Error(), "timeout")
}

// GHSA-qv2v-m59f-v5fw, CVE-2017-16031: socket ids came from a weak source and could
// be guessed.
func TestAdvisoryInsecureRandomness(t *testing.T) {
	b := startUnderAttack(t, Config{})
	seen := map[string]bool{}
	var spread [20]map[byte]bool
	for range 5000 {
		id := newSocket(&client{server: b.Server}, b.Of("/"), nil).ID()
		if len(id) != 20 || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
		for i := range spread {
			if spread[i] == nil {
				spread[i] = map[byte]bool{}
			}
			spread[i][id[i]] = true
		}
	}
	for i, values := range spread { // of 64
		if len(values) < 60 {
			t.Errorf("character %d takes %d values", i, len(values))
		}
	}
}

// GHSA-fxwf-4rqh-v8g3, CVE-2020-28481: pages of any origin were allowed by default.
func TestAdvisoryCORSMisconfiguration(t *testing.T) {
	b := startUnderAttack(t, Config{ServeClient: true})
	for _, path := range []string{"/socket.io/?EIO=4&transport=polling", "/socket.io/socket.io.js", "/socket.io/?EIO=4"} {
		res := get(t, b.url+path, http.Header{"Origin": {"https://evil.example"}})
		for name := range res.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: %s is %q", path, name, res.Header.Get(name))
			}
		}
	}
}

// GHSA-25hc-qcg6-38wj, CVE-2024-38355: an event named "error" that nobody listened
// to ended the process.
func TestAdvisoryUnhandledErrorEvent(t *testing.T) {
	b := startUnderAttack(t, Config{})
	p := dialWebSocket(t, b.url)
	p.send(`0`)
	expectHear(t, p, `0{"sid":"*`, `2["auth",{}]`)
	p.send(`2["error"]`)
	p.send(`2["message",1]`)
	expectHear(t, p, `2["message-back",1]`)
}

// GHSA-2mhh-w6q8-5hxw, CVE-2016-10518: the answer to a ping held memory that was
// never written.
func TestAdvisoryPongsEchoTheirPing(t *testing.T) {
	b := startUnderAttack(t, Config{})
	conn, r := b.rawWebSocket()
	for _, payload := range []string{"", "x", strings.Repeat("y", 125)} {
		_, _ = conn.Write(shortFrame(0x89, payload))
		if first, got := readFrame(t, r); first != 0x8a || string(got) != payload {
			t.Errorf("ping %q is answered by %x %q", payload, first, got)
		}
	}
}

// GHSA-6663-c963-2gqg, CVE-2016-10542: a large message was buffered whole.
func TestAdvisoryExcessivelyLargeMessage(t *testing.T) {
	b := startUnderAttack(t, Config{Engine: engineio.Config{MaxPayload: 10_000}})
	conn, _ := b.rawWebSocket()
	before := heapInUse()
	_, _ = conn.Write(binary.BigEndian.AppendUint64([]byte{0x81, 0x80 | 127}, 1<<40))
	_, _ = conn.Write(bytes.Repeat([]byte{0}, 20_000))
	if !isClosed(conn) {
		t.Error("the connection is open")
	}
	if grown := int64(heapInUse()) - int64(before); grown > 1<<20 {
		t.Errorf("%d bytes more are in use", grown)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// GHSA-5v72-xg48-5rpm: extensions named as properties of every JavaScript object
// ended the process.
func TestAdvisoryExtensionsHeader(t *testing.T) {
	b := startUnderAttack(t, Config{Engine: engineio.Config{PerMessageDeflate: true}})
	for _, header := range []string{
		"constructor", "__proto__; toString", "permessage-deflate; hasOwnProperty=1", ";;;,,,===",
		"permessage-deflate; client_max_window_bits=99",
		strings.Repeat("permessage-deflate; server_max_window_bits=\"1", 100),
	} {
		if status := b.status(b.raw(handshake("Sec-WebSocket-Extensions: " + header)...)); status != 101 && status != 400 {
			t.Errorf("%.60q: status %d", header, status)
		}
	}
}

// GHSA-j4f2-536g-r55m, CVE-2020-36048: a POST of any size was read into memory.
func TestAdvisoryLargePost(t *testing.T) {
	b := startUnderAttack(t, Config{Engine: engineio.Config{MaxPayload: 10_000}})
	p := dialPolling(t, b.url)
	before := heapInUse()
	err := p.Send("4" + strings.Repeat("a", 5_000_000))
	var refused *socketiotest.RefusedError
	if errors.As(err, &refused) && refused.Status != http.StatusRequestEntityTooLarge || err == nil {
		t.Error(err)
	}
	if grown := int64(heapInUse()) - int64(before); grown > 8<<20 { // the test's own copy is 5 MB
		t.Errorf("%d bytes more are in use", grown)
	}
}

// GHSA-xfhh-g9f5-x4m4, CVE-2020-36049: a packet was taken apart character by
// character, each time with a copy of the rest.
func TestAdvisoryParserTime(t *testing.T) {
	mega := 1_000_000
	start := time.Now()
	for _, packet := range []string{
		"2" + strings.Repeat("1", mega), "2/" + strings.Repeat("n", mega), "5" + strings.Repeat("1", mega),
		"51-" + strings.Repeat("1", mega),
		`2["a","` + strings.Repeat(`\\`, mega/2) + `"]`, `2["a"` + strings.Repeat(`,1`, mega/2) + `]`, `2` + strings.Repeat("[", mega),
		`2["a"` + strings.Repeat(`,{"a":[[]]}`, mega/11) + `]`,
	} {
		_, _ = decodeAll(testLimits, text(packet))
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("eight packets of a megabyte took %v", took)
	}
	startUnderAttack(t, Config{})
}

// GHSA-6fc8-4gx4-v693, CVE-2021-32640: white space in one header kept the process
// busy.
func TestAdvisoryProtocolHeader(t *testing.T) {
	b := startUnderAttack(t, Config{})
	start := time.Now()
	conn := b.raw(handshake("Sec-WebSocket-Protocol: a" + strings.Repeat(" ", 60_000) + "x")...)
	if status := b.status(conn); status != 101 && status != 400 {
		t.Errorf("status %d", status)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("the handshake took %v", took)
	}
}

// GHSA-273r-mgr4-v34f, CVE-2022-21676: an invalid frame right behind the handshake
// ended the process.
func TestAdvisoryInvalidFrameAfterHandshake(t *testing.T) {
	b := startUnderAttack(t, Config{})
	conn := b.raw(handshake()...)
	_, _ = conn.Write([]byte{0xb1, 0x80, 0, 0, 0, 0}) // RSV2 and RSV3 are set
	if !isClosed(conn) {
		t.Error("the connection is open")
	}
}

// GHSA-qm95-pgcg-qqfq, CVE-2022-2421: the number of a placeholder was not checked,
// so that a property of the list of attachments took an argument's place.
func TestAdvisoryAttachmentNumber(t *testing.T) {
	b := startUnderAttack(t, Config{})
	for _, num := range []string{`"splice"`, `"0"`, `{"toString":1}`, `-1`, `1`, `null`, `[0]`} {
		p := dialWebSocket(t, b.url)
		p.send(`0`)
		expectHear(t, p, `0{"sid":"*`, `2["auth",{}]`)
		p.send(`51-["message",{"_placeholder":true,"num":` + num + `}]`)
		p.send(`<00>`)
		expectHear(t, p, ``)
	}
}

// GHSA-r7qp-cfhv-p84w, CVE-2022-41940: a connection that was reset while another
// protocol was asked for ended the process.
func TestAdvisoryResetDuringUpgrade(t *testing.T) {
	b := startUnderAttack(t, Config{})
	for _, lines := range [][]string{
		handshake(),
		{
			"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1", "Host: test", "Connection: Upgrade, HTTP2-Settings",
			"Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__",
		},
		{"GET /socket.io/?EIO=4&transport=polling HTTP/1.1", "Host: test", "Connection: Upgrade", "Upgrade: websocket"},
	} {
		for range 100 {
			conn := b.raw(lines...)
			_ = conn.SetLinger(0)
			_ = conn.Close()
		}
	}
	until(t, "the end of what was reset", func() bool { return b.Engine().Len() == 1 })
}

// GHSA-q9mw-68c2-j6m5, CVE-2023-31125: parameters that no client sends ended the
// process.
func TestAdvisoryQueryParameters(t *testing.T) {
	b := startUnderAttack(t, Config{})
	for _, query := range []string{
		"EIO=4&transport=constructor", "EIO=4&transport=__proto__", "EIO=4&transport=webtransport", "EIO=4&transport=websocket",
		"EIO=4&transport=polling&sid=constructor", "EIO=4&transport=polling&sid=__proto__", "EIO=4&transport=toString&sid=",
		"EIO[]=4&transport[]=polling", "EIO=4&EIO=5&transport=polling", "%zz", "",
	} {
		if res := get(t, b.url+"/socket.io/?"+query, nil); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d", query, res.StatusCode)
		}
		lines := handshake()
		lines[0] = "GET /socket.io/?" + query + " HTTP/1.1"
		if status := b.status(b.raw(lines...)); status != 400 && status != 101 {
			t.Errorf("%s: WebSocket status %d", query, status)
		}
	}
}

// GHSA-cqmj-92xf-r6r9, CVE-2023-32695: an event whose name was an object ended the
// process.
func TestAdvisoryEventName(t *testing.T) {
	b := startUnderAttack(t, Config{})
	for _, payload := range []string{`[{"toString":"foo"}]`, `[["a"]]`, `[null]`, `[true]`, `[]`, `{}`} {
		p := dialWebSocket(t, b.url)
		p.send(`0`)
		expectHear(t, p, `0{"sid":"*`, `2["auth",{}]`)
		p.send(`2` + payload)
		expectHear(t, p, ``)
	}
}

// GHSA-3h5v-q93c-6h6q, CVE-2024-37890: more headers than the server keeps left out
// the one that it looked for without a check.
func TestAdvisoryManyHeaders(t *testing.T) {
	b := startUnderAttack(t, Config{})
	var many []string
	for i := range 3000 {
		many = append(many, fmt.Sprintf("X-%d: x", i))
	}
	lines := append([]string{"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1", "Host: test"}, many...)
	conn := b.raw(append(lines, handshake()[2:]...)...)
	if status := b.status(conn); status != 101 && status != 431 {
		t.Errorf("status %d", status)
	}
}

// GHSA-677m-j7p3-52f9, CVE-2026-33151: a packet could announce any number of
// attachments, which were kept until the last had come.
func TestAdvisoryUnboundedAttachments(t *testing.T) {
	b := startUnderAttack(t, Config{})
	for _, packet := range []string{`511-["a"]`, `510000-["a"]`, `5999999999999999999999-["a"]`, `611-1["a"]`} {
		p := dialWebSocket(t, b.url)
		p.send(`0`)
		expectHear(t, p, `0{"sid":"*`, `2["auth",{}]`)
		p.send(packet)
		expectHear(t, p, ``)
	}
}

// GHSA-58qx-3vcg-4xpx, CVE-2026-45736: a close frame held memory that was never
// written.
func TestAdvisoryCloseFrame(t *testing.T) {
	b := startUnderAttack(t, Config{})
	for _, reason := range []string{"", "\x03\xe8", "\x03\xe8" + strings.Repeat("z", 80)} {
		conn, r := b.rawWebSocket()
		_, _ = conn.Write(shortFrame(0x88, reason))
		rest, _ := io.ReadAll(r)
		if len(rest) == 0 {
			continue // it may also hang up
		}
		if first, payload := readFrame(t, bufio.NewReader(bytes.NewReader(rest))); first != 0x88 ||
			len(payload) > 2 && string(payload) != reason {
			t.Errorf("close %q is answered by %x %q", reason, first, payload)
		}
	}
}

// GHSA-96hv-2xvq-fx4p, CVE-2026-48779: a message in tiny fragments took many times
// its size.
func TestAdvisoryTinyFragments(t *testing.T) {
	b := startUnderAttack(t, Config{Engine: engineio.Config{MaxPayload: 100_000}})
	conn, _ := b.rawWebSocket()
	before := heapInUse()
	frames := shortFrame(0x01, "4")
	for range 90_000 {
		frames = append(frames, shortFrame(0x00, "x")...)
	}
	_, _ = conn.Write(frames)
	b.checkBystander()
	if grown := int64(heapInUse()) - int64(before) - int64(cap(frames)); grown > 2<<20 {
		t.Errorf("%d bytes more are in use for a message of 90 kB", grown)
	}
	runtime.KeepAlive(frames)
}

// CVE-2026-59725: POST requests with a binary body, which belong to revision 3 of
// Engine.IO, ended the process.
func TestAdvisoryBinaryPost(t *testing.T) {
	b := startUnderAttack(t, Config{})
	for _, body := range []string{"", "\x00", "\x00\xff", "\x01\x09\x09\xff4", strings.Repeat("\xff", 1000)} {
		p := dialPolling(t, b.url)
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, p.SessionURL(), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/octet-stream")
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
	}
}

// Attachments of a client without a socket are not kept: ten of a million bytes each could
// be sent before authentication.
func TestAttachmentsOfAStrangerAreNotKept(t *testing.T) {
	for _, messages := range [][]string{{`510-["a"]`}, {`610-1["a"]`}, {`0`, `510-/custom,["a"]`}} {
		withServer(t, Config{}, func(b *fixture) {
			b.Of("/custom")
			w := b.dial()
			w.send(messages...)
			w.expectClosed(reasonForcedServer)
		})
	}
}
