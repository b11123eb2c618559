package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// invitationLedger is implemented by *ledger.Ledger.
type invitationLedger interface {
	Invitations(ctx context.Context, userID string) ([]models.Invitation, error)
	AcceptInvitation(ctx context.Context, userID, id string, by models.Author) (models.Expense, error)
	DeclineInvitation(ctx context.Context, userID, id string, by models.Author) error
	Block(ctx context.Context, userID, otherID string, by models.Author) (models.Person, error)
	Unblock(ctx context.Context, userID, otherID string, by models.Author) (models.Person, error)
	Blocked(ctx context.Context, userID string) ([]models.Person, error)
}

// Invitations handles the routes of /api/invitations and /api/people.
type Invitations struct{ Ledger invitationLedger }

// Register adds the routes to api. guard authenticates the caller.
func (h *Invitations) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = withCodes(guard)
	get(api, "/invitations", h.list, guard...)
	api.POST("/invitations/:id/accept", h.accept, guard...)
	api.POST("/invitations/:id/decline", h.decline, guard...)
	get(api, "/people/blocked", h.blocked, guard...)
	api.POST("/people/:userId/block", h.block, guard...)
	api.DELETE("/people/:userId/block", h.unblock, guard...)
}

// list handles GET /api/invitations: those that wait for the caller's answer, the
// newest first.
//
//	200 {invitations}
func (h *Invitations) list(c echo.Context) error {
	all, err := h.Ledger.Invitations(c.Request().Context(), userID(c))
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewInvitations(all))
}

// accept handles POST /api/invitations/:id/accept. Later shares of the inviting user need
// no invitation, unless the caller blocks them.
//
//	200 {id, expense}    404 it does not wait for the caller's answer
func (h *Invitations) accept(c echo.Context) error {
	by, err := author(c)
	if err != nil {
		return err
	}
	e, err := h.Ledger.AcceptInvitation(c.Request().Context(), userID(c), c.Param("id"), by)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.AcceptResponse{ID: c.Param("id"), Expense: wire.Expense(e)})
}

// decline handles POST /api/invitations/:id/decline. The inviting user is not notified.
//
//	200 {id}    404 it does not wait for the caller's answer
func (h *Invitations) decline(c echo.Context) error {
	by, err := author(c)
	if err != nil {
		return err
	}
	if err := h.Ledger.DeclineInvitation(c.Request().Context(), userID(c), c.Param("id"), by); err != nil {
		return err
	}
	return respond(c, http.StatusOK, struct {
		ID string `json:"id"`
	}{c.Param("id")})
}

// blocked handles GET /api/people/blocked.
//
//	200 {blocked}, by name
func (h *Invitations) blocked(c echo.Context) error {
	people, err := h.Ledger.Blocked(c.Request().Context(), userID(c))
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewBlockedPeople(people))
}

// block handles POST /api/people/:userId/block. The blocked user is not notified.
//
//	200 {id, name, blocked: true}    404 no user with whom the caller had contact
//	400 too many blocked users
func (h *Invitations) block(c echo.Context) error { return h.decide(c, h.Ledger.Block, true) }

// unblock handles DELETE /api/people/:userId/block.
//
//	200 {id, name, blocked: false}    404 the caller does not block this user
func (h *Invitations) unblock(c echo.Context) error { return h.decide(c, h.Ledger.Unblock, false) }

func (h *Invitations) decide(
	c echo.Context, do func(ctx context.Context, userID, otherID string, by models.Author) (models.Person, error), blocked bool,
) error {
	by, err := author(c)
	if err != nil {
		return err
	}
	p, err := do(c.Request().Context(), userID(c), c.Param("userId"), by)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.BlockState{Person: wire.Person{ID: p.ID, Name: p.Name}, Blocked: blocked})
}
