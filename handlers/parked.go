package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/reconcile"
	"expenseflow/internal/wire"
)

const defaultParked = 50

// pendingPage handles GET /api/sync/pending?after=&limit=, oldest first.
//
//	200 {operations, total, next, last}    400 invalid after or limit
func (h *Sync) pendingPage(c echo.Context) error {
	after, err := wire.ParseParkedPlace("after", c.QueryParam("after"))
	if err != nil {
		return err
	}
	limit, err := wire.ParseLimit(c.QueryParam("limit"), defaultParked, reconcile.MaxParkedPage)
	if err != nil {
		return err
	}
	p, err := h.Reconciler.ParkedPage(c.Request().Context(), userID(c), after, limit)
	if err != nil {
		return err
	}
	return jsonBytes(c, http.StatusOK, wire.AppendParkedPage(nil, &p))
}

// discardAll handles DELETE /api/sync/pending?through=, for some operations at a time: the
// caller repeats it until none is left.
//
//	200 {discarded, left}    400 no valid through
func (h *Sync) discardAll(c echo.Context) error {
	through, err := wire.ParseParkedPlace("through", c.QueryParam("through"))
	if err != nil {
		return err
	}
	discarded, left, err := h.Reconciler.DiscardAll(c.Request().Context(), userID(c), through)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.DiscardedPage{Discarded: discarded, Left: left})
}

// retryAll handles POST /api/sync/pending/retry?after=&through=, for some operations at a
// time: the caller repeats it with next until that is null.
//
//	200 {applied, failed, next}    400 no valid through, or an invalid after
func (h *Sync) retryAll(c echo.Context) error {
	through, err := wire.ParseParkedPlace("through", c.QueryParam("through"))
	if err != nil {
		return err
	}
	after, err := wire.ParseParkedPlace("after", c.QueryParam("after"))
	if err != nil {
		return err
	}
	by, err := authorFrom(c, "")
	if err != nil {
		return err
	}
	p, err := h.Reconciler.RetryAll(c.Request().Context(), userID(c), by, after, through)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewRetriedPage(&p))
}
