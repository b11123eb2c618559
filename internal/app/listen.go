package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// The limits of an HTTP connection. Request bodies, long answers and sockets have
// deadlines of their own (packages middleware, handlers and engineio); writeTimeout
// replaces with each request what one of those set.
const (
	headerTimeout  = 10 * time.Second
	idleTimeout    = 30 * time.Second
	writeTimeout   = 15 * time.Minute
	maxHeaderBytes = 12 << 10 // 16 KiB: net/http allows 4 KiB more
	maxStreams     = 100      // requests at a time of one HTTP/2 connection; RFC 9113 advises no less
)

// server makes the HTTP server, with TLS if there is a certificate.
func (a *App) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, WriteTimeout: writeTimeout,
		MaxHeaderBytes: maxHeaderBytes, ConnContext: withConn,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug), TLSConfig: a.tls, HTTP2: http2Limits(),
	}
}

// http2Limits bounds what one HTTP/2 connection may hold: without them the server would keep a
// megabyte of requests that nobody reads yet, and a megabyte for a frame. How many requests all
// connections have at a time is bounded by connectionLimit.
func http2Limits() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams: maxStreams, MaxReadFrameSize: 16 << 10, // the least that is allowed
		MaxReceiveBufferPerConnection: 64 << 10, MaxReceiveBufferPerStream: 64 << 10,
		WriteByteTimeout: idleTimeout,
	}
}

// listenForMetrics listens on METRICS_ADDR, if that is set.
func (a *App) listenForMetrics() (err error) {
	if a.cfg.MetricsAddr == "" {
		return nil
	}
	switch a.metricsLn, err = net.Listen(listenNetwork(a.cfg.MetricsAddr), a.cfg.MetricsAddr); {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("METRICS_ADDR=%s is in use: stop the program that listens there, or set it to another port",
			a.cfg.MetricsAddr)
	case err != nil:
		return fmt.Errorf("METRICS_ADDR=%s cannot be listened on: set it to an address of this machine and a port above 1023: %w",
			a.cfg.MetricsAddr, err)
	}
	return nil
}

// listenNetwork returns "tcp4" for an IPv4 address, and else "tcp". With "tcp", Go would
// listen for 0.0.0.0 on every IPv6 address too.
func listenNetwork(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
		return "tcp4"
	}
	return "tcp"
}

// listen listens on the port. The error says in one sentence what to do.
func listen(host string, port int) (net.Listener, error) {
	addr := net.JoinHostPort(host, strconv.Itoa(port))
	ln, err := net.Listen(listenNetwork(addr), addr)
	switch {
	case err == nil:
		return ln, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d is in use: stop the program that listens there, or set PORT to another", port)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("port %d may not be used by this user: set PORT to one above 1023", port)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("HOST=%s is no address of this machine: leave it empty to listen on all", host)
	}
	return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
}

// Addr returns the address on which the program listens, such as "127.0.0.1:3000".
func (a *App) Addr() string { return a.ln.Addr().String() }

// URL returns the address of the program for a browser on this machine, without the slash at
// its end.
func (a *App) URL() string {
	scheme := "http"
	if a.cfg.HTTPS() {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(a.Addr())
	if ip := net.ParseIP(host); a.cfg.Host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	if len(a.cfg.AutocertDomains) > 0 {
		host = a.cfg.AutocertDomains[0]
	}
	return scheme + "://" + net.JoinHostPort(host, port) + string(a.cfg.BasePath)
}
