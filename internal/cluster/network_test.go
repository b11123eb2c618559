package cluster

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A network is one in memory, for tests with testing/synctest.
type network struct {
	mu        sync.Mutex
	listeners map[string]*pipeListener
	dials     map[string]int
}

func newNetwork() *network {
	return &network{listeners: make(map[string]*pipeListener), dials: make(map[string]int)}
}

func (n *network) listen(addr string) net.Listener {
	l := &pipeListener{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listeners[addr] = l
	return l
}

// dial implements forwarding.connect. An address with the port 9 answers nothing at all.
func (n *network) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[addr]
	n.dials[addr]++
	n.mu.Unlock()
	if _, port, _ := net.SplitHostPort(addr); port == "9" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if l == nil {
		return nil, syscall.ECONNREFUSED
	}
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.closed:
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *network) dialled(addr string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials[addr]
}

type pipeListener struct {
	addr   string
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr(l.addr) }

type pipeAddr string

func (pipeAddr) Network() string  { return "pipe" }
func (a pipeAddr) String() string { return string(a) }

// A node is a process that serves HTTP on a network.
type node struct {
	*process
	url    string
	places map[string]int // connections that each client has to other processes
	shared int            // calls of Routing.Trust
	mu     sync.Mutex
}

// clientAddress is the address of every client, as middleware.RealIP sets it.
const clientAddress = "203.0.113.9:4711"

// serve starts a process that serves own at addr, until the test ends.
func serve(t *testing.T, n *network, f *fakeTable, addr string, own http.HandlerFunc) *node {
	t.Helper()
	t.Cleanup(func() { time.Sleep(ownerTimeout) }) // libraries end dialling and closing later
	o := Options{URL: "http://" + addr}
	f.connect = n.dial
	node := &node{process: join(t, f, o), url: o.URL, places: make(map[string]int)}
	node.serveOn(t, n.listen(addr), own)
	return node
}

func (n *node) serveOn(t *testing.T, ln net.Listener, own http.HandlerFunc) {
	inner := n.Forward(Routing{
		MaxBody: 1000, Take: n.take, Unavailable: unavailable,
		Trust: func(*http.Request) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.shared++
		},
	}, own)
	realIP := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = clientAddress
		inner.ServeHTTP(w, r)
	})
	server := &http.Server{Handler: n.Receive(inner, realIP), IdleTimeout: 30 * time.Second, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })
}

// maxPlaces is how many connections to other processes a client may have.
const maxPlaces = 3

func (n *node) take(r *http.Request) (release func(), ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	client := hostOf(r.RemoteAddr)
	if n.places[client] == maxPlaces {
		return nil, false
	}
	n.places[client]++
	return sync.OnceFunc(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.places[client]--
	}), true
}

func (n *node) taken() (places int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, count := range n.places {
		places += count
	}
	return places
}

func unavailable(w http.ResponseWriter, _ *http.Request, why string, _ time.Duration) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte(why))
}

// client returns a client on the network.
func (n *network) client(t *testing.T) *http.Client {
	transport := &http.Transport{DialContext: n.dial}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 2 * time.Minute}
}

// sidOf returns the path and query of a request of a session of a process.
func sidOf(n *node, rest string) string {
	return "/socket.io/?EIO=4&transport=polling&sid=" + url.QueryEscape(n.id+"-the_rest_is_random"+rest)
}
