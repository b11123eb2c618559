package handlers

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// accounts is what the Accounts handlers need of the ledger.
type accounts interface {
	Register(ctx context.Context, name, email, password string) (models.User, error)
	Login(ctx context.Context, email, password string) (models.User, error)
	ChangePassword(ctx context.Context, userID, current, replacement string) (models.User, error)
	Confirm(ctx context.Context, userID, password string) error
}

// tokens signs tokens; *auth.Tokens does.
type tokens interface {
	Issue(u models.User, now time.Time) (string, error)
}

// revoker ends a token.
type revoker interface {
	RevokeToken(ctx context.Context, tokenKey, userID string, until time.Time) error
}

// Accounts answers /api/auth and /api/user.
type Accounts struct {
	Ledger  accounts
	Tokens  tokens
	Revoker revoker

	// SignOut closes the live sockets of the user's token of that key, of all
	// tokens if the key is "".
	SignOut func(userID, tokenKey string)

	// Remove removes an account with all that is the user's.
	Remove func(ctx context.Context, userID string) error

	MinPassword int           // characters
	Grace       time.Duration // how long after its end a token still opens something
}

// Register puts the routes below /api. open guards what needs no token, closed
// what does; page goes after them where a page of another site must not act, guess
// where passwords can be guessed too.
func (h *Accounts) Register(api *echo.Group, open, closed, page, guess []echo.MiddlewareFunc) {
	api.POST("/auth/register", h.register, chain(open, guess)...)
	api.POST("/auth/login", h.login, chain(open, guess)...)
	api.POST("/auth/logout", h.logout, chain(closed, page)...)
	api.POST("/auth/security/change-password", h.changePassword, chain(closed, guess)...)
	get(api, "/user/profile", h.profile, closed...)
	api.DELETE("/user", h.remove, chain(closed, guess)...)
}

func chain(lists ...[]echo.MiddlewareFunc) []echo.MiddlewareFunc {
	var all []echo.MiddlewareFunc
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// register handles POST /api/auth/register.
//
//	201 {token, user}    400 the contract's text, also for a taken address
func (h *Accounts) register(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	r, err := wire.ParseRegistration(b, h.MinPassword)
	if err != nil {
		return err
	}
	u, err := h.Ledger.Register(c.Request().Context(), r.Name, r.Email, r.Password)
	if err != nil {
		return err
	}
	return h.session(c, http.StatusCreated, u)
}

// login handles POST /api/auth/login.
//
//	200 {token, user}    400 (not 401) wrong address or password: the two look the same
func (h *Accounts) login(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	email, password, err := wire.ParseLogin(b)
	if err != nil {
		return err
	}
	u, err := h.Ledger.Login(c.Request().Context(), email, password)
	if err != nil {
		return err
	}
	return h.session(c, http.StatusOK, u)
}

func (h *Accounts) session(c echo.Context, code int, u models.User) error {
	token, err := h.Tokens.Issue(u, time.Now())
	if err != nil {
		return err
	}
	return respond(c, code, wire.Session{Token: token, User: wire.NewUser(u)})
}

// logout handles POST /api/auth/logout: the token is refused from now on, and
// its live sockets are closed.
//
//	200 {success, message}    401 no good token
func (h *Accounts) logout(c echo.Context) error {
	id := caller(c.Request().Context())
	until := id.Claims.ExpiresAt.Add(h.Grace)
	if err := h.Revoker.RevokeToken(c.Request().Context(), id.Claims.Key, id.User.ID, until); err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	h.SignOut(id.User.ID, id.Claims.Key)
	return respond(c, http.StatusOK, message{Success: true, Message: "Logged out successfully"})
}

// changePassword handles POST /api/auth/security/change-password. Every token
// given out before is refused from now on, the one used here too; the answer
// has a new one for this device.
//
//	200 {success, message, token}    400 the contract's text    401 no good token
func (h *Accounts) changePassword(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	change, err := wire.ParsePasswordChange(b, h.MinPassword)
	if err != nil {
		return err
	}
	u, err := h.Ledger.ChangePassword(c.Request().Context(), caller(c.Request().Context()).User.ID, change.Current, change.New)
	if err != nil {
		return err
	}
	h.SignOut(u.ID, "")
	token, err := h.Tokens.Issue(u, time.Now())
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, struct {
		message
		Token string `json:"token"`
	}{message{true, "Password changed successfully. Other sessions have been logged out."}, token})
}

// remove handles DELETE /api/user, {password}: the account and all that is the
// caller's are gone at once, for whoever has an expense of theirs too, and every
// socket and token of the caller's has ended.
//
//	200 {success, message}    400 the password is wrong    401 no good token
func (h *Accounts) remove(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	password, err := wire.ParseDeletion(b)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	userID := caller(ctx).User.ID
	if err := h.Ledger.Confirm(ctx, userID, password); err != nil {
		return err
	}
	if err := h.Remove(ctx, userID); err != nil {
		return err
	}
	h.SignOut(userID, "")
	return respond(c, http.StatusOK, message{Success: true, Message: "Your account and everything in it has been deleted."})
}

// profile handles GET /api/user/profile.
//
//	200 {name, email, createdAt}    401 no good token
func (h *Accounts) profile(c echo.Context) error {
	return respond(c, http.StatusOK, wire.NewProfile(caller(c.Request().Context()).User))
}
