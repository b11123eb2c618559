package handlers

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/ledger"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// budgetLedger is implemented by *ledger.Ledger.
type budgetLedger interface {
	CreateBudget(ctx context.Context, userID string, c ledger.BudgetCreation) (models.Budget, error)
	UpdateBudget(ctx context.Context, userID, id string, seen *int64, p models.BudgetPatch, by models.Author) (models.Budget, error)
	DeleteBudget(ctx context.Context, userID, id string, by models.Author) (models.Budget, error)
}

// budgetReader is implemented by *store.Store.
type budgetReader interface {
	BudgetStates(ctx context.Context, userID string, at time.Time) ([]models.BudgetReport, error)
	BudgetOf(ctx context.Context, userID, id string, at time.Time) (models.BudgetReport, error)
}

// Budgets handles the routes of /api/budgets.
type Budgets struct {
	Ledger budgetLedger
	Reader budgetReader
	Rates  *models.Rates // nil converts nothing
}

// Register adds the routes to api. guard authenticates the caller.
func (h *Budgets) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = withCodes(guard)
	get(api, "/budgets", h.list, guard...)
	get(api, "/budgets/alerts", h.alerts, guard...)
	get(api, "/budgets/summary", h.summary, guard...)
	get(api, "/budgets/:id", h.one, guard...)
	api.POST("/budgets", h.create, guard...)
	api.PUT("/budgets/:id", h.update, guard...)
	api.DELETE("/budgets/:id", h.remove, guard...)
}

// states returns the evaluated budgets of the caller for which keep is true, newest first.
func (h *Budgets) states(c echo.Context, keep func(models.BudgetReport) bool) ([]models.BudgetReport, error) {
	all, err := h.Reader.BudgetStates(c.Request().Context(), userID(c), time.Now())
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(s models.BudgetReport) bool { return !keep(s) }), nil
}

// list handles GET /api/budgets?period=&active=, newest first.
//
//	200 [budget with its evaluation...]    400 invalid period or active
func (h *Budgets) list(c echo.Context) error {
	filter, err := wire.ParseBudgetFilter(c.QueryParam("period"), c.QueryParam("active"))
	if err != nil {
		return err
	}
	states, err := h.states(c, filter.Matches)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, mapSlice(states, h.document))
}

func (h *Budgets) document(s models.BudgetReport) wire.BudgetState {
	return wire.NewBudgetState(s, h.Rates)
}

// mapSlice converts each element of a list. The result is never nil, so that it is
// encoded as [].
func mapSlice[T, D any](list []T, document func(T) D) []D {
	out := make([]D, len(list))
	for i, v := range list {
		out[i] = document(v)
	}
	return out
}

// one handles GET /api/budgets/:id.
//
//	200 the budget with its evaluation    404 absent or another user's
func (h *Budgets) one(c echo.Context) error {
	state, err := h.Reader.BudgetOf(c.Request().Context(), userID(c), c.Param("id"), time.Now())
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, h.document(state))
}

// alerts handles GET /api/budgets/alerts: the active budgets that have reached their
// threshold, whether or not an alert was sent.
//
//	200 [alert...]    401 invalid token
func (h *Budgets) alerts(c echo.Context) error {
	states, err := h.states(c, func(s models.BudgetReport) bool { return s.Active && s.Level > models.LevelNone })
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, mapSlice(states, func(s models.BudgetReport) wire.BudgetAlert {
		return wire.NewBudgetAlert(s.BudgetState)
	}))
}

// summary handles GET /api/budgets/summary?period=: the sum of the active budgets with
// that period.
//
//	200 {totalBudget, totalSpent, budgetCount, categories, ...}    400 invalid period
func (h *Budgets) summary(c echo.Context) error {
	period := c.QueryParam("period")
	if period == "" {
		period = string(models.Monthly)
	}
	filter, err := wire.ParseBudgetFilter(period, "true")
	if err != nil {
		return err
	}
	states, err := h.states(c, filter.Matches)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewBudgetSummary(states))
}

// create handles POST /api/budgets. The header Idempotency-Key makes it idempotent.
//
//	201 the stored budget    400 invalid    409 the same key with other data
func (h *Budgets) create(c echo.Context) error {
	draft, _, by, err := decode(c, wire.ParseBudgetDraft)
	if err != nil {
		return err
	}
	key, err := clientName(c, "Idempotency-Key")
	if err != nil {
		return err
	}
	budget, err := h.Ledger.CreateBudget(c.Request().Context(), userID(c),
		ledger.BudgetCreation{Draft: draft, Author: by, RequestID: key})
	if err != nil {
		return err
	}
	return respond(c, http.StatusCreated, wire.NewBudget(budget))
}

// update handles PUT /api/budgets/:id with a complete budget.
//
//	200 the stored budget         404 absent or another user's
//	400 invalid     409 a newer version is stored (in the response)
func (h *Budgets) update(c echo.Context) error {
	patch, meta, by, err := decode(c, wire.ParseBudget)
	if err != nil {
		return err
	}
	budget, err := h.Ledger.UpdateBudget(c.Request().Context(), userID(c), c.Param("id"), meta.Version, patch, by)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewBudget(budget))
}

// remove handles DELETE /api/budgets/:id {deviceId?}.
//
//	200 {message}    404 absent, another user's, or deleted already
func (h *Budgets) remove(c echo.Context) error {
	by, err := author(c)
	if err != nil {
		return err
	}
	if _, err := h.Ledger.DeleteBudget(c.Request().Context(), userID(c), c.Param("id"), by); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Message: "Budget deleted successfully"})
}
