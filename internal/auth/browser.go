package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// The names of the cookie that tells one browser from all others. With TLS its name
// has the prefix which keeps other hosts of the same site from setting it.
const (
	browserCookie       = "expenseflow_browser"
	secureBrowserCookie = "__Host-" + browserCookie
)

// browserAge is how long a browser keeps its cookie: as long as browsers allow.
const browserAge = 400 * 24 * time.Hour

// Browser names the browser that sent these headers, "" if it did not say. The cookie
// is random, scripts cannot read it and no other site's pages send it; so two accounts
// with the same name acted in the same browser, which what a client calls its device
// never proves. It names a browser and opens nothing.
func Browser(h http.Header) string {
	r := http.Request{Header: h}
	for _, name := range []string{secureBrowserCookie, browserCookie} {
		if c, err := r.Cookie(name); err == nil && len(c.Value) == len(rand.Text()) {
			sum := sha256.Sum256([]byte(c.Value)) // so that the database does not hold what a browser would be known by
			return hex.EncodeToString(sum[:])
		}
	}
	return ""
}

// NewBrowserCookie makes the cookie of a browser that has none.
func NewBrowserCookie(secure bool) *http.Cookie {
	name := browserCookie
	if secure {
		name = secureBrowserCookie
	}
	return &http.Cookie{
		Name: name, Value: rand.Text(), Path: "/", MaxAge: int(browserAge.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: secure,
	}
}

// DropPlainBrowser removes the cookie for browsers without TLS from a request.
func DropPlainBrowser(r *http.Request) {
	cookies := r.Cookies()
	r.Header.Del("Cookie")
	for _, c := range cookies {
		if c.Name != browserCookie {
			r.AddCookie(c)
		}
	}
}
