package handlers

import (
	"context"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/importer"
	"expenseflow/internal/portable"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// fileImporter is implemented by *importer.Importer.
type fileImporter interface {
	Preview(ctx context.Context, userID string, r importer.Request) (*wire.ImportPreview, error)
	Import(ctx context.Context, userID string, by models.Author, r importer.Request) (*wire.ImportResult, error)
	Undo(ctx context.Context, userID, id string, by models.Author) (models.Import, error)
	List(ctx context.Context, userID string) ([]models.Import, error)
}

// Imports handles the routes of /api/import.
type Imports struct{ Importer fileImporter }

// Register adds the routes to api. guard authenticates the caller, upload does so for files.
func (h *Imports) Register(api *echo.Group, guard, upload []echo.MiddlewareFunc) {
	guard, upload = withCodes(guard), withCodes(append([]echo.MiddlewareFunc{namesFileLimit}, upload...))
	get(api, "/import", h.list, guard...)
	api.POST("/import", h.create, upload...)
	api.DELETE("/import/:id", h.undo, guard...)
}

// namesFileLimit says of a body that is too large how large a file may be.
func namesFileLimit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		if models.KindOf(err) == models.TooLarge && wire.Code(err) != importer.CodeTooLarge {
			return importer.ErrTooLarge
		}
		return err
	}
}

// create handles POST /api/import: the body is the file, the query says how it is to be read. With
// dryRun it changes nothing, and says what would become of each row.
//
//	200 {source, mapping, columns, questions, totals, rows} with dryRun    409 another import is under way
//	201 {import, totals, rows}                                             413 over 10 MB or 50,000 rows
//	400 no file that can be read, or a question that the query must answer
func (h *Imports) create(c echo.Context) error {
	data, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return bodyError(err)
	}
	if portable.Detect(data[:min(len(data), portable.DetectBytes)]) {
		return models.E(models.Invalid, "This is an export of this program: send it by POST to /api/import/account")
	}
	r, err := importer.ParseRequest(c.QueryParams(), data)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if dry := c.QueryParam("dryRun"); dry != "" && dry != "0" && dry != "false" {
		p, err := h.Importer.Preview(ctx, userID(c), r)
		if err != nil {
			return err
		}
		return respond(c, http.StatusOK, p)
	}
	result, err := h.Importer.Import(ctx, userID(c), importAuthor(c), r)
	if err != nil {
		return err
	}
	return respond(c, http.StatusCreated, result)
}

// importAuthor returns the author of what an import makes: nobody's device, so that every device
// of the user hears of it, the importing one too.
func importAuthor(c echo.Context) models.Author {
	return models.Author{TokenIssued: caller(c).Claims.SignedIn}
}

// list handles GET /api/import: the newest 100 imports, the newest first.
//
//	200 {imports}
func (h *Imports) list(c echo.Context) error {
	all, err := h.Importer.List(c.Request().Context(), userID(c))
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewImports(all))
}

// undo handles DELETE /api/import/:id: what the import made and nobody has changed since is
// deleted.
//
//	200 the import, with removed and kept    404 no such import    409 another import is under way
func (h *Imports) undo(c echo.Context) error {
	i, err := h.Importer.Undo(c.Request().Context(), userID(c), c.Param("id"), importAuthor(c))
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewImport(i))
}
