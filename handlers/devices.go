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

// devices keeps the devices that users come with.
type devices interface {
	Devices(ctx context.Context, userID string) ([]models.Device, error)
	// SignOutDevice gives the keys of the tokens that are refused from now on, and
	// models.NotFound for a device that is not the user's.
	SignOutDevice(ctx context.Context, userID, deviceID string, grace time.Duration) (keys []string, err error)
	Sessions(ctx context.Context, userID string) ([]models.Session, error)
	// SignOutToken gives models.NotFound for a token that is not the user's.
	SignOutToken(ctx context.Context, userID, key string, grace time.Duration) error
}

// live knows which devices are there, and closes sockets.
type live interface {
	Presence(userID string) wire.Presence
	// KeepDevices has the Store know of all devices that are there.
	KeepDevices()
	SignOut(userID, key string)
}

// Devices answers /api/devices and /api/presence.
type Devices struct {
	Store devices
	Hub   live
	Grace time.Duration // SYNC_TOKEN_GRACE: how long a token may still bring a queue after its end
}

// Register puts the routes below /api; guard lets only known callers in.
func (h *Devices) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = chain([]echo.MiddlewareFunc{coded}, guard)
	get(api, "/presence", h.presence, guard...)
	get(api, "/devices", h.list, guard...)
	api.DELETE("/devices/:id", h.signOut, guard...)
	get(api, "/sessions", h.sessions, guard...)
	api.DELETE("/sessions/:id", h.endSession, guard...)
}

// presence handles GET /api/presence: which of the caller's devices are there.
//
//	200 {userId, online, devices}
func (h *Devices) presence(c echo.Context) error {
	return respond(c, http.StatusOK, h.Hub.Presence(caller(c.Request().Context()).User.ID))
}

// list handles GET /api/devices: the caller's devices that have opened a socket
// with a token that is still good, the one seen last first.
//
//	200 {devices}
func (h *Devices) list(c echo.Context) error {
	userID := caller(c.Request().Context()).User.ID
	h.Hub.KeepDevices()
	known, err := h.Store.Devices(c.Request().Context(), userID)
	if err != nil {
		return fmt.Errorf("list devices: %w", err)
	}
	online := map[string]bool{}
	for _, d := range h.Hub.Presence(userID).Devices {
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

// signOut handles DELETE /api/devices/:id: every token that the device came with
// is refused from now on, and its sockets are closed.
//
//	200 {deviceId, tokens}    404 no such device of the caller's
func (h *Devices) signOut(c echo.Context) error {
	id, err := pathValue(c, "id")
	if err != nil {
		return err
	}
	userID := caller(c.Request().Context()).User.ID
	h.Hub.KeepDevices()
	keys, err := h.Store.SignOutDevice(c.Request().Context(), userID, id, h.Grace)
	if err != nil {
		return fmt.Errorf("sign a device out: %w", err)
	}
	for _, key := range keys {
		h.Hub.SignOut(userID, key)
	}
	return respond(c, http.StatusOK, struct {
		DeviceID string `json:"deviceId"`
		Tokens   int    `json:"tokens"` // how many it had come with
	}{id, len(keys)})
}

// sessions handles GET /api/sessions: every token of the caller's that may still be
// good and was used, also without a live connection, the one used last first.
//
//	200 {sessions}
func (h *Devices) sessions(c echo.Context) error {
	id := caller(c.Request().Context())
	h.Hub.KeepDevices()
	known, err := h.Store.Sessions(c.Request().Context(), id.User.ID)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	docs := make([]wire.KnownSession, len(known))
	for i, s := range known {
		docs[i] = wire.NewKnownSession(s, id.Claims.Key)
	}
	return respond(c, http.StatusOK, struct {
		Sessions []wire.KnownSession `json:"sessions"`
	}{docs})
}

// endSession handles DELETE /api/sessions/:id: that token is refused from now on, and
// its sockets are closed.
//
//	200 {id}    404 no such token of the caller's
func (h *Devices) endSession(c echo.Context) error {
	key, err := pathValue(c, "id")
	if err != nil {
		return err
	}
	userID := caller(c.Request().Context()).User.ID
	h.Hub.KeepDevices()
	if err := h.Store.SignOutToken(c.Request().Context(), userID, key, h.Grace); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	h.Hub.SignOut(userID, key)
	return respond(c, http.StatusOK, struct {
		ID string `json:"id"`
	}{key})
}

// pathValue is a parameter of the path that may hold any characters. A path with an
// escaped slash arrives from echo with all its escapes.
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
