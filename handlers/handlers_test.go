package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"
	"go.uber.org/goleak"

	"expenseflow/internal/auth"
	"expenseflow/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	noon  = time.Date(2026, 1, 19, 12, 0, 0, 0, time.UTC)
	alice = models.User{ID: "64b000000000000000000001", Name: "Alice", Email: "alice@example.org", CreatedAt: noon}
	ends  = noon.Add(time.Hour)
	lunch = models.Expense{
		ID: "64b0000000000000000000e1", UserID: alice.ID, Description: "Lunch", Amount: 12_345_000, Category: "food", Type: "expense",
		Date: noon, Day: models.DayOf(noon, time.UTC), Version: 2, CreatedAt: noon, UpdatedAt: noon, LastSyncedAt: noon,
	}
)

const lunchJSON = `{"_id":"64b0000000000000000000e1","user":"64b000000000000000000001","description":"Lunch","amount":12.345,"category":"food","type":"expense",` +
	`"date":"2026-01-19T12:00:00.000Z","day":"2026-01-19","createdAt":"2026-01-19T12:00:00.000Z","updatedAt":"2026-01-19T12:00:00.000Z","__v":0,"version":2}`

// asAlice is middleware that authenticates every request as alice.
func asAlice(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := auth.Identity{User: alice, Claims: auth.Claims{UserID: alice.ID, TokenID: "jti-1", Key: "key-1", ExpiresAt: ends}}
		c.SetRequest(c.Request().WithContext(auth.WithIdentity(c.Request().Context(), id)))
		return next(c)
	}
}

var guard = []echo.MiddlewareFunc{asAlice}

func newEcho() (*echo.Echo, *echo.Group) {
	e := echo.New()
	e.HTTPErrorHandler = ErrorHandler
	return e, e.Group("/api")
}

// call serves one request; body "" is no body.
func call(e http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	var b io.Reader
	if body != "" {
		b = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, b)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func want(t *testing.T, w *httptest.ResponseRecorder, code int, body string) {
	t.Helper()
	if diff := cmp.Diff(body, w.Body.String()); w.Code != code || diff != "" {
		t.Errorf("status %d, want %d; body (-want +got):\n%s", w.Code, code, diff)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
}

func TestEveryErrorIsAnsweredByItsKind(t *testing.T) {
	tests := []struct {
		name       string
		err        error
		code       int
		body       string
		retryAfter string
	}{
		{"unclassified", errors.New("secret detail"), 500, `{"error":"Internal server error","message":"Internal server error"}`, ""},
		{
			"wrapped", fmt.Errorf("update expense: %w", models.E(models.NotFound, "Expense not found")), 404,
			`{"error":"Expense not found","message":"Expense not found"}`, "",
		},
		{
			"invalid", models.E(models.Invalid, `"amount" must be a number & <so on>`), 400,
			`{"error":"\"amount\" must be a number & <so on>","message":"\"amount\" must be a number & <so on>"}`, "",
		},
		{
			"with a code", &models.Error{Kind: models.Unauthorized, Msg: "Invalid token.", Code: "TOKEN_EXPIRED"},
			401, `{"error":"Invalid token.","message":"Invalid token.","code":"TOKEN_EXPIRED"}`, "",
		},
		{"forbidden", models.E(models.Forbidden, "Forbidden"), 403, `{"error":"Forbidden","message":"Forbidden"}`, ""},
		{
			"too large", models.E(models.TooLarge, "request entity too large"), 413,
			`{"error":"request entity too large","message":"request entity too large"}`, "",
		},
		{
			"too many", &models.Error{Kind: models.TooMany, Msg: "Too many requests", RetryAfter: 1500 * time.Millisecond},
			429, `{"error":"Too many requests","message":"Too many requests","retryAfter":2}`, "2",
		},
		{
			"unavailable", models.E(models.Unavailable, "Service temporarily unavailable"),
			503, `{"error":"Service temporarily unavailable","message":"Service temporarily unavailable"}`, "2",
		},
		{
			"busy", &models.Error{Kind: models.Unavailable, Msg: "Busy", RetryAfter: time.Minute}, 503,
			`{"error":"Busy","message":"Busy"}`, "60",
		},
		{
			"conflict", fmt.Errorf("update: %w", &models.ConflictError{Stored: lunch}), 409,
			`{"error":"This expense was changed on another device","message":"This expense was changed on another device","code":"CONFLICT","current":` + lunchJSON + `}`, "",
		},
		{"the router's", echo.ErrMethodNotAllowed, 404, `{"error":"Cannot GET /x","message":"Cannot GET /x"}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, _ := newEcho()
			e.GET("/x", func(echo.Context) error { return tt.err })
			w := call(e, "GET", "/x?token=secret", "")
			want(t, w, tt.code, tt.body)
			if got := w.Header().Get("Retry-After"); got != tt.retryAfter {
				t.Errorf("Retry-After %q, want %q", got, tt.retryAfter)
			}
		})
	}
}

func TestEveryKindHasANumber(t *testing.T) {
	for k := models.Internal; k <= models.NotImplemented; k++ {
		if status[k] == 0 {
			t.Errorf("kind %d has none", k)
		}
	}
}

func TestUnknownRoutesAreJSON(t *testing.T) {
	e, api := newEcho()
	api.Any("/*", NotFound)
	(&Static{Files: page}).Register(e.Group(""))
	for request, path := range map[string]string{
		"GET /api/workspaces?x=1": "GET /api/workspaces",
		"PATCH /nowhere":          "PATCH /nowhere", "GET /nowhere": "GET /nowhere",
	} {
		method, target, _ := strings.Cut(request, " ")
		want(t, call(e, method, target, ""), 404, fmt.Sprintf(`{"error":"Cannot %s","message":"Cannot %s"}`, path, path))
	}
	long := "/" + strings.Repeat("x", 5000)
	if w := call(e, "GET", long, ""); w.Code != 404 || w.Body.Len() > 1000 {
		t.Errorf("a long path: %d with %d bytes", w.Code, w.Body.Len())
	}
}

// brokenBody is a body whose Read fails.
type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }

func TestBodiesThatDoNotArrive(t *testing.T) {
	e, api := newEcho()
	(&Expenses{Ledger: &fakeLedger{}}).Register(api, guard...)
	for _, tt := range []struct {
		err  error
		code int
	}{{io.ErrUnexpectedEOF, 400}, {models.E(models.TooLarge, "request entity too large"), 413}} {
		r := httptest.NewRequest("POST", "/api/expenses", brokenBody{tt.err})
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != tt.code {
			t.Errorf("%v: %d, want %d", tt.err, w.Code, tt.code)
		}
	}
}

func TestHealth(t *testing.T) {
	var failing error
	e, _ := newEcho()
	(&Health{Checks: []Check{
		{Name: "database", Do: func(context.Context) error { return failing }, Uncached: true},
		{Name: "drain", Do: func(context.Context) error { return nil }},
	}}).Register(e.Group(""))

	for _, path := range []string{"/healthz", "/readyz", "/health", "/api/health"} {
		if w := call(e, "GET", path, ""); w.Code != 200 || !strings.HasPrefix(w.Body.String(), `{"status":"ok","timestamp":"20`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if w := call(e, "HEAD", path, ""); w.Code != 200 {
			t.Errorf("HEAD %s: %d", path, w.Code)
		}
	}
	failing = errors.New("dial tcp 10.0.0.5:5432: refused")
	w := call(e, "GET", "/readyz", "")
	if w.Code != 503 || !strings.HasSuffix(w.Body.String(), `"checks":{"database":"failing","drain":"ok"}}`) ||
		w.Header().Get("Retry-After") == "" {
		t.Errorf("/readyz without a database: %d %s", w.Code, w.Body)
	}
	if w := call(e, "GET", "/healthz", ""); w.Code != 200 {
		t.Errorf("/healthz without a database: %d", w.Code)
	}
}
