package middleware

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// forwarded are the headers by which proxies tell whom they speak for.
var forwarded = []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip", "Forwarded"}

// RealIP puts the client's address into RemoteAddr: of a trusted proxy's
// X-Forwarded-For the last address that is no trusted proxy's. What anybody
// else says about addresses is deleted, so that nothing behind can believe it.
// It wraps no ResponseWriter, so WebSockets pass.
func RealIP(trusted []netip.Prefix, log *slog.Logger) func(http.Handler) http.Handler {
	var warned sync.Once
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if within(trusted, clientIP(r)) {
				believe(trusted, r)
			} else {
				distrust(r, func() {
					warned.Do(func() {
						log.Warn("a peer sends X-Forwarded-For and is not in TRUSTED_PROXIES: if it is your proxy, all its visitors count as one",
							slog.String("peer", clientIP(r).String()))
					})
				})
			}
			next.ServeHTTP(w, r)
		})
	}
}

// believe walks X-Forwarded-For from the right, where our own proxies write.
func believe(trusted []netip.Prefix, r *http.Request) {
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		ip, err := parseHop(hops[i])
		if err != nil {
			return
		}
		r.RemoteAddr = net.JoinHostPort(ip.String(), "0")
		if !within(trusted, ip) {
			return
		}
	}
}

// parseHop reads an address, with or without a port.
func parseHop(s string) (netip.Addr, error) {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap(), nil
	}
	ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return ip.Unmap().WithZone(""), err
}

func distrust(r *http.Request, tell func()) {
	for _, name := range forwarded {
		if _, ok := r.Header[name]; ok {
			tell()
			r.Header.Del(name)
		}
	}
}

// clientIP is the address in RemoteAddr; the zero Addr if there is none.
func clientIP(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

func within(prefixes []netip.Prefix, ip netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
