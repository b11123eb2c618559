package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// descriptions is what tells how a user described entries before.
type descriptions interface {
	DescriptionUses(ctx context.Context, userID string) ([]models.DescriptionUse, error)
}

// Categorization answers /api/categorization.
type Categorization struct{ Reader descriptions }

// Register puts the route below /api; guard lets only known callers in.
func (h *Categorization) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = chain([]echo.MiddlewareFunc{coded}, guard)
	get(api, "/categorization/suggest", h.suggest, guard...)
}

// suggest handles GET /api/categorization/suggest?description=, which a page asks
// while its user types: the categories of the user's own entries of that kind.
//
//	200 {success, data: {suggestions, primarySuggestion}}    400 too short or too long
func (h *Categorization) suggest(c echo.Context) error {
	description, err := wire.ParseSuggested(c.QueryParam("description"))
	if err != nil {
		return err
	}
	uses, err := h.Reader.DescriptionUses(c.Request().Context(), caller(c.Request().Context()).User.ID)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewSuggested(models.SuggestCategories(description, uses)))
}
