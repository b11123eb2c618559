package cluster

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"expenseflow/internal/engineio"
)

// An echoServer is an Engine.IO server on a process of its own, which sends each message
// back.
type echoServer struct {
	*node
	engine *engineio.Server
	opened chan *engineio.Session
}

type echoReceiver struct{ s *engineio.Session }

func (e *echoServer) Open(s *engineio.Session) engineio.Receiver {
	e.opened <- s
	return echoReceiver{s}
}

func (r echoReceiver) Message(m engineio.Message)    { r.s.Send(engineio.NewGroup(m)) }
func (r echoReceiver) Drained()                      {}
func (r echoReceiver) Closed(engineio.Reason, error) {}

// serveEcho starts an echoServer on a real network.
func serveEcho(t testing.TB, f *fakeTable) *echoServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.connect = new(net.Dialer).DialContext
	e := &echoServer{opened: make(chan *engineio.Session, 10_000)}
	addr := ln.Addr().String()
	e.node = &node{process: join(t, f, Options{URL: "http://" + addr}), url: addr, places: map[string]int{}}
	e.engine = engineio.New(engineio.Config{IDPrefix: e.id}, e)
	inner := e.Forward(Routing{MaxBody: e.engine.MaxPayload(), Unavailable: e.engine.Unavailable}, e.engine)
	server := &http.Server{Handler: e.Receive(inner, inner)}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() {
		if err := e.engine.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		_ = server.Close()
	})
	return e
}

// handshake opens a polling session and returns its id.
func (e *echoServer) handshake(t testing.TB) (sid string) {
	t.Helper()
	res, err := http.Get("http://" + e.url + "/?EIO=4&transport=polling")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, sid, _ = strings.Cut(string(body), `"sid":"`)
	sid, _, _ = strings.Cut(sid, `"`)
	http.DefaultClient.CloseIdleConnections()
	return sid
}

// upgrade completes the upgrade of a session at a process.
func (e *echoServer) upgrade(t testing.TB, sid string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+e.url+"/?EIO=4&transport=websocket&sid="+sid, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	say(t, conn, "2probe")
	if got := hear(t, conn); got != "3probe" {
		t.Fatalf("answer to the probe: %q", got)
	}
	say(t, conn, "5")
	return conn
}

func say(t testing.TB, conn *websocket.Conn, text string) {
	t.Helper()
	if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func hear(t testing.TB, conn *websocket.Conn) string {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	_, text, err := conn.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not true in time: %s", what)
		}
	}
}

func TestAnUpgradeIsTunnelledToItsOwner(t *testing.T) {
	f := newFakeTable()
	a, b := serveEcho(t, f), serveEcho(t, f)
	sid := b.handshake(t)
	conn := a.upgrade(t, sid)
	for _, text := range []string{"4hello", "4" + strings.Repeat("large", 50_000)} {
		say(t, conn, text)
		if got := hear(t, conn); got != text {
			t.Errorf("%d bytes came back as %d", len(text), len(got))
		}
	}
	if n := a.Stats().Tunnels; n != 1 || b.Stats().Tunnels != 0 || len(a.opened) != 0 {
		t.Errorf("%d tunnels; the session has another owner", n)
	}

	s := <-b.opened
	s.Close("bye")
	if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("when the owner closes: %v", err)
	}
	_ = conn.Close()
	eventually(t, "the tunnel is gone", func() bool { return a.Stats().Tunnels == 0 })
}

func TestATunnelEndsWithItsClient(t *testing.T) {
	f := newFakeTable()
	a, b := serveEcho(t, f), serveEcho(t, f)
	conn := a.upgrade(t, b.handshake(t))
	s := <-b.opened
	_ = conn.UnderlyingConn().(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
	<-s.Done()
	eventually(t, "the tunnel is gone", func() bool { return a.Stats().Tunnels == 0 })
}

func TestTunnelsAreClosedOneByOneAndTogether(t *testing.T) {
	f := newFakeTable()
	a, b := serveEcho(t, f), serveEcho(t, f)
	conns := []*websocket.Conn{a.upgrade(t, b.handshake(t)), a.upgrade(t, b.handshake(t))}
	a.Tunnels()[0]()
	eventually(t, "one tunnel is gone", func() bool { return a.Stats().Tunnels == 1 })
	if err := a.StopForwarding(t.Context()); err != nil {
		t.Error(err)
	}
	for _, conn := range conns {
		if _, _, err := conn.ReadMessage(); err == nil {
			t.Error("a client does not notice")
		}
	}
	target := "ws://" + a.url + "/?EIO=4&transport=websocket&sid=" + b.handshake(t)
	if _, res, err := websocket.DefaultDialer.Dial(target, nil); err == nil ||
		res.StatusCode != 503 {
		t.Errorf("afterwards: %v, %v", res, err)
	}
}

func TestAWebSocketThatItsOwnerRefusesIsAnsweredByIt(t *testing.T) {
	f := newFakeTable()
	a, b := serveEcho(t, f), serveEcho(t, f)
	_, res, err := websocket.DefaultDialer.Dial("ws://"+a.url+"/?EIO=4&transport=websocket&sid="+b.id+"-is-no-session", nil)
	if err == nil || res.StatusCode != 400 {
		t.Fatalf("%v, %v", res, err)
	}
	body, _ := io.ReadAll(res.Body)
	if string(body) != "Session ID unknown" {
		t.Errorf("%s", body)
	}
	if a.Stats().Tunnels != 0 {
		t.Error("there is a tunnel")
	}
}

// What either side sends together with its handshake is passed on.
func TestWhatIsSentWithTheHandshakeIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", func(w http.ResponseWriter, _ *http.Request) {
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nearly words")
			line, _ := rw.ReadString('\n')
			_, _ = io.WriteString(conn, ", heard "+line)
		})
		conn, err := n.dial(t.Context(), "", "10.0.0.1:3000")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nat once\n",
			sidOf(b, ""))
		in := bufio.NewReader(conn)
		res, err := http.ReadResponse(in, nil)
		if err != nil || res.StatusCode != 101 || res.Header.Get("Upgrade") != "websocket" {
			t.Fatalf("%+v, %v", res, err)
		}
		if got, _ := io.ReadAll(in); string(got) != "early words, heard at once\n" {
			t.Errorf("%q", got)
		}
		synctest.Wait()
		if a.taken() != 0 {
			t.Errorf("%d places are still taken", a.taken())
		}
	})
}

func TestATunnelEndsWithItsOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", silentTunnel)
		conn := openTunnel(t, n, b)
		time.AfterFunc(time.Minute, b.kill) // the machine was unplugged
		began := time.Now()
		_, err := conn.Read(make([]byte, 1))
		if d := time.Since(began); err == nil || d < time.Minute || d > time.Minute+deadAfter+2*beatInterval {
			t.Errorf("%v after %v", err, d)
		}
		synctest.Wait()
		if a.Stats().Tunnels != 0 {
			t.Error("the tunnel is still there")
		}
	})
}

// A client that reads nothing holds a buffer for a bounded time.
func TestAStalledClientEndsItsTunnel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		var written atomic.Int64
		b := serve(t, n, f, "10.0.0.2:3000", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			defer conn.Close()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
			for {
				k, err := conn.Write(make([]byte, 1<<10))
				if err != nil {
					return
				}
				written.Add(int64(k))
			}
		})
		openTunnel(t, n, b)
		time.Sleep(clientStall + time.Second)
		if a.Stats().Tunnels != 0 || written.Load() > 100<<10 {
			t.Errorf("%+v after %d bytes", a.Stats(), written.Load())
		}
	})
}

// silentTunnel accepts a tunnel and sends nothing.
func silentTunnel(w http.ResponseWriter, _ *http.Request) {
	conn, _, _ := http.NewResponseController(w).Hijack()
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
	_, _ = io.Copy(io.Discard, conn)
}

// openTunnel opens a tunnel by way of 10.0.0.1:3000.
func openTunnel(t *testing.T, n *network, owner *node) net.Conn {
	t.Helper()
	conn, err := n.dial(t.Context(), "", "10.0.0.1:3000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, _ = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", sidOf(owner, ""))
	head := make([]byte, len("HTTP/1.1 101 Switching Protocols\r\n\r\n"))
	if _, err := io.ReadFull(conn, head); err != nil || !strings.Contains(string(head), " 101 ") {
		t.Fatalf("%q, %v", head, err)
	}
	return conn
}
