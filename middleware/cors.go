package middleware

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/cors"
	"expenseflow/internal/origin"
)

// ExposedHeaders are the headers that pages of other origins may read: what an error is to
// be reported by, and when to try again.
var ExposedHeaders = []string{HeaderRequestID, echo.HeaderRetryAfter, HeaderRateLimitPolicy, HeaderRateLimit}

// CORS lets the pages that policy allows read responses, and answers every OPTIONS
// request with 204.
func CORS(policy *origin.Policy) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h, r := c.Response().Header(), c.Request()
			if policy.Varies() {
				h.Add(echo.HeaderVary, echo.HeaderOrigin)
			}
			allow, credentials := policy.CORS(r)
			cors.Allow(h, allow, credentials)
			if r.Method != http.MethodOptions {
				if allow != "" {
					cors.Expose(h, ExposedHeaders...)
				}
				return next(c)
			}
			return preflight(c, allow != "")
		}
	}
}

// preflight sends 204. Without the headers of an allowed page the browser takes it for
// a refusal.
func preflight(c echo.Context, allowed bool) error {
	h := c.Response().Header()
	h[echo.HeaderVary] = slices.DeleteFunc(h[echo.HeaderVary], func(v string) bool {
		return v == echo.HeaderAcceptEncoding // there is no body to compress
	})
	h.Add(echo.HeaderVary, echo.HeaderAccessControlRequestHeaders)
	h.Set(echo.HeaderContentLength, "0")
	if allowed {
		cors.Preflight(h, c.Request(), cors.Methods, nil)
	}
	return c.NoContent(http.StatusNoContent)
}
