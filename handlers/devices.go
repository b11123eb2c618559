package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// devices is implemented by *store.Store.
type devices interface {
	Devices(ctx context.Context, userID string) ([]models.Device, error)
	// SignOutDevice revokes the tokens of a device and returns their keys. The error is
	// models.NotFound for a device that is not the user's.
	SignOutDevice(ctx context.Context, userID, deviceID string, grace time.Duration) (keys []string, err error)
	Sessions(ctx context.Context, userID string) ([]models.LoginSession, error)
	// SignOutToken revokes a token. The error is models.NotFound for a token that is not
	// the user's.
	SignOutToken(ctx context.Context, userID, key string, grace time.Duration) error
}

// hub is implemented by *sockets.Hub.
type hub interface {
	Presence(userID string) wire.Presence
	// FlushDevices writes the present devices to the Store.
	FlushDevices()
	SignOut(userID, key string)
}

// Devices handles the routes of /api/devices and /api/presence.
type Devices struct {
	Store devices
	Hub   hub
	Grace time.Duration // SYNC_TOKEN_GRACE: how long an expired token is still accepted for offline batches
}

// Register adds the routes to api. guard authenticates the caller.
func (h *Devices) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = withCodes(guard)
	get(api, "/presence", h.presence, guard...)
	get(api, "/devices", h.list, guard...)
	api.DELETE("/devices/:id", h.signOut, guard...)
	get(api, "/sessions", h.sessions, guard...)
	api.DELETE("/sessions/:id", h.endSession, guard...)
}

// presence handles GET /api/presence: the caller's online devices.
//
//	200 {userId, online, devices}
func (h *Devices) presence(c echo.Context) error {
	return respond(c, http.StatusOK, h.Hub.Presence(userID(c)))
}

// list handles GET /api/devices: the devices that opened a socket with a token that is
// still valid, most recently seen first.
//
//	200 {devices}
func (h *Devices) list(c echo.Context) error {
	uid := userID(c)
	h.Hub.FlushDevices()
	known, err := h.Store.Devices(c.Request().Context(), uid)
	if err != nil {
		return fmt.Errorf("list devices: %w", err)
	}
	online := map[string]bool{}
	for _, d := range h.Hub.Presence(uid).Devices {
		online[d.DeviceID] = true
	}
	docs := make([]wire.Device, len(known))
	for i, d := range known {
		docs[i] = wire.NewDevice(d, online[d.ID])
	}
	return respond(c, http.StatusOK, struct {
		Devices []wire.Device `json:"devices"`
	}{docs})
}

// signOut handles DELETE /api/devices/:id. It revokes every token that the device used
// and closes their sockets.
//
//	200 {deviceId, tokens}    404 no such device of the caller's
func (h *Devices) signOut(c echo.Context) error {
	id, err := pathValue(c, "id")
	if err != nil {
		return err
	}
	uid := userID(c)
	h.Hub.FlushDevices()
	keys, err := h.Store.SignOutDevice(c.Request().Context(), uid, id, h.Grace)
	if err != nil {
		return fmt.Errorf("sign a device out: %w", err)
	}
	for _, key := range keys {
		h.Hub.SignOut(uid, key)
	}
	return respond(c, http.StatusOK, struct {
		DeviceID string `json:"deviceId"`
		Tokens   int    `json:"tokens"` // number of revoked tokens
	}{id, len(keys)})
}

// sessions handles GET /api/sessions: the caller's tokens that were used and have not
// expired, most recently used first.
//
//	200 {sessions}
func (h *Devices) sessions(c echo.Context) error {
	id := caller(c)
	h.Hub.FlushDevices()
	known, err := h.Store.Sessions(c.Request().Context(), id.User.ID)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	docs := make([]wire.LoginSession, len(known))
	for i, s := range known {
		docs[i] = wire.NewLoginSession(s, id.Claims.Key)
	}
	return respond(c, http.StatusOK, struct {
		Sessions []wire.LoginSession `json:"sessions"`
	}{docs})
}

// endSession handles DELETE /api/sessions/:id. It revokes the token and closes its
// sockets.
//
//	200 {id}    404 no such token of the caller's
func (h *Devices) endSession(c echo.Context) error {
	key, err := pathValue(c, "id")
	if err != nil {
		return err
	}
	uid := userID(c)
	h.Hub.FlushDevices()
	if err := h.Store.SignOutToken(c.Request().Context(), uid, key, h.Grace); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	h.Hub.SignOut(uid, key)
	return respond(c, http.StatusOK, struct {
		ID string `json:"id"`
	}{key})
}

// pathValue returns a path parameter that may contain any characters. Echo leaves the
// parameters of a path with an escaped slash escaped.
func pathValue(c echo.Context, name string) (string, error) {
	if c.Request().URL.RawPath == "" {
		return c.Param(name), nil
	}
	value, err := url.PathUnescape(c.Param(name))
	if err != nil {
		return "", models.E(models.NotFound, "Not found")
	}
	return value, nil
}
