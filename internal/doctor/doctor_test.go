package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"expenseflow/internal/config"
	"expenseflow/internal/operator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// check fails the test unless f has this status and these words.
func check(t *testing.T, f Finding, status Status, words ...string) {
	t.Helper()
	if f.Status != status || (status == Failed || status == Warning) != (f.Fix != "") {
		t.Errorf("%+v, want it %s", f, status)
	}
	for _, w := range words {
		if !strings.Contains(f.Text+" "+f.Fix, w) {
			t.Errorf("%+v does not say %q", f, w)
		}
	}
}

func at(t *testing.T, address string) *doctor {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &doctor{Options: Options{Config: &config.Config{}, URL: u, Local: u, Public: true, Now: time.Now}}
}

func TestACheckThatTakesLongIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sleep := func(d time.Duration) Check {
			return Check{fmt.Sprintf("takes %v", d), func(ctx context.Context) Finding {
				select {
				case <-time.After(d):
				case <-ctx.Done():
				}
				return ok("done")
			}}
		}
		var heard []string
		good := Run(t.Context(), []Check{sleep(time.Second), sleep(4 * time.Second), sleep(time.Hour)},
			func(name string, after time.Duration) { heard = append(heard, fmt.Sprintf("%s: %v", name, after)) },
			func(f Finding) { heard = append(heard, f.Check+": "+f.Text) })
		want := "takes 1s: done takes 4s: 2s takes 4s: done takes 1h0m0s: 2s takes 1h0m0s: 7s takes 1h0m0s: 12s " +
			"takes 1h0m0s: 17s takes 1h0m0s: 22s takes 1h0m0s: 27s takes 1h0m0s: done"
		if got := strings.Join(heard, " "); !good || got != want {
			t.Errorf("%v %s, want %s", good, got, want)
		}
	})
}

func TestAFullDiskIsToldBeforeItIsFull(t *testing.T) {
	for _, tt := range []struct {
		free, total uint64
		want        Status
	}{
		{50 << 30, 100 << 30, OK},
		{50 << 30, 2000 << 30, OK}, // little of it, but much
		{60 << 20, 64 << 20, OK},   // small, but empty
		{4 << 30, 100 << 30, Warning},
		{99 << 20, 10 << 30, Failed},
		{0, 10 << 30, Failed},
	} {
		check(t, Disk{"/data", tt.free, tt.total}.judge(), tt.want, "/data")
	}
	if free, total, err := diskSpace(t.TempDir()); err != nil || free == 0 || free > total {
		t.Errorf("the disk here: %d of %d, %v", free, total, err)
	}
}

// shows starts a server with a certificate of these names and this life, and returns its
// address and the certificate.
func shows(t *testing.T, host string, from, until time.Time, names ...string) (address string, own *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until, DNSNames: names, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if own, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.StartTLS()
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "https://" + net.JoinHostPort(host, port), own
}

func TestCertificatesThatBrowsersWouldRefuse(t *testing.T) {
	now := time.Now()
	day := 24 * time.Hour
	for _, tt := range []struct {
		name        string
		from, until time.Time
		names       []string
		trusted     bool
		want        Status
		words       string
	}{
		{"good", now.Add(-30 * day), now.Add(60 * day), []string{"localhost"}, true, OK, "good until"},
		{"expired", now.Add(-90 * day), now.Add(-day), []string{"localhost"}, true, Failed, "ended at"},
		{"not yet", now.Add(day), now.Add(90 * day), []string{"localhost"}, true, Failed, "begins at"},
		{"another name", now.Add(-30 * day), now.Add(60 * day), []string{"other.example.org"}, true, Failed, "is for other"},
		{"unknown authority", now.Add(-30 * day), now.Add(60 * day), []string{"localhost"}, false, Failed, "fullchain.pem"},
		{"ends soon", now.Add(-80 * day), now.Add(10 * day), []string{"localhost"}, true, Warning, "ends at"},
		{"short and young", now.Add(-2 * day), now.Add(4 * day), []string{"localhost"}, true, OK, "good until"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address, own := shows(t, "localhost", tt.from, tt.until, tt.names...)
			d := at(t, address)
			if d.Roots = x509.NewCertPool(); tt.trusted {
				d.Roots.AddCert(own)
			}
			check(t, d.certificate(t.Context()), tt.want, tt.words)
		})
	}
}

func TestWithoutTLS(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	check(t, at(t, s.URL).certificate(t.Context()), Warning, "not encrypted")
	check(t, at(t, "https"+strings.TrimPrefix(s.URL, "http")).certificate(t.Context()), Failed, "no TLS")
	d := at(t, s.URL)
	d.Public = false
	check(t, d.certificate(t.Context()), Skipped)
}

func TestWhatIsNotTheServer(t *testing.T) {
	s := httptest.NewServer(http.RedirectHandler("https://money.example.org/", http.StatusMovedPermanently))
	defer s.Close()
	d := at(t, s.URL)
	d.Config.Transports, d.Key, d.Origins = []string{"polling", "websocket"}, "key", []string{"https://app.example.org"}
	check(t, d.server(t.Context()), Failed, "another program")
	check(t, d.polling(t.Context()), Failed, "redirects to https://money.example.org/")
	check(t, d.websocket(t.Context()), Failed, "status 301")
	check(t, d.proxy(t.Context()), Failed, "status 301")
	check(t, d.cors(t.Context()), Failed, "may not call")
	s.Close()
	check(t, d.server(t.Context()), Failed, "start it")
	check(t, d.unlessSilent(d.polling)(t.Context()), Failed, "nothing answers")
	check(t, d.unlessSilent(d.websocket)(t.Context()), Skipped, "nothing answers") // said once
	d.Config.Transports = []string{"websocket"}
	check(t, d.polling(t.Context()), Skipped)
}

// In the first seconds after a start the doctor warned of trouble that was none.
func TestAServerThatHasJustStartedIsInOrder(t *testing.T) {
	for state, want := range map[string]Status{"ok": OK, "connecting": OK, "degraded": Warning} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"status":"ok","checks":{"database":"ok","hints":%q}}`, state)
		}))
		found := at(t, s.URL).server(t.Context())
		s.Close()
		check(t, found, want, "is ready")
		if state == "connecting" {
			check(t, found, OK, "it has just started and still connects its hints")
		}
	}
}

func TestADatabaseThatDoesNotDoWhatItShould(t *testing.T) {
	for _, tt := range []struct {
		found                operator.Database
		database, migrations Status
	}{
		{operator.Database{Dialect: "postgres"}, OK, OK},
		{operator.Database{Dialect: "postgres", Schema: "too old"}, OK, Failed},
		{operator.Database{Dialect: "postgres", Read: "silent"}, Failed, OK},
		{operator.Database{Dialect: "postgres", Write: "read-only"}, Failed, OK},
	} {
		d := at(t, "http://localhost")
		d.Database = func(context.Context) (operator.Database, error) { return tt.found, nil }
		check(t, d.checkDatabase(t.Context()), tt.database)
		check(t, d.migrations(t.Context()), tt.migrations)
	}
}

func TestHostsAreThoseThatBrowsersUse(t *testing.T) {
	for _, tt := range []struct {
		host, address string
		want          bool
	}{
		{"money.example.org", "https://money.example.org", true},
		{"Money.example.org:443", "https://money.example.org/", true},
		{"money.example.org", "https://money.example.org:8443", false},
		{"money.example.org:8443", "https://money.example.org:8443", true},
		{"127.0.0.1:3000", "https://money.example.org", false},
		{"[::1]:3000", "http://[::1]:3000", true},
	} {
		u, err := url.Parse(tt.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := sameHost(tt.host, u); got != tt.want {
			t.Errorf("%s at %s: %v", tt.host, tt.address, got)
		}
	}
}

func TestAnOldBackupIsAWarning(t *testing.T) {
	d := at(t, "http://localhost:3000")
	check(t, d.backup(t.Context()), Skipped)
	d.answered = true
	check(t, d.backup(t.Context()), Skipped, "has made none")
	for age, want := range map[time.Duration]Status{time.Hour: OK, 8 * 24 * time.Hour: Warning} {
		of := time.Now().Add(-age)
		d.database.LastBackup = &of
		check(t, d.backup(t.Context()), want, of.Format("2006-01-02"), "ago")
	}
}
