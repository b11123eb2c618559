package middleware

import (
	"context"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/models"
)

// HeaderTimeZone is where a client names the zone that it is in, by its IANA name.
const HeaderTimeZone = "X-Time-Zone"

// zones is what TimeZone needs; *ledger.Ledger is one.
type zones interface {
	NameZone(ctx context.Context, userID, name string, by models.Author) error
}

// TimeZone gives the caller's account the zone that the request names, if the
// account has none yet. It goes behind Bearer, and costs nothing once there is one.
func TimeZone(z zones) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx, name := c.Request().Context(), c.Request().Header.Get(HeaderTimeZone)
			if id, ok := auth.FromContext(ctx); ok && name != "" && id.User.ChosenZone == "" {
				if err := z.NameZone(ctx, id.User.ID, name, models.Author{TokenID: id.Claims.TokenID}); err != nil {
					return err
				}
			}
			return next(c)
		}
	}
}
