package middleware

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

const corsMethods = "GET,HEAD,PUT,PATCH,POST,DELETE"

// CORS tells browsers which pages may call. With no origins any page may, but
// without credentials; else those listed, with credentials, and no other
// (CONTRACT 4.4 and decision 16). It answers every OPTIONS request.
func CORS(origins []string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			allowed := allow(h, origins, c.Request().Header.Get(echo.HeaderOrigin))
			if c.Request().Method != http.MethodOptions {
				return next(c)
			}
			return preflight(c, allowed)
		}
	}
}

// allow sets what every answer carries and tells whether origin may call.
func allow(h http.Header, origins []string, origin string) bool {
	if len(origins) == 0 {
		h.Set(echo.HeaderAccessControlAllowOrigin, "*")
		return true
	}
	h.Add(echo.HeaderVary, echo.HeaderOrigin)
	if !slices.Contains(origins, strings.ToLower(origin)) {
		return false
	}
	h.Set(echo.HeaderAccessControlAllowOrigin, origin)
	h.Set(echo.HeaderAccessControlAllowCredentials, "true")
	return true
}

// preflight answers 204 to everybody; without the headers it means no.
func preflight(c echo.Context, allowed bool) error {
	h := c.Response().Header()
	h[echo.HeaderVary] = slices.DeleteFunc(h[echo.HeaderVary], func(v string) bool { return v == echo.HeaderAcceptEncoding }) // there is nothing to encode
	h.Add(echo.HeaderVary, echo.HeaderAccessControlRequestHeaders)
	h.Set(echo.HeaderContentLength, "0")
	if allowed {
		h.Set(echo.HeaderAccessControlAllowMethods, corsMethods)
		if asked := c.Request().Header.Get(echo.HeaderAccessControlRequestHeaders); asked != "" {
			h.Set(echo.HeaderAccessControlAllowHeaders, asked)
		}
	}
	return c.NoContent(http.StatusNoContent)
}
