package app

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
	"github.com/labstack/echo/v4"

	"expenseflow/docs"
	"expenseflow/handlers"
	"expenseflow/internal/config"
	"expenseflow/internal/frontend"
	"expenseflow/middleware"
	"expenseflow/static"
)

// compressFrom is the smallest answer that is compressed, in bytes.
const compressFrom = 1024

// filesPerRequest is how many files and documents an address may ask for in the time in
// which it may send one request to the API.
const filesPerRequest = 10

// routes makes the handler of all HTTP requests. The routes of the API go before files
// (docs/contract.md#files), and sockets are beside both: a WebSocket takes over its
// connection, which the wrappers of other answers do not allow.
func (a *App) routes(c components) (http.Handler, error) {
	folders, err := a.frontend()
	if err != nil {
		return nil, err
	}
	c.list = a.listFormat(folders)
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(compressFrom), gzhttp.CompressionLevel(1))
	if err != nil {
		return nil, fmt.Errorf("set up compression: %w", err)
	}
	pages := compress(a.router(c, folders))
	sockets := middleware.Recover(a.log)(c.adminPages.withoutCredentials(
		socketStreams(c.io.Engine(), a.forwardForeign(c.io.Engine(), c.io))))
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, socketPath) {
			sockets.ServeHTTP(w, r)
		} else {
			pages.ServeHTTP(w, r)
		}
	})
	trusted := a.cfg.TrustedProxies
	outer := a.cluster.Receive(a.inner(all), middleware.RealIP(trusted, a.log)(a.inner(underBase(a.cfg.BasePath, a.log, all))))
	return middleware.Arrival(c.doctorKeys.valid, trusted, outer), nil
}

// inner puts what every request has before next.
func (a *App) inner(next http.Handler) http.Handler {
	return middleware.RequestID(middleware.SecurityHeaders(middleware.DropPlainBrowserCookie(
		middleware.BodyDeadline(a.connections.streams(next)))))
}

// router makes the router of everything but sockets.
func (a *App) router(c components, folders *frontend.Folders) *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = handlers.ErrorHandler
	log := middleware.AccessLog(a.log, a.failures, c.metrics, a.cfg.AccessLog)
	e.Use(log, middleware.CORS(c.pages), limitStreams, middleware.NewResponseMemory().Limit)
	a.api(e, c)
	e.Pre(middleware.ExpressPaths(func() (patterns []string) {
		for _, r := range e.Routes() {
			patterns = append(patterns, r.Path)
		}
		return patterns
	}))
	files := config.Rate{N: filesPerRequest * a.cfg.RateLimit.N, Per: a.cfg.RateLimit.Per}
	perAddress := middleware.PerAddress(a.newLimiter("files", "RATE_LIMIT", files), c.metrics)
	a.operatorRoutes(e, perAddress)
	staticFiles(folders).Register(e.Group(""), perAddress)
	return e
}

// frontend opens STATIC_DIR and logs what is unusual about it. It returns nil for the
// built-in page.
func (a *App) frontend() (*frontend.Folders, error) {
	if len(a.cfg.StaticDir) == 0 {
		return nil, nil
	}
	folders, err := frontend.Open(a.cfg.StaticDir)
	if err != nil {
		return nil, err
	}
	a.folders = folders
	for _, w := range folders.Warnings(func(path string) bool { return strings.HasPrefix(path, socketPath) }) {
		a.log.Warn(w)
	}
	return folders, nil
}

// listFormat returns EXPENSES_LIST_FORMAT. With auto it is the form that the script of the
// frontend reads.
func (a *App) listFormat(folders *frontend.Folders) handlers.ListFormat {
	if a.cfg.ListFormat != "auto" || folders == nil {
		return handlers.ListFormat(a.cfg.ListFormat)
	}
	wrapped, script := folders.WrappedList()
	list := handlers.ListAuto
	form := "an array"
	if wrapped {
		list, form = handlers.ListAutoWrapped, "{data: [...]}"
	}
	if script != "" {
		a.log.Info("EXPENSES_LIST_FORMAT=auto: GET /api/expenses answers as the frontend reads it",
			slog.String("script", script), slog.String("form", form))
	}
	return list
}

// staticFiles serves the frontend in folders, or the built-in page with its
// Content-Security-Policy.
func staticFiles(folders *frontend.Folders) *handlers.Static {
	if folders == nil {
		return &handlers.Static{Files: static.Files, Policy: static.ContentSecurityPolicy}
	}
	return &handlers.Static{Files: folders}
}

// operatorRoutes are those for operators and for authors of clients: health checks and
// the description of the API.
func (a *App) operatorRoutes(e *echo.Echo, perAddress echo.MiddlewareFunc) {
	root := e.Group("")
	checks := append([]handlers.Check{
		{Name: "database", Do: a.store.Ping},
		{Name: "writes", Do: a.store.Writable},
		{Name: "migrations", Do: a.store.Migrated},
		{Name: "drain", Do: a.checkDraining, Uncached: true},
	}, a.hintChecks()...)
	checks = append(append(append(checks, a.clusterChecks()...), a.certificateChecks()...), a.disk.checks()...)
	a.health = &handlers.Health{Checks: checks}
	a.health.Register(root, middleware.NoStore)
	(&handlers.OpenAPI{JSON: docs.OpenAPIJSON, YAML: docs.OpenAPIYAML}).Register(root, perAddress, middleware.NoStore)
}
