package handlers

import (
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

// Admin answers whoever runs the server.
type Admin struct {
	// Token opens the routes, and nothing else. Without one they are not there.
	Token string

	// Tell sends a status to every open socket and to those that come.
	Tell func(wire.Status)
}

// Register puts the routes below /api, behind guard, if there is a token.
func (h *Admin) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	if h.Token != "" {
		api.POST("/admin/status", h.status, chain([]echo.MiddlewareFunc{coded}, guard, []echo.MiddlewareFunc{h.known})...)
	}
}

// known lets only the bearer of the token pass. The comparison takes as long for
// a token that is nearly right as for any other.
func (h *Admin) known(next echo.HandlerFunc) echo.HandlerFunc {
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

// status handles POST /api/admin/status, whose body is {status, message?}.
//
//	200 {status, message, at}, as everybody heard it    401 not the token
//	400 no such status                                  404 there is no ADMIN_TOKEN
func (h *Admin) status(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	s, err := wire.ParseStatus(b, time.Now())
	if err != nil {
		return err
	}
	h.Tell(s)
	return respond(c, http.StatusOK, s)
}
