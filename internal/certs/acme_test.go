package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/testneed"
)

// patience bounds every wait; it is no promise.
const patience = time.Minute

// A site is where an authority looks for the answers of an ACME: it listens on the ports of
// HTTPS and HTTP.
type site struct {
	t      *testing.T
	pebble *testneed.Pebble
	roots  *x509.CertPool
	log    *testneed.LogBuffer
	serves atomic.Pointer[ACME]

	challenges atomic.Pointer[http.Handler]
	noALPN     atomic.Bool // the port of HTTPS answers no challenge
	dialed     atomic.Int64
	down       atomic.Bool // the authority cannot be reached
}

func newSite(t *testing.T) *site {
	p := testneed.NewPebble(t)
	s := &site{t: t, pebble: p, roots: p.Roots(t), log: &testneed.LogBuffer{}}
	config := &tls.Config{NextProtos: []string{"h2", "http/1.1", "acme-tls/1"}, GetCertificate: s.certificate}
	s.listen(p.TLSPort, config)
	s.listen(p.HTTPPort, nil)
	return s
}

func (s *site) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if s.noALPN.Load() && len(hello.SupportedProtos) == 1 {
		return nil, errors.New("no challenge here")
	}
	return s.serves.Load().Config().GetCertificate(hello)
}

func (s *site) listen(port int, config *tls.Config) {
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		s.t.Fatal(err)
	}
	server := &http.Server{
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.challenges.Load()).ServeHTTP(w, r) }),
		TLSConfig: config, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0),
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if config != nil {
			_ = server.ServeTLS(ln, "", "")
		} else {
			_ = server.Serve(ln)
		}
	}()
	s.t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
}

// open makes the ACME of the site.
func (s *site) open(t *testing.T, cache string, domains ...string) *ACME {
	t.Helper()
	a, err := NewACME(ACMEOptions{
		Domains: domains, Directory: s.pebble.Directory, CAFile: s.pebble.CAFile, CacheDir: cache,
		Logger: slog.New(slog.NewTextHandler(s.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	dial := a.client.DialContext
	a.client.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if s.dialed.Add(1); s.down.Load() {
			return nil, errors.New("the network is down")
		}
		return dial(ctx, network, addr)
	}
	challenges := a.Challenges(http.NotFoundHandler())
	s.serves.Store(a)
	s.challenges.Store(&challenges)
	return a
}

// run runs a until the returned function is called.
func run(t *testing.T, a *ACME) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// trusted reports whether a client takes the server for a host.
func (s *site) trusted(host string) error {
	conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.pebble.TLSPort), &tls.Config{RootCAs: s.roots, ServerName: host})
	if err != nil {
		return err
	}
	return conn.Close()
}

// eventuallyTrusted waits for that.
func (s *site) eventuallyTrusted(t *testing.T, host string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) { // another process has no signal
		err := s.trusted(host)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v\n%s", host, err, s.log)
		}
	}
}

func TestAnAuthorityIssuesCertificates(t *testing.T) {
	s := newSite(t)
	cache := t.TempDir()
	t.Run("as the server starts", func(t *testing.T) {
		a := s.open(t, cache, "one.test", "two.test")
		if err := s.trusted("one.test"); err == nil || a.Check(t.Context()) == nil || !a.Expires().IsZero() {
			t.Errorf("before it runs: %v, check %v", err, a.Check(t.Context()))
		}
		stop := run(t, a)
		s.eventuallyTrusted(t, "one.test")
		s.eventuallyTrusted(t, "two.test")
		if err := s.trusted("other.test"); err == nil || !strings.Contains(err.Error(), "valid for one.test") {
			t.Errorf("a name that is none of its domains: %v", err)
		}
		stop()
		if err := a.Check(t.Context()); err != nil || len(a.Own()) != 2 || time.Until(a.Expires()) < time.Hour {
			t.Errorf("check %v, %d certificates, until %v", err, len(a.Own()), a.Expires())
		}
	})
	t.Run("and keeps them for the next start", func(t *testing.T) {
		a := s.open(t, cache, "one.test")
		s.down.Store(true)
		before := s.dialed.Load()
		stop := run(t, a)
		s.eventuallyTrusted(t, "one.test")
		if n := s.dialed.Load() - before; n > 0 {
			t.Errorf("%d connections to the authority", n)
		}
		stop()
		s.down.Store(false)
	})
	t.Run("by HTTP where HTTPS is ended elsewhere", func(t *testing.T) {
		a := s.open(t, t.TempDir(), "three.test")
		s.noALPN.Store(true)
		stop := run(t, a)
		s.eventuallyTrusted(t, "three.test")
		stop()
		s.noALPN.Store(false)
	})
	t.Run("though it could not be reached at first", func(t *testing.T) {
		s.survivesOutage(t, time.Now())
	})
}

// survivesOutage starts while the authority cannot be reached. The time of a bubble does not
// pass while something waits for the network, so the site is outside of it.
func (s *site) survivesOutage(t *testing.T, now time.Time) {
	*s.log = testneed.LogBuffer{}
	cache := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(now)) // bubbles begin in 2000, when what is issued now is not valid
		a := s.open(t, cache, "late.test")
		s.down.Store(true)
		stop := run(t, a)
		time.Sleep(20 * time.Minute)
		log := s.log.String()
		if n := strings.Count(log, "level=WARN"); n != 1 || !strings.Contains(log, "late.test has no certificate") ||
			!strings.Contains(log, "the network is down") || !strings.Contains(log, "it is tried again") {
			t.Errorf("said %d times:\n%s", n, log)
		}
		if n := s.dialed.Load(); n < 4 {
			t.Errorf("it was tried %d times", n)
		}
		if err := a.Check(t.Context()); err == nil {
			t.Error("the check passes")
		}
		s.down.Store(false)
		time.Sleep(longestRetry)
		if err := a.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if log := s.log.String(); strings.Count(log, "a certificate is served") != 1 || strings.Count(log, "level=WARN") != 1 {
			t.Errorf("then:\n%s", log)
		}
		stop()
	})
	if err := s.trusted("late.test"); err != nil {
		t.Error(err)
	}
}
