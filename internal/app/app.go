// Package app builds the program from its configuration, runs it, and ends it
// in the order that loses nothing.
package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"expenseflow/handlers"
	"expenseflow/internal/auth"
	"expenseflow/internal/changes"
	"expenseflow/internal/config"
	"expenseflow/internal/failpoint"
	"expenseflow/internal/frontend"
	"expenseflow/internal/ledger"
	"expenseflow/internal/observe"
	"expenseflow/internal/origin"
	"expenseflow/internal/reconcile"
	"expenseflow/internal/socketio"
	"expenseflow/internal/store"
	"expenseflow/models"
	"expenseflow/sockets"
)

// Bounds of a connection. Bodies and long answers have deadlines of their own
// (packages middleware and handlers), and so have sockets; writeTimeout is
// there to take back at the next request what one of those set.
const (
	headerTimeout  = 10 * time.Second
	idleTimeout    = 30 * time.Second
	writeTimeout   = 15 * time.Minute
	maxHeaderBytes = 12 << 10 // 16 KiB: net/http allows 4 KiB more
)

// An App is the whole program, listening but not serving yet.
type App struct {
	cfg config.Config
	log *slog.Logger

	ln, metricsLn net.Listener
	tls           *tls.Config // nil is plain HTTP
	http, metrics *http.Server
	store         *store.Store
	tail          *changes.Tail[sockets.Announcement]
	hub           *sockets.Hub
	trail         atomic.Pointer[sockets.Trail] // nil before build
	folders       *frontend.Folders             // nil with the built-in page
	ledger        *ledger.Ledger

	draining atomic.Bool // readiness says no
}

// New builds the program: it takes the ports, opens the database and reads or
// makes the secret. Its error is for whoever starts the program: one sentence
// with what to do. Nothing is left half made.
func New(ctx context.Context, cfg config.Config, log *slog.Logger) (*App, error) {
	a := &App{cfg: cfg, log: log}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.release())
	}
	debug.FreeOSMemory() // what migrating took, a few megabytes, is not needed again
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
	if a.tls, err = tlsConfig(&a.cfg); err != nil {
		return err
	}
	if err = secretPossible(&a.cfg); err != nil {
		return err
	}
	o := storeOptions(a.cfg, a.log)
	o.EpochChanged = a.beginAnew
	if a.store, err = store.Open(ctx, o); err != nil {
		return err
	}
	secret, err := jwtSecret(&a.cfg, a.log)
	if err != nil {
		return err
	}
	return a.build(ctx, secret)
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

// parts are what the routes are made of.
type parts struct {
	metrics       *observe.Metrics
	tokens        *auth.Tokens
	authenticator *auth.Authenticator
	hasher        *auth.Hasher
	accounts      *ledger.Accounts
	ledger        *ledger.Ledger
	reconciler    *reconcile.Reconciler
	io            *socketio.Server
	pages         *origin.Policy
	list          handlers.List
}

func (a *App) build(ctx context.Context, secret []byte) error {
	epoch, err := a.store.Epoch(ctx)
	if err != nil {
		return err
	}
	trail, err := sockets.NewTrail(epoch, secret, sockets.Spellings(a.cfg.EventNames))
	if err != nil {
		return err
	}
	trail.KeepIn(a.store)
	a.trail.Store(trail)
	if epoch, err = a.store.Epoch(ctx); err != nil {
		return err
	}
	trail.Begin(epoch) // it may have changed before beginAnew knew the trail
	p := a.parts(secret, trail)
	handler, err := a.routes(p)
	if err != nil {
		return err
	}
	a.http = a.server(handler)
	if a.metricsLn != nil {
		a.metrics = &http.Server{Handler: p.metrics.Handler(), ReadHeaderTimeout: headerTimeout}
	}
	return nil
}

// beginAnew has every client begin anew, in the epoch that the database has begun.
func (a *App) beginAnew(epoch string) {
	trail := a.trail.Load()
	if trail == nil {
		return // build reads the epoch
	}
	trail.Begin(epoch)
	a.hub.BeginAnew()
}

// parts makes the rooms of the house and connects them: what the ledger commits
// wakes the tail, the tail feeds the sockets.
func (a *App) parts(secret []byte, trail *sockets.Trail) parts {
	p := parts{metrics: observe.NewMetrics(), tokens: auth.NewTokens(secret, a.cfg.JWTExpire)}
	p.authenticator = auth.NewAuthenticator(p.tokens, a.store)
	p.hasher = auth.NewHasher()
	p.accounts = ledger.NewAccounts(a.store, p.hasher, passwordRules(&a.cfg))
	a.tail = changes.New(a.store, trail.Encode, changes.Options{Logger: a.log})
	p.ledger = ledger.New(a.store, a.tail.Wake, a.ledgerOptions())
	a.ledger = p.ledger
	p.reconciler = reconcile.New(p.ledger, a.store, reconcile.Options{
		DupInflight: a.cfg.SyncDupInflight, Logger: a.log,
		Parked: func(userID string, ops []models.QueuedOperation) { a.hub.Parked(userID, ops) },
	})
	p.pages = origin.New(a.cfg.FrontendURL, !a.cfg.Production(), a.log)
	p.io = socketio.New(socketConfig(a.cfg, p.pages, trail, a.log))
	a.hub = sockets.New(sockets.Options{
		IO: p.io, Auth: p.authenticator, Feed: a.tail, Queue: p.reconciler, Book: p.ledger, Reader: a.store, Registry: a.store, Rates: a.cfg.Rates,
		MaxPerUser: a.cfg.MaxConnectionsPerUser, SuppressSelf: a.cfg.SuppressSelfByToken,
		Rate: a.cfg.SocketRate.PerSecond(), Burst: a.cfg.SocketRate.N, Logger: a.log,
	})
	a.measure(p.metrics, p.io.Engine())
	return p
}

// passwordRules are laxer with STATIC_DIR: an existing frontend's forms and texts
// know nothing of common passwords.
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
		NotifyExpenses: a.cfg.NotifyExpenses,
		NotifyBalance:  a.cfg.NotifyBalance,
		Activity:       func(e models.Activity) { a.hub.Activity(e) },
		Rights:         func(c *models.Change) { a.hub.Evict(c) },
	}
	if a.cfg.LowBalance.Set {
		o.LowBalance = &a.cfg.LowBalance.Money
	}
	return o
}

// server makes the HTTP server, with TLS if there is a certificate.
func (a *App) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: failpoint.Answers(h), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, WriteTimeout: writeTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug), TLSConfig: a.tls,
	}
}

// tlsConfig is nil when the program speaks plain HTTP.
func tlsConfig(cfg *config.Config) (*tls.Config, error) {
	if cfg.TLSCertFile == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(cfg.TLSCertFile, cfg.TLSKeyFile)
	if err != nil {
		return nil, fmt.Errorf("TLS_CERT_FILE and TLS_KEY_FILE do not make a certificate: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}

func (a *App) listenForMetrics() (err error) {
	if a.cfg.MetricsAddr == "" {
		return nil
	}
	if a.metricsLn, err = net.Listen(network(a.cfg.MetricsAddr), a.cfg.MetricsAddr); err != nil {
		return fmt.Errorf("METRICS_ADDR=%s cannot be listened on: %w", a.cfg.MetricsAddr, err)
	}
	return nil
}

// network keeps an IPv4 address to IPv4: of 0.0.0.0, Go's "tcp" would make every
// IPv6 address too.
func network(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
		return "tcp4"
	}
	return "tcp"
}

// listen takes the port, or says in one sentence why it cannot be had.
func listen(host string, port int) (net.Listener, error) {
	addr := net.JoinHostPort(host, strconv.Itoa(port))
	ln, err := net.Listen(network(addr), addr)
	switch {
	case err == nil:
		return ln, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d is in use: stop the program that listens there, or set PORT to another", port)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("port %d may not be used by this user: set PORT to one above 1023", port)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("HOST=%s is no address of this machine: leave it empty to listen on all", host)
	}
	return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
}

// Addr is where the program listens, such as "127.0.0.1:3000".
func (a *App) Addr() string { return a.ln.Addr().String() }

// URL is where a browser on this machine finds the program.
func (a *App) URL() string {
	scheme := "http"
	if a.cfg.TLSCertFile != "" {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(a.Addr())
	if ip := net.ParseIP(host); a.cfg.Host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// Run serves until ctx ends or a part fails, then shuts down and returns. When
// it returns, every goroutine that App started has ended.
func (a *App) Run(ctx context.Context) error {
	following, stopFollowing := context.WithCancel(context.WithoutCancel(ctx))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return serve(a.http, limitConnections(a.ln, maxConnections(&a.cfg), a.cfg.TrustedProxies, a.log))
	})
	if a.metrics != nil {
		g.Go(func() error { return serve(a.metrics, a.metricsLn) })
	}
	g.Go(func() error { return a.tail.Run(following) })
	g.Go(func() error { return a.pruneRegularly(ctx) })
	g.Go(func() error { return a.watchStorage(ctx) })
	g.Go(func() error { return a.ledger.RunInvitations(ctx, a.log) })
	g.Go(func() error {
		defer stopFollowing()
		<-ctx.Done()
		return a.shutdown(context.WithoutCancel(ctx))
	})
	a.log.Info("expenseflow serves "+a.URL(), slog.String("database", a.store.Dialect()))
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

// shutdown stops the parts in the order that loses nothing:
//
//  1. readiness says no, and for a moment nothing else happens, so that load
//     balancers send new traffic elsewhere
//  2. sockets refuse newcomers and say goodbye, while HTTP still answers: a
//     polling client hears it by its next request, and http.Server.Shutdown
//     would wait for requests that are held
//  3. HTTP requests in flight finish
//
// The tail of the log stops after them, and the store closes when everything
// that writes to it has ended (see Run).
func (a *App) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.ShutdownTimeout)
	defer cancel()
	a.draining.Store(true)
	a.log.Info("shutting down")
	wait(ctx, a.cfg.ShutdownDelay)
	errs := []error{a.hub.Shutdown(ctx), a.http.Shutdown(ctx)}
	if a.metrics != nil {
		errs = append(errs, a.metrics.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return errors.Join(fmt.Errorf("not everything ended within %v: %w", a.cfg.ShutdownTimeout, err), a.http.Close())
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// release gives back what New took before it failed.
func (a *App) release() error {
	var errs []error
	for _, ln := range []net.Listener{a.ln, a.metricsLn} {
		if ln != nil {
			errs = append(errs, ln.Close())
		}
	}
	if a.hub != nil {
		errs = append(errs, a.hub.Shutdown(context.Background())) // it has no client yet
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	return errors.Join(append(errs, a.folders.Close())...)
}

var errDraining = models.E(models.Unavailable, "Shutting down")

func (a *App) drained(context.Context) error {
	if a.draining.Load() {
		return errDraining
	}
	return nil
}
