package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// shareLedger is implemented by *ledger.Ledger.
type shareLedger interface {
	Share(ctx context.Context, userID, expenseID, email string, role models.Role, by models.Author) error
	WithdrawInvitation(ctx context.Context, userID, expenseID, email string, by models.Author) error
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

// Shares handles the routes of /api/expenses/:id about shares, invitations and activity.
type Shares struct{ Ledger shareLedger }

// Register adds the routes to api. guard authenticates the caller.
func (h *Shares) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = withCodes(guard)
	get(api, "/expenses/:id/share", h.list, guard...)
	api.POST("/expenses/:id/share", h.share, guard...)
	api.DELETE("/expenses/:id/share/:userId", h.unshare, guard...)
	api.DELETE("/expenses/:id/invitations/:email", h.withdraw, guard...)
	get(api, "/expenses/:id/activity", h.activities, guard...)
	api.POST("/expenses/:id/activity", h.comment, guard...)
}

// list handles GET /api/expenses/:id/share, for all users with access. Only the owner
// sees invitations.
//
//	200 {expenseId, owner, role, sharedWith, invited?}    404 absent, or the caller has no access
func (h *Shares) list(c echo.Context) error {
	s, err := h.Ledger.Shares(c.Request().Context(), userID(c), c.Param("id"))
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewSharing(c.Param("id"), s))
}

// share handles POST /api/expenses/:id/share {email, role}, which invites the owner of the
// address. The response is the same whether or not the address has an account.
//
//	202 {expenseId, invited}       403 the caller is not the owner
//	400 invalid, or too many       404 the caller has no access
func (h *Shares) share(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	email, role, meta, err := wire.ParseShare(b)
	if err != nil {
		return err
	}
	by, err := authorFrom(c, meta.DeviceID)
	if err != nil {
		return err
	}
	err = h.Ledger.Share(c.Request().Context(), userID(c), c.Param("id"), email, role, by)
	if err != nil {
		return err
	}
	return respond(c, http.StatusAccepted, wire.InviteResponse{ExpenseID: c.Param("id"), Invited: true})
}

// withdraw handles DELETE /api/expenses/:id/invitations/:email.
//
//	200 {expenseId, invited: false}    403 the caller is not the owner
//	404 no such expense or invitation
func (h *Shares) withdraw(c echo.Context) error {
	by, err := author(c)
	if err != nil {
		return err
	}
	email, err := pathValue(c, "email")
	if err != nil {
		return err
	}
	err = h.Ledger.WithdrawInvitation(c.Request().Context(), userID(c), c.Param("id"), email, by)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.InviteResponse{ExpenseID: c.Param("id")})
}

// unshare handles DELETE /api/expenses/:id/share/:userId. The owner may remove a user, and
// a user may leave; the response to the latter does not list the others.
//
//	200 {expenseId, sharedWith}    403 the caller is neither of them
//	404 no such expense or member
func (h *Shares) unshare(c echo.Context) error {
	by, err := author(c)
	if err != nil {
		return err
	}
	shares, err := h.Ledger.Unshare(c.Request().Context(), userID(c), c.Param("id"), c.Param("userId"), by)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewShares(c.Param("id"), shares))
}

// activities handles GET /api/expenses/:id/activity?page=&limit=, newest first.
//
//	200 {expenseId, activities, pagination}    404 absent, or the caller has no access
func (h *Shares) activities(c echo.Context) error {
	page := positiveInt(c.QueryParam("page"), 1, 1<<31)
	limit := positiveInt(c.QueryParam("limit"), defaultActivities, maxActivities)
	as, total, err := h.Ledger.Activities(c.Request().Context(), userID(c), c.Param("id"), page, limit)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewActivityPage(c.Param("id"), as, total, page, limit))
}

// comment handles POST /api/expenses/:id/activity {text}, for all users with access.
//
//	201 the activity    400 blank, or longer than 1024 bytes    404 absent, or the caller has no access
func (h *Shares) comment(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	text, err := wire.ParseComment(b)
	if err != nil {
		return err
	}
	a, err := h.Ledger.Comment(c.Request().Context(), userID(c), c.Param("id"), text)
	if err != nil {
		return err
	}
	return respond(c, http.StatusCreated, wire.NewActivity(a))
}
