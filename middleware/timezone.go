package middleware

import (
	"context"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/models"
)

// HeaderTimeZone is the header in which clients send the IANA name of their time zone.
const HeaderTimeZone = "X-Time-Zone"

// zones is implemented by *ledger.Ledger.
type zones interface {
	InitZone(ctx context.Context, userID, name string, by models.Author) error
}

// TimeZone sets the time zone of the caller's account to that of the request, unless the
// account has one. It must run after Authenticate.
func TimeZone(z zones) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx, name := c.Request().Context(), c.Request().Header.Get(HeaderTimeZone)
			if id, ok := auth.FromContext(ctx); ok && name != "" && id.User.ChosenZone == "" {
				if err := z.InitZone(ctx, id.User.ID, name, models.Author{TokenID: id.Claims.TokenID}); err != nil {
					return err
				}
			}
			return next(c)
		}
	}
}
