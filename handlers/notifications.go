package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// notificationLedger is implemented by *ledger.Ledger.
type notificationLedger interface {
	MarkRead(ctx context.Context, userID, id string) (models.Notification, error)
	MarkAllRead(ctx context.Context, userID string) (n int64, err error)
	DeleteNotification(ctx context.Context, userID, id string) error
}

// notificationReader is implemented by *store.Store.
type notificationReader interface {
	Notifications(ctx context.Context, userID string, page, limit int, unreadOnly bool) ([]models.Notification, int64, error)
}

// Page sizes of notifications. A page is held in memory.
const (
	defaultNotifications = 20
	maxNotifications     = 100
)

// Notifications handles the routes of /api/notifications.
type Notifications struct {
	Ledger notificationLedger
	Reader notificationReader
}

// Register adds the routes to api. guard authenticates the caller.
func (h *Notifications) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = withCodes(guard)
	get(api, "/notifications", h.list, guard...)
	get(api, "/notifications/unread-count", h.unread, guard...)
	api.PATCH("/notifications/mark-all-read", h.markAll, guard...)
	api.PATCH("/notifications/:id/read", h.mark, guard...)
	api.DELETE("/notifications/:id", h.remove, guard...)
}

// list handles GET /api/notifications?page=&limit=&unreadOnly=, newest first.
//
//	200 {notifications, pagination}    401 invalid token
func (h *Notifications) list(c echo.Context) error {
	page := positiveInt(c.QueryParam("page"), 1, 1<<31)
	limit := positiveInt(c.QueryParam("limit"), defaultNotifications, maxNotifications)
	ns, total, err := h.Reader.Notifications(c.Request().Context(), userID(c), page, limit, c.QueryParam("unreadOnly") == "true")
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewNotificationPage(ns, total, page, limit))
}

// unread handles GET /api/notifications/unread-count. Authentication has read the user
// with their count already.
//
//	200 {count}    401 invalid token
func (h *Notifications) unread(c echo.Context) error {
	return respond(c, http.StatusOK, wire.UnreadCount{Count: caller(c).User.Unread})
}

// mark handles PATCH /api/notifications/:id/read. It is idempotent.
//
//	200 the notification    404 absent or another user's
func (h *Notifications) mark(c echo.Context) error {
	n, err := h.Ledger.MarkRead(c.Request().Context(), userID(c), c.Param("id"))
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewNotification(n))
}

// markAll handles PATCH /api/notifications/mark-all-read.
//
//	200 {message}    401 invalid token
func (h *Notifications) markAll(c echo.Context) error {
	if _, err := h.Ledger.MarkAllRead(c.Request().Context(), userID(c)); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Message: "All notifications marked as read"})
}

// remove handles DELETE /api/notifications/:id.
//
//	200 {message}    404 absent, another user's, or deleted already
func (h *Notifications) remove(c echo.Context) error {
	if err := h.Ledger.DeleteNotification(c.Request().Context(), userID(c), c.Param("id")); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Message: "Notification deleted"})
}
