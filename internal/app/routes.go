package app

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
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

// compressFrom is the smallest answer worth compressing, in bytes.
const compressFrom = 1024

// filesPerRequest is how many files and documents an address may ask for in the time of
// one request to the API.
const filesPerRequest = 10

// routes puts everything that answers HTTP together. The API comes first, files
// answer what is left (docs/contract.md#files).
func (a *App) routes(p parts) (http.Handler, error) {
	folders, err := a.frontend()
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.HTTPErrorHandler = handlers.Errors(a.log)
	e.Use(middleware.RequestID, middleware.Answer(a.log, p.metrics, a.cfg.AccessLog), middleware.CORS(p.pages))
	p.list = a.listFormat(folders)
	a.api(e, p)
	e.Pre(middleware.ExpressPaths(func() (patterns []string) {
		for _, r := range e.Routes() {
			patterns = append(patterns, r.Path)
		}
		return patterns
	}))
	r := a.cfg.RateLimit
	perAddress := middleware.PerAddress(middleware.NewLimiter(filesPerRequest*r.N, r.Per), p.metrics)
	a.service(e, perAddress)
	files(folders).Register(e.Group(""), perAddress)

	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(compressFrom), gzhttp.CompressionLevel(1))
	if err != nil {
		return nil, fmt.Errorf("set up compression: %w", err)
	}
	// Sockets are beside echo and its wrappers: WebSockets take the connection over.
	rest, live := compress(e), middleware.Guard(a.log)(p.io)
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/socket.io/") {
			live.ServeHTTP(w, r)
		} else {
			rest.ServeHTTP(w, r)
		}
	})
	return middleware.RealIP(a.cfg.TrustedProxies, a.log)(middleware.SecurityHeaders(middleware.BrowserCookies(middleware.Arriving(all)))), nil
}

// frontend opens the user's own frontend, nil for the built-in page, and says what
// is odd about it.
func (a *App) frontend() (*frontend.Folders, error) {
	if len(a.cfg.StaticDir) == 0 {
		return nil, nil
	}
	folders, err := frontend.Open(a.cfg.StaticDir)
	if err != nil {
		return nil, err
	}
	a.folders = folders
	for _, w := range folders.Warnings(func(path string) bool { return strings.HasPrefix(path, "/socket.io/") }) {
		a.log.Warn(w)
	}
	return folders, nil
}

// listFormat is EXPENSES_LIST_FORMAT, where auto may mean the form that the
// frontend's own script reads.
func (a *App) listFormat(folders *frontend.Folders) handlers.List {
	if a.cfg.ListFormat != "auto" || folders == nil {
		return handlers.List(a.cfg.ListFormat)
	}
	wrapped, script := folders.WrappedList()
	list := handlers.ListAuto
	form := "an array"
	if wrapped {
		list, form = handlers.ListAutoWrapped, "{data: [...]}"
	}
	if script != "" {
		a.log.Info("EXPENSES_LIST_FORMAT=auto: GET /api/expenses answers as the frontend reads it", slog.String("script", script), slog.String("form", form))
	}
	return list
}

// files are the routes of the page: the user's own, or the built-in one with the
// policy that it keeps.
func files(folders *frontend.Folders) *handlers.Static {
	if folders == nil {
		return &handlers.Static{Files: static.Files, Policy: static.ContentSecurityPolicy}
	}
	return &handlers.Static{Files: folders}
}

// service answers who runs the server and who writes clients for it.
func (a *App) service(e *echo.Echo, perAddress echo.MiddlewareFunc) {
	root := e.Group("")
	(&handlers.Health{Checks: []handlers.Check{
		{Name: "database", Do: a.store.Ping}, {Name: "writes", Do: a.store.Writable}, {Name: "migrations", Do: a.store.Migrated}, {Name: "drain", Do: a.drained, Free: true},
	}}).Register(root, middleware.NoStore)
	(&handlers.Documents{JSON: docs.OpenAPIJSON, YAML: docs.OpenAPIYAML}).Register(root, perAddress, middleware.NoStore)
}

func (a *App) api(e *echo.Echo, p parts) {
	limiter := func(r config.Rate) *middleware.Limiter { return middleware.NewLimiter(r.N, r.Per) }
	strangers := limiter(a.cfg.RateLimit)
	perAddress, perStranger := middleware.PerAddress(strangers, p.metrics), middleware.Strangers(strangers, p.metrics)
	crowds := config.Rate{N: middleware.PeoplePerAddress * a.cfg.RateLimit.N, Per: a.cfg.RateLimit.Per}
	perUser := middleware.PerUser(limiter(a.cfg.RateLimit), limiter(crowds), p.metrics)
	perToken := middleware.PerToken(limiter(a.cfg.SyncRateLimit), p.metrics)
	signIns := &middleware.SignIns{
		Wrong: limiter(a.cfg.AuthRateLimit), Account: limiter(a.cfg.AuthAccountLimit), All: limiter(a.cfg.SignInLimit), Crowded: p.hasher.Crowded,
	}
	page := []echo.MiddlewareFunc{middleware.PageOnly(p.pages)}
	guess := append(slices.Clone(page), signIns.Guard(p.metrics))
	guessAdmin := middleware.FailuresPerAddress(limiter(a.cfg.AuthRateLimit), p.metrics)
	bearers := noting{p.authenticator, a.hub}
	known, zone := middleware.Bearer(bearers, 0), middleware.TimeZone(p.ledger)

	room := middleware.NewBodyRoom()
	body := func(limit int64) echo.MiddlewareFunc { return middleware.Body(limit, middleware.BodyLongest, room) }
	open := []echo.MiddlewareFunc{perAddress, middleware.Body(middleware.MaxOpenBody, middleware.OpenBodyLongest, room)}
	closed := []echo.MiddlewareFunc{perStranger, known, perUser, zone, body(middleware.MaxBody)}
	upload := []echo.MiddlewareFunc{perStranger, known, perUser, zone, body(middleware.MaxUpload)}
	sync := []echo.MiddlewareFunc{perStranger, known, perUser, zone, body(middleware.MaxSyncBody)}
	// A batch that is refused stays in the browser, which sends it again and
	// again: it has a limit of its own and counts towards no other.
	batch := []echo.MiddlewareFunc{perStranger, middleware.Bearer(bearers, a.cfg.SyncTokenGrace), perToken, zone, body(middleware.MaxSyncBody)}

	api := e.Group("/api", middleware.NoStore, middleware.Browser)
	(&handlers.Accounts{
		Ledger: p.accounts, Tokens: p.tokens, Revoker: a.store, SignOut: a.hub.SignOut, Remove: p.ledger.RemoveAccount,
		MinPassword: a.cfg.PasswordMin, Grace: a.cfg.SyncTokenGrace,
	}).Register(api, open, closed, page, guess)
	(&handlers.Expenses{Ledger: p.ledger, Reader: a.store, List: p.list}).Register(api, closed...)
	(&handlers.Shares{Ledger: p.ledger}).Register(api, closed...)
	(&handlers.Invitations{Ledger: p.ledger}).Register(api, closed...)
	(&handlers.Devices{Store: a.store, Hub: a.hub, Grace: a.cfg.SyncTokenGrace}).Register(api, closed...)
	(&handlers.Sync{Reconciler: p.reconciler}).Register(api, sync, batch)
	(&handlers.Settings{Ledger: p.ledger, Rates: a.cfg.Rates}).Register(api, open, closed)
	(&handlers.Budgets{Ledger: p.ledger, Reader: a.store, Rates: a.cfg.Rates}).Register(api, closed...)
	(&handlers.Notifications{Ledger: p.ledger, Reader: a.store}).Register(api, closed...)
	(&handlers.Preferences{Ledger: p.ledger, Reader: a.store}).Register(api, closed...)
	(&handlers.Analytics{Reader: a.store, Rates: a.cfg.Rates}).Register(api, closed...)
	(&handlers.Categorization{Reader: a.store}).Register(api, closed...)
	(&handlers.Goals{Ledger: p.ledger, Reader: a.store}).Register(api, closed...)
	(&handlers.Unbuilt{Expenses: a.store}).Register(api, open, closed, upload)
	(&handlers.Dashboard{Reader: a.store, Rates: a.cfg.Rates}).Register(api, closed...)
	(&handlers.Admin{Token: a.cfg.AdminToken.Reveal(), Tell: a.hub.Announce}).Register(api, slices.Concat(open, []echo.MiddlewareFunc{guessAdmin})...)
	api.Any("", handlers.NotFound)
	api.Any("/*", handlers.NotFound)
}
