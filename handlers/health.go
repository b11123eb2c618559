package handlers

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
)

const (
	// checkPatience bounds a health check, so that whoever asks gets an answer.
	checkPatience = 2 * time.Second
	// checkAge is how long an answer serves whoever asks next: anybody may ask, as often
	// as they like, and the database is not to be asked as often.
	checkAge = time.Second
)

// A Check is one thing that readiness needs.
type Check struct {
	Name string
	Do   func(ctx context.Context) error // nil error: well
	Free bool                            // Do costs nothing, so that it is asked each time
}

// Health answers who asks how the server is: load balancers, containers, pages. Its
// methods may be called concurrently.
type Health struct {
	Checks []Check

	mu   sync.Mutex // held while checks are done, so that others wait for the result
	at   time.Time
	last map[string]error // of the checks that are not free, by name
}

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
	known := h.known()
	for _, check := range h.Checks {
		err := known[check.Name]
		if check.Free {
			err = check.Do(c.Request().Context())
		}
		report.Checks[check.Name] = "ok"
		if err != nil { // the cause may name hosts; it is in the log
			report.Checks[check.Name] = "failing"
			report.Status, code = "unavailable", http.StatusServiceUnavailable
		}
	}
	if code != http.StatusOK {
		c.Response().Header().Set(echo.HeaderRetryAfter, "2")
	}
	return respond(c, code, report)
}

// known are the outcomes of the checks that cost something, as of checkAge ago at most.
// Whoever asked first does not end them by leaving: others wait for them.
func (h *Health) known() map[string]error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last != nil && time.Since(h.at) < checkAge {
		return h.last
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkPatience)
	defer cancel()
	last := map[string]error{}
	for _, check := range h.Checks {
		if !check.Free {
			last[check.Name] = check.Do(ctx)
		}
	}
	h.at, h.last = time.Now(), last
	return last
}
