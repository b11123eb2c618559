package handlers

import (
	"context"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// expenseFinder finds one expense that the user has.
type expenseFinder interface {
	ExpenseOf(ctx context.Context, userID, id string) (models.Expense, error)
}

// Unbuilt answers what the original's pages ask for and this server does not have:
// workspaces, receipts and Web Push. Lists are empty, in the original's shape, so
// that a page shows none; what would store something is 501 with a sentence that the
// page shows.
type Unbuilt struct{ Expenses expenseFinder }

// Register puts the routes below /api: open guards what needs no token, guard lets
// only known callers in, and uploads does so where a file comes.
func (h *Unbuilt) Register(api *echo.Group, open, guard, uploads []echo.MiddlewareFunc) {
	open, guard, uploads = chain([]echo.MiddlewareFunc{coded}, open), chain([]echo.MiddlewareFunc{coded}, guard), chain([]echo.MiddlewareFunc{coded}, uploads)
	get(api, "/workspaces", h.workspaces, guard...)
	api.POST("/workspaces", refuse(wire.ErrNoWorkspaces), guard...)
	api.POST("/workspaces/join", refuse(wire.ErrNoWorkspaces), guard...)
	api.POST("/workspaces/:id/invite", refuse(wire.ErrNoWorkspaces), guard...)

	get(api, "/receipts", h.receipts, guard...)
	get(api, "/receipts/expense/:id", h.receiptsOf, guard...)
	api.POST("/receipts/upload/:id", h.upload, uploads...)

	get(api, "/notifications/push/vapid-key", h.vapidKey, open...)
	api.POST("/notifications/push/subscribe", refuse(wire.ErrNoWebPush), guard...)
	api.POST("/notifications/push/unsubscribe", h.unsubscribe, guard...)
}

// refuse handles what is not built.
func refuse(err error) echo.HandlerFunc { return func(echo.Context) error { return err } }

// workspaces handles GET /api/workspaces.
//
//	200 {success, data: []}    401 no good token
func (h *Unbuilt) workspaces(c echo.Context) error {
	return respond(c, http.StatusOK, wire.Listed[struct{}]{Success: true, Data: []struct{}{}})
}

// receipts handles GET /api/receipts.
//
//	200 []    401 no good token
func (h *Unbuilt) receipts(c echo.Context) error {
	return respond(c, http.StatusOK, []struct{}{})
}

// upload handles POST /api/receipts/upload/:id. The file is read to its end and
// dropped: a browser that is still sending does not look at an answer.
//
//	501 not built    413 larger than the pages send
func (h *Unbuilt) upload(c echo.Context) error {
	if _, err := io.Copy(io.Discard, c.Request().Body); models.KindOf(err) == models.TooLarge {
		return err
	}
	return wire.ErrNoReceipts
}

// receiptsOf handles GET /api/receipts/expense/:id.
//
//	200 []    404 no expense of the caller's
func (h *Unbuilt) receiptsOf(c echo.Context) error {
	if _, err := h.Expenses.ExpenseOf(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id")); err != nil {
		return err
	}
	return h.receipts(c)
}

// vapidKey handles GET /api/notifications/push/vapid-key, which pages ask for
// without a token.
//
//	200 {publicKey: null}
func (h *Unbuilt) vapidKey(c echo.Context) error {
	return respond(c, http.StatusOK, struct {
		PublicKey *string `json:"publicKey"`
	}{})
}

// unsubscribe handles POST /api/notifications/push/unsubscribe: there never is a
// subscription left.
//
//	200 {message}    401 no good token
func (h *Unbuilt) unsubscribe(c echo.Context) error {
	return respond(c, http.StatusOK, message{Message: "Push subscription removed"})
}
