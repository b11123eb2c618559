package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// settingsLedger is what changes an account's settings.
type settingsLedger interface {
	ChangeSettings(ctx context.Context, userID string, p models.SettingsPatch, by models.Author) (models.User, error)
}

// Settings answers what an account chose for itself: /api/user/settings, and the
// currency routes of the original, /api/currency.
type Settings struct {
	Ledger settingsLedger
	Rates  *models.Rates // nil knows none
}

// Register puts the routes below /api. open guards what needs no token, closed
// what does.
func (h *Settings) Register(api *echo.Group, open, closed []echo.MiddlewareFunc) {
	get(api, "/user/settings", h.show, closed...)
	api.PATCH("/user/settings", h.change, closed...)
	get(api, "/currency/supported", h.supported, open...)
	get(api, "/currency/rates", h.rates, open...)
	get(api, "/currency/preference", h.preference, closed...)
	api.PUT("/currency/preference", h.prefer, closed...)
}

// show handles GET /api/user/settings.
//
//	200 {currency, timeZone}    401 no good token
func (h *Settings) show(c echo.Context) error {
	u := caller(c.Request().Context()).User
	return respond(c, http.StatusOK, wire.NewSettings(u.Settings()))
}

// change handles PATCH /api/user/settings {currency?, timeZone?}.
//
//	200 {currency, timeZone}    400 no such currency, or no such zone
func (h *Settings) change(c echo.Context) error {
	u, err := h.changed(c, wire.ParseSettings)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewSettings(u.Settings()))
}

// supported handles GET /api/currency/supported.
//
//	200 {success, data: {currencies: [{code, name, symbol, decimals}...]}}
func (h *Settings) supported(c echo.Context) error {
	return respond(c, http.StatusOK, wire.NewCurrencies())
}

// rates handles GET /api/currency/rates?base=, USD if there is none. Without rates
// for it the base alone is there.
//
//	200 {success, data: {baseCurrency, rates, lastUpdated, source, cached}}    400 no such base
func (h *Settings) rates(c echo.Context) error {
	page, err := wire.NewRatesPage(c.QueryParam("base"), h.Rates, time.Now())
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, page)
}

// preference handles GET /api/currency/preference.
//
//	200 {success, data: {preferredCurrency}}    401 no good token
func (h *Settings) preference(c echo.Context) error {
	u := caller(c.Request().Context()).User
	return respond(c, http.StatusOK, wire.NewPreference(&u))
}

// prefer handles PUT /api/currency/preference {currency}.
//
//	200 {success, message}    400 no such currency
func (h *Settings) prefer(c echo.Context) error {
	if _, err := h.changed(c, wire.ParsePreference); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Success: true, Message: "Currency preference updated"})
}

func (h *Settings) changed(c echo.Context, parse func(json.RawMessage) (models.SettingsPatch, wire.Meta, error)) (models.User, error) {
	patch, _, by, err := sent(c, parse)
	if err != nil {
		return models.User{}, err
	}
	return h.Ledger.ChangeSettings(c.Request().Context(), caller(c.Request().Context()).User.ID, patch, by)
}
