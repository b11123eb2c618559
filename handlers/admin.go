package handlers

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// Admin handles the routes of /api/admin, which are for the server's operator.
type Admin struct {
	// Token is the bearer token of these routes. Without one they are not registered.
	Token string

	// Broadcast sends a status to all sockets, and to those that connect later.
	Broadcast func(wire.Status)

	// Connections returns who is connected, to this process and to the others.
	Connections func(context.Context) wire.Connections

	// Overview returns how this process is doing.
	Overview func(context.Context) wire.ServerOverview
}

// Register adds the routes to api, behind guard, if there is a token.
func (h *Admin) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	if h.Token == "" {
		return
	}
	guard = append(withCodes(guard), h.requireAdminToken)
	api.POST("/admin/status", h.status, guard...)
	get(api, "/admin/connections", h.connections, guard...)
	get(api, "/admin/overview", h.overview, guard...)
}

// requireAdminToken refuses requests without the admin token. It compares hashes in
// constant time, so the response time reveals nothing about the token.
func (h *Admin) requireAdminToken(next echo.HandlerFunc) echo.HandlerFunc {
	want := sha256.Sum256([]byte(h.Token))
	return func(c echo.Context) error {
		bearer := strings.TrimPrefix(c.Request().Header.Get(echo.HeaderAuthorization), "Bearer ")
		if bearer == "" {
			return &models.Error{Kind: models.Unauthorized, Msg: "Access denied. No token provided.", Code: auth.CodeNoToken}
		}
		if got := sha256.Sum256([]byte(bearer)); subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			return &models.Error{Kind: models.Unauthorized, Msg: "Invalid token.", Code: auth.CodeTokenInvalid}
		}
		return next(c)
	}
}

// status handles POST /api/admin/status {status, message?}.
//
//	200 {status, message, at}, as it was sent    401 wrong token
//	400 unknown status                           404 ADMIN_TOKEN is not set
func (h *Admin) status(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	s, err := wire.ParseStatus(b, time.Now())
	if err != nil {
		return err
	}
	h.Broadcast(s)
	return respond(c, http.StatusOK, s)
}

// connections handles GET /api/admin/connections. Processes that do not answer within a
// second are named as missing.
//
//	200 {sockets, users, processes, missing}    401 wrong token    404 ADMIN_TOKEN is not set
func (h *Admin) connections(c echo.Context) error {
	return respond(c, http.StatusOK, h.Connections(c.Request().Context()))
}

// overview handles GET /api/admin/overview. It answers also while the database or other
// processes do not: what they would have said is null or missing.
//
//	200 wire.ServerOverview    401 wrong token    404 ADMIN_TOKEN is not set
func (h *Admin) overview(c echo.Context) error {
	return respond(c, http.StatusOK, h.Overview(c.Request().Context()))
}
