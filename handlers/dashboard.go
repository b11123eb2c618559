package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// dashboards is what sums up a user's entries.
type dashboards interface {
	Dashboard(ctx context.Context, userID string, from, to models.DayRef) (models.Dashboard, error)
}

// Dashboard answers what a user's money looks like: /api/dashboard and
// /api/accounts/balance.
type Dashboard struct {
	Reader dashboards
	Rates  *models.Rates // nil: nothing is converted
}

// Register puts the routes below /api; guard lets only known callers in.
func (h *Dashboard) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = chain([]echo.MiddlewareFunc{coded}, guard)
	get(api, "/dashboard", h.show, guard...)
	get(api, "/accounts/balance", h.balance, guard...)
}

// show handles GET /api/dashboard?from=&to=, whose days both count.
//
//	200 {version, totals, byCategory, series, recent, ...}    400 no dates, or reversed
func (h *Dashboard) show(c echo.Context) error {
	from, to, err := wire.ParseDays(c.QueryParam("from"), c.QueryParam("to"))
	if err != nil {
		return err
	}
	d, err := h.Reader.Dashboard(c.Request().Context(), caller(c.Request().Context()).User.ID, from, to)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewDashboard(d, h.Rates))
}

// balance handles GET /api/accounts/balance. The caller was read with the
// request's token, and the balance is theirs.
//
//	200 {balance, income, expense, currency, byCurrency, updatedAt}    401 no good token
func (h *Dashboard) balance(c echo.Context) error {
	u := caller(c.Request().Context()).User
	return respond(c, http.StatusOK, wire.NewBalance(u.Balance(), h.Rates))
}
