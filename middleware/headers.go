package middleware

import (
	"net"
	"net/http"
	"strings"
)

// responsePolicy is the Content-Security-Policy of responses that are not pages. It forbids
// to load anything and to show the response in a frame.
const responsePolicy = "default-src 'none'; frame-ancestors 'none'"

// hstsYear makes browsers use HTTPS for a year. It does not include subdomains, which may
// belong to others.
const hstsYear = "max-age=31536000"

// SecurityHeaders sets the security headers of every response. It does so before the
// handler runs, so that handlers of pages can replace them. It must run after RealIP,
// which removes untrusted X-Forwarded-Proto. It does not wrap the ResponseWriter, so
// WebSockets work.
func SecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("X-Frame-Options", "SAMEORIGIN")
		h.Set("Content-Security-Policy", responsePolicy)
		if isHTTPS(r) && !isLocalhost(r.Host) {
			h.Set("Strict-Transport-Security", hstsYear)
		}
		next.ServeHTTP(w, r)
	})
}

// isHTTPS reports whether the browser's request was made by HTTPS, to this server or to a
// trusted proxy.
func isHTTPS(r *http.Request) bool {
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return r.TLS != nil || strings.EqualFold(strings.TrimSpace(first), "https")
}

// isLocalhost reports whether host is localhost. With HSTS browsers would use HTTPS for
// all of its ports, on which other programs may speak plain HTTP.
func isLocalhost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
