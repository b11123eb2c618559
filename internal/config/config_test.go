package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// load calls Load in a new folder with these settings and files.
func load(t *testing.T, files map[string]string, settings ...string) (Config, Problems) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := Load(settings)
	var ps Problems
	if err != nil && !errors.As(err, &ps) {
		t.Fatalf("Load: %v is no Problems", err)
	}
	return cfg, ps
}

func names(ps Problems) []string {
	var out []string
	for _, p := range ps {
		out = append(out, p.Name)
	}
	return out
}

var good = "JWT_SECRET=" + strings.Repeat("x", 32)

func TestDefaults(t *testing.T) {
	cfg, ps := load(t, nil)
	if len(ps) > 0 {
		t.Fatalf("an empty environment: %v", ps)
	}
	if cfg.Port != 3000 || cfg.JWTExpire != 7*24*time.Hour || cfg.SocketQueue != 1<<20 || cfg.Retention != 90*24*time.Hour {
		t.Errorf("defaults: %+v", cfg)
	}
	if cfg.Database() != filepath.Join("data", "expenseflow.db") || !cfg.MakeSecret() || cfg.Production() {
		t.Errorf("database %q, make secret %v, production %v", cfg.Database(), cfg.MakeSecret(), cfg.Production())
	}
	if want := (Rate{20, 15 * time.Minute}); cfg.AuthRateLimit != want {
		t.Errorf("AuthRateLimit = %v, want %v", cfg.AuthRateLimit, want)
	}
}

func TestEveryTagIsSound(t *testing.T) {
	if _, ps := parseDefaults(); len(ps) > 0 {
		t.Errorf("defaults do not parse: %v", ps)
	}
	seen := map[string]bool{}
	for _, s := range Settings() {
		if s.Help == "" || seen[s.Name] {
			t.Errorf("%s has no help or is there twice", s.Name)
		}
		seen[s.Name] = true
		if reflect.TypeFor[Config]().Field(s.field).Type == reflect.TypeFor[time.Duration]() &&
			mustDuration(s.min) > mustDuration(s.max) {
			t.Errorf("%s has bounds %s to %s", s.Name, s.min, s.max)
		}
	}
}

func TestEverythingCanBeSet(t *testing.T) {
	cfg, ps := load(t, nil,
		"PORT=0", "HOST=127.0.0.1", "NODE_ENV=production", good, "DATABASE_URL=postgres://u:p@db/x", "JWT_EXPIRE=12h",
		"FRONTEND_URL=https://A.example/, http://localhost:5173", "EXPENSES_LIST_FORMAT=wrapped", "SYNC_DUP_INFLIGHT=409",
		"SUPPRESS_SELF_BY_TOKEN=true", "SYNC_TOKEN_GRACE=3600", "SOCKET_QUEUE_BYTES=2mb", "TRANSPORTS=websocket",
		"RATE_LIMIT=0", "AUTH_RATE_LIMIT=5/1m", "SYNC_RATE_LIMIT=60/1m", "TRUSTED_PROXIES=10.1.2.3/8 ::1", "EMPTY_ONE=")
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	if diff := cmp.Diff(Origins{"https://a.example", "http://localhost:5173"}, cfg.FrontendURL); diff != "" {
		t.Errorf("origins (-want +got):\n%s", diff)
	}
	wantProxies := Prefixes{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	if !reflect.DeepEqual(cfg.TrustedProxies, wantProxies) {
		t.Errorf("proxies %v, want %v", cfg.TrustedProxies, wantProxies)
	}
	if cfg.RateLimit != (Rate{}) || cfg.SyncTokenGrace != time.Hour || cfg.SocketQueue != 2<<20 ||
		cfg.Database() != "postgres://u:p@db/x" || !cfg.JSONLogs() {
		t.Errorf("%+v", cfg)
	}
}

func TestAllProblemsComeTogetherWithTheirFix(t *testing.T) {
	_, ps := load(t, nil,
		"PORT=http", "DATABASE_MAX_CONNECTIONS=none", "NODE_ENV=prod", "JWT_EXPIRE=soon", "EXPENSES_LIST_FORMAT=xml",
		"TRANSPORTS=polling,carrier-pigeon",
		"FRONTEND_URL=example.org", "TRUSTED_PROXIES=proxy", "SYNC_RATE_LIMIT=10/1m", "SOCKET_QUEUE_BYTES=1", "STATIC_DIR=nowhere",
		"TLS_CERT_FILE=cert.pem", "JWT_SECERT=oops", "DATABASE_URL=mysql://root:hunter2@db", "ACCESS_LOG=perhaps", "RATE_LIMIT=many",
		"EVENT_NAMES=dots", "ADMIN_TOKEN=hunter2", "METRICS_TOKEN=hunter2", "LOW_BALANCE_THRESHOLD=little")
	want := []string{
		"ACCESS_LOG", "ADMIN_TOKEN", "DATABASE_MAX_CONNECTIONS", "DATABASE_URL", "EVENT_NAMES", "EXPENSES_LIST_FORMAT",
		"FRONTEND_URL", "JWT_EXPIRE", "JWT_SECERT", "LOW_BALANCE_THRESHOLD", "METRICS_TOKEN", "NODE_ENV", "PORT", "RATE_LIMIT",
		"SOCKET_QUEUE_BYTES", "STATIC_DIR", "SYNC_RATE_LIMIT", "TLS_CERT_FILE", "TLS_CERT_FILE", "TRANSPORTS", "TRUSTED_PROXIES",
	}
	if diff := cmp.Diff(want, names(ps)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	text := ps.Error()
	for _, line := range []string{
		"PORT=http is not a whole number.", "Set PORT to 0 up to 65535, for example PORT=3000.",
		"NODE_ENV=prod is not a value it knows.", "Set NODE_ENV to one of: development, test, staging, production, for example " +
			"NODE_ENV=development.",
		"JWT_SECERT is not a setting.", "Did you mean JWT_SECRET?", "DATABASE_URL starts with mysql://",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no %q in:\n%s", line, text)
		}
	}
	if strings.Contains(text, "hunter2") {
		t.Errorf("a password is shown:\n%s", text)
	}
}

func TestProductionWantsARealSecret(t *testing.T) {
	tests := []struct {
		name     string
		settings []string
		want     string // in the problem; "" is none
	}{
		{"missing", nil, "JWT_SECRET is missing"},
		{"short", []string{"JWT_SECRET=0123456789"}, "shorter than 32"},
		{"published sample", []string{"JWT_SECRET=your-super-secret-jwt-key-change-this-in-production"}, "published sample"},
		{"good", []string{good}, ""},
		{"to be made", []string{"JWT_SECRET_AUTO=true"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, ps := load(t, nil, append(tt.settings, "NODE_ENV=production")...)
			if tt.want == "" && len(ps) > 0 || tt.want != "" && (len(ps) != 1 || !strings.Contains(ps.Error(), tt.want)) {
				t.Errorf("problems %v, want %q", ps, tt.want)
			}
			if tt.want == "" || len(tt.settings) == 0 {
				return
			}
			cfg, ps := load(t, nil, tt.settings...)
			if len(ps) > 0 || len(cfg.Warnings) != 1 || !strings.Contains(cfg.Warnings[0], tt.want) {
				t.Errorf("outside production: %v, warnings %q", ps, cfg.Warnings)
			}
		})
	}
}

func TestNoSecretAndNoneMadeIsRefusedEverywhere(t *testing.T) {
	if _, ps := load(t, nil, "JWT_SECRET_AUTO=false"); len(ps) != 1 {
		t.Errorf("problems: %v", ps)
	}
}

func TestDotEnvIsReadAndTheEnvironmentWins(t *testing.T) {
	cfg, ps := load(t, map[string]string{".env": "PORT=4000\nJWT_EXPIRE=1d\nEMAIL_HOST=mail\nMONGODB_URI=mongodb://localhost\n"},
		"PORT=5000", "JWT_EXPIRE=")
	if len(ps) > 0 || cfg.Port != 5000 || cfg.JWTExpire != 7*24*time.Hour {
		t.Errorf("port %d, expire %v, problems %v", cfg.Port, cfg.JWTExpire, ps)
	}
	want := []string{
		".env has names that are not used here: EMAIL_HOST.",
		"MONGODB_URI is not used: data is kept in SQLite, or in PostgreSQL by DATABASE_URL. " +
			`To bring it over: mongodump --uri="$MONGODB_URI" --archive | expenseflow import mongo -`,
	}
	if diff := cmp.Diff(want, cfg.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestBrokenDotEnvIsAProblem(t *testing.T) {
	if _, ps := load(t, map[string]string{".env": "what is \"this\n"}); len(ps) != 1 || ps[0].Name != ".env" {
		t.Errorf("problems: %v", ps)
	}
}

func TestRefusedDotEnvShowsNoSecret(t *testing.T) {
	for text, line := range map[string]string{
		"PORT=1\nOOPS LINE\nJWT_SECRET=hidden\n":               "line 2",
		"my-own=1\nDATABASE_URL=postgres://u:hidden@h/d\n":     "line 1",
		"PORT=1\nJWT_SECRET=\"hidden\nDATABASE_URL=hidden\n\n": "line 2",
	} {
		_, ps := load(t, map[string]string{".env": text})
		if len(ps) != 1 || strings.Contains(ps.Error(), "hidden") || !strings.Contains(ps.Error(), line) {
			t.Errorf("%q: problems %v, want %s alone", text, ps, line)
		}
	}
}

func TestDollarInDotEnvStandsForItself(t *testing.T) {
	for _, value := range []string{`pa$WORD$1$$x${y}$(z)`, `"pa$WORD$1$$x${y}$(z)"`, `'pa$WORD$1$$x${y}$(z)'`} {
		cfg, ps := load(t, map[string]string{".env": "WORD=other\nJWT_SECRET=" + value + "\n"})
		if got := cfg.JWTSecret.Reveal(); len(ps) > 0 || got != `pa$WORD$1$$x${y}$(z)` {
			t.Errorf("%s became %s, problems %v", value, got, ps)
		}
	}
}

func TestDotEnvOfAWindowsEditor(t *testing.T) {
	if cfg, ps := load(t, map[string]string{".env": "\ufeffPORT=4000\r\nHOST=127.0.0.1\r\n"}); len(ps) > 0 || cfg.Port != 4000 ||
		cfg.Host != "127.0.0.1" {
		t.Errorf("port %d, host %q, problems %v", cfg.Port, cfg.Host, ps)
	}
}

func TestSecretsFromFiles(t *testing.T) {
	secret := strings.Repeat("s", 40)
	cfg, ps := load(t, map[string]string{"jwt": secret + "\n", "db": "postgres://u:p@h/d\r\n"}, "JWT_SECRET_FILE=jwt",
		"DATABASE_URL_FILE=db")
	if len(ps) > 0 || cfg.JWTSecret.Reveal() != secret || cfg.Database() != "postgres://u:p@h/d" {
		t.Errorf("secret %q, database %q, problems %v", cfg.JWTSecret.Reveal(), cfg.Database(), ps)
	}
	_, ps = load(t, map[string]string{"jwt": secret}, "JWT_SECRET_FILE=jwt", good, "DATABASE_URL_FILE=absent")
	if diff := cmp.Diff([]string{"DATABASE_URL_FILE", "JWT_SECRET"}, names(ps)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestAPreviousSecretIsAsStrongAsTheOther(t *testing.T) {
	const name, strong = "JWT_SECRET_PREVIOUS", "another secret of at least thirty-two bytes"
	for value, want := range map[string]string{
		strong: "", "changeme": "is a published sample that everybody knows", "short": "is shorter than 32 characters",
	} {
		cfg, ps := load(t, nil, good, "NODE_ENV=production", name+"="+value)
		if len(ps) == 0 != (want == "") || len(ps) > 0 && !strings.Contains(ps[0].Text, want) {
			t.Errorf("%s in production: %v, want %q", value, ps, want)
		}
		if got := cfg.JWTSecretPrevious.Reveal(); got != value {
			t.Errorf("it is %q, want %q", got, value)
		}
		cfg, ps = load(t, nil, "JWT_SECRET="+strong, name+"="+value) // the first is the same
		if len(ps) > 0 || len(cfg.Warnings) != 1 {
			t.Errorf("%s elsewhere: problems %v, warnings %q, want one warning", value, ps, cfg.Warnings)
		}
	}
}

func TestRatesAreReadAtTheStart(t *testing.T) {
	files := map[string]string{
		"rates.json": `{"base":"USD","date":"2026-11-27","rates":{"EUR":0.86}}`, "zero.json": `{"base":"USD","rates":{"EUR":0}}`,
	}
	cfg, ps := load(t, files, good, "RATES_FILE=rates.json")
	if len(ps) > 0 || cfg.Rates == nil || cfg.Rates.Base != "USD" {
		t.Errorf("rates %+v, problems %v", cfg.Rates, ps)
	}
	for file, want := range map[string]string{
		"zero.json":   "RATES_FILE=zero.json has a rate of EUR that is not a number above zero.",
		"absent.json": "RATES_FILE=absent.json cannot be read: no such file or directory.",
	} {
		if _, ps := load(t, files, good, "RATES_FILE="+file); len(ps) != 1 || ps[0].Text != want {
			t.Errorf("%s: %v", file, ps)
		}
	}
	if _, ps := load(t, nil, good, "DEFAULT_TIME_ZONE=Mars/Olympus"); len(ps) != 1 ||
		ps[0].Text != "DEFAULT_TIME_ZONE=Mars/Olympus is not a time zone." {
		t.Errorf("a zone that is none: %v", ps)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	cfg, _ := load(t, nil, "JWT_SECRET=hunter2hunter2hunter2hunter2hunter2",
		"DATABASE_URL=postgres://u:hunter2@db.example/money?sslpassword=hunter2",
		"ADMIN_TOKEN=hunter2hunter2hunter2")
	var out strings.Builder
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "config", cfg, "secret", cfg.JWTSecret, "url", cfg.DatabaseURL)
	encoded, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = out.Write(encoded)
	fmt.Fprintf(&out, "%v %+v %#v %s", cfg, cfg, cfg, cfg.JWTSecret)
	for _, v := range cfg.Effective() {
		fmt.Fprintln(&out, v.Name, v.Text)
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("a secret is shown in %s", out.String())
	}
	if !strings.Contains(out.String(), "DATABASE_URL postgres://db.example/money\n") {
		t.Errorf("the place of the database is not shown in %s", out.String())
	}
}

func TestEffectiveTellsWhatWasSet(t *testing.T) {
	cfg, _ := load(t, nil, "PORT=4000", "JWT_EXPIRE=168h")
	for _, v := range cfg.Effective() {
		if want := v.Name == "PORT"; v.Set != want {
			t.Errorf("%s: set %v, want %v (%q)", v.Name, v.Set, want, v.Text)
		}
	}
}

func TestParseDuration(t *testing.T) {
	tests := map[string]time.Duration{
		"7d": 7 * day, "24h": day, "15m": 15 * time.Minute, "30d": 30 * day, "1y": 31_557_600 * time.Second,
		"3600": time.Hour, "0": 0, "1.5h": 90 * time.Minute, ".5 hours": 30 * time.Minute, "2 Days": 2 * day,
		"100ms":   100 * time.Millisecond,
		"3 msecs": 3 * time.Millisecond, "5 milliseconds": 5 * time.Millisecond, "1 minute": time.Minute, "2 hrs": 2 * time.Hour,
		"1w":    week,
		"1h30m": 90 * time.Minute, "10 secs": 10 * time.Second, "2 yrs": 2 * year,
	}
	for text, want := range tests {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "soon", "-1h", "1 fortnight", "7d7", "999999999999999999y"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, got)
		}
	}
}

func TestDurationsAreShownAsTheyMayBeWritten(t *testing.T) {
	for _, d := range []time.Duration{0, 7 * day, 90 * time.Minute, 500 * time.Millisecond, time.Microsecond, 36 * time.Hour} {
		if got, err := ParseDuration(FormatDuration(d)); err != nil || got != d {
			t.Errorf("%v is shown as %s, which reads as %v, %v", d, FormatDuration(d), got, err)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Bytes{"65536": 65536, "64KiB": 65536, "1mb": 1 << 20, "2 GiB": 2 << 30, "7B": 7} {
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want {
			t.Errorf("%q = %d, %v; want %d", text, b, err, want)
		}
		var again Bytes
		if err := again.UnmarshalText([]byte(b.String())); err != nil || again != b {
			t.Errorf("%d is shown as %s, which reads as %d, %v", b, b, again, err)
		}
	}
	for _, text := range []string{"", "big", "-1", "999999999999g", "1TB"} {
		if err := new(Bytes).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for a size", text)
		}
	}
}

func TestAmounts(t *testing.T) {
	for text, want := range map[string]string{
		"100": "100", " 12.50": "", "12.50": "12.5", "-20": "-20", "0": "0", "1e20": "",
		"much": "", "": "",
	} {
		var a Amount
		err := a.UnmarshalText([]byte(text))
		if a.String() != want || (err == nil) != a.Set {
			t.Errorf("%q = %+v, %v; want %q", text, a, err, want)
		}
	}
}

func TestMisspeltNamesAreFound(t *testing.T) {
	known := knownNames()
	for name, want := range map[string]string{
		"DATABSE_URL": "DATABASE_URL", "FRONTED_URL": "FRONTEND_URL", "TRUSTED_PROXY": "", "JWT_SERCET": "JWT_SECRET",
		"PATH": "", "HOSTNAME": "", "SSL_CERT_FILE": "", "DATABASE_HOST": "", "LOG_LEVLE": "LOG_LEVEL",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("nearest(%s) = %q, want %q", name, got, want)
		}
	}
}

func FuzzValues(f *testing.F) {
	for _, s := range []string{"7d", "1h30m", "1MiB", "20/15m", "https://a.example,*", "10.0.0.0/8,::1", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDuration(s); err == nil && d < 0 {
			t.Fatalf("ParseDuration(%q) = %v", s, d)
		}
		var r Rate
		if err := r.UnmarshalText([]byte(s)); err == nil && (r.N < 0 || r.Per < 0) {
			t.Fatalf("Rate of %q = %v", s, r)
		}
		_ = new(Bytes).UnmarshalText([]byte(s))
		_ = new(Amount).UnmarshalText([]byte(s))
		_ = new(Origins).UnmarshalText([]byte(s))
		_ = new(Prefixes).UnmarshalText([]byte(s))
	})
}

// TestAPasswordIsNeverPartOfAnError are passwords that a URL takes for something
// else: "w0rd" used to be printed as the name of a host.
// A database that is named in another way than is known here is refused; expenseflow
// config showed it nevertheless, with its password.
func TestADatabaseNamedInAnotherWayWasShownWithItsPassword(t *testing.T) {
	for _, dsn := range []string{
		"host=127.0.0.1 user=ann password=hunter2 dbname=ef",
		"password='hunter2 x' host=h", "ann:hunter2@tcp(h:3306)/ef", "mysql://ann:hunter2@h/ef",
	} {
		cfg, ps := load(t, nil, "DATABASE_URL="+dsn)
		if diff := cmp.Diff([]string{"DATABASE_URL"}, names(ps)); diff != "" {
			t.Fatalf("%s: %s", dsn, diff)
		}
		said := ps.Error()
		for _, v := range cfg.Effective() {
			said += v.Text
		}
		if strings.Contains(said, "hunter2") {
			t.Errorf("%s: %s", dsn, said)
		}
	}
}

func TestAPasswordIsNeverPartOfAnError(t *testing.T) {
	for _, password := range []string{
		"s3cr3t@w0rd", "s3cr3t/w0rd", "12/w0rd", "12/3@w0rd", "s3cr3t?w0rd", "s3cr3t#w0rd",
		"s3cr3t%w0rd", "a@b@w0rd", "w0rd@a/b",
	} {
		dsn := "postgres://ann:" + password + "@127.0.0.1:5432/ef"
		cfg, ps := load(t, nil, "DATABASE_URL="+dsn)
		if diff := cmp.Diff([]string{"DATABASE_URL"}, names(ps)); diff != "" {
			t.Fatalf("%s: %s", dsn, diff)
		}
		if said := ps.Error() + cfg.DatabaseURL.String(); strings.Contains(said, "w0rd") || strings.Contains(said, "s3cr3t") ||
			!strings.Contains(said, "%40") {
			t.Errorf("%s: %s", dsn, said)
		}
	}
	for _, dsn := range []string{
		"postgres://ann:s3cr3t%40w0rd%2F@127.0.0.1/ef", "postgres://ann@h/ef", "postgresql://h:5432?user=ann@corp",
		"postgres://h/ef?password=a@b",
		"postgres://ann:p@[::1]:5432/ef", "postgres://ann:p@h1:5432,h2:5432/ef", "postgres:///ef", "postgres://[::1]?user=a@b",
		"/srv/data@home/money.db",
	} {
		if _, ps := load(t, nil, "DATABASE_URL="+dsn); len(ps) > 0 {
			t.Errorf("%s: %v", dsn, ps)
		}
	}
}

// TestWhatTheServerKeepsIsNeverPublished: with STATIC_DIR=. anybody could read the
// secret that signs tokens.
func TestWhatTheServerKeepsIsNeverPublished(t *testing.T) {
	site, home := t.TempDir(), t.TempDir()
	file := func(path string) string {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x=y"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	linked := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(site, linked); err != nil {
		t.Skip("this system makes no links: ", err)
	}
	out := "DATA_DIR=" + t.TempDir()
	list := string(filepath.ListSeparator)
	for name, environ := range map[string][]string{
		"the default data folder":  {"STATIC_DIR=."},
		"a data folder made later": {"STATIC_DIR=" + site, "DATA_DIR=" + filepath.Join(site, "a", "b")},
		"through a link":           {"STATIC_DIR=" + site, "DATA_DIR=" + filepath.Join(linked, "data")},
		"of a link":                {"STATIC_DIR=" + linked, "DATA_DIR=" + filepath.Join(site, "data")},
		"the folder itself":        {"STATIC_DIR=" + site, "DATA_DIR=" + site},
		"a further folder":         {"STATIC_DIR=" + t.TempDir() + list + site, "DATA_DIR=" + filepath.Join(site, "data")},
		"the database":             {"STATIC_DIR=" + site, out, "DATABASE_URL=" + filepath.Join(site, "money.db")},
		"a secret's file":          {"STATIC_DIR=" + site, out, "ADMIN_TOKEN_FILE=" + file(filepath.Join(site, "admin"))},
		"the certificate's key": {
			"STATIC_DIR=" + site, out, "TLS_CERT_FILE=" + file(filepath.Join(home, "cert")),
			"TLS_KEY_FILE=" + file(filepath.Join(site, "key")),
		},
		"the parent of the data folder": {"STATIC_DIR=.."},
	} {
		_, ps := load(t, nil, append([]string{good}, environ...)...)
		if !slices.Contains(names(ps), "STATIC_DIR") {
			t.Errorf("%s: %v", name, ps)
		}
	}
	if _, ps := load(t, nil, good, "STATIC_DIR="+site, out, "DATABASE_URL=postgres://u:p@h/x"); len(ps) > 0 {
		t.Error(ps)
	}
	if _, ps := load(t, map[string]string{".env": "PORT=0"}, good, "STATIC_DIR=.", out); !slices.Contains(names(ps), "STATIC_DIR") {
		t.Errorf(".env: %v", ps)
	}
}

func TestFoldersOfAFrontendMayBeMissingButNotAll(t *testing.T) {
	site, list := t.TempDir(), string(filepath.ListSeparator)
	cfg, ps := load(t, nil, good, "STATIC_DIR=nowhere"+list+list+site)
	if len(ps) > 0 || len(cfg.StaticDir) != 2 || len(cfg.Warnings) != 1 ||
		!strings.Contains(cfg.Warnings[0], "nowhere, which is not a folder") {
		t.Errorf("%v, %v, %q", ps, cfg.StaticDir, cfg.Warnings)
	}
	if _, ps := load(t, nil, good, "STATIC_DIR=nowhere"+list+"neither"); len(ps) != 1 ||
		!strings.Contains(ps.Error(), "separated by "+list) {
		t.Error(ps)
	}
}

func TestOriginsAreKeptAsBrowsersSendThem(t *testing.T) {
	cfg, ps := load(t, nil, "FRONTEND_URL=https://app.example:443,https://APP.example/,http://b\u00fccher.example:80,capacitor://localhost")
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	if diff := cmp.Diff(Origins{"https://app.example", "http://xn--bcher-kva.example", "capacitor://localhost"},
		cfg.FrontendURL); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"https://*.example", "*,https://a.example", "wss://a.example", "null"} {
		if _, ps := load(t, nil, "FRONTEND_URL="+bad); len(ps) != 1 {
			t.Errorf("%s: %v", bad, ps)
		}
	}
}

// TestWhatIsNoDatabaseMakesNoFile covers values that would be used as file names.
func TestWhatIsNoDatabaseMakesNoFile(t *testing.T) {
	for dsn, words := range map[string]string{
		"host=localhost user=gorm password=hunter2 dbname=gorm port=9920": "list of keywords",
		"user=gorm password=hunter2":                                      "list of keywords",
		"localhost:5432/expenseflow":                                      "starts with localhost:",
		"postgres:user:hunter2@localhost/db":                              "starts with postgres:",
		"file:data.db?mode=ro":                                            "starts with file:",
		"file:///data.db":                                                 "starts with file://",
		"sqlite:data.db":                                                  "starts with sqlite:",
		":memory:":                                                        "lost with the process",
	} {
		_, ps := load(t, nil, "DATABASE_URL="+dsn)
		if len(ps) != 1 || !strings.Contains(ps[0].Text, words) || strings.Contains(ps.Error(), "hunter2") {
			t.Errorf("%s: %v", dsn, ps)
		}
	}
	for _, dsn := range []string{
		"postgres://u:p@h/d", "postgresql:///d?host=/run", `C:\data\money.db`, "data/a:b=c.db", "./x.db",
		"/var/lib/money", "money.db",
	} {
		if _, ps := load(t, nil, "DATABASE_URL="+dsn); len(ps) > 0 {
			t.Errorf("%s: %v", dsn, ps)
		}
	}
}

func TestEmptySecretFileIsNoMissingSetting(t *testing.T) {
	for _, text := range []string{"", "\n", "  \r\n"} {
		for _, name := range []string{"DATABASE_URL_FILE", "JWT_SECRET_FILE", "ADMIN_TOKEN_FILE"} {
			_, ps := load(t, map[string]string{"secret": text}, name+"=secret")
			if diff := cmp.Diff([]string{name}, names(ps)); diff != "" || !strings.Contains(ps.Error(), "it is empty") {
				t.Errorf("%s with %q: %v", name, text, ps)
			}
		}
	}
}

func TestEmptyEntryIsNoTransport(t *testing.T) {
	for _, list := range []string{",", "polling,"} {
		if _, ps := load(t, nil, "TRANSPORTS="+list); len(ps) != 1 || !strings.Contains(ps[0].Text, "empty entry") {
			t.Errorf("%q: %v", list, ps)
		}
	}
}

// Windows has variables whose names begin with "=" in the environment. In a file such a name
// is a mistake.
func TestSettingsWithoutANameAreNotOurs(t *testing.T) {
	if _, ps := load(t, nil, `=C:=C:\Users`, "=ExitCode=00000000"); len(ps) > 0 {
		t.Error(ps)
	}
	_, ps := load(t, map[string]string{".env": "PORT=1\n=x\n"})
	if diff := cmp.Diff([]string{".env"}, names(ps)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestWhatConnectsProcesses(t *testing.T) {
	const db = "DATABASE_URL=postgres://u:p@db/x"
	for _, tt := range []struct {
		settings []string
		problem  string // "" is none
	}{
		{[]string{db, "REDIS_URL=redis://:p%40ss@host:6379/0"}, ""},
		{[]string{db, "REDIS_URL=rediss://host?addr=other:6379"}, ""},
		{[]string{db, "REDIS_URL=redis://host", "EMITTERS=redis,postgres", "REDIS_PREFIX=a.b:c-d_1"}, ""},
		{[]string{"REDIS_URL=redis://host", "EMITTERS=redis"}, ""},
		{[]string{db, "DATABASE_LISTEN_URL=postgresql://u:p@direct/x"}, ""},
		{[]string{"REDIS_URL=redis://:hunter2@host"}, "REDIS_URL is set beside SQLite, where one process serves alone."},
		{[]string{db, "REDIS_URL=http://:hunter2@host"}, "REDIS_URL is no address of Redis."},
		{[]string{db, "REDIS_URL=redis://:hunter2@2@host"}, "REDIS_URL has a character"},
		{[]string{db, "REDIS_PREFIX=a b"}, "REDIS_PREFIX is not 1 to 64"},
		{[]string{db, "EMITTERS=redis"}, "EMITTERS has redis, and REDIS_URL is missing."},
		{[]string{"EMITTERS=postgres"}, "EMITTERS has postgres beside SQLite."},
		{[]string{db, "EMITTERS=kafka"}, "EMITTERS=kafka is not a value it knows."},
		{[]string{db, "EMITTER_PREFIX=" + strings.Repeat("x", 61)}, "EMITTER_PREFIX is too long"},
		{[]string{db, "DATABASE_LISTEN_URL=direct:5432"}, "DATABASE_LISTEN_URL is no address of PostgreSQL."},
		{[]string{"DATABASE_LISTEN_URL=postgres://u:hunter2@direct/x"}, "DATABASE_LISTEN_URL is set beside SQLite"},
	} {
		cfg, ps := load(t, nil, tt.settings...)
		text, want := ps.Error(), 1
		if tt.problem == "" {
			want = 0
		}
		if len(ps) != want || !strings.Contains(text, tt.problem) || strings.Contains(text, "hunter2") {
			t.Errorf("%q: %s", tt.settings, text)
		}
		for _, v := range cfg.Effective() {
			if strings.Contains(v.Text, "hunter2") {
				t.Errorf("%q is shown as %s", tt.settings, v.Text)
			}
		}
	}
	cfg, _ := load(t, nil, db)
	if address, setting := cfg.ListenDatabase(); address != "postgres://u:p@db/x" || setting != "DATABASE_URL" {
		t.Error(address, setting)
	}
	cfg, _ = load(t, nil, db, "DATABASE_LISTEN_URL=postgres://direct/x")
	if address, setting := cfg.ListenDatabase(); address != "postgres://direct/x" || setting != "DATABASE_LISTEN_URL" {
		t.Error(address, setting)
	}
}

func TestTheAdvertisedAddressIsNoMoreThanAnAddress(t *testing.T) {
	for text, want := range map[string]BaseURL{
		"http://10.0.0.5:3000": "http://10.0.0.5:3000", "https://app.example/": "https://app.example",
		"http://[fd00::7]:3000": "http://[fd00::7]:3000",
	} {
		if cfg, ps := load(t, nil, "ADVERTISE_URL="+text); len(ps) != 0 || cfg.AdvertiseURL != want {
			t.Errorf("%s: %q, %v", text, cfg.AdvertiseURL, ps)
		}
	}
	for _, bad := range []string{
		"10.0.0.5:3000", "app", "ftp://app", "http://", "http://:3000", "http://user@app", "http://app/path", "http://app?x=1",
		"http://app#x",
		"http://a b",
	} {
		if _, ps := load(t, nil, "ADVERTISE_URL="+bad); len(ps) != 1 {
			t.Errorf("%s: %v", bad, ps)
		}
	}
}
