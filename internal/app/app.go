// Package app assembles the program from its configuration, runs it, and shuts it down
// in the order that loses nothing. It also has the program's command line.
package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"expenseflow/handlers"
	"expenseflow/internal/adminui"
	"expenseflow/internal/certs"
	"expenseflow/internal/changes"
	"expenseflow/internal/cluster"
	"expenseflow/internal/config"
	"expenseflow/internal/control"
	"expenseflow/internal/emitters"
	"expenseflow/internal/failure"
	"expenseflow/internal/frontend"
	"expenseflow/internal/hints"
	"expenseflow/internal/ledger"
	"expenseflow/internal/observe"
	"expenseflow/internal/store"
	"expenseflow/internal/trace"
	"expenseflow/middleware"
	"expenseflow/models"
	"expenseflow/sockets"
)

// An App is the whole program: it listens, and serves as soon as Run is called. Addr and
// URL may be called concurrently with Run; Run is called once.
type App struct {
	cfg      config.Config
	log      *slog.Logger
	failures *failure.Reporter // to log
	started  time.Time

	recentErrors *observe.RecentErrors // of log

	ln, metricsLn net.Listener
	redirectLn    net.Listener // nil without REDIRECT_ADDR
	certs         certs.Source // nil is plain HTTP
	tls           *tls.Config  // of certs
	http, metrics *http.Server
	controlLn     net.Listener // for commands; nil if there is none (listenForCommands)
	control       *http.Server
	redirect      *http.Server
	store         *store.Store
	tail          *changes.Tail[sockets.EncodedChange]
	hub           *sockets.Hub
	adminUI       *adminui.UI                    // nil without ADMIN_PASSWORD
	stream        atomic.Pointer[sockets.Stream] // nil before assemble
	folders       *frontend.Folders              // nil with the built-in page
	ledger        *ledger.Ledger
	hints         hints.Bus                // nil before openHints
	remoteHints   *hints.Remote            // hints, where there are other processes; else nil
	senders       *senderWatch             // of remoteHints; nil without
	emitters      *emitters.Receiver       // nil without EMITTERS
	limits        *middleware.SharedLimits // nil if this is the only process
	cluster       *cluster.Cluster         // the processes that share the database; nil if none can
	connections   *connectionLimit         // nil without a limit
	connectRate   *connectRate             // nil without a limit
	observed      *observe.Metrics
	health        *handlers.Health
	disk          *diskWatch // nil if the database is on another machine
	figures       figures

	draining atomic.Bool // shutting down: GET /readyz answers 503
	refusing atomic.Bool // no new sockets: they go to other processes
}

// figures are what metrics show that nothing else keeps.
type figures struct {
	ready                 atomic.Bool
	parked, prunedChanges atomic.Int64
	backupOf              atomic.Int64 // seconds since 1970; 0 for no backup
}

// New assembles the program: it listens on the ports, opens the database and reads or
// creates the secret. The error is for whoever starts the program: one sentence that
// says what to do. On an error nothing stays open.
func New(ctx context.Context, cfg config.Config, log *slog.Logger) (*App, error) {
	recent := &observe.RecentErrors{}
	log = slog.New(trace.Handler(recent.Watch(log).Handler()))
	a := &App{
		cfg: cfg, log: log, failures: failure.New(log), started: time.Now(), recentErrors: recent, observed: observe.NewMetrics(),
	}
	a.disk = newDiskWatch(&a.cfg, log)
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.closeAll())
	}
	debug.FreeOSMemory() // migrations took a few megabytes that are not needed again
	return a, nil
}

func (a *App) open(ctx context.Context) (err error) {
	limitMemory(a.log)
	if a.ln, err = listen(a.cfg.Host, a.cfg.Port); err != nil {
		return err
	}
	if err = a.listenForMetrics(); err != nil {
		return err
	}
	if err = a.openCertificates(); err != nil {
		return err
	}
	if err = checkSecretCreatable(&a.cfg); err != nil {
		return err
	}
	o := storeOptions(a.cfg, a.log)
	o.EpochChanged, o.Observe = a.onEpochChange, a.observeDatabase()
	if a.store, err = store.Open(ctx, o); err != nil {
		return err
	}
	ring, err := secrets(&a.cfg, a.log)
	if err != nil {
		return err
	}
	if err = a.joinCluster(ctx, ring); err != nil {
		return err
	}
	if err = a.openHints(ctx, ring); err != nil {
		return err
	}
	a.listenForCommands(ctx)
	a.connections = newConnectionLimit(maxConnections(&a.cfg), a.cfg.TrustedProxies, a.log)
	a.connectRate = newConnectRate(a.cfg.ConnectRate)
	a.redirect = a.redirectServer()
	return a.assemble(ctx, ring)
}

// Run serves until ctx ends or a part fails, then shuts down and returns. When
// it returns, every goroutine that App started has ended.
func (a *App) Run(ctx context.Context) error {
	following, stopFollowing := context.WithCancel(context.WithoutCancel(ctx))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return serve(a.http, a.connections.listener(a.ln))
	})
	if a.metrics != nil {
		g.Go(func() error { return serve(a.metrics, a.metricsLn) })
		g.Go(func() error { return a.renewFigures(ctx) })
	}
	if a.controlLn != nil {
		g.Go(func() error { return serve(a.control, a.controlLn) })
	}
	if a.certs != nil {
		a.runCertificates(ctx, g)
	}
	g.Go(func() error { return a.tail.Run(following) })
	g.Go(func() error { return a.hints.Run(following, a.onHint, a.onMissedHints) })
	g.Go(func() error { return a.senders.run(ctx) })
	if a.emitters != nil {
		g.Go(func() error { return a.emitters.Run(ctx) })
	}
	g.Go(func() error { return a.cluster.Run(following) })
	g.Go(func() error { return a.hub.Run(following) })
	if a.adminUI != nil {
		g.Go(func() error { return a.adminUI.Run(ctx) })
	}
	g.Go(func() error { return a.tellUse(ctx) })
	g.Go(func() error { return a.pruneRegularly(ctx) })
	g.Go(func() error { return a.watchStorage(ctx) })
	g.Go(func() error { return a.ledger.RunInvitations(ctx, a.log) })
	g.Go(func() error {
		defer stopFollowing()
		<-ctx.Done()
		return a.shutdown(context.WithoutCancel(ctx))
	})
	a.log.Info("expenseflow serves "+a.URL(), append([]any{
		slog.String("version", Version()), slog.String("database", a.store.Dialect()),
	}, a.clusterAttrs()...)...)
	return errors.Join(g.Wait(), a.store.Close(), a.folders.Close())
}

func serve(s *http.Server, ln net.Listener) error {
	var err error
	if s.TLSConfig != nil {
		err = s.ServeTLS(ln, "", "")
	} else {
		err = s.Serve(ln)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// shutdown stops the components in the order that loses nothing:
//
//  1. readiness fails and the other processes are told, and for SHUTDOWN_DELAY nothing
//     else happens, so that load balancers send new traffic elsewhere
//  2. new sockets are refused, and if another process takes them the sockets are closed
//     one by one within DRAIN_SPREAD (drain)
//  3. sockets that are left are told and closed, while HTTP is still served: a polling
//     client is told by its next request, and http.Server.Shutdown would wait for its
//     open requests, as for those that are forwarded
//  4. HTTP requests in flight finish
//
// After them the tail and the hints stop, and the store is closed when everything that
// writes to it has ended (see Run). SHUTDOWN_TIMEOUT bounds 3 and 4.
func (a *App) shutdown(ctx context.Context) error {
	a.draining.Store(true)
	a.log.Info("shutting down")
	began := time.Now()
	a.announceShutdown(ctx)
	sleep(ctx, a.cfg.ShutdownDelay-time.Since(began))
	a.refusing.Store(true)
	a.drain(ctx)
	ctx, cancel := context.WithTimeout(ctx, a.cfg.ShutdownTimeout)
	defer cancel()
	errs := []error{a.hub.Shutdown(ctx), a.cluster.StopForwarding(ctx), a.http.Shutdown(ctx), a.cluster.Leave(ctx)}
	if a.control != nil {
		errs = append(errs, control.Shutdown(ctx, a.control))
	}
	for _, s := range []*http.Server{a.metrics, a.redirect} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	if err := errors.Join(errs...); err != nil {
		return errors.Join(fmt.Errorf("not everything ended within %v: %w", a.cfg.ShutdownTimeout, err), a.http.Close())
	}
	return nil
}

// announceShutdown tells the other processes that this one ends, or gives up soon.
func (a *App) announceShutdown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	a.cluster.StartDraining(ctx)
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// closeAll closes what New opened before it failed.
func (a *App) closeAll() error {
	var errs []error
	for _, ln := range []net.Listener{a.ln, a.metricsLn, a.controlLn, a.redirectLn} {
		if ln != nil {
			errs = append(errs, ln.Close())
		}
	}
	if a.hub != nil {
		errs = append(errs, a.hub.Shutdown(context.Background())) // it has no client yet
	}
	if a.emitters != nil {
		errs = append(errs, a.emitters.Close())
	}
	if a.remoteHints != nil {
		errs = append(errs, a.remoteHints.Close())
	}
	if a.cluster != nil {
		errs = append(errs, a.cluster.Leave(context.Background()))
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	return errors.Join(append(errs, a.folders.Close())...)
}

var errDraining = models.E(models.Unavailable, "Shutting down")

// checkDraining is the readiness check that fails during a shutdown.
func (a *App) checkDraining(context.Context) error {
	if a.draining.Load() {
		return errDraining
	}
	return nil
}
