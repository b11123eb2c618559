package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
)

// checkPatience bounds a health check, so that whoever asks gets an answer.
const checkPatience = 2 * time.Second

// A Check is one thing that readiness needs.
type Check struct {
	Name string
	Do   func(ctx context.Context) error // nil error: well
}

// Health answers who asks how the server is: load balancers, containers, pages.
type Health struct{ Checks []Check }

// Register puts the routes at the root, behind mw.
func (h *Health) Register(root *echo.Group, mw ...echo.MiddlewareFunc) {
	get(root, "/healthz", h.live, mw...)
	get(root, "/readyz", h.ready, mw...)
	get(root, "/health", h.ready, mw...)
	get(root, "/api/health", h.ready, mw...)
}

type healthReport struct {
	Status    string            `json:"status"`
	Timestamp wire.Time         `json:"timestamp"`
	Checks    map[string]string `json:"checks,omitempty"`
}

// live handles GET /healthz: the process answers. It says nothing of what it
// needs, since starting it again would not bring a database back.
func (h *Health) live(c echo.Context) error {
	return respond(c, http.StatusOK, healthReport{Status: "ok", Timestamp: wire.Time(time.Now())})
}

// ready handles GET /readyz and the original's health routes.
//
//	200 everything is well    503 checks names what is not
func (h *Health) ready(c echo.Context) error {
	report := healthReport{Status: "ok", Timestamp: wire.Time(time.Now()), Checks: map[string]string{}}
	code := http.StatusOK
	ctx, cancel := context.WithTimeout(c.Request().Context(), checkPatience)
	defer cancel()
	for _, check := range h.Checks {
		report.Checks[check.Name] = "ok"
		if check.Do(ctx) != nil { // the cause may name hosts; it is in the log
			report.Checks[check.Name] = "failing"
			report.Status, code = "unavailable", http.StatusServiceUnavailable
		}
	}
	if code != http.StatusOK {
		c.Response().Header().Set(echo.HeaderRetryAfter, "2")
	}
	return respond(c, code, report)
}
