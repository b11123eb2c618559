// Package faultproxy is the network between clients and a program, for tests that break
// it: a TCP proxy that can be down, cut connections, be silent or slow, lose answers, and
// cut a WebSocket exactly behind one frame.
package faultproxy

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what a Proxy looks at on the way. A Proxy whose Options are zero carries
// bytes and understands none of them.
type Options struct {
	// Request is shown each HTTP request before the server gets it, its body included,
	// and reports whether the answer is to be lost: the server answers, and the client's
	// connection is reset instead.
	Request func(r *http.Request, body []byte) (lose bool)

	// Answer is asked when the server has said something, and reports whether that is to
	// be lost, as of Request.
	Answer func() (lose bool)

	// Frame is shown the payload of each frame that the server sends over a WebSocket, and
	// reports whether the connection is to be cut behind it.
	Frame func(payload []byte) (cut bool)

	// Unanswered is told of a connection that ended before the server had said anything.
	Unanswered func()
}

// A Proxy listens on a loopback port of its own. Its methods may be called concurrently.
type Proxy struct {
	o    Options
	ln   net.Listener
	rate atomic.Int64 // bytes a second towards the client; 0 is as fast as it goes
	done sync.WaitGroup

	mu      sync.Mutex
	to      string // host:port
	conns   map[*connection]struct{}
	carries chan struct{} // closed unless the proxy is silent
	down    bool
	ended   bool
}

// A connection is one that goes through.
type connection struct {
	client, server *net.TCPConn
	lost           atomic.Bool // the next answer is to be lost
}

// Start makes a proxy in front of the server at to, host:port. Close ends it.
func Start(to string, o Options) (*Proxy, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{o: o, to: to, ln: ln, conns: make(map[*connection]struct{}), carries: make(chan struct{})}
	close(p.carries)
	p.done.Go(p.accept)
	return p, nil
}

// URL is where the proxy listens, http://host:port.
func (p *Proxy) URL() string { return "http://" + p.Addr() }

// Addr is where the proxy listens, host:port.
func (p *Proxy) Addr() string { return p.ln.Addr().String() }

// SetTarget has every new connection go to another server, host:port. Those that are
// open stay: see Cut.
func (p *Proxy) SetTarget(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = to
}

// SetSilent has every connection carry nothing in either direction, as a network that
// drops all packets: neither side is told, and what they say arrives when the proxy
// speaks again.
func (p *Proxy) SetSilent(silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := true
	select {
	case <-p.carries:
		is = false
	default:
	}
	switch {
	case silent && !is:
		p.carries = make(chan struct{})
	case !silent && is:
		close(p.carries)
	}
}

// awaitSpeech returns when the proxy is not silent.
func (p *Proxy) awaitSpeech() {
	p.mu.Lock()
	carries := p.carries
	p.mu.Unlock()
	<-carries
}

// SetDown has every new connection reset. Those that are open stay: see Cut.
func (p *Proxy) SetDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// SetRate bounds how many bytes a second each connection carries to its client; 0 is no
// bound.
func (p *Proxy) SetRate(bytes int64) { p.rate.Store(bytes) }

// Cut resets every connection, on both sides, and returns how many there were.
func (p *Proxy) Cut() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		reset(c.client)
		reset(c.server)
	}
	return len(p.conns)
}

// Len is how many connections are open.
func (p *Proxy) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// Close cuts everything; when it returns, nothing of the proxy runs any more.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	_ = p.ln.Close()
	p.Cut()
	p.SetSilent(false)
	p.done.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.done.Go(func() { p.serve(client.(*net.TCPConn)) })
	}
}

// serve carries one connection until either side ends it.
func (p *Proxy) serve(client *net.TCPConn) {
	c, err := p.open(client)
	if err != nil {
		reset(client)
		return
	}
	var requests sync.WaitGroup
	requests.Go(func() {
		p.carryRequests(c)
		_ = c.server.Close()
	})
	p.carryAnswers(c)
	_ = c.client.Close()
	_ = c.server.Close()
	requests.Wait()
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
}

var errDown = errors.New("the proxy is down")

func (p *Proxy) open(client *net.TCPConn) (*connection, error) {
	p.mu.Lock()
	to := p.to
	p.mu.Unlock()
	server, err := net.DialTimeout("tcp4", to, dialPatience)
	if err != nil {
		return nil, err
	}
	c := &connection{client: client, server: server.(*net.TCPConn)}
	_ = c.server.SetReadBuffer(kernelBuffer)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down || p.ended {
		reset(c.server)
		return nil, errDown
	}
	p.conns[c] = struct{}{}
	return c, nil
}

const (
	dialPatience = time.Minute

	// kernelBuffer bounds what the proxy itself holds, so that what a slow one has not
	// carried is soon with the server. (A buffer that is made smaller later keeps TCP slow
	// for good.)
	kernelBuffer = 64 << 10

	// fastChunk is how much is read at a time, and slowTime how long a slow proxy takes
	// for what it reads at a time.
	fastChunk = 32 << 10
	slowTime  = 50 * time.Millisecond
)

// reset closes a connection as a broken line does.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// carryAnswers carries what the server says.
func (p *Proxy) carryAnswers(c *connection) {
	if p.o.Frame != nil && !p.carryFrames(c) {
		return
	}
	buf := make([]byte, fastChunk)
	for answered := false; ; answered = true {
		rate := p.rate.Load()
		n, err := c.server.Read(buf[:chunk(rate)])
		if n > 0 && p.loses(c) {
			reset(c.client)
			return
		}
		if n == 0 && !answered && p.o.Unanswered != nil {
			p.o.Unanswered()
		}
		if rate > 0 {
			time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
		}
		p.awaitSpeech()
		if _, broken := c.client.Write(buf[:n]); err != nil || broken != nil {
			return
		}
	}
}

// chunk is how much may be read at a time.
func chunk(rate int64) int64 {
	if rate == 0 {
		return fastChunk
	}
	return min(fastChunk, max(1, rate*int64(slowTime)/int64(time.Second)))
}

// loses reports whether what the server said is one to be lost. The server has said it:
// it believes that the client knows.
func (p *Proxy) loses(c *connection) bool {
	return c.lost.Load() || p.o.Answer != nil && p.o.Answer()
}

// carryRequests carries what the client says.
func (p *Proxy) carryRequests(c *connection) {
	if p.o.Request != nil && !p.showRequests(c) {
		return
	}
	_, _ = io.Copy(speaking{p, c.server}, c.client)
}

// speaking writes while the proxy is not silent.
type speaking struct {
	p  *Proxy
	to io.Writer
}

// Write implements io.Writer.
func (s speaking) Write(b []byte) (int, error) {
	s.p.awaitSpeech()
	return s.to.Write(b)
}
