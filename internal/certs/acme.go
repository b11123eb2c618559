package certs

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
	"golang.org/x/sync/errgroup"
)

const (
	// firstRetry is the pause after a certificate was not issued; package autocert remembers
	// the failure for a minute. It doubles up to longestRetry, since authorities count
	// failures.
	firstRetry   = 65 * time.Second
	longestRetry = 15 * time.Minute
	// ageCheckInterval is how often a certificate is looked at that was issued. Package
	// autocert renews it by itself.
	ageCheckInterval = time.Hour

	// requestTimeout bounds a request to the authority.
	requestTimeout = 30 * time.Second
	// maxRepeats bounds how often a request is repeated that the authority failed to answer.
	maxRepeats = 5
)

// ACMEOptions are what an ACME is made of.
type ACMEOptions struct {
	Domains   []string // in lower case, the first for clients that name none
	Directory string   // URL of the authority's directory
	CAFile    string   // certificates in PEM by which the authority is recognised; "": the system's
	CacheDir  string   // for account key, certificates and their keys
	Logger    *slog.Logger
}

// ACME is certificates that an authority issues and renews while the server runs (RFC 8555). A
// domain that has none yet is served a certificate that nobody trusts, so that the server can be
// reached by those who do not verify, such as health checks.
type ACME struct {
	domains []string
	manager *autocert.Manager
	where   string
	log     *slog.Logger
	interim *tls.Certificate
	client  *stoppableTransport

	mu     sync.Mutex
	issued map[string]*tls.Certificate // as last seen, by domain
	failed map[string]error            // domains without a good certificate
}

// NewACME returns an ACME that asks for nothing until Run.
func NewACME(o ACMEOptions) (*ACME, error) {
	client, err := newTransport(o.CAFile)
	if err != nil {
		return nil, err
	}
	interim, err := selfSigned(o.Domains)
	if err != nil {
		return nil, err
	}
	a := &ACME{
		domains: o.Domains, where: o.Directory, log: o.Logger, interim: interim, client: client,
		issued: make(map[string]*tls.Certificate), failed: make(map[string]error),
	}
	a.manager = &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(o.CacheDir), HostPolicy: autocert.HostWhitelist(o.Domains...),
		Client: &acme.Client{
			DirectoryURL: o.Directory, HTTPClient: &http.Client{Transport: client, Timeout: requestTimeout},
			RetryBackoff: repeatAfter, UserAgent: "expenseflow",
		},
	}
	return a, nil
}

// repeatAfter returns the pause before a request is repeated; 0 gives up.
func repeatAfter(n int, _ *http.Request, _ *http.Response) time.Duration {
	if n > maxRepeats {
		return 0
	}
	return time.Second
}

// Config implements Source. It answers the challenge tls-alpn-01.
func (a *ACME) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, GetCertificate: a.certificate, NextProtos: []string{"h2", "http/1.1", acme.ALPNProto},
	}
}

// Challenges returns a handler that answers the challenge http-01, and leaves all other requests
// to next.
func (a *ACME) Challenges(next http.Handler) http.Handler {
	answer := a.manager.HTTPHandler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		named := *r
		named.Host = hostWithoutPort(r.Host) // the whitelist has no ports
		answer.ServeHTTP(w, &named)
	})
}

func hostWithoutPort(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// certificate is tls.Config.GetCertificate.
func (a *ACME) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	domain := a.domainOf(hello.ServerName)
	if slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
		return a.manager.GetCertificate(&tls.ClientHelloInfo{ServerName: domain, SupportedProtos: hello.SupportedProtos})
	}
	a.mu.Lock()
	there := a.issued[domain] != nil
	a.mu.Unlock()
	if !there {
		return a.interim, nil
	}
	return a.get(domain)
}

// domainOf returns the domain that a client asks for, or the first if it is none of them.
func (a *ACME) domainOf(serverName string) string {
	if name := strings.ToLower(strings.TrimSuffix(serverName, ".")); slices.Contains(a.domains, name) {
		return name
	}
	return a.domains[0]
}

// get returns the certificate of a domain, for keys on elliptic curves, which all clients of
// TLS 1.2 know. If there is none in memory or in the cache, it has one issued.
func (a *ACME) get(domain string) (*tls.Certificate, error) {
	return a.manager.GetCertificate(&tls.ClientHelloInfo{
		ServerName: domain, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
	})
}

// Run implements Source.
func (a *ACME) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, a.client.end)
	defer stop()
	for _, domain := range a.domains {
		g.Go(func() error {
			a.keep(ctx, domain)
			return nil
		})
	}
	return g.Wait()
}

// keep has a certificate issued for a domain, and then watches its age.
func (a *ACME) keep(ctx context.Context, domain string) {
	trouble, pause := troubleLog{log: a.log}, firstRetry
	for {
		cert, err := a.get(domain)
		if ctx.Err() != nil {
			return
		}
		next := ageCheckInterval
		if err != nil {
			next, pause = pause, min(2*pause, longestRetry)
			err = fmt.Errorf("%s has no certificate, and browsers refuse the one that is served meanwhile: %s does not issue one: %w",
				domain, a.where, err)
		} else if err = overdue(cert, time.Now()); err == nil {
			pause = firstRetry
		}
		a.note(ctx, &trouble, domain, cert, err)
		if !sleep(ctx, next) {
			return
		}
	}
}

// note stores and logs what a domain has now.
func (a *ACME) note(ctx context.Context, trouble *troubleLog, domain string, cert *tls.Certificate, err error) {
	a.mu.Lock()
	first := cert != nil && a.issued[domain] == nil
	if cert != nil {
		a.issued[domain] = cert
	}
	delete(a.failed, domain)
	if err != nil {
		a.failed[domain] = err
	}
	a.mu.Unlock()
	switch {
	case err != nil:
		kind := "not issued"
		if cert != nil {
			kind = err.Error()
		}
		trouble.note(ctx, kind, err, "see that this machine reaches the authority, that the domain leads here, and that ports "+
			"443 or 80 are open to everybody; it is tried again")
	case trouble.over(), first:
		a.log.InfoContext(ctx, "a certificate is served", served(cert)...)
	}
}

// Check implements Source.
func (a *ACME) Check(context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, domain := range a.domains {
		if err := a.failed[domain]; err != nil || a.issued[domain] == nil {
			return errors.Join(err, fmt.Errorf("%s has no good certificate", domain))
		}
	}
	return nil
}

// Expires implements Source.
func (a *ACME) Expires() (first time.Time) {
	for _, c := range a.Own() {
		if first.IsZero() || c.Leaf.NotAfter.Before(first) {
			first = c.Leaf.NotAfter
		}
	}
	return first
}

// Own implements Source.
func (a *ACME) Own() (all []*tls.Certificate) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.issued {
		all = append(all, c)
	}
	return all
}

// selfSigned makes a certificate that nobody trusts.
func selfSigned(domains []string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "expenseflow waits for a certificate"}, DNSNames: domains,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// A stoppableTransport sends requests until it is stopped. Package autocert starts requests of
// its own, which would outlive Run.
type stoppableTransport struct {
	*http.Transport
	ending context.Context
	end    context.CancelFunc
}

// newTransport returns a transport that recognises servers by the certificates in caFile; by
// the system's if it is "".
func newTransport(caFile string) (*stoppableTransport, error) {
	t := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: requestTimeout}).DialContext,
		TLSHandshakeTimeout: requestTimeout, ForceAttemptHTTP2: true, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if caFile != "" {
		text, err := os.ReadFile(caFile)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
			return nil, errors.New(caFile + " has no certificate in PEM")
		}
	}
	s := &stoppableTransport{Transport: t}
	s.ending, s.end = context.WithCancel(context.Background())
	return s, nil
}

// RoundTrip implements http.RoundTripper.
func (s *stoppableTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	unlink := context.AfterFunc(s.ending, cancel)
	end := func() {
		unlink()
		cancel()
	}
	res, err := s.Transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		end()
		return nil, err
	}
	res.Body = &endingBody{res.Body, end}
	return res, nil
}

// An endingBody calls end when it is closed.
type endingBody struct {
	io.ReadCloser
	end func()
}

func (b *endingBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
