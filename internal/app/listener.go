package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"expenseflow/internal/config"
	"expenseflow/internal/fair"
)

const (
	// connectionShare is how much of the descriptors that the process may open is for
	// connections of clients; the rest is for the database and for files.
	connectionShare = 0.8
	// fewConnections are too few to say that one address has nearly all.
	fewConnections = 200
	// complainEvery is how often trouble with connections is logged.
	complainEvery = time.Minute
)

// A listener accepts connections that are divided fairly by address, and closes at once
// those beyond. It says why, once a minute.
type listener struct {
	net.Listener
	places  *fair.Pool
	proxies config.Prefixes
	log     *slog.Logger

	refused, failed complaint
	proxy           sync.Once
	serial          atomic.Int64
}

// limitConnections bounds ln to so many connections; 0 is no limit.
func limitConnections(ln net.Listener, most int, proxies config.Prefixes, log *slog.Logger) net.Listener {
	if most <= 0 {
		return ln
	}
	return &listener{Listener: ln, places: fair.New(fair.Options{Capacity: int64(most)}), proxies: proxies, log: log}
}

// maxConnections is the setting, or else what the limit of descriptors leaves room for.
func maxConnections(cfg *config.Config) int {
	if cfg.MaxTCPConnections != 0 {
		return max(0, cfg.MaxTCPConnections)
	}
	return int(connectionShare * float64(descriptors()))
}

// Accept returns the next connection that has a place.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				l.failed.tell(l.log, slog.LevelError, "connections cannot be accepted", slog.Any("error", err))
			}
			return nil, err
		}
		key := l.key(conn.RemoteAddr())
		if l.places.Try(key, 1) {
			l.noteProxy(key)
			return &placed{Conn: conn, leave: sync.OnceFunc(func() { l.places.Release(key, 1) })}, nil
		}
		l.refuse(conn, key)
	}
}

// key is whom a connection counts for: its address, and itself alone if it is a trusted
// proxy's, which brings everybody's.
func (l *listener) key(a net.Addr) string {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return a.String()
	}
	ip := ap.Addr().Unmap().WithZone("")
	for _, p := range l.proxies {
		if p.Contains(ip) {
			return "proxy " + time.Duration(l.serial.Add(1)).String()
		}
	}
	if p, err := ip.Prefix(64); err == nil && ip.Is6() {
		return p.String()
	}
	return ip.String()
}

// refuse closes a connection without a goodbye, which is what costs least.
func (l *listener) refuse(conn net.Conn, key string) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
	mine, all := l.places.Use(key)
	l.refused.tell(l.log, slog.LevelWarn, "connections are refused: see MAX_TCP_CONNECTIONS",
		slog.String("ip", key), slog.Int64("of_this_address", mine), slog.Int64("of_all", all))
}

// noteProxy says once that one address has nearly all connections.
func (l *listener) noteProxy(key string) {
	if mine, all := l.places.Use(key); all >= fewConnections && mine*10 > all*9 {
		l.proxy.Do(func() {
			l.log.Warn("one address has over 90 % of the connections: if it is your proxy, name it in TRUSTED_PROXIES, or all its visitors count as one",
				slog.String("ip", key), slog.Int64("connections", mine))
		})
	}
}

// A placed is a connection that gives its place back when it is closed.
type placed struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (c *placed) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// A complaint is logged once a minute at most.
type complaint struct {
	mu   sync.Mutex
	next time.Time
}

func (c *complaint) tell(log *slog.Logger, level slog.Level, msg string, attrs ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); !now.Before(c.next) {
		c.next = now.Add(complainEvery)
		log.Log(context.Background(), level, msg, attrs...)
	}
}
