package middleware

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
)

// authenticator is implemented by *auth.Authenticator.
type authenticator interface {
	AuthenticateWithGrace(ctx context.Context, bearer string, grace time.Duration) (auth.Identity, error)
}

// Authenticate refuses requests without a valid token and puts the caller's identity into
// the request's context. A token that expired up to grace ago is valid too.
func Authenticate(a authenticator, grace time.Duration) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			id, err := a.AuthenticateWithGrace(r.Context(), r.Header.Get(echo.HeaderAuthorization), grace)
			if err != nil {
				return err
			}
			c.SetRequest(r.WithContext(auth.WithIdentity(r.Context(), id)))
			return next(c)
		}
	}
}
