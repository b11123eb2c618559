package app

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"expenseflow/handlers"
	"expenseflow/internal/config"
	"expenseflow/internal/fair"
	"expenseflow/internal/portable"
	"expenseflow/middleware"
)

// A chain is the middleware in front of a route, the outermost first.
type chain = []echo.MiddlewareFunc

// chains are the chains of the API. What they limit is in docs/limits.md.
type chains struct {
	public         chain // for requests without a token
	authenticated  chain // for requests with a token
	upload         chain // authenticated, with bodies of up to middleware.MaxUpload
	sync           chain // authenticated, with bodies of up to middleware.MaxSyncBody
	batch          chain // sync, also with a token that has just expired
	sameSite       chain // refuses pages of other sites
	guessLimited   chain // sameSite, with a limit of wrong passwords
	refreshLimited chain // sameSite, with a limit of new tokens
	admin          chain // public, with a limit of wrong admin tokens
}

// newChains makes the chains. The limits that several of them have are shared.
func (a *App) newChains(c components) chains {
	visitor := middleware.Visitors(c.pages)
	perVisitor := a.newLimiter("visitor", "RATE_LIMIT", a.cfg.RateLimit)
	public := middleware.PerVisitor(perVisitor, visitor, c.metrics)
	unauthorized := middleware.UnauthorizedPerVisitor(perVisitor, visitor, c.metrics)
	wrongTokens := a.newLimiter("admin", "AUTH_RATE_LIMIT", a.cfg.AuthRateLimit)
	wrongAdminTokens := middleware.FailuresPerVisitor(wrongTokens, visitor, c.metrics)
	zone := middleware.TimeZone(c.ledger)
	perUser, perToken := a.perUser(c), middleware.PerToken(a.newLimiter("token", "SYNC_RATE_LIMIT", a.cfg.SyncRateLimit), c.metrics)
	tokens := tokenRecorder{c.authenticator, a.hub}
	bodies := middleware.NewBodyMemory()

	authenticated := func(maxBody int64) chain {
		return chain{
			unauthorized, middleware.Authenticate(tokens, 0), perUser, zone,
			middleware.LimitBody(maxBody, middleware.MaxBodyTime, bodies),
		}
	}
	s := chains{
		public:        chain{public, middleware.LimitBody(middleware.MaxPublicBody, middleware.MaxPublicBodyTime, bodies)},
		authenticated: authenticated(middleware.MaxBody),
		upload:        authenticated(middleware.MaxUpload),
		sync:          authenticated(middleware.MaxSyncBody),
		// A batch that is refused stays in the browser, which sends it again and again:
		// it has a limit of its own and counts towards no other.
		batch: chain{
			unauthorized, middleware.Authenticate(tokens, a.cfg.SyncTokenGrace), perToken, zone,
			middleware.LimitBody(middleware.MaxSyncBody, middleware.MaxBodyTime, bodies),
		},
		sameSite: chain{middleware.RejectCrossSite(c.pages)},
	}
	s.guessLimited = append(slices.Clone(s.sameSite), a.signInLimits(c, visitor).Limit(c.metrics))
	newTokens := middleware.PerUserOnly(a.newLimiter("refresh", "REFRESH_RATE_LIMIT", a.cfg.RefreshLimit), c.metrics)
	s.refreshLimited = append(slices.Clone(s.sameSite), newTokens)
	s.admin = append(slices.Clone(s.public), wrongAdminTokens)
	return s
}

// newLimiter makes a Limiter that counts together with those of this name in other processes.
// setting is the one that decides r.
func (a *App) newLimiter(name, setting string, r config.Rate) *middleware.Limiter {
	return a.limits.Share(middleware.NewLimiter(name, r.N, r.Per).DecidedBy(setting))
}

// perUser limits the requests of each user, and those of all users of an address.
func (a *App) perUser(c components) echo.MiddlewareFunc {
	perAddress := config.Rate{N: middleware.UsersPerAddress * a.cfg.RateLimit.N, Per: a.cfg.RateLimit.Per}
	users := a.newLimiter("user", "RATE_LIMIT", a.cfg.RateLimit)
	return middleware.PerUser(users, a.newLimiter("address", "RATE_LIMIT", perAddress), c.metrics)
}

// signInLimits limit those who try passwords.
func (a *App) signInLimits(c components, visitor func(*http.Request) string) *middleware.SignInLimits {
	return &middleware.SignInLimits{
		WrongGuesses:   a.newLimiter("guesses", "AUTH_RATE_LIMIT", a.cfg.AuthRateLimit),
		WrongByAccount: a.newLimiter("account", "AUTH_ACCOUNT_RATE_LIMIT", a.cfg.AuthAccountLimit),
		Attempts:       a.newLimiter("attempts", "SIGN_IN_RATE_LIMIT", a.cfg.SignInLimit),
		Crowded:        c.hasher.Crowded, From: visitor,
	}
}

// api registers the routes of the API. An unknown one is answered in JSON.
func (a *App) api(e *echo.Echo, c components) {
	s := a.newChains(c)
	api := e.Group("/api", middleware.NoStore, middleware.BrowserCookie)
	a.accountRoutes(api, c, s)
	a.expenseRoutes(api, c, s)
	a.evaluationRoutes(api, c, s)
	(&handlers.NotImplemented{Expenses: a.store}).Register(api, s.public, s.authenticated, s.upload)
	(&handlers.Admin{
		Token: a.cfg.AdminToken.Reveal(), Broadcast: a.hub.SetStatus, Connections: a.hub.Connections,
		Overview: (&overviewer{a, c.io}).overview,
	}).Register(api, s.admin...)
	api.Any("", handlers.NotFound)
	api.Any("/*", handlers.NotFound)
}

// accountRoutes are those of accounts, their settings and their devices.
func (a *App) accountRoutes(api *echo.Group, c components, s chains) {
	(&handlers.Accounts{
		Ledger: c.accounts, Tokens: c.tokens, Store: a.store, SignOut: signOuts{a.hub, a.wake}.SignOut,
		Remove: c.ledger.RemoveAccount, FlushDevices: a.hub.FlushDevices, Closed: !a.cfg.Registration,
		MinPassword: a.cfg.PasswordMin, Grace: a.cfg.SyncTokenGrace,
	}).Register(api, s.public, s.authenticated, s.sameSite, s.guessLimited, s.refreshLimited)
	(&handlers.Devices{Store: a.store, Hub: signOuts{a.hub, a.wake}, Grace: a.cfg.SyncTokenGrace}).Register(api, s.authenticated...)
	(&handlers.Settings{Ledger: c.ledger, Rates: a.cfg.Rates}).Register(api, s.public, s.authenticated)
	(&handlers.Export{Exporter: &portable.Exporter{Store: a.store}}).Register(api, s.authenticated...)
	(&handlers.Preferences{Ledger: c.ledger, Reader: a.store}).Register(api, s.authenticated...)
	(&handlers.Notifications{Ledger: c.ledger, Reader: a.store}).Register(api, s.authenticated...)
}

// expenseRoutes are those of expenses, with whom they are shared, and of devices that
// were offline.
func (a *App) expenseRoutes(api *echo.Group, c components, s chains) {
	(&handlers.Expenses{Ledger: c.ledger, Reader: a.store, List: c.list}).Register(api, s.authenticated...)
	(&handlers.Shares{Ledger: c.ledger}).Register(api, s.authenticated...)
	(&handlers.Invitations{Ledger: c.ledger}).Register(api, s.authenticated...)
	(&handlers.Imports{Importer: c.importer}).Register(api, s.authenticated, s.upload)
	(&handlers.AccountImport{
		Importer: &portable.Importer{Store: a.store, Ledger: c.ledger, Progress: a.tellImport}, Begin: c.importer.Begin,
	}).Register(api, s.upload...)
	(&handlers.Sync{Reconciler: c.reconciler, Processors: fair.NewProcessors(processors())}).Register(api, s.sync, s.batch)
}

// evaluationRoutes are those of what is made from expenses: budgets, goals, dashboards
// and analytics.
func (a *App) evaluationRoutes(api *echo.Group, c components, s chains) {
	(&handlers.Budgets{Ledger: c.ledger, Reader: a.store, Rates: a.cfg.Rates}).Register(api, s.authenticated...)
	(&handlers.Goals{Ledger: c.ledger, Reader: a.store}).Register(api, s.authenticated...)
	(&handlers.Dashboard{Reader: a.store, Rates: a.cfg.Rates}).Register(api, s.authenticated...)
	(&handlers.Analytics{Reader: a.store, Rates: a.cfg.Rates}).Register(api, s.authenticated...)
	(&handlers.Categorization{Reader: a.store}).Register(api, s.authenticated...)
}
