package handlers

import (
	"context"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/portable"
	"expenseflow/models"
)

// exportImporter imports exports (portable.Importer).
type exportImporter interface {
	Import(ctx context.Context, file io.Reader, o portable.ImportOptions) (*portable.Summary, error)
}

// AccountImport handles the way back of what Export has written.
type AccountImport struct{ Importer exportImporter }

// Register adds the route. upload authenticates the caller and admits files.
func (h *AccountImport) Register(g *echo.Group, upload ...echo.MiddlewareFunc) {
	g.POST("/import/account", h.create, withCodes(upload)...)
}

// create handles POST /api/import/account: the body is an export as JSON, of any account, which
// is imported into the caller's. With dryRun it changes nothing.
//
//	200 what became of each kind of entity    400 no export that can be read; what came before is imported
func (h *AccountImport) create(c echo.Context) error {
	dry := c.QueryParam("dryRun")
	did, err := h.Importer.Import(c.Request().Context(), c.Request().Body, portable.ImportOptions{
		Into: userID(c), Author: importAuthor(c), DryRun: dry != "" && dry != "0" && dry != "false",
	})
	switch {
	case err == nil:
		return respond(c, http.StatusOK, did)
	case models.KindOf(err) == models.Internal:
		return bodyError(err)
	}
	return err
}
