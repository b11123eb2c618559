package handlers

import (
	"context"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// expenseFinder is implemented by *store.Store.
type expenseFinder interface {
	ExpenseOf(ctx context.Context, userID, id string) (models.Expense, error)
}

// NotImplemented handles routes of features that the original has and this server does
// not: workspaces, receipts and Web Push. Lists are empty; requests that would store
// something fail with 501 and a message that pages show.
type NotImplemented struct{ Expenses expenseFinder }

// Register adds the routes to api. public is the middleware of routes without a token,
// guard of those with one, and uploads of those that receive a file.
func (h *NotImplemented) Register(api *echo.Group, public, guard, uploads []echo.MiddlewareFunc) {
	public, guard, uploads = withCodes(public), withCodes(guard), withCodes(uploads)
	get(api, "/workspaces", h.workspaces, guard...)
	api.POST("/workspaces", refuseWith(wire.ErrNoWorkspaces), guard...)
	api.POST("/workspaces/join", refuseWith(wire.ErrNoWorkspaces), guard...)
	api.POST("/workspaces/:id/invite", refuseWith(wire.ErrNoWorkspaces), guard...)

	get(api, "/receipts", h.receipts, guard...)
	get(api, "/receipts/expense/:id", h.receiptsOf, guard...)
	api.POST("/receipts/upload/:id", h.upload, uploads...)

	get(api, "/notifications/push/vapid-key", h.vapidKey, public...)
	api.POST("/notifications/push/subscribe", refuseWith(wire.ErrNoWebPush), guard...)
	api.POST("/notifications/push/unsubscribe", h.unsubscribe, guard...)
}

// refuseWith returns a handler that fails with err.
func refuseWith(err error) echo.HandlerFunc { return func(echo.Context) error { return err } }

// workspaces handles GET /api/workspaces.
//
//	200 {success, data: []}    401 invalid token
func (h *NotImplemented) workspaces(c echo.Context) error {
	return respond(c, http.StatusOK, wire.ListResponse[struct{}]{Success: true, Data: []struct{}{}})
}

// receipts handles GET /api/receipts.
//
//	200 []    401 invalid token
func (h *NotImplemented) receipts(c echo.Context) error {
	return respond(c, http.StatusOK, []struct{}{})
}

// upload handles POST /api/receipts/upload/:id. It reads and discards the file, because a
// browser that is still sending does not read the response.
//
//	501 not implemented    413 the file is too large
func (h *NotImplemented) upload(c echo.Context) error {
	if _, err := io.Copy(io.Discard, c.Request().Body); models.KindOf(err) == models.TooLarge {
		return err
	}
	return wire.ErrNoReceipts
}

// receiptsOf handles GET /api/receipts/expense/:id.
//
//	200 []    404 no expense of the caller's
func (h *NotImplemented) receiptsOf(c echo.Context) error {
	if _, err := h.Expenses.ExpenseOf(c.Request().Context(), userID(c), c.Param("id")); err != nil {
		return err
	}
	return h.receipts(c)
}

// vapidKey handles GET /api/notifications/push/vapid-key, which pages request without a
// token.
//
//	200 {publicKey: null}
func (h *NotImplemented) vapidKey(c echo.Context) error {
	return respond(c, http.StatusOK, struct {
		PublicKey *string `json:"publicKey"`
	}{})
}

// unsubscribe handles POST /api/notifications/push/unsubscribe. There is never a
// subscription to remove.
//
//	200 {message}    401 invalid token
func (h *NotImplemented) unsubscribe(c echo.Context) error {
	return respond(c, http.StatusOK, message{Message: "Push subscription removed"})
}
