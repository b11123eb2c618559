package middleware

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
)

// An authenticator finds out who makes a request, by its headers.
type authenticator interface {
	AuthenticateRequest(ctx context.Context, h http.Header, grace time.Duration) (auth.Identity, error)
}

// Authenticate refuses requests without a valid token and puts the caller's identity into
// the request's context. A token that expired up to grace ago is valid too.
func Authenticate(a authenticator, grace time.Duration) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			id, err := a.AuthenticateRequest(r.Context(), r.Header, grace)
			if err != nil {
				return err
			}
			c.SetRequest(r.WithContext(auth.WithIdentity(r.Context(), id)))
			return next(c)
		}
	}
}
