package handlers

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/auth"
	"expenseflow/models"
)

// A fakeExporter calls during while it writes, and ends with err.
type fakeExporter struct {
	during func()
	err    error
}

func (f *fakeExporter) JSON(_ context.Context, _ string, secrets bool, w io.Writer) error {
	if secrets {
		return errors.New("secrets were asked for")
	}
	f.during()
	_, _ = io.WriteString(w, "{}")
	return f.err
}

func (f *fakeExporter) CSV(ctx context.Context, userID string, w io.Writer) error {
	return f.JSON(ctx, userID, false, w)
}

func TestAUserHasOneExportAtATime(t *testing.T) {
	e, fake := echo.New(), &fakeExporter{during: func() {}}
	e.HTTPErrorHandler = ErrorHandler
	signedIn := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			id := auth.Identity{User: models.User{ID: c.Request().Header.Get("User")}}
			c.SetRequest(c.Request().WithContext(auth.WithIdentity(c.Request().Context(), id)))
			return next(c)
		}
	}
	(&Export{Exporter: fake}).Register(e.Group("/api"), signedIn)
	get := func(user string) int {
		req, res := httptest.NewRequest("GET", "/api/export", nil), httptest.NewRecorder()
		req.Header.Set("User", user)
		e.ServeHTTP(res, req)
		return res.Code
	}
	inner := map[string]int{}
	fake.during = func() {
		fake.during = func() {}
		inner["alice"], inner["bob"] = get("alice"), get("bob")
	}
	if code := get("alice"); code != 200 || inner["alice"] != 429 || inner["bob"] != 200 {
		t.Errorf("the first %d, meanwhile %v", code, inner)
	}
	fake.err = models.E(models.Unavailable, "no")
	if code := get("alice"); code != 503 {
		t.Errorf("%d, want 503", code)
	}
}
