package handlers

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/fair"
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

	running *fair.Pool // imports, by user
}

// maxAccountImports is how many run at a time in a process; each user has one.
const maxAccountImports = 1024

// errAccountImportRunning refuses a second import of a user.
var errAccountImportRunning = &models.Error{
	Kind: models.Conflict, Code: importer.CodeRunning, Setting: models.FixedLimit,
	Msg: "An import of this account is under way: wait until it has ended",
}

// Register adds the route. upload authenticates the caller and admits files.
func (h *AccountImport) Register(g *echo.Group, upload ...echo.MiddlewareFunc) {
	h.running = fair.New(fair.Options{Capacity: maxAccountImports, PerKey: 1})
	g.POST("/import/account", h.create, withCodes(upload)...)
}

// create handles POST /api/import/account: the body is an export as JSON, of any account, which
// is imported into the caller's. With dryRun it changes nothing.
//
//	200 what became of each kind of entity    400 no export that can be read; what came before is imported
//	409 one of this account is under way
func (h *AccountImport) create(c echo.Context) error {
	user := userID(c)
	if !h.running.Try(user, 1) {
		return errAccountImportRunning
	}
	defer h.running.Release(user, 1)
	dry, body := c.QueryParam("dryRun"), &arrival{in: c.Request().Body}
	did, err := h.Importer.Import(c.Request().Context(), body, portable.ImportOptions{
		Into: user, Author: importAuthor(c), DryRun: dry != "" && dry != "0" && dry != "false",
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
