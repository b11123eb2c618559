package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// invitationLedger is what decides about invitations and people.
type invitationLedger interface {
	Invitations(ctx context.Context, userID string) ([]models.Invitation, error)
	Accept(ctx context.Context, userID, id string, by models.Author) (models.Expense, error)
	Decline(ctx context.Context, userID, id string, by models.Author) error
	Block(ctx context.Context, userID, otherID string, by models.Author) (models.Person, error)
	Unblock(ctx context.Context, userID, otherID string, by models.Author) (models.Person, error)
	Blocked(ctx context.Context, userID string) ([]models.Person, error)
}

// Invitations answers /api/invitations and /api/people.
type Invitations struct{ Ledger invitationLedger }

// Register puts the routes below /api; guard lets only known callers in.
func (h *Invitations) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = chain([]echo.MiddlewareFunc{coded}, guard)
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
	all, err := h.Ledger.Invitations(c.Request().Context(), caller(c.Request().Context()).User.ID)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewInvitations(all))
}

// accept handles POST /api/invitations/:id/accept. Later shares of whoever invited
// then arrive without an invitation, until the caller blocks them.
//
//	200 {id, expense}    404 it does not wait for the caller's answer
func (h *Invitations) accept(c echo.Context) error {
	by, err := sender(c)
	if err != nil {
		return err
	}
	e, err := h.Ledger.Accept(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id"), by)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.Accepted{ID: c.Param("id"), Expense: wire.Expense(e)})
}

// decline handles POST /api/invitations/:id/decline. Whoever invited is not told.
//
//	200 {id}    404 it does not wait for the caller's answer
func (h *Invitations) decline(c echo.Context) error {
	by, err := sender(c)
	if err != nil {
		return err
	}
	if err := h.Ledger.Decline(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id"), by); err != nil {
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
	people, err := h.Ledger.Blocked(c.Request().Context(), caller(c.Request().Context()).User.ID)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewBlockedPeople(people))
}

// block handles POST /api/people/:userId/block. Whoever is blocked is not told.
//
//	200 {id, name, blocked: true}    404 nobody the caller has had to do with
//	400 too many
func (h *Invitations) block(c echo.Context) error { return h.decide(c, h.Ledger.Block, true) }

// unblock handles DELETE /api/people/:userId/block.
//
//	200 {id, name, blocked: false}    404 nobody the caller blocks
func (h *Invitations) unblock(c echo.Context) error { return h.decide(c, h.Ledger.Unblock, false) }

func (h *Invitations) decide(c echo.Context, do func(ctx context.Context, userID, otherID string, by models.Author) (models.Person, error), blocked bool) error {
	by, err := sender(c)
	if err != nil {
		return err
	}
	p, err := do(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("userId"), by)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.Block{Person: wire.Person{ID: p.ID, Name: p.Name}, Blocked: blocked})
}
