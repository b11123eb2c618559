package middleware

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
)

// Browser gives a browser that has none the cookie by which two accounts are known to
// have acted in one browser (auth.Browser). It is for answers that nobody may keep.
// Pages of other origins get none, and send none.
func Browser(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if sameOrigin(r) && auth.Browser(r.Header) == "" {
			c.SetCookie(auth.NewBrowserCookie(secure(r)))
		}
		return next(c)
	}
}

// sameOrigin tells whether a request is not known to come from a page of another
// origin. Programs that are no browser count as none.
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

// BrowserCookies takes the cookie that names a browser without TLS out of requests that
// come by TLS: any host of the same site can set it, even without TLS, and could so
// choose by which name a visitor's browser is known. It goes behind RealIP.
func BrowserCookies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if secure(r) {
			auth.DropPlainBrowser(r)
		}
		next.ServeHTTP(w, r)
	})
}
