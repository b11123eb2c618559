package app

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/config"
	"expenseflow/internal/engineio"
	"expenseflow/internal/fair"
	"expenseflow/middleware"
	"expenseflow/models"
)

const (
	// connectionShare is how much of the limit of open files is for connections of
	// clients; the rest is for the database and for files.
	connectionShare = 0.8
	// minConnectionsForWarning is how many connections there are before it is logged
	// that one address has nearly all of them.
	minConnectionsForWarning = 200
	// connectionLogInterval is how often trouble with connections is logged.
	connectionLogInterval = time.Minute
)

// A connectionLimit bounds the connections that the process has at a time, with clients
// and with other processes for clients, and shares them fairly among addresses. Requests of
// HTTP/2, of which a connection has many at a time, count as connections do. A nil
// *connectionLimit bounds nothing.
type connectionLimit struct {
	places  *fair.Pool
	proxies config.Prefixes
	log     *slog.Logger

	refused, failed throttledLog
	proxyWarning    sync.Once
	serial          atomic.Int64 // of connections that carry many clients
}

// newConnectionLimit bounds connections to most; 0 is no limit.
func newConnectionLimit(most int, proxies config.Prefixes, log *slog.Logger) *connectionLimit {
	if most <= 0 {
		return nil
	}
	return &connectionLimit{places: fair.New(fair.Options{Capacity: int64(most)}), proxies: proxies, log: log}
}

// maxConnections returns MAX_TCP_CONNECTIONS, or if that is not set what the limit of
// open files leaves room for.
func maxConnections(cfg *config.Config) int {
	if cfg.MaxTCPConnections != 0 {
		return max(0, cfg.MaxTCPConnections)
	}
	return int(connectionShare * float64(maxOpenFiles()))
}

// listener returns ln with the limit: it closes connections beyond it at once, and logs
// that once a minute.
func (l *connectionLimit) listener(ln net.Listener) net.Listener {
	if l == nil {
		return ln
	}
	return &limitedListener{ln, l}
}

// take takes a place for another connection that the client of r needs.
func (l *connectionLimit) take(r *http.Request) (release func(), ok bool) {
	if l == nil {
		return func() {}, true
	}
	key := middleware.Network(r)
	return sync.OnceFunc(func() { l.places.Release(key, 1) }), l.places.Try(key, 1)
}

// errTooManyRequests refuses a request of an HTTP/2 connection.
var errTooManyRequests = &models.Error{
	Kind: models.TooMany, Code: "REQUESTS_AT_ONCE", RetryAfter: time.Second, Setting: "MAX_TCP_CONNECTIONS",
	Msg: "Too many requests at a time, please try again",
}

// refusalTimeout bounds how long the client of a request that has no place takes to read that.
const refusalTimeout = 2 * time.Second

// noPlaceKey is the key in the context of a request that is to be refused.
type noPlaceKey struct{}

// streams has each request of an HTTP/2 connection, which has many at a time, take a place; one
// of HTTP/1.1 has that of its connection. The place is kept until the whole answer is on its
// way: net/http would send the end of it after the handler, and wait there for a client that
// opens no window. limitStreams and socketStreams refuse the requests that get none.
func (l *connectionLimit) streams(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l == nil || r.ProtoMajor < 2 {
			next.ServeHTTP(w, r)
			return
		}
		conn := http.NewResponseController(w)
		release, ok := l.take(r)
		if !ok {
			l.logRefused("requests are refused: see MAX_TCP_CONNECTIONS", middleware.Network(r))
			_ = conn.SetWriteDeadline(time.Now().Add(refusalTimeout))
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), noPlaceKey{}, true)))
			return
		}
		defer release()
		next.ServeHTTP(w, r)
		_ = conn.Flush()
	})
}

// hasNoPlace reports whether a request is to be refused.
func hasNoPlace(r *http.Request) bool { return r.Context().Value(noPlaceKey{}) != nil }

// limitStreams refuses requests that have no place.
func limitStreams(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if hasNoPlace(c.Request()) {
			return errTooManyRequests
		}
		return next(c)
	}
}

// socketStreams is limitStreams for the requests of sockets.
func socketStreams(engine *engineio.Server, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hasNoPlace(r) {
			engine.Unavailable(w, r, errTooManyRequests.Msg, errTooManyRequests.RetryAfter)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// A limitedListener is a listener with a connectionLimit.
type limitedListener struct {
	net.Listener
	limit *connectionLimit
}

// Accept returns the next connection for which there is room.
func (ln *limitedListener) Accept() (net.Conn, error) {
	l := ln.limit
	for {
		conn, err := ln.Listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				l.failed.log(l.log, slog.LevelError, "connections cannot be accepted", slog.Any("error", err))
			}
			return nil, err
		}
		key := l.key(conn.RemoteAddr())
		if l.places.Try(key, 1) {
			l.warnAboutProxy(key)
			return &countedConn{Conn: conn, limit: l, key: key}, nil
		}
		l.refuse(conn, key)
	}
}

// key returns what a connection is counted for: its address (of IPv6 the /64 network),
// or a key of its own if it comes from a trusted proxy, which has everybody's.
func (l *connectionLimit) key(a net.Addr) string {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return a.String()
	}
	ip := ap.Addr().Unmap().WithZone("")
	for _, p := range l.proxies {
		if p.Contains(ip) {
			return l.ownKey()
		}
	}
	if p, err := ip.Prefix(64); err == nil && ip.Is6() {
		return p.String()
	}
	return ip.String()
}

// ownKey returns the key of a connection that carries many clients.
func (l *connectionLimit) ownKey() string { return "proxy " + strconv.FormatInt(l.serial.Add(1), 10) }

// refuse resets a connection, which is the cheapest way to close it.
func (l *connectionLimit) refuse(conn net.Conn, key string) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
	l.logRefused("connections are refused: see MAX_TCP_CONNECTIONS", key)
}

func (l *connectionLimit) logRefused(msg, key string) {
	mine, all := l.places.Use(key)
	l.refused.log(l.log, slog.LevelWarn, msg,
		slog.String("ip", key), slog.Int64("of_this_address", mine), slog.Int64("of_all", all))
}

// warnAboutProxy logs once that one address has nearly all connections.
func (l *connectionLimit) warnAboutProxy(key string) {
	if mine, all := l.places.Use(key); all >= minConnectionsForWarning && mine*10 > all*9 {
		l.proxyWarning.Do(func() {
			l.log.Warn("one address has over 90 % of the connections: if it is your proxy, "+
				"name it in TRUSTED_PROXIES, or all its visitors count as one",
				slog.String("ip", key), slog.Int64("connections", mine))
		})
	}
}

// A countedConn is a connection that is counted until it is closed. It passes bytes on
// unchanged.
type countedConn struct {
	net.Conn
	limit *connectionLimit

	mu     sync.Mutex
	key    string // for whom it is counted; "" when it is closed
	shared bool   // it carries many clients
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.key != "" {
		c.limit.places.Release(c.key, 1)
		c.key = ""
	}
	return c.Conn.Close()
}

// share has the connection count for no address any more: it is of another process, whose
// clients are many.
func (c *countedConn) share() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shared || c.key == "" {
		return
	}
	if own := c.limit.ownKey(); c.limit.places.Try(own, 1) {
		c.limit.places.Release(c.key, 1)
		c.key, c.shared = own, true
	}
}

// Socket returns the connection's socket; nil if it has none.
func (c *countedConn) Socket() syscall.Conn {
	s, _ := c.Conn.(syscall.Conn)
	return s
}

// SetWriteBuffer sets the size of the kernel's send buffer.
func (c *countedConn) SetWriteBuffer(bytes int) error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.SetWriteBuffer(bytes)
	}
	return errors.ErrUnsupported
}

// CloseWrite says that nothing more is sent.
func (c *countedConn) CloseWrite() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.CloseWrite()
	}
	return errors.ErrUnsupported
}

// connKey is the key of a request's connection in its context.
type connKey struct{}

// withConn is http.Server.ConnContext.
func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// shareConnection has the connection of a request count for no address any more.
func shareConnection(r *http.Request) {
	conn := r.Context().Value(connKey{})
	if encrypted, ok := conn.(*tls.Conn); ok {
		conn = encrypted.NetConn()
	}
	if counted, ok := conn.(*countedConn); ok {
		counted.share()
	}
}

// A throttledLog logs a line at most once per connectionLogInterval. The zero
// throttledLog is ready. It may be used concurrently.
type throttledLog struct {
	mu   sync.Mutex
	next time.Time
}

func (t *throttledLog) log(log *slog.Logger, level slog.Level, msg string, attrs ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); !now.Before(t.next) {
		t.next = now.Add(connectionLogInterval)
		log.Log(context.Background(), level, msg, attrs...)
	}
}
