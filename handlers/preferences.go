package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// preferencesLedger is what changes notification preferences.
type preferencesLedger interface {
	SetPreferences(ctx context.Context, userID string, change func(*models.NotificationPreferences)) (models.NotificationPreferences, error)
	NotifyTest(ctx context.Context, userID, title, message string) error
}

// preferencesReader is what reads them.
type preferencesReader interface {
	Preferences(ctx context.Context, userID string) (models.NotificationPreferences, error)
}

// Preferences answers /api/notifications/preferences, and the request for a test
// notification, with which a page tries them.
type Preferences struct {
	Ledger preferencesLedger
	Reader preferencesReader
}

// Register puts the routes below /api; guard lets only known callers in.
func (h *Preferences) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = chain([]echo.MiddlewareFunc{coded}, guard)
	get(api, "/notifications/preferences", h.show, guard...)
	api.PUT("/notifications/preferences", h.set, guard...)
	api.POST("/notifications/test", h.test, guard...)
}

// show handles GET /api/notifications/preferences.
//
//	200 the preferences, the defaults of who has set none    401 no good token
func (h *Preferences) show(c echo.Context) error {
	u := caller(c.Request().Context()).User
	p, err := h.Reader.Preferences(c.Request().Context(), u.ID)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewPreferences(u, p))
}

// set handles PUT /api/notifications/preferences. What the body does not name stays.
//
//	200 the preferences    400 what is wrong with them    501 a subscription to Web Push
func (h *Preferences) set(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	change, err := wire.ParsePreferences(b)
	if err != nil {
		return err
	}
	u := caller(c.Request().Context()).User
	p, err := h.Ledger.SetPreferences(c.Request().Context(), u.ID, change)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewPreferences(u, p))
}

// test handles POST /api/notifications/test.
//
//	200 {message}    400 a title or a message that is too long
func (h *Preferences) test(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	title, text, err := wire.ParseTestNotification(b)
	if err != nil {
		return err
	}
	if err := h.Ledger.NotifyTest(c.Request().Context(), caller(c.Request().Context()).User.ID, title, text); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Message: "Test notification sent"})
}
