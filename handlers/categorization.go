package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// descriptions is implemented by *store.Store.
type descriptions interface {
	DescriptionUses(ctx context.Context, userID string) ([]models.DescriptionUse, error)
}

// Categorization handles the routes of /api/categorization.
type Categorization struct{ Reader descriptions }

// Register adds the route to api. guard authenticates the caller.
func (h *Categorization) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	guard = withCodes(guard)
	get(api, "/categorization/suggest", h.suggest, guard...)
}

// suggest handles GET /api/categorization/suggest?description=, which pages request while
// the user types. It suggests categories of the user's entries with similar descriptions.
//
//	200 {success, data: {suggestions, primarySuggestion}}    400 too short or too long
func (h *Categorization) suggest(c echo.Context) error {
	description, err := wire.ParseSuggestDescription(c.QueryParam("description"))
	if err != nil {
		return err
	}
	uses, err := h.Reader.DescriptionUses(c.Request().Context(), userID(c))
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewSuggestResponse(models.SuggestCategories(description, uses)))
}
