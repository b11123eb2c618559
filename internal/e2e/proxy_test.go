package e2e

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"

	"expenseflow/internal/e2e/faultproxy"
)

// A proxy stands between devices and a program, as the network does. It keeps what goes
// through to the API, can lose an answer, cut a line behind an event, be slow and be
// down.
type proxy struct {
	*faultproxy.Proxy

	mu       sync.Mutex
	requests []request
	lose     func(*http.Request) bool // reports whose answers never arrive; nil loses none
	cut      []byte                   // begins the frame behind which a line is to be cut
	left     int                      // such frames before the cut; 0 cuts nothing
}

// A request is one API request as the proxy saw it.
type request struct {
	Method string
	Path   string // with the query
	Header http.Header
	Body   string
}

// startProxy returns a proxy in front of p.
func startProxy(t *testing.T, p *program) *proxy {
	t.Helper()
	x := &proxy{}
	x.start(t, p, faultproxy.Options{Request: x.sees})
	return x
}

// startFrameCutter returns a proxy for WebSockets alone, which can cut a line exactly
// behind one event, whatever has arrived with it.
func startFrameCutter(t *testing.T, p *program) *proxy {
	t.Helper()
	x := &proxy{}
	x.start(t, p, faultproxy.Options{Frame: x.cutsBehind})
	return x
}

// startLine returns a proxy that looks at nothing.
func startLine(t *testing.T, p *program) *proxy {
	t.Helper()
	x := &proxy{}
	x.start(t, p, faultproxy.Options{})
	return x
}

func (x *proxy) start(t *testing.T, p *program, o faultproxy.Options) {
	t.Helper()
	var err error
	if x.Proxy, err = faultproxy.Start(strings.TrimPrefix(p.url(), "http://"), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
}

// goDown refuses every connection and cuts those that are open.
func (x *proxy) goDown() {
	x.SetDown(true)
	x.Cut()
}

func (x *proxy) goUp() { x.SetDown(false) }

// loseAnswers lets requests of this method and path reach the program whose answers are
// then lost; path "" ends it.
func (x *proxy) loseAnswers(method, path string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lose = nil
	if path != "" {
		x.lose = func(r *http.Request) bool { return r.Method == method && r.URL.Path == path }
	}
}

// cutBehind cuts the next line on which the n-th event of this name arrives.
func (x *proxy) cutBehind(event string, n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cut, x.left = []byte(`42["`+event+`"`), n
}

// seen returns the API requests so far.
func (x *proxy) seen() []request {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.requests[:len(x.requests):len(x.requests)]
}

// sees keeps a request to the API, and reports whether its answer is to be lost.
func (x *proxy) sees(r *http.Request, body []byte) (lose bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/api/") {
		x.requests = append(x.requests, request{r.Method, r.URL.RequestURI(), r.Header.Clone(), string(body)})
	}
	return x.lose != nil && x.lose(r)
}

// cutsBehind reports whether the line is to be cut behind this frame.
func (x *proxy) cutsBehind(frame []byte) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.left == 0 || !bytes.HasPrefix(frame, x.cut) {
		return false
	}
	x.left--
	return x.left == 0
}
