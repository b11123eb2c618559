package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// dashboards is implemented by *store.Store.
type dashboards interface {
	Dashboard(ctx context.Context, userID string, from, to models.DayRef) (models.Dashboard, error)
}

// Dashboard handles /api/dashboard and /api/accounts/balance.
type Dashboard struct {
	Reader dashboards
	Rates  *models.Rates // nil converts nothing
}

// Register adds the routes to api. guard authenticates the caller.
func (h *Dashboard) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = withCodes(guard)
	get(api, "/dashboard", h.show, guard...)
	get(api, "/accounts/balance", h.balance, guard...)
}

// show handles GET /api/dashboard?from=&to=, both days included.
//
//	200 {version, totals, byCategory, series, recent, ...}    400 invalid dates
func (h *Dashboard) show(c echo.Context) error {
	from, to, err := wire.ParseDays(c.QueryParam("from"), c.QueryParam("to"))
	if err != nil {
		return err
	}
	d, err := h.Reader.Dashboard(c.Request().Context(), userID(c), from, to)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewDashboard(d, h.Rates))
}

// balance handles GET /api/accounts/balance. Authentication has read the user with their
// balance already.
//
//	200 {balance, income, expense, currency, byCurrency, updatedAt}    401 invalid token
func (h *Dashboard) balance(c echo.Context) error {
	u := caller(c).User
	return respond(c, http.StatusOK, wire.NewBalance(u.Balance(), h.Rates))
}
