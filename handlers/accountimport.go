package handlers

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/importer"
	"expenseflow/internal/portable"
	"expenseflow/models"
)

// exportImporter imports exports (portable.Importer).
type exportImporter interface {
	Import(ctx context.Context, file io.Reader, o portable.ImportOptions) (*portable.Summary, error)
}

// AccountImport handles the way back of what Export has written.
type AccountImport struct {
	Importer exportImporter

	// Begin makes the caller the only one who imports into an account, or refuses
	// (importer.Importer.Begin).
	Begin func(ctx context.Context, userID string) (done func(), err error)
}

// Register adds the route. upload authenticates the caller and admits files.
func (h *AccountImport) Register(g *echo.Group, upload ...echo.MiddlewareFunc) {
	g.POST("/import/account", h.create, withCodes(upload)...)
}

// create handles POST /api/import/account: the body is an export as JSON, of any account, which
// is imported into the caller's. With dryRun it changes nothing. DELETE /api/import/:id undoes it.
//
//	200 what became of each kind of entity, and the import    400 no export that can be read; what came before is imported
//	409 an import of this account is under way
func (h *AccountImport) create(c echo.Context) error {
	user, name := userID(c), c.QueryParam("name")
	if err := importer.CheckName(name); err != nil {
		return err
	}
	done, err := h.Begin(c.Request().Context(), user)
	if err != nil {
		return err
	}
	defer done()
	dry, body := c.QueryParam("dryRun"), &arrival{in: c.Request().Body}
	did, err := h.Importer.Import(c.Request().Context(), body, portable.ImportOptions{
		Into: user, Name: name, Author: importAuthor(c), DryRun: dry != "" && dry != "0" && dry != "false",
	})
	switch {
	case err == nil:
		return respond(c, http.StatusOK, did)
	case body.failed != nil && models.KindOf(err) == models.Internal:
		return bodyError(err)
	}
	return err
}

// An arrival is a body that remembers why the rest of it did not arrive.
type arrival struct {
	in     io.Reader
	failed error
}

// Read implements io.Reader.
func (a *arrival) Read(p []byte) (int, error) {
	n, err := a.in.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		a.failed = err
	}
	return n, err
}
