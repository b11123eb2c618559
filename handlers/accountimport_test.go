package handlers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/internal/importer"
	"expenseflow/internal/portable"
	"expenseflow/models"
)

// importFunc is an exportImporter.
type importFunc func() error

func (f importFunc) Import(context.Context, io.Reader, portable.ImportOptions) (*portable.Summary, error) {
	return nil, f()
}

func importAccount(h *AccountImport) error {
	r := httptest.NewRequest(http.MethodPost, "/api/import/account", strings.NewReader("{}"))
	r = r.WithContext(auth.WithIdentity(r.Context(), auth.Identity{User: models.User{ID: "a"}}))
	return h.create(echo.New().NewContext(r, httptest.NewRecorder()))
}

func TestTroubleOfTheDatabaseIsNoMistakeOfAnImportedFile(t *testing.T) {
	h := &AccountImport{
		Importer: importFunc(func() error { return errors.New("disk I/O error") }), Begin: importer.New(importer.Options{}).Begin,
	}
	if err := importAccount(h); models.KindOf(err) != models.Internal {
		t.Error(err)
	}
}

func TestSecondAccountImportAtOnceIsRefused(t *testing.T) {
	h := &AccountImport{Begin: importer.New(importer.Options{}).Begin}
	var second error
	h.Importer = importFunc(func() error {
		second = importAccount(h)
		return nil
	})
	if err := importAccount(h); err != nil || models.KindOf(second) != models.Conflict {
		t.Errorf("%v, then %v", err, second)
	}
}
