package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// preferencesLedger is implemented by *ledger.Ledger.
type preferencesLedger interface {
	SetPreferences(
		ctx context.Context, userID string, change func(*models.NotificationPreferences),
	) (models.NotificationPreferences, error)
	NotifyTest(ctx context.Context, userID, title, message string) error
}

// preferencesReader is implemented by *store.Store.
type preferencesReader interface {
	Preferences(ctx context.Context, userID string) (models.NotificationPreferences, error)
}

// Preferences handles the routes of /api/notifications/preferences, and the request for a test
// notification, with which a page tries them.
type Preferences struct {
	Ledger preferencesLedger
	Reader preferencesReader
}

// Register adds the routes to api. guard authenticates the caller.
func (h *Preferences) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = withCodes(guard)
	get(api, "/notifications/preferences", h.show, guard...)
	api.PUT("/notifications/preferences", h.set, guard...)
	api.POST("/notifications/test", h.test, guard...)
}

// show handles GET /api/notifications/preferences.
//
//	200 the preferences, or the defaults    401 invalid token
func (h *Preferences) show(c echo.Context) error {
	u := caller(c).User
	p, err := h.Reader.Preferences(c.Request().Context(), u.ID)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewPreferences(u, p))
}

// set handles PUT /api/notifications/preferences. Absent settings keep their value.
//
//	200 the preferences    400 invalid    501 the body has a Web Push subscription
func (h *Preferences) set(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	change, err := wire.ParsePreferences(b)
	if err != nil {
		return err
	}
	u := caller(c).User
	p, err := h.Ledger.SetPreferences(c.Request().Context(), u.ID, change)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewPreferences(u, p))
}

// test handles POST /api/notifications/test.
//
//	200 {message}    400 title or message is too long
func (h *Preferences) test(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	title, text, err := wire.ParseTestNotification(b)
	if err != nil {
		return err
	}
	if err := h.Ledger.NotifyTest(c.Request().Context(), userID(c), title, text); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Message: "Test notification sent"})
}
