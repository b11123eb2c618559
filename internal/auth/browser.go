package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"
)

// The names of the cookie that identifies a browser. With TLS it has the prefix __Host-,
// so that other hosts of the same site cannot set it.
const (
	browserCookie       = "expenseflow_browser"
	secureBrowserCookie = "__Host-" + browserCookie
)

// browserAge is the lifetime of the cookie: the maximum that browsers allow.
const browserAge = 400 * 24 * time.Hour

// BrowserID returns the identity of the browser that sent these headers: a hash of its
// cookie, "" without one. The cookie is random, scripts cannot read it and pages of other
// sites do not send it. So two accounts with the same BrowserID acted in the same browser,
// which a device id cannot prove. It is no credential.
func BrowserID(h http.Header) string {
	r := http.Request{Header: h}
	for _, name := range []string{secureBrowserCookie, browserCookie} {
		if c, err := r.Cookie(name); err == nil && len(c.Value) == len(rand.Text()) {
			sum := sha256.Sum256([]byte(c.Value)) // the database must not contain the cookie itself
			return hex.EncodeToString(sum[:])
		}
	}
	return ""
}

// NewBrowserCookie returns a new random cookie. secure tells whether the request was made
// by HTTPS.
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

// DropPlainBrowser removes the cookie for plain HTTP from a request.
func DropPlainBrowser(r *http.Request) {
	cookies := r.Cookies()
	r.Header.Del("Cookie")
	for _, c := range cookies {
		if c.Name != browserCookie {
			r.AddCookie(c)
		}
	}
}
