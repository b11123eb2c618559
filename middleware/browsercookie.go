package middleware

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
)

// BrowserCookie sets the cookie that identifies a browser, unless the request has it
// (auth.BrowserID). It must be used for responses that are not cached. Requests of pages
// of other origins are skipped.
func BrowserCookie(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if sameOrigin(r) && auth.BrowserID(r.Header) == "" {
			c.SetCookie(auth.NewBrowserCookie(isHTTPS(r)))
		}
		return next(c)
	}
}

// sameOrigin reports whether r does not come from a page of another origin. Requests of
// other programs than browsers count as same-origin.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin" || site == "none"
	}
	origin := r.Header.Get(echo.HeaderOrigin)
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// DropPlainBrowserCookie removes the browser cookie for plain HTTP from requests by HTTPS.
// Any host of the same site can set that cookie, even without TLS, and could so choose
// the identity of a browser. It must run after RealIP.
func DropPlainBrowserCookie(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isHTTPS(r) {
			auth.DropPlainBrowser(r)
		}
		next.ServeHTTP(w, r)
	})
}
