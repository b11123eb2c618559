package handlers

import (
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// logout handles POST /api/auth/logout. It revokes the token and closes its sockets.
//
//	200 {success, message}    401 invalid token
func (h *Accounts) logout(c echo.Context) error {
	id := caller(c)
	until := id.Claims.ExpiresAt.Add(h.Grace)
	if err := h.Store.RevokeToken(c.Request().Context(), id.Claims.Key, id.User.ID, until); err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	h.SignOut(id.User.ID, id.Claims.Key)
	return respond(c, http.StatusOK, message{Success: true, Message: "Logged out successfully"})
}

// logoutEverywhere handles POST /api/auth/logout-everywhere. It revokes every token of the
// user, including that of the request, and closes their sockets.
//
//	200 {success, message}    401 invalid token
func (h *Accounts) logoutEverywhere(c echo.Context) error {
	uid := userID(c)
	if err := h.Store.SignOutEverywhere(c.Request().Context(), uid); err != nil {
		return fmt.Errorf("log out everywhere: %w", err)
	}
	h.SignOut(uid, "")
	return respond(c, http.StatusOK, message{Success: true, Message: "Logged out on every device"})
}

// logoutOthers handles POST /api/auth/logout-others. It revokes every token of the user,
// including that of the request, and closes their sockets; the response has a new one, with
// which the caller's device goes on.
//
//	200 {token, expiresAt}    401 invalid token
func (h *Accounts) logoutOthers(c echo.Context) error {
	id := caller(c)
	next := id.User
	next.TokenGeneration++ // the store checks that the present one is still the token's
	token, claims, err := h.Tokens.Renew(next, id.Claims, time.Now())
	if err != nil {
		return err
	}
	h.FlushDevices()
	if err := h.Store.SignOutOthers(c.Request().Context(), id.Claims.Key, renewedToken(c, claims)); err != nil {
		return fmt.Errorf("log out elsewhere: %w", err)
	}
	h.SignOut(id.User.ID, "")
	return respond(c, http.StatusOK, wire.TokenResponse{Token: token, ExpiresAt: wire.Time(claims.ExpiresAt)})
}

// refresh handles POST /api/auth/refresh: another token for the bearer of a valid one, which
// stays valid itself. The new one is of the same devices.
//
//	200 {token, expiresAt}    401 invalid token
func (h *Accounts) refresh(c echo.Context) error {
	id := caller(c)
	token, claims, err := h.Tokens.Renew(id.User, id.Claims, time.Now())
	if err != nil {
		return err
	}
	h.FlushDevices()
	if err := h.Store.RenewToken(c.Request().Context(), id.Claims.Key, renewedToken(c, claims)); err != nil {
		return fmt.Errorf("refresh a token: %w", err)
	}
	return respond(c, http.StatusOK, wire.TokenResponse{Token: token, ExpiresAt: wire.Time(claims.ExpiresAt)})
}

// renewedToken returns the record of a token that the caller gets for the one of the request.
func renewedToken(c echo.Context, claims auth.Claims) models.DeviceToken {
	return models.DeviceToken{
		UserID: userID(c), Key: claims.Key, ExpiresAt: claims.ExpiresAt,
		Client: auth.ClientName(c.Request().UserAgent()),
	}
}
