package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"expenseflow/handlers"
	"expenseflow/internal/certs"
	"expenseflow/internal/config"
	"expenseflow/internal/observe"
)

// openCertificates reads or prepares the certificates, and listens for plain HTTP beside HTTPS.
// Without HTTPS it does nothing.
func (a *App) openCertificates() (err error) {
	switch {
	case a.cfg.TLSCertFile != "":
		if a.certs, err = certs.OpenFiles(a.cfg.TLSCertFile, a.cfg.TLSKeyFile, a.log); err != nil {
			return fmt.Errorf("TLS_CERT_FILE and TLS_KEY_FILE do not make a certificate: name the PEM files of a certificate, with its "+
				"chain, and of the key that belongs to it: %w", err)
		}
	case len(a.cfg.AutocertDomains) > 0:
		a.certs, err = certs.NewACME(certs.ACMEOptions{
			Domains: a.cfg.AutocertDomains, Directory: a.cfg.AutocertDirectory, CAFile: a.cfg.AutocertCAFile,
			CacheDir: a.cfg.AutocertDir(), Logger: a.log,
		})
		if err != nil {
			return fmt.Errorf("AUTOCERT_CA_FILE cannot be used: %w", err)
		}
	default:
		return nil
	}
	a.tls = a.certs.Config()
	return a.listenForRedirects()
}

// listenForRedirects listens on REDIRECT_ADDR, if there is to be such a listener.
func (a *App) listenForRedirects() (err error) {
	addr := a.cfg.Redirect()
	if addr == "" {
		return nil
	}
	switch a.redirectLn, err = net.Listen(listenNetwork(addr), addr); {
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("REDIRECT_ADDR=%s may not be used by this user: set it to a port above 1023 to which port 80 is forwarded, "+
			"or to none", addr)
	case err != nil:
		return fmt.Errorf("REDIRECT_ADDR=%s cannot be listened on: end the program that does, or set it to another or to none: %w",
			addr, err)
	}
	return nil
}

// redirectServer returns the server of REDIRECT_ADDR; nil if there is none.
func (a *App) redirectServer() *http.Server {
	if a.redirectLn == nil {
		return nil
	}
	var h http.Handler = redirectToHTTPS(a.cfg.AutocertDomains, a.cfg.BasePath)
	if authority, ok := a.certs.(*certs.ACME); ok {
		h = authority.Challenges(h)
	}
	return &http.Server{
		Handler: h, ReadTimeout: headerTimeout, WriteTimeout: headerTimeout, IdleTimeout: headerTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
}

// redirectToHTTPS sends browsers to port 443 of the host that they ask for, or of the first of
// domains if it is none of them. What programs call is refused instead: a redirect would hide
// that they send tokens unencrypted.
func redirectToHTTPS(domains []string, base config.BasePath) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page := r.Method == http.MethodGet || r.Method == http.MethodHead
		if !page || isAPI(strings.TrimPrefix(r.URL.Path, string(base))) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"error":"Use https:// for this address"}`))
			return
		}
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if len(domains) > 0 && !slices.Contains(domains, strings.ToLower(host)) {
			host = domains[0]
		}
		if strings.Contains(host, ":") {
			host = "[" + strings.Trim(host, "[]") + "]"
		}
		http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusMovedPermanently)
	}
}

// runCertificates starts what HTTPS needs beside its listener.
func (a *App) runCertificates(ctx context.Context, g *errgroup.Group) {
	g.Go(func() error { return a.certs.Run(ctx) })
	g.Go(func() error { return a.watchForOthers(ctx) })
	if a.redirect != nil {
		g.Go(func() error { return serve(a.redirect, a.connections.listener(a.redirectLn)) })
	}
}

// othersInterval is how often it is looked whether other processes share the database.
const othersInterval = 5 * time.Second

// watchForOthers says once that certificates are not for several processes: the authority asks
// one of them, which knows nothing of what another was given.
func (a *App) watchForOthers(ctx context.Context) error {
	if len(a.cfg.AutocertDomains) == 0 || a.cluster == nil {
		return nil
	}
	tick := time.NewTicker(othersInterval)
	defer tick.Stop()
	for a.cluster.Stats().Others == 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
	a.log.WarnContext(ctx, "AUTOCERT_DOMAINS is for one process, and others share this database: "+
		"end TLS at the balancer before them, and leave it empty")
	return nil
}

// certificateChecks are shown in the report of readiness. A server whose certificate browsers do
// not accept is ready all the same: it does not get better by having no traffic.
func (a *App) certificateChecks() []handlers.Check {
	if a.certs == nil {
		return nil
	}
	return []handlers.Check{{Name: "certificate", Do: a.certs.Check, Uncached: true, Advisory: true}}
}

// registerCertificateMetrics adds whether the certificate is good, and when it ends. source is nil
// without HTTPS.
func registerCertificateMetrics(m *observe.Metrics, source certs.Source) {
	m.Gauge("expenseflow_certificate_ok",
		"0 while browsers do not accept the certificate that is served, or nobody has renewed it in time; else 1.", nil,
		func() float64 { return float(source == nil || source.Check(context.Background()) == nil) })
	m.Gauge("expenseflow_certificate_expiry_timestamp_seconds",
		"When the first of the certificates that are served ends, in seconds since 1970; 0 if there is none.", nil, func() float64 {
			if source == nil || source.Expires().IsZero() {
				return 0
			}
			return float64(source.Expires().Unix())
		})
}
