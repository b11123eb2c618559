package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// goalLedger is implemented by *ledger.Ledger.
type goalLedger interface {
	CreateGoal(ctx context.Context, userID string, p models.GoalPatch) (models.Goal, error)
	UpdateGoal(ctx context.Context, userID, id string, seen *int64, p models.GoalPatch) (models.Goal, error)
	AddToGoal(ctx context.Context, userID, id string, amount models.Money) (models.Goal, error)
	SetGoalStatus(ctx context.Context, userID, id, status string) (models.Goal, error)
	DeleteGoal(ctx context.Context, userID, id string) error
}

// goalReader is implemented by *store.Store.
type goalReader interface {
	// Goals returns the user's goals, newest first.
	Goals(ctx context.Context, userID string) ([]models.Goal, error)
	// Today returns the current day in the account's zone.
	Today(u *models.User) models.Day
}

// Goals handles the routes of /api/goals.
type Goals struct {
	Ledger goalLedger
	Reader goalReader
}

// Register adds the routes to api. guard authenticates the caller.
func (h *Goals) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = withCodes(guard)
	get(api, "/goals", h.list, guard...)
	get(api, "/goals/summary", h.summary, guard...)
	api.POST("/goals", h.create, guard...)
	api.PUT("/goals/:id", h.update, guard...)
	api.PATCH("/goals/:id/progress", h.progress, guard...)
	api.PATCH("/goals/:id/status", h.status, guard...)
	api.DELETE("/goals/:id", h.remove, guard...)
}

// list handles GET /api/goals?status=&type=, newest first.
//
//	200 [goal...]    400 invalid status or type
func (h *Goals) list(c echo.Context) error {
	filter, err := wire.ParseGoalFilter(c.QueryParam("status"), c.QueryParam("type"))
	if err != nil {
		return err
	}
	goals, err := h.Reader.Goals(c.Request().Context(), userID(c))
	if err != nil {
		return err
	}
	goals = slices.DeleteFunc(goals, func(g models.Goal) bool { return !filter.Matches(g) })
	return respond(c, http.StatusOK, mapSlice(goals, wire.NewGoal))
}

// summary handles GET /api/goals/summary, of all goals.
//
//	200 {total, active, completed, overdue, ...}    401 invalid token
func (h *Goals) summary(c echo.Context) error {
	u := caller(c).User
	goals, err := h.Reader.Goals(c.Request().Context(), u.ID)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewGoalSummary(goals, h.Reader.Today(&u)))
}

// create handles POST /api/goals.
//
//	201 the stored goal    400 invalid
func (h *Goals) create(c echo.Context) error {
	p, _, _, err := decode(c, wire.ParseGoal)
	if err != nil {
		return err
	}
	g, err := h.Ledger.CreateGoal(c.Request().Context(), userID(c), p)
	if err != nil {
		return err
	}
	return respond(c, http.StatusCreated, wire.NewGoal(g))
}

// update handles PUT /api/goals/:id with a complete goal.
//
//	200 the stored goal           404 absent or another user's
//	400 invalid     409 a newer version is stored (in the response)
func (h *Goals) update(c echo.Context) error {
	p, meta, _, err := decode(c, wire.ParseGoal)
	if err != nil {
		return err
	}
	g, err := h.Ledger.UpdateGoal(c.Request().Context(), userID(c), c.Param("id"), meta.Version, p)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewGoal(g))
}

// progress handles PATCH /api/goals/:id/progress {amount}, which is added.
//
//	200 the stored goal    400 invalid, or the sum is negative    404 absent or another user's
func (h *Goals) progress(c echo.Context) error {
	return changeGoal(c, wire.ParseProgress, h.Ledger.AddToGoal)
}

// status handles PATCH /api/goals/:id/status {status}.
//
//	200 the stored goal    400 invalid status    404 absent or another user's
func (h *Goals) status(c echo.Context) error {
	return changeGoal(c, wire.ParseGoalStatus, h.Ledger.SetGoalStatus)
}

// changeGoal parses one value of a goal, changes it and sends the goal.
func changeGoal[T any](
	c echo.Context, parse func(json.RawMessage) (T, error),
	do func(ctx context.Context, userID, id string, v T) (models.Goal, error),
) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	v, err := parse(b)
	if err != nil {
		return err
	}
	g, err := do(c.Request().Context(), userID(c), c.Param("id"), v)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewGoal(g))
}

// remove handles DELETE /api/goals/:id.
//
//	200 {message}    404 absent, another user's, or deleted already
func (h *Goals) remove(c echo.Context) error {
	if err := h.Ledger.DeleteGoal(c.Request().Context(), userID(c), c.Param("id")); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Message: "Goal deleted successfully"})
}
