package middleware

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// forwarded lists the headers in which proxies send information about the client.
var forwarded = []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip", "Forwarded"}

// RealIP sets RemoteAddr to the client's address: the last address in X-Forwarded-For of a
// trusted proxy that is not a trusted proxy itself. It deletes the forwarding headers of
// all other peers, so that nothing behind it can use them. It does not wrap the
// ResponseWriter, so WebSockets work.
func RealIP(trusted []netip.Prefix, log *slog.Logger) func(http.Handler) http.Handler {
	var warned sync.Once
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if containsIP(trusted, clientIP(r)) {
				trustForwarded(trusted, r)
			} else {
				deleteForwarded(r, func() {
					warned.Do(func() {
						log.Warn(
							"a peer sends X-Forwarded-For and is not in TRUSTED_PROXIES: if it is your proxy, all its visitors count as one",
							slog.String("peer", clientIP(r).String()))
					})
				})
			}
			next.ServeHTTP(w, r)
		})
	}
}

// trustForwarded evaluates X-Forwarded-For from the right, where the trusted proxies
// append.
func trustForwarded(trusted []netip.Prefix, r *http.Request) {
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		ip, err := parseHop(hops[i])
		if err != nil {
			return
		}
		r.RemoteAddr = net.JoinHostPort(ip.String(), "0")
		if !containsIP(trusted, ip) {
			return
		}
	}
}

// parseHop parses an address with or without a port.
func parseHop(s string) (netip.Addr, error) {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap(), nil
	}
	ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return ip.Unmap().WithZone(""), err
}

// deleteForwarded deletes the forwarding headers and calls found if there are any.
func deleteForwarded(r *http.Request, found func()) {
	for _, name := range forwarded {
		if _, ok := r.Header[name]; ok {
			found()
			r.Header.Del(name)
		}
	}
}

// clientIP returns the address in RemoteAddr; the zero Addr if it is not an address.
func clientIP(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

func containsIP(prefixes []netip.Prefix, ip netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
