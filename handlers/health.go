package handlers

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/wire"
)

const (
	// checkTimeout bounds the health checks of a request.
	checkTimeout = 2 * time.Second
	// checkAge is how long results are cached. The routes need no token and have no rate
	// limit, so without the cache anybody could make the server query the database.
	checkAge = time.Second
)

// A Check is one condition of readiness.
type Check struct {
	Name     string
	Do       func(ctx context.Context) error // returns nil if the condition holds
	Uncached bool                            // whether Do is cheap, so that its result is not cached
	Advisory bool                            // whether a server without it is ready all the same
}

// ErrConnecting is the error of an advisory check whose other side is being connected for the
// first time since the start: that is no trouble, and takes a moment.
var ErrConnecting = errors.New("connecting")

// Health handles the health routes. Its methods may be called concurrently.
type Health struct {
	Checks []Check

	mu   sync.Mutex       // held while checks run, so that concurrent requests share their result
	at   time.Time        // of last
	last map[string]error // results of the checks that are not free, by name
}

// Register adds the routes to root, behind mw.
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

// live handles GET /healthz. It reports only that the process runs, because a restart
// would not repair the database.
func (h *Health) live(c echo.Context) error {
	return respond(c, http.StatusOK, healthReport{Status: "ok", Timestamp: wire.Time(time.Now())})
}

// ready handles GET /readyz, /health and /api/health.
//
//	200 all checks passed but advisory ones    503 a check failed; checks tells which
func (h *Health) ready(c echo.Context) error {
	checks, ready := h.results(c.Request().Context())
	report, code := healthReport{Status: "ok", Timestamp: wire.Time(time.Now()), Checks: checks}, http.StatusOK
	if !ready {
		report.Status, code = "unavailable", http.StatusServiceUnavailable
		c.Response().Header().Set(echo.HeaderRetryAfter, "2")
	}
	return respond(c, code, report)
}

// Ready reports whether all checks pass but advisory ones, as GET /readyz does.
func (h *Health) Ready(ctx context.Context) bool {
	_, ready := h.results(ctx)
	return ready
}

// results returns what is told of each check, and whether all passed but advisory ones.
func (h *Health) results(ctx context.Context) (checks map[string]string, ready bool) {
	checks, ready = map[string]string{}, true
	known := h.cachedResults()
	for _, check := range h.Checks {
		err := known[check.Name]
		if check.Uncached {
			err = check.Do(ctx)
		}
		switch { // err is not sent, because it may contain host names
		case err == nil:
			checks[check.Name] = "ok"
		case check.Advisory && errors.Is(err, ErrConnecting):
			checks[check.Name] = "connecting"
		case check.Advisory:
			checks[check.Name] = "degraded"
		default:
			checks[check.Name], ready = "failing", false
		}
	}
	return checks, ready
}

// cachedResults returns the results of the checks that are not free, at most checkAge
// old. The checks do not end with the request that started them, because others wait for
// the result.
func (h *Health) cachedResults() map[string]error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last != nil && time.Since(h.at) < checkAge {
		return h.last
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	last := map[string]error{}
	for _, check := range h.Checks {
		if !check.Uncached {
			last[check.Name] = check.Do(ctx)
		}
	}
	h.at, h.last = time.Now(), last
	return last
}
