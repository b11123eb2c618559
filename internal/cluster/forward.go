package cluster

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// ownerTimeout is how long the owner of a session may take to show that it lives: to
	// accept a connection, and then to answer, or to say that it holds the request.
	ownerTimeout = 5 * time.Second
	// bodyTimeout is how long a forwarded body may take to arrive: as long as the default
	// heartbeat of a session waits for a client.
	bodyTimeout = 45 * time.Second
	// stallTimeout is how long a client may take nothing of its answer.
	stallTimeout = 10 * time.Second
	// idleTimeout is how long a connection between processes is kept for the next request,
	// less than the server at its other end keeps it.
	idleTimeout = 15 * time.Second
	// retryAfter is when a client may try again that could not be forwarded.
	retryAfter = time.Second

	idlePerProcess = 64       // connections that wait for the next request
	copyBytes      = 16 << 10 // of an answer or a tunnel that are passed on at once
	maxAnswerHead  = 64 << 10
)

// The bounds of a query that is looked at. Package engineio answers larger ones itself.
const (
	maxQueryBytes = 2 << 10
	maxQueryNames = 32
)

// maxHost is how many bytes of a host are forwarded: more than any name has, and so few that
// the header of a forward stays below maxForwardHeader.
const maxHost = 1 << 10

// The texts of 503 answers.
const (
	textUnreachable = "The server of this session cannot be reached"
	textTooMany     = "Too many forwarded requests, of this address or in all"
	textMisdirected = "The server of this session is elsewhere"
)

var (
	errSilent = errors.New("the process does not answer")
	errGone   = errors.New("the process is dead")
	errEnding = errors.New("this process ends")
)

// Routing is how forwards fit into a server.
type Routing struct {
	// MaxBody bounds the body of a forwarded request in bytes.
	MaxBody int64

	// Take counts one connection to another process for the client of r. It returns false
	// if there are too many, of the client or in all; otherwise release is called once.
	// nil: no bound.
	Take func(r *http.Request) (release func(), ok bool)

	// Trust is called for a request that another process has forwarded: its connection
	// carries many clients. nil does nothing.
	Trust func(r *http.Request)

	// Unavailable answers with 503.
	Unavailable func(w http.ResponseWriter, r *http.Request, why string, retryAfter time.Duration)
}

// forwarding is what a Cluster needs to forward.
type forwarding struct {
	c         *Cluster
	routing   Routing
	transport *http.Transport
	number    atomic.Uint64 // of the last forward

	// ending ends when nothing is to be forwarded any more.
	ending context.Context
	end    context.CancelFunc

	connect func(ctx context.Context, network, addr string) (net.Conn, error) // net.Dialer's, but for tests

	mu      sync.Mutex
	stopped bool
	tunnels map[*tunnel]struct{}
	open    sync.WaitGroup // goroutines of tunnels; nothing is added once stopped is set
}

func (f *forwarding) init(c *Cluster) {
	f.c, f.tunnels, f.connect = c, make(map[*tunnel]struct{}), new(net.Dialer).DialContext
	f.ending, f.end = context.WithCancel(context.Background())
	f.transport = &http.Transport{
		DialContext: f.dialPlain, DialTLSContext: f.dialTLS, DisableCompression: true,
		MaxIdleConnsPerHost: idlePerProcess, IdleConnTimeout: idleTimeout,
		ExpectContinueTimeout: ownerTimeout, MaxResponseHeaderBytes: maxAnswerHead,
	}
}

// Forward returns a handler that forwards requests with the session id of another living
// process to it, and leaves all others to next.
func (c *Cluster) Forward(routing Routing, next http.Handler) http.Handler {
	if c == nil {
		return next
	}
	c.forward.routing = routing
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		owner := c.owner(r)
		if owner == nil {
			next.ServeHTTP(w, r)
			return
		}
		c.forward.serve(w, r, owner)
	})
}

// owner returns the process to which r is to be forwarded; nil if this one serves it.
func (c *Cluster) owner(r *http.Request) *peer {
	if isForward(r) || len(r.Host) > maxHost || r.Method != http.MethodGet && r.Method != http.MethodPost {
		return nil
	}
	id := ownerID(r.URL)
	if id == "" || id == c.id {
		return nil
	}
	return c.peer(r.Context(), id)
}

// ownerID returns the id of the process in a request's session id; "" if there is none.
func ownerID(u *url.URL) string {
	if len(u.RawQuery) > maxQueryBytes || strings.Count(u.RawQuery, "&") >= maxQueryNames {
		return ""
	}
	sid := u.Query()["sid"]
	if len(sid) == 0 {
		return ""
	}
	last := sid[len(sid)-1]
	if len(last) <= IDLength || strings.ContainsFunc(last[:IDLength], notIDCharacter) {
		return ""
	}
	return last[:IDLength]
}

func notIDCharacter(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
}

// serve forwards r to its owner.
func (f *forwarding) serve(w http.ResponseWriter, r *http.Request, owner *peer) {
	release, ok := f.take(r)
	switch {
	case !ok:
		f.c.stats.refused.Add(1)
		f.routing.Unavailable(w, r, textTooMany, retryAfter)
		return
	case owner.unreachable():
		release()
		f.fail(w, r, owner, errSilent)
		return
	case isUpgrade(r):
		f.tunnel(w, r, owner, release) // releases when the tunnel ends
		return
	}
	defer release()
	f.roundTrip(w, r, owner)
}

func (f *forwarding) take(r *http.Request) (release func(), ok bool) {
	if f.routing.Take == nil {
		return func() {}, true
	}
	return f.routing.Take(r)
}

// fail answers a request that could not be forwarded.
func (f *forwarding) fail(w http.ResponseWriter, r *http.Request, owner *peer, err error) {
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	f.c.stats.failed.Add(1)
	if errors.Is(err, errSilent) {
		owner.suspect()
	}
	f.c.log.DebugContext(r.Context(), "a request cannot be forwarded", slog.String("process", owner.id),
		slog.String("url", owner.url), slog.Any("error", err))
	f.routing.Unavailable(w, r, textUnreachable, retryAfter)
}

// roundTrip forwards a request that is answered, and passes the answer on as it comes.
func (f *forwarding) roundTrip(w http.ResponseWriter, r *http.Request, owner *peer) {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer context.AfterFunc(owner.gone, func() { cancel(errGone) })()
	defer context.AfterFunc(f.ending, func() { cancel(errEnding) })()
	silent := time.AfterFunc(ownerTimeout, func() { cancel(errSilent) })
	defer silent.Stop()

	out := f.request(watchFor1xx(ctx, silent), r, owner)
	body := f.forwardBody(w, r, out)
	res, err := f.transport.RoundTrip(out)
	if err != nil {
		body.leave(w)
		f.fail(w, r, owner, causeOf(ctx, err))
		return
	}
	defer res.Body.Close()
	silent.Stop()
	body.leave(w)
	f.c.stats.forwarded.Add(1)
	copyAnswer(w, res)
}

// causeOf returns why ctx was cancelled, or else err as a sign that the process is silent.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return errors.Join(errSilent, err)
}

// request returns r as it is sent to its owner, without a body.
func (f *forwarding) request(ctx context.Context, r *http.Request, owner *peer) *http.Request {
	target := &url.URL{
		Scheme: owner.address.scheme, Host: owner.address.host,
		Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery,
	}
	out := &http.Request{
		Method: r.Method, URL: target, Host: r.Host, Header: r.Header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: emptyBody{},
	}
	removeHopByHop(out.Header)
	if _, named := out.Header["User-Agent"]; !named {
		out.Header.Set("User-Agent", "") // else the library names itself
	}
	said := forward{
		to: owner.id, from: f.c.id, number: f.number.Add(1),
		client: hostOf(r.RemoteAddr), scheme: schemeOf(r), host: r.Host,
	}
	out.Header.Set(forwardHeader, f.c.keys.sign(said, r.Method, target.RequestURI()))
	return out.WithContext(ctx)
}

// emptyBody is a body without content. With it, unlike with none, the library does not send
// a request again whose answer it did not get: its packets could have been taken.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }

func hostOf(remoteAddr string) string {
	host, _, err := net.SplitHostPort(remoteAddr)
	if err != nil {
		return remoteAddr
	}
	return host
}

// schemeOf returns the scheme by which the client reached this server or the trusted proxy
// before it (package middleware deletes the headers of others).
func schemeOf(r *http.Request) string {
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	if first = strings.ToLower(strings.TrimSpace(first)); first == "http" || first == "https" {
		return first
	}
	if r.TLS != nil {
		return "https"
	}
	return "" // plain here, but a proxy that is not trusted may have ended TLS
}

// hopByHop are the headers that concern one connection (RFC 9110 section 7.6.1), and Expect,
// which this process answers itself.
var hopByHop = []string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect",
}

func removeHopByHop(h http.Header) {
	for _, named := range h["Connection"] {
		for name := range strings.SplitSeq(named, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		h.Del(name)
	}
}

// copyAnswer passes an answer on in parts, of which the client must take each within
// stallTimeout. An answer that breaks off breaks the client's connection off too.
func copyAnswer(w http.ResponseWriter, res *http.Response) {
	removeHopByHop(res.Header)
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	deadlines := http.NewResponseController(w)
	buf := copyBuffers.Get().(*copyBuffer)
	defer copyBuffers.Put(buf)
	for {
		n, err := res.Body.Read(buf[:])
		_ = deadlines.SetWriteDeadline(time.Now().Add(stallTimeout))
		if _, wrong := w.Write(buf[:n]); wrong != nil {
			panic(http.ErrAbortHandler)
		}
		switch {
		case errors.Is(err, io.EOF):
			_ = deadlines.Flush()
			_ = deadlines.SetWriteDeadline(time.Time{})
			return
		case err != nil:
			panic(http.ErrAbortHandler)
		}
	}
}

type copyBuffer [copyBytes]byte

var copyBuffers = sync.Pool{New: func() any { return new(copyBuffer) }}

// isUpgrade reports whether r asks for the WebSocket protocol.
func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && hasToken(r.Header["Connection"], "upgrade") && hasToken(r.Header["Upgrade"], "websocket")
}

// hasToken reports whether a comma-separated header has a token.
func hasToken(values []string, token string) bool {
	return slices.ContainsFunc(values, func(v string) bool {
		for t := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
		return false
	})
}
