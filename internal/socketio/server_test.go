package socketio

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"expenseflow/internal/engineio"
	"expenseflow/internal/socketio/socketiotest"
	"expenseflow/internal/testneed"
)

// serve starts a server on real connections.
func serve(t *testing.T, cfg Config) (*Server, string) {
	t.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.Engine.CloseTimeout = 300 * time.Millisecond // nobody polls at the end of a test
	s := New(cfg)
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		h.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return s, h.URL
}

// A peer is a client of one transport that speaks in Socket.IO packets, and in binary
// messages as "<hex>".
type peer struct{ *socketiotest.Client }

func dialWebSocket(t *testing.T, url string) peer { return dial(t, url, socketiotest.Options{}) }

func dialPolling(t *testing.T, url string) peer {
	return dial(t, url, socketiotest.Options{Polling: true})
}

func dial(t *testing.T, url string, o socketiotest.Options) peer {
	t.Helper()
	o.Patience = 30 * time.Second
	c, err := socketiotest.Dial(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	p := peer{c}
	t.Cleanup(p.leave)
	return p
}

// send sends a packet; hear tells if the connection is closed.
func (p peer) send(packet string) {
	var data []byte
	if _, err := fmt.Sscanf(packet, "<%x>", &data); err == nil {
		_ = p.Send(socketiotest.Binary(data))
		return
	}
	_ = p.Send("4" + packet)
}

// hear is the next packet, "" when the connection has ended.
func (p peer) hear() string {
	for {
		packet, err := p.Receive()
		if err != nil {
			return ""
		}
		if text, ok := strings.CutPrefix(packet, "4"); ok {
			return text
		}
		if data, ok := socketiotest.Bytes(packet); ok {
			return fmt.Sprintf("<%x>", data)
		}
	}
}

func (p peer) leave() { _ = p.Close() }

var transports = map[string]func(*testing.T, string) peer{"websocket": dialWebSocket, "polling": dialPolling}

// onBoth runs a test over both transports.
func onBoth(t *testing.T, cfg Config, setup func(*Server), fn func(t *testing.T, s *Server, p peer)) {
	for name, dial := range transports {
		t.Run(name, func(t *testing.T) {
			s, url := serve(t, cfg)
			setup(s)
			fn(t, s, dial(t, url))
		})
	}
}

// conversation is the official suite's server.
func conversation(s *Server) {
	for _, name := range []string{"/", "/custom"} {
		s.Of(name).OnConnect(sendAuthBack)
	}
	echoing(s.Of("/"))
}

// expectHear compares the next packets; one that ends in "*" is a prefix.
func expectHear(t *testing.T, p peer, want ...string) {
	t.Helper()
	for _, w := range want {
		got := p.hear()
		prefix, open := strings.CutSuffix(w, "*")
		if got != w && (!open || !strings.HasPrefix(got, prefix)) {
			t.Fatalf("heard %q, want %q", got, w)
		}
	}
}

func TestConversationOverRealTransports(t *testing.T) {
	onBoth(t, Config{}, conversation, func(t *testing.T, _ *Server, p peer) {
		p.send(`0{"token":"123"}`)
		expectHear(t, p, `0{"sid":"*`, `2["auth",{"token":"123"}]`)
		p.send(`0/custom,`)
		expectHear(t, p, `0/custom,{"sid":"*`, `2/custom,["auth",{}]`)
		p.send(`1/custom`)
		p.send(`2["message",1,"2",{"3":[true]}]`)
		expectHear(t, p, `2["message-back",1,"2",{"3":[true]}]`)
		for _, m := range []string{
			`52-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, `<010203>`, `<040506>`,
		} {
			p.send(m)
		}
		expectHear(t, p, `52-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, `<010203>`, `<040506>`)
		p.send(`2456["message-with-ack",1,"2",{"3":[false]}]`)
		expectHear(t, p, `3456[1,"2",{"3":[false]}]`)
		p.send(`51-789["message-with-ack",{"_placeholder":true,"num":0}]`)
		p.send(`<0a>`)
		expectHear(t, p, `61-789[{"_placeholder":true,"num":0}]`, `<0a>`)
		p.send(`0/random`)
		expectHear(t, p, `4/random,{"message":"Invalid namespace"}`)
	})
}

func TestMalformedPacketClosesRealTransports(t *testing.T) {
	for _, packet := range []string{`abc`, `2{}`, `2abc["message-with-ack"]`, `<00>`, `0`} {
		onBoth(t, Config{}, conversation, func(t *testing.T, _ *Server, p peer) {
			p.send(`0`)
			expectHear(t, p, `0{"sid":"*`, `2["auth",{}]`)
			p.send(packet)
			expectHear(t, p, ``)
		})
	}
}

func TestSilentConnectionIsClosedOnRealTransports(t *testing.T) {
	onBoth(t, Config{ConnectTimeout: 50 * time.Millisecond}, conversation, func(t *testing.T, _ *Server, p peer) {
		expectHear(t, p, ``)
	})
}

func TestShutdownClosesTransportsWithoutADisconnect(t *testing.T) {
	reasons := make(chan string, 1)
	listen := func(s *Server) {
		s.Of("/").OnConnect(func(s *Socket) { s.OnDisconnect(func(reason string) { reasons <- reason }) })
	}
	onBoth(t, Config{}, listen, func(t *testing.T, s *Server, p peer) {
		p.send(`0`)
		expectHear(t, p, `0{"sid":"*`)
		_ = s.Of("/").Emit("last")
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(t.Context()) }()
		expectHear(t, p, `2["last"]`, ``)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if reason := <-reasons; reason != "server shutting down" {
			t.Errorf("reason %q", reason)
		}
	})
}

func TestRequestsOutsideThePathAreNotFound(t *testing.T) {
	_, url := serve(t, Config{Path: "ws", ServeClient: true})
	for path, want := range map[string]int{
		"/": 404, "/socket.io/?EIO=4&transport=polling": 404, "/ws": 404,
		"/ws/?EIO=4&transport=polling": 200, "/ws/socket.io.js": 200, "/ws/nothing.js": 400,
	} {
		if got := get(t, url+path, nil).StatusCode; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

// get is a GET without the client's own compression.
func get(t *testing.T, url string, header http.Header) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// TestStormLeavesNoGhost connects and closes while rooms are joined, broadcasts
// are sent and sockets are ended, and then looks for what was forgotten. Every
// CONNECT of a client that stays is answered, and its join counts.
func TestStormLeavesNoGhost(t *testing.T) {
	rounds := 2500 // of 40 connections: 100,000
	if testneed.Race || testing.Short() {
		rounds = 100
	}
	s := New(Config{Logger: slog.New(slog.DiscardHandler)})
	n := s.Of("/")
	n.Use(func(_ context.Context, s *Socket) error { return s.Join("guards") })
	var opened, ended atomic.Int64
	n.OnConnect(func(s *Socket) {
		opened.Add(1)
		_ = s.Join("room", "room:"+s.ID())
		s.OnDisconnect(func(string) { ended.Add(1) })
	})
	stop := make(chan struct{})
	var noise sync.WaitGroup
	noise.Go(func() { broadcastUntil(stop, n) })
	for range rounds {
		stormRound(t, s)
	}
	close(stop)
	noise.Wait()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n.len() != 0 || len(n.roomNames()) != 0 || opened.Load() != ended.Load() {
		t.Errorf("%d sockets, rooms %q; %d opened, %d ended", n.len(), n.roomNames(), opened.Load(), ended.Load())
	}
}

func broadcastUntil(stop chan struct{}, n *Namespace) {
	for {
		select {
		case <-stop:
			return
		default:
			_ = n.To("room").Emit("noise")
			time.Sleep(time.Millisecond)
		}
	}
}

// stormRound opens 40 connections at once: some leave before they are answered,
// some after, some are ended by the server, and some stay to the end.
func stormRound(t *testing.T, s *Server) {
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			w := newTestClient(t, s)
			if i%4 == 0 {
				go w.drop()
			}
			w.send(`0`)
			if i%4 == 1 {
				w.drop()
			}
			if i%4 > 1 {
				expectMember(t, s, w, i%4 == 2)
			}
			w.drop()
			<-w.done
			w.closings.Wait()
		})
	}
	group.Wait()
}

// expectMember waits for the answer to CONNECT and for a broadcast to the room of
// that socket alone.
func expectMember(t *testing.T, s *Server, w *testClient, end bool) {
	var sid string
	until(t, "the answer to CONNECT", func() bool {
		sid = w.sid()
		return sid != ""
	})
	until(t, "the join", func() bool { return len(s.Of("/").To("room:"+sid).FetchSockets()) == 1 })
	if !w.has(`0{"sid"`) {
		t.Error("something came before the answer to CONNECT")
	}
	if end {
		for _, socket := range s.Of("/").To("room:" + sid).FetchSockets() {
			socket.Disconnect(false)
		}
	}
}

// until polls, since a storm has no clock of its own.
func until(t *testing.T, what string, ok func() bool) {
	for range 20_000 {
		if ok() {
			return
		}
		time.Sleep(500 * time.Microsecond)
	}
	t.Errorf("%s never came", what)
}

// sid is the id in the answer to CONNECT, "" before it.
func (w *testClient) sid() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.sent {
		if rest, ok := strings.CutPrefix(m, `0{"sid":"`); ok {
			return strings.TrimSuffix(rest, `"}`)
		}
	}
	return ""
}

// has tells whether the first packet begins with prefix.
func (w *testClient) has(prefix string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.sent) > 0 && strings.HasPrefix(w.sent[0], prefix)
}

var _ session = (*engineio.Session)(nil)

// A broadcast that begins when a client has the answer to its CONNECT reaches it. There is
// no synctest bubble here, since the broadcast waits for a lock meanwhile.
func TestBroadcastReachesWhoeverKnowsItIsConnected(t *testing.T) {
	s := New(Config{Logger: slog.New(slog.DiscardHandler)})
	w := newTestClient(t, s)
	var others sync.WaitGroup
	w.onSend = func() {
		w.onSend = nil
		others.Go(func() { _ = s.Of("/").Emit("news") })
		time.Sleep(10 * time.Millisecond) // enough for it to miss the client
	}
	w.send(`0`)
	others.Wait()
	if got := w.taken(); len(got) != 2 || got[1] != `2["news"]` {
		t.Errorf("client heard %q", got)
	}
	w.drop()
	w.closings.Wait()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// taken returns what was sent.
func (w *testClient) taken() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sent)
}
