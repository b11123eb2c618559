package middleware

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
)

// authenticator is what Bearer needs; *auth.Authenticator is one.
type authenticator interface {
	AuthenticateWithin(ctx context.Context, bearer string, grace time.Duration) (auth.Identity, error)
}

// Bearer lets only good tokens pass and puts the caller into the request's
// context. A token may have expired up to grace ago.
func Bearer(a authenticator, grace time.Duration) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			id, err := a.AuthenticateWithin(r.Context(), r.Header.Get(echo.HeaderAuthorization), grace)
			if err != nil {
				return err
			}
			c.SetRequest(r.WithContext(auth.WithIdentity(r.Context(), id)))
			return next(c)
		}
	}
}
