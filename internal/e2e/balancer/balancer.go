// Package balancer is a load balancer for tests and programs that drive several
// processes: it sends every request, WebSockets and polls of one session among them, to
// a process chosen at random. Like the ones that people use it asks each process for
// /readyz and leaves out those that do not say yes; if none does, it asks all.
package balancer

import (
	"context"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// A Balancer listens on a loopback port of its own. Its methods may be called
// concurrently.
type Balancer struct {
	http    http.Server
	addr    string
	targets []*target
	stop    context.CancelFunc
	running sync.WaitGroup
}

// A target is one process.
type target struct {
	addr    string // host:port
	ready   atomic.Bool
	carried atomic.Int64
}

// How health is watched: a process that fails twice is left out, one that passes is
// asked again.
const (
	checkInterval = 250 * time.Millisecond
	checkTimeout  = time.Second
	checkFailures = 2
)

// Start makes a balancer in front of the processes at these addresses, host:port. Close
// ends it.
func Start(addrs ...string) (*Balancer, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	b := &Balancer{addr: ln.Addr().String(), stop: stop}
	for _, addr := range addrs {
		t := &target{addr: addr}
		t.ready.Store(true)
		b.targets = append(b.targets, t)
		b.running.Go(func() { t.watch(ctx) })
	}
	b.http = http.Server{Handler: b.proxy(), BaseContext: func(net.Listener) context.Context { return ctx }, ErrorLog: silent}
	b.running.Go(func() { _ = b.http.Serve(ln) })
	return b, nil
}

// Addr is where the balancer listens, host:port.
func (b *Balancer) Addr() string { return b.addr }

// URL is where the balancer listens, http://host:port.
func (b *Balancer) URL() string { return "http://" + b.addr }

// Pick is the address of a process chosen at random, host:port, for clients that connect
// by themselves.
func (b *Balancer) Pick() string { return b.order()[0].addr }

// Carried is how many requests each process was given, in the order of Start.
func (b *Balancer) Carried() []int64 {
	counts := make([]int64, len(b.targets))
	for i, t := range b.targets {
		counts[i] = t.carried.Load()
	}
	return counts
}

// Close ends every connection; when it returns, nothing of the balancer runs any more.
func (b *Balancer) Close() {
	b.stop()
	_ = b.http.Close()
	b.running.Wait()
}

var silent = log.New(io.Discard, "", 0)

// proxy returns the handler. A request that breaks is answered by a connection that
// breaks, as it would be without a balancer.
func (b *Balancer) proxy() http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "processes"})
			r.SetXForwarded()
			r.Out.Host = r.In.Host
		},
		// Each request has a connection of its own, and each connection goes anywhere.
		Transport:     &http.Transport{DialContext: b.dial, DisableKeepAlives: true, DisableCompression: true},
		FlushInterval: -1,
		ErrorLog:      silent,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
}

var errNobody = errors.New("no process accepts connections")

// dial connects to a process that is ready, and to the next if it refuses.
func (b *Balancer) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var dialer net.Dialer
	for _, t := range b.order() {
		conn, err := dialer.DialContext(ctx, "tcp4", t.addr)
		if err == nil {
			t.carried.Add(1)
			return conn, nil
		}
	}
	return nil, errNobody
}

// order is all processes in random order, those that are ready first.
func (b *Balancer) order() []*target {
	var ready, others []*target
	for _, i := range rand.Perm(len(b.targets)) {
		if t := b.targets[i]; t.ready.Load() {
			ready = append(ready, t)
		} else {
			others = append(others, t)
		}
	}
	return append(ready, others...)
}

// watch asks for /readyz until ctx ends.
func (t *target) watch(ctx context.Context) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: checkTimeout}
	tick := time.NewTicker(checkInterval)
	defer tick.Stop()
	for failures := 0; ; {
		if t.answers(ctx, client) {
			failures = 0
		} else {
			failures++
		}
		t.ready.Store(failures < checkFailures)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (t *target) answers(ctx context.Context, client *http.Client) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.addr+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode == http.StatusOK
}
