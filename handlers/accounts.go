package handlers

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// accounts is implemented by *ledger.Accounts.
type accounts interface {
	Register(ctx context.Context, name, email, password string) (models.User, error)
	Login(ctx context.Context, email, password string) (models.User, error)
	ChangePassword(ctx context.Context, userID, current, replacement string) (models.User, error)
	ConfirmPassword(ctx context.Context, userID, password string) error
}

// tokens is implemented by *auth.Tokens.
type tokens interface {
	Issue(u models.User, now time.Time) (string, error)
	// Renew issues another token to the bearer of a valid one.
	Renew(u models.User, old auth.Claims, now time.Time) (string, auth.Claims, error)
}

// tokenStore is implemented by *store.Store.
type tokenStore interface {
	RevokeToken(ctx context.Context, tokenKey, userID string, until time.Time) error
	// RenewToken records a token for the devices of the one with the key old, which it replaces.
	RenewToken(ctx context.Context, old string, renewed models.DeviceToken) error
	// SignOutOthers is RenewToken, and revokes every token before.
	SignOutOthers(ctx context.Context, old string, renewed models.DeviceToken) error
	SignOutEverywhere(ctx context.Context, userID string) error
}

// Accounts handles the routes of /api/auth and /api/user.
type Accounts struct {
	Ledger accounts
	Tokens tokens
	Store  tokenStore

	// SignOut closes the sockets of the user's token with this key, of all tokens if
	// tokenKey is "".
	SignOut func(userID, tokenKey string)

	// FlushDevices writes the present devices to the Store.
	FlushDevices func()

	// Remove removes an account with all of the user's data.
	Remove func(ctx context.Context, userID string) error

	Closed      bool          // nobody registers
	MinPassword int           // UTF-16 units
	Grace       time.Duration // how long an expired token is still accepted for offline batches
}

// Register adds the routes to api. public and authenticated are the middleware of routes
// without and with a token. sameSite follows them where other sites' pages must be
// refused; guessLimited does the same and limits guesses of passwords, refreshLimited does
// and limits new tokens.
func (h *Accounts) Register(
	api *echo.Group, public, authenticated, sameSite, guessLimited, refreshLimited []echo.MiddlewareFunc,
) {
	get(api, "/auth/options", h.options, public...)
	api.POST("/auth/register", h.register, slices.Concat(public, guessLimited)...)
	api.POST("/auth/refresh", h.refresh, withCodes(slices.Concat(authenticated, refreshLimited))...)
	api.POST("/auth/login", h.login, slices.Concat(public, guessLimited)...)
	api.POST("/auth/logout", h.logout, slices.Concat(authenticated, sameSite)...)
	api.POST("/auth/logout-others", h.logoutOthers, withCodes(slices.Concat(authenticated, refreshLimited))...)
	api.POST("/auth/logout-everywhere", h.logoutEverywhere, withCodes(slices.Concat(authenticated, sameSite))...)
	api.POST("/auth/security/change-password", h.changePassword, slices.Concat(authenticated, guessLimited)...)
	get(api, "/user/profile", h.profile, authenticated...)
	api.DELETE("/user", h.remove, slices.Concat(authenticated, guessLimited)...)
}

// options handles GET /api/auth/options: what a page shows before a sign-in.
//
//	200 {registration, minPassword}
func (h *Accounts) options(c echo.Context) error {
	return respond(c, http.StatusOK, struct {
		Registration bool `json:"registration"` // whether anybody may register
		MinPassword  int  `json:"minPassword"`  // of a new one, in UTF-16 units
	}{!h.Closed, h.MinPassword})
}

// errRegistrationClosed is what a visitor reads with ALLOW_REGISTRATION=false.
var errRegistrationClosed = &models.Error{
	Kind: models.Forbidden, Code: "REGISTRATION_CLOSED", Setting: "ALLOW_REGISTRATION",
	Msg: "New accounts cannot be made here: ask whoever runs this server for one",
}

// register handles POST /api/auth/register.
//
//	201 {token, user}    400 invalid, or the address is taken
//	403 with ALLOW_REGISTRATION=false
func (h *Accounts) register(c echo.Context) error {
	if h.Closed {
		return errRegistrationClosed
	}
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
	return h.respondWithToken(c, http.StatusCreated, u)
}

// login handles POST /api/auth/login.
//
//	200 {token, user}    400 (not 401) wrong address or password, with the same message
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
	return h.respondWithToken(c, http.StatusOK, u)
}

func (h *Accounts) respondWithToken(c echo.Context, code int, u models.User) error {
	token, err := h.Tokens.Issue(u, time.Now())
	if err != nil {
		return err
	}
	return respond(c, code, wire.AuthResponse{Token: token, User: wire.NewUser(u)})
}

// changePassword handles POST /api/auth/security/change-password. It revokes every token
// issued before, including that of the request; the response has a new one.
//
//	200 {success, message, token}    400 invalid    401 invalid token
func (h *Accounts) changePassword(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	change, err := wire.ParsePasswordChange(b, h.MinPassword)
	if err != nil {
		return err
	}
	u, err := h.Ledger.ChangePassword(c.Request().Context(), userID(c), change.Current, change.New)
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

// remove handles DELETE /api/user {password}. It removes the account with all data,
// revokes its tokens and closes its sockets.
//
//	200 {success, message}    400 the password is wrong    401 invalid token
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
	uid := userID(c)
	if err := h.Ledger.ConfirmPassword(ctx, uid, password); err != nil {
		return err
	}
	if err := h.Remove(ctx, uid); err != nil {
		return err
	}
	h.SignOut(uid, "")
	return respond(c, http.StatusOK, message{Success: true, Message: "Your account and everything in it has been deleted."})
}

// profile handles GET /api/user/profile.
//
//	200 {name, email, createdAt}    401 invalid token
func (h *Accounts) profile(c echo.Context) error {
	return respond(c, http.StatusOK, wire.NewProfile(caller(c).User))
}
