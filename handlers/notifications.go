package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// notificationLedger is what changes notifications.
type notificationLedger interface {
	MarkRead(ctx context.Context, userID, id string) (models.Notification, error)
	MarkAllRead(ctx context.Context, userID string) (n int64, err error)
	DeleteNotification(ctx context.Context, userID, id string) error
}

// notificationReader is what lists them, newest first.
type notificationReader interface {
	Notifications(ctx context.Context, userID string, page, limit int, unreadOnly bool) ([]models.Notification, int64, error)
}

// Page sizes of notifications: the original's default, and a bound for what is
// held in memory.
const (
	defaultNotifications = 20
	maxNotifications     = 100
)

// Notifications answers /api/notifications.
type Notifications struct {
	Ledger notificationLedger
	Reader notificationReader
}

// Register puts the routes below /api; guard lets only known callers in.
func (h *Notifications) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = chain([]echo.MiddlewareFunc{coded}, guard)
	get(api, "/notifications", h.list, guard...)
	get(api, "/notifications/unread-count", h.unread, guard...)
	api.PATCH("/notifications/mark-all-read", h.markAll, guard...)
	api.PATCH("/notifications/:id/read", h.mark, guard...)
	api.DELETE("/notifications/:id", h.remove, guard...)
}

// list handles GET /api/notifications?page=&limit=&unreadOnly=, newest first.
//
//	200 {notifications, pagination}    401 no good token
func (h *Notifications) list(c echo.Context) error {
	page := whole(c.QueryParam("page"), 1, 1<<31)
	limit := whole(c.QueryParam("limit"), defaultNotifications, maxNotifications)
	ns, total, err := h.Reader.Notifications(c.Request().Context(), caller(c.Request().Context()).User.ID, page, limit, c.QueryParam("unreadOnly") == "true")
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewNotificationPage(ns, total, page, limit))
}

// unread handles GET /api/notifications/unread-count. The caller was read with
// the request's token, and the count is theirs.
//
//	200 {count}    401 no good token
func (h *Notifications) unread(c echo.Context) error {
	return respond(c, http.StatusOK, wire.Count{Count: caller(c.Request().Context()).User.Unread})
}

// mark handles PATCH /api/notifications/:id/read. More than once is harmless.
//
//	200 the notification    404 absent or another user's
func (h *Notifications) mark(c echo.Context) error {
	n, err := h.Ledger.MarkRead(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id"))
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewNotification(n))
}

// markAll handles PATCH /api/notifications/mark-all-read.
//
//	200 {message}    401 no good token
func (h *Notifications) markAll(c echo.Context) error {
	if _, err := h.Ledger.MarkAllRead(c.Request().Context(), caller(c.Request().Context()).User.ID); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Message: "All notifications marked as read"})
}

// remove handles DELETE /api/notifications/:id.
//
//	200 {message}    404 absent, another user's, or deleted already
func (h *Notifications) remove(c echo.Context) error {
	if err := h.Ledger.DeleteNotification(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id")); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Message: "Notification deleted"})
}
