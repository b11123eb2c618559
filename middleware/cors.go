package middleware

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/origin"
)

const corsMethods = "GET,HEAD,PUT,PATCH,POST,DELETE"

// CORS tells browsers which pages may call, as the policy has it, and answers
// every OPTIONS request.
func CORS(policy *origin.Policy) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			allowed := allow(c.Response().Header(), policy, c.Request())
			if c.Request().Method != http.MethodOptions {
				return next(c)
			}
			return preflight(c, allowed)
		}
	}
}

// allow sets what every answer carries and reports whether the page may call.
func allow(h http.Header, policy *origin.Policy, r *http.Request) bool {
	if policy.Varies() {
		h.Add(echo.HeaderVary, echo.HeaderOrigin)
	}
	value, credentials := policy.CORS(r)
	if value == "" {
		return false
	}
	h.Set(echo.HeaderAccessControlAllowOrigin, value)
	if credentials {
		h.Set(echo.HeaderAccessControlAllowCredentials, "true")
	}
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
