package app

import (
	"context"
	"log/slog"
	"net/http"

	"expenseflow/handlers"
	"expenseflow/internal/auth"
	"expenseflow/internal/changes"
	"expenseflow/internal/config"
	"expenseflow/internal/control"
	"expenseflow/internal/importer"
	"expenseflow/internal/keyring"
	"expenseflow/internal/ledger"
	"expenseflow/internal/observe"
	"expenseflow/internal/origin"
	"expenseflow/internal/reconcile"
	"expenseflow/internal/socketio"
	"expenseflow/internal/store"
	"expenseflow/models"
	"expenseflow/sockets"
)

// components are what the routes are made of.
type components struct {
	metrics       *observe.Metrics
	tokens        *auth.Tokens
	authenticator *auth.Authenticator
	hasher        *auth.Hasher
	accounts      *ledger.Accounts
	ledger        *ledger.Ledger
	reconciler    *reconcile.Reconciler
	importer      *importer.Importer
	io            *socketio.Server
	pages         *origin.Policy
	adminPages    adminPages
	doctorKeys    arrivalKeys
	list          handlers.ListFormat
}

// assemble makes the HTTP server with everything behind it.
func (a *App) assemble(ctx context.Context, ring keyring.Ring) error {
	epoch, err := a.store.Epoch(ctx)
	if err != nil {
		return err
	}
	stream := sockets.NewStream(epoch, sockets.EventNames(a.cfg.EventNames))
	recoverer := sockets.NewRecoverer(stream, ring, a.store)
	a.stream.Store(stream)
	if epoch, err = a.store.Epoch(ctx); err != nil {
		return err
	}
	stream.Begin(epoch) // it may have changed before onEpochChange knew the stream
	c := a.connect(ring, stream, recoverer)
	if err := a.openEmitters(ctx); err != nil {
		return err
	}
	registerEmitterMetrics(c.metrics, a.emitters)
	handler, err := a.routes(c)
	if err != nil {
		return err
	}
	a.http = a.server(handler)
	if a.controlLn != nil {
		a.control = control.NewServer(a.operatorHandler(ring, c))
	}
	if a.metricsLn != nil {
		a.metrics = &http.Server{Handler: c.metrics.Handler(a.cfg.MetricsToken.Reveal()), ReadHeaderTimeout: headerTimeout}
	}
	return nil
}

// onEpochChange has every client reconnect and begin at the end of its log, because the
// database is in another epoch: what clients know of the one before means nothing.
func (a *App) onEpochChange(epoch string) {
	stream := a.stream.Load()
	if stream == nil {
		return // assemble reads the epoch
	}
	stream.Begin(epoch)
	a.hub.DisconnectAll()
}

// connect makes the components and connects them: a commit of the ledger wakes the tail,
// here and in other processes, and the tail feeds the sockets.
func (a *App) connect(ring keyring.Ring, stream *sockets.Stream, recoverer *sockets.Recoverer) components {
	c := components{metrics: a.observed, tokens: auth.NewTokens(ring, a.cfg.JWTExpire)}
	c.authenticator = auth.NewAuthenticator(c.tokens, a.store)
	c.doctorKeys = doctorKeys(ring)
	c.hasher = auth.NewHasher(processors())
	c.accounts = ledger.NewAccounts(a.store, c.hasher, passwordRules(&a.cfg))
	a.tail = changes.New(a.store, sockets.NewEncoder(stream).Encode,
		changes.Options{Logger: a.log, OnLogShortened: a.onLogShortened})
	c.ledger = ledger.New(a.store, a.wake, a.ledgerOptions())
	a.ledger = c.ledger
	c.reconciler = reconcile.New(c.ledger, a.store, reconcile.Options{
		DupInflight: a.cfg.SyncDupInflight, Logger: a.log,
		OnParked:  a.onParked,
		OnSettled: func(userID string, how models.OperationState) { a.hub.SendSettled(userID, how) },
	})
	c.importer = importer.New(importer.Options{
		Ledger: c.ledger, Store: a.store,
		Progress:  a.tellImport,
		OnParked:  a.onParked,
		OnSettled: func(userID string, how models.OperationState) { a.hub.SendSettled(userID, how) },
	})
	c.pages = origin.New(a.cfg.FrontendURL, !a.cfg.Production(), a.log)
	c.adminPages = adminPages{a.cfg.AdminUIOrigin, c.pages}
	io := socketConfig(a.cfg, c.adminPages, recoverer, a.log)
	io.Engine.IDPrefix, io.Engine.Postpone, io.Engine.Refused = a.cluster.ID(), a.postponeSocket, a.onConnectionRefused
	io.Engine.ObservePing = a.observePings()
	c.io = socketio.New(io)
	c.adminPages.confine(c.io.Of("/"))
	a.hub = sockets.New(sockets.Options{
		IO: c.io, Auth: c.authenticator, Feed: a.tail, Queue: c.reconciler, Expenses: c.ledger,
		Reader: a.store, Devices: a.store, Rates: a.cfg.Rates,
		MaxPerUser: a.cfg.MaxConnectionsPerUser, MaxRooms: a.cfg.MaxRooms, MaxDashboards: a.cfg.MaxDashboards,
		SuppressSelf: a.cfg.SuppressSelfByToken, MaxAge: a.cfg.ConnectionMaxAge,
		Cluster: a.socketCluster(),
		Rate:    a.cfg.SocketRate.PerSecond(), Burst: a.cfg.SocketRate.N, Measures: a.measureSockets(), Logger: a.log,
		Failures: a.failures, CountError: c.metrics.EventError,
	})
	a.openAdminUI(ring, c.io)
	a.registerMetrics(c)
	return c
}

// onParked tells the devices of a user that operations were parked, and the log that no
// more can be.
func (a *App) onParked(userID string, ops []models.QueuedOperation) {
	for _, op := range ops {
		if code := op.Result.Code; code == models.CodeParkedFull {
			a.failures.Refused(context.Background(), "operation rejected", code, models.FixedLimit, slog.String("user_id", userID))
		}
	}
	a.hub.SendParked(userID, ops)
}

// passwordRules are less strict with STATIC_DIR: the forms and texts of an existing
// frontend know nothing of common passwords.
func passwordRules(cfg *config.Config) ledger.PasswordRules {
	rules := ledger.PasswordRules{MinLength: cfg.PasswordMin}
	if len(cfg.StaticDir) == 0 {
		rules.Common = auth.CommonPassword
	}
	return rules
}

func (a *App) ledgerOptions() ledger.Options {
	o := ledger.Options{
		MaxExpenses:    int64(a.cfg.MaxExpenses),
		NotifyExpenses: a.cfg.NotifyExpenses, NotifyPeople: true,
		NotifyBalance: a.cfg.NotifyBalance,
		OnActivity:    func(e models.Activity) { a.hub.SendActivity(e) },
		OnAccessLost:  func(c *models.Change) { a.hub.Evict(c) },
	}
	if a.cfg.LowBalance.Set {
		o.LowBalance = &a.cfg.LowBalance.Money
	}
	return o
}

func storeOptions(cfg config.Config, log *slog.Logger) store.Options {
	sync := "FULL"
	if cfg.SQLiteSync == "normal" {
		sync = "NORMAL"
	}
	return store.Options{
		URL: cfg.Database(), Logger: log, MaxConns: cfg.DatabaseConns, SQLiteSync: sync, Zone: cfg.DefaultZone.Location,
		FailoverLossless: cfg.FailoverLossless,
	}
}
