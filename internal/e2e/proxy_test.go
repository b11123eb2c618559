package e2e

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A proxy stands between devices and a program, as the network does. It keeps
// what goes through to the API, can lose an answer and can be down.
type proxy struct {
	addr string
	to   *httputil.ReverseProxy

	mu       sync.Mutex
	server   *http.Server
	conns    map[net.Conn]struct{}
	requests []request
	lose     func(*http.Request) bool // tells whose answers never arrive; nil loses none
}

// A request is one API request as the proxy saw it.
type request struct {
	Method string
	Path   string // with the query
	Header http.Header
	Body   string
}

// startProxy gives a proxy in front of p.
func startProxy(t *testing.T, p *program) *proxy {
	t.Helper()
	target, err := url.Parse(p.url())
	if err != nil {
		t.Fatal(err)
	}
	x := &proxy{conns: make(map[net.Conn]struct{})}
	x.to = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     &http.Transport{},
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	x.up(t)
	t.Cleanup(func() {
		x.down()
		x.to.Transport.(*http.Transport).CloseIdleConnections()
	})
	return x
}

func (x *proxy) url() string { return "http://" + x.addr }

// up serves, at the same address as before.
func (x *proxy) up(t *testing.T) {
	t.Helper()
	addr := x.addr
	if addr == "" {
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	ln, err := net.Listen("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: x, ConnState: x.connState, ErrorLog: log.New(io.Discard, "", 0)}
	x.mu.Lock()
	x.addr, x.server = addr, server
	x.mu.Unlock()
	go func() { _ = server.Serve(ln) }()
}

// connState knows every open connection: a WebSocket's is the handler's own
// from its upgrade on, so http.Server.Close would leave it alone.
func (x *proxy) connState(c net.Conn, state http.ConnState) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch state {
	case http.StateNew:
		x.conns[c] = struct{}{}
	case http.StateClosed:
		delete(x.conns, c)
	}
}

// down refuses every connection and cuts those that are open.
func (x *proxy) down() {
	x.mu.Lock()
	server := x.server
	x.mu.Unlock()
	_ = server.Close() // waits for connState, so not under the lock
	x.mu.Lock()
	defer x.mu.Unlock()
	for c := range x.conns {
		_ = c.Close()
		delete(x.conns, c)
	}
}

// loseAnswers lets requests of this method and path reach the program whose
// answers are then lost; path "" ends it.
func (x *proxy) loseAnswers(method, path string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lose = nil
	if path != "" {
		x.lose = func(r *http.Request) bool { return r.Method == method && r.URL.Path == path }
	}
}

// seen gives the API requests so far.
func (x *proxy) seen() []request {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.requests[:len(x.requests):len(x.requests)]
}

// ServeHTTP forwards one request.
func (x *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.keep(r)
	x.mu.Lock()
	lost := x.lose != nil && x.lose(r)
	x.mu.Unlock()
	if !lost {
		x.to.ServeHTTP(w, r)
		return
	}
	x.to.ServeHTTP(&nowhere{header: make(http.Header)}, r)
	panic(http.ErrAbortHandler)
}

// keep remembers a request to the API, body included.
func (x *proxy) keep(r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	x.mu.Lock()
	defer x.mu.Unlock()
	x.requests = append(x.requests, request{r.Method, r.URL.RequestURI(), r.Header.Clone(), string(body)})
}

// nowhere takes an answer that nobody gets.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n *nowhere) WriteHeader(int)             {}
