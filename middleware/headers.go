package middleware

import (
	"net"
	"net/http"
	"strings"
)

// answerPolicy is the Content-Security-Policy of every answer that is no page: a
// browser that shows one loads nothing for it and frames it nowhere.
const answerPolicy = "default-src 'none'; frame-ancestors 'none'"

// hstsYear keeps browsers on HTTPS for a year. It speaks for this host alone: who
// owns the names below it is not for this server to say.
const hstsYear = "max-age=31536000"

// SecurityHeaders marks every answer, whoever gives it. They are set before the
// handler runs, so that whoever serves pages can put the page's own policy in
// their place. It goes behind RealIP, which says whose X-Forwarded-Proto counts.
// It wraps no ResponseWriter, so WebSockets pass.
func SecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("X-Frame-Options", "SAMEORIGIN")
		h.Set("Content-Security-Policy", answerPolicy)
		if secure(r) && !local(r.Host) {
			h.Set("Strict-Transport-Security", hstsYear)
		}
		next.ServeHTTP(w, r)
	})
}

// secure reports whether the browser's request came by HTTPS, to us or to a proxy
// that we trust.
func secure(r *http.Request) bool {
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return r.TLS != nil || strings.EqualFold(strings.TrimSpace(first), "https")
}

// local reports whether host is this machine's own name. Browsers would keep to
// HTTPS on all of its ports, where other programs speak plain HTTP.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
