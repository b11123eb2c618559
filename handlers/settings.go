package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// settingsLedger is implemented by *ledger.Ledger.
type settingsLedger interface {
	ChangeSettings(ctx context.Context, userID string, p models.SettingsPatch, by models.Author) (models.User, error)
}

// Settings handles the routes of /api/user/settings and /api/currency.
type Settings struct {
	Ledger settingsLedger
	Rates  *models.Rates // nil converts nothing
}

// Register adds the routes to api. public and authenticated are the middleware of routes
// without and with a token.
func (h *Settings) Register(api *echo.Group, public, authenticated []echo.MiddlewareFunc) {
	get(api, "/user/settings", h.show, authenticated...)
	api.PATCH("/user/settings", h.change, authenticated...)
	get(api, "/currency/supported", h.supported, public...)
	get(api, "/currency/rates", h.rates, public...)
	get(api, "/currency/preference", h.preference, authenticated...)
	api.PUT("/currency/preference", h.prefer, authenticated...)
}

// show handles GET /api/user/settings.
//
//	200 {currency, currencyChosen, timeZone, name}    401 invalid token
func (h *Settings) show(c echo.Context) error {
	u := caller(c).User
	return respond(c, http.StatusOK, wire.NewSettings(u.Settings()))
}

// change handles PATCH /api/user/settings {currency?, timeZone?, name?}.
//
//	200 {currency, currencyChosen, timeZone, name}    400 unknown currency or time zone, or no name
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
	return respond(c, http.StatusOK, wire.NewCurrenciesResponse())
}

// rates handles GET /api/currency/rates?base= (default: USD). Without rates the response
// contains only the base.
//
//	200 {success, data: {baseCurrency, rates, lastUpdated, source, cached}}    400 unknown base
func (h *Settings) rates(c echo.Context) error {
	page, err := wire.NewRatesResponse(c.QueryParam("base"), h.Rates, time.Now())
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, page)
}

// preference handles GET /api/currency/preference.
//
//	200 {success, data: {preferredCurrency}}    401 invalid token
func (h *Settings) preference(c echo.Context) error {
	u := caller(c).User
	return respond(c, http.StatusOK, wire.NewCurrencyPreference(&u))
}

// prefer handles PUT /api/currency/preference {currency}.
//
//	200 {success, message}    400 unknown currency
func (h *Settings) prefer(c echo.Context) error {
	if _, err := h.changed(c, wire.ParseCurrencyPreference); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Success: true, Message: "Currency preference updated"})
}

func (h *Settings) changed(c echo.Context, parse bodyParser[models.SettingsPatch]) (models.User, error) {
	patch, _, by, err := decode(c, parse)
	if err != nil {
		return models.User{}, err
	}
	return h.Ledger.ChangeSettings(c.Request().Context(), userID(c), patch, by)
}
