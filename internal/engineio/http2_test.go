package engineio_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/engineio"
)

// openHTTP2 starts a server that speaks HTTP/2, and a client that does.
func openHTTP2(t *testing.T, cfg engineio.Config) *testServer {
	h := &testServer{t: t, peers: make(chan *peer, 10)}
	h.server = engineio.New(cfg, h)
	web := httptest.NewUnstartedServer(http.HandlerFunc(h.serve))
	web.EnableHTTP2 = true
	web.StartTLS()
	h.base, h.client = web.URL+"/engine.io/", web.Client()
	t.Cleanup(func() {
		h.client.CloseIdleConnections()
		h.cut()
		web.Close()
	})
	return h
}

// The deadline of an answer is that of its stream: a client that does not take one is closed,
// and its other requests go on.
func TestAStreamOfHTTP2ThatIsNotReadIsClosed(t *testing.T) {
	h := openHTTP2(t, engineio.Config{StallTimeout: 300 * time.Millisecond, NoHTTPCompression: true})
	query, p := h.poll()
	p.send(strings.Repeat("x", 12<<20)) // a client's window is 4 MiB
	res, err := h.client.Get(h.base + "?" + query)
	if err != nil || res.ProtoMajor != 2 {
		t.Fatalf("%v, %v", res, err)
	}
	defer res.Body.Close()
	p.mustClose(t, engineio.ReasonTransportError, engineio.ErrPollGone)
	if got := h.do("GET", newPolling, ""); got.Status != http.StatusOK {
		t.Errorf("another request: %d", got.Status)
	}
}

// A body that is refused ends its stream, and not the connection with all other streams.
func TestABodyThatIsRefusedLeavesTheConnectionOfHTTP2(t *testing.T) {
	h := openHTTP2(t, engineio.Config{MaxPayload: 1000})
	query, p := h.poll()
	held := h.held(query)
	refused := h.do("POST", query, strings.Repeat("x", 100_000))
	if refused.Status != http.StatusRequestEntityTooLarge || refused.Header.Get("Connection") != "" {
		t.Errorf("%d %v", refused.Status, refused.Header)
	}
	receive(t, p.closed, "the close")
	if got := receive(t, held, "the poll"); got.Status != http.StatusOK || got.Body != "1" {
		t.Errorf("the poll that was held: %d %q", got.Status, got.Body)
	}
	reused := false
	trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }}
	h.do("GET", newPolling, "", func(r *http.Request) { *r = *r.WithContext(httptrace.WithClientTrace(r.Context(), trace)) })
	if !reused {
		t.Error("the next request needs another connection")
	}
}
