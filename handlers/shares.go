package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// shareLedger is what decides who has whose expenses.
type shareLedger interface {
	Share(ctx context.Context, userID, expenseID, email string, role models.Role, by models.Author) error
	Withdraw(ctx context.Context, userID, expenseID, email string, by models.Author) error
	Unshare(ctx context.Context, userID, expenseID, memberID string, by models.Author) ([]models.Share, error)
	Shares(ctx context.Context, userID, expenseID string) (models.Sharing, error)
	Comment(ctx context.Context, userID, expenseID, text string) (models.Activity, error)
	Activities(ctx context.Context, userID, expenseID string, page, limit int) ([]models.Activity, int64, error)
}

// Page sizes of activities.
const (
	defaultActivities = 20
	maxActivities     = 100
)

// Shares answers /api/expenses/:id/share and /api/expenses/:id/activity.
type Shares struct{ Ledger shareLedger }

// Register puts the routes below /api; guard lets only known callers in.
func (h *Shares) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = chain([]echo.MiddlewareFunc{coded}, guard)
	get(api, "/expenses/:id/share", h.list, guard...)
	api.POST("/expenses/:id/share", h.share, guard...)
	api.DELETE("/expenses/:id/share/:userId", h.unshare, guard...)
	api.DELETE("/expenses/:id/invitations/:email", h.withdraw, guard...)
	get(api, "/expenses/:id/activity", h.activities, guard...)
	api.POST("/expenses/:id/activity", h.comment, guard...)
}

// list handles GET /api/expenses/:id/share, for all who have the expense. Whom its
// owner has invited is told to the owner alone.
//
//	200 {expenseId, owner, role, sharedWith, invited?}    404 absent, or the caller does not have it
func (h *Shares) list(c echo.Context) error {
	s, err := h.Ledger.Shares(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id"))
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewSharing(c.Param("id"), s))
}

// share handles POST /api/expenses/:id/share, {email, role}: it invites whoever has
// the address. The answer says nothing about whether anybody does, or accepts.
//
//	202 {expenseId, invited}       403 the caller does not own it
//	400 what is wrong with it,     404 the caller does not have it
//	    or too many
func (h *Shares) share(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	email, role, meta, err := wire.ParseShare(b)
	if err != nil {
		return err
	}
	by, err := author(c, meta.DeviceID)
	if err != nil {
		return err
	}
	err = h.Ledger.Share(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id"), email, role, by)
	if err != nil {
		return err
	}
	return respond(c, http.StatusAccepted, wire.Invited{ExpenseID: c.Param("id"), Invited: true})
}

// withdraw handles DELETE /api/expenses/:id/invitations/:email, by the owner.
//
//	200 {expenseId, invited: false}    403 the caller does not own it
//	404 no such expense or invitation
func (h *Shares) withdraw(c echo.Context) error {
	by, err := sender(c)
	if err != nil {
		return err
	}
	email, err := pathValue(c, "email")
	if err != nil {
		return err
	}
	err = h.Ledger.Withdraw(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id"), email, by)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.Invited{ExpenseID: c.Param("id")})
}

// unshare handles DELETE /api/expenses/:id/share/:userId, by the owner, or by the
// user themselves, who leaves and learns no more of the others.
//
//	200 {expenseId, sharedWith}    403 the caller is neither
//	404 no such expense or member
func (h *Shares) unshare(c echo.Context) error {
	by, err := sender(c)
	if err != nil {
		return err
	}
	shares, err := h.Ledger.Unshare(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id"), c.Param("userId"), by)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewShares(c.Param("id"), shares))
}

// activities handles GET /api/expenses/:id/activity?page=&limit=, newest first.
//
//	200 {expenseId, activities, pagination}    404 absent, or the caller does not have it
func (h *Shares) activities(c echo.Context) error {
	page := whole(c.QueryParam("page"), 1, 1<<31)
	limit := whole(c.QueryParam("limit"), defaultActivities, maxActivities)
	as, total, err := h.Ledger.Activities(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id"), page, limit)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewActivityPage(c.Param("id"), as, total, page, limit))
}

// comment handles POST /api/expenses/:id/activity, {text}, for all who have the
// expense.
//
//	201 the activity    400 empty, or over 1 kB    404 absent, or the caller does not have it
func (h *Shares) comment(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	text, err := wire.ParseComment(b)
	if err != nil {
		return err
	}
	a, err := h.Ledger.Comment(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id"), text)
	if err != nil {
		return err
	}
	return respond(c, http.StatusCreated, wire.NewActivity(a))
}
