package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/config"

	"expenseflow/internal/testneed"
)

func TestReadinessSaysNoBeforeAnythingStops(t *testing.T) {
	r := start(t, "SHUTDOWN_DELAY=1s")
	token := r.register("alice@example.org")
	if a := r.call("GET", "/readyz", "", ""); a.code != 200 {
		t.Fatalf("/readyz: %d %s", a.code, a.body)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.stop() }()
	deadline := time.Now().Add(patience)
	for r.call("GET", "/readyz", "", "").code == 200 {
		if time.Now().After(deadline) {
			t.Fatal("/readyz never says no")
		}
	}
	if a := r.call("GET", "/readyz", "", ""); a.code != 503 || !strings.Contains(a.body, `"drain":"failing"`) {
		t.Errorf("/readyz: %d %s", a.code, a.body)
	}
	if a := r.call("GET", "/api/expenses", token, ""); a.code != 200 {
		t.Errorf("a request meanwhile: %d", a.code)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestShutdownClosesSocketsSoThatClientsComeBack(t *testing.T) {
	r := start(t)
	s := r.listen(r.register("alice@example.org"))
	if err := r.stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if !s.gone() {
		t.Error("the socket is still open")
	}
	select {
	case e := <-s.events:
		t.Errorf("heard %s", e)
	default:
	}
}

func TestDataAndTokensSurviveARestart(t *testing.T) {
	cfg := settings(t)
	cfg.JWTSecret = ""
	first := startWith(t, cfg)
	first.register("alice@example.org")
	token := first.call("POST", "/api/auth/login", "", `{"email":"alice@example.org","password":"secret"}`).field("token")
	first.expense(token)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(cfg.SecretFile())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file: %v, %v", info, err)
	}
	if a := startWith(t, cfg).call("GET", "/api/expenses", token, ""); a.code != 200 || plain(a.body) != "["+lunchDoc+"]" {
		t.Errorf("after a restart: %d %s", a.code, a.body)
	}
}

func TestTwoStartsAtOnceAgreeOnOneSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "jwt_secret")
	secrets := make(chan string, 8)
	for range cap(secrets) {
		go func() {
			secret, err := makeSecret(path)
			if err != nil {
				t.Error(err)
			}
			secrets <- string(secret)
		}()
	}
	first := <-secrets
	for range cap(secrets) - 1 {
		if got := <-secrets; got != first || len(got) != 64 {
			t.Errorf("secrets %q and %q", first, got)
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestHalfASecretIsNotTaken(t *testing.T) {
	cfg := settings(t)
	cfg.JWTSecret = ""
	if err := os.MkdirAll(cfg.DataDir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.SecretFile(), []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if exists(cfg.Database()) {
			t.Error("a database was made nevertheless")
		}
	}()
	_, err := New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("New: %v", err)
	}
}

func TestAReadOnlyDataDirectoryIsNamedWithItsMend(t *testing.T) {
	err := notWritable("/data", &fs.PathError{Op: "open", Path: "/data/x", Err: fs.ErrPermission})
	if want := fmt.Sprintf("chown -R %d:%d /data", os.Getuid(), os.Getgid()); !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not say %s", err, want)
	}
	if err := notWritable("/data", errors.New("disk full")); strings.Contains(err.Error(), "chown") {
		t.Errorf("%v", err)
	}
}

func TestASecretThatCannotBeReadIsNamedWithItsMend(t *testing.T) {
	err := notReadable("/data/jwt_secret", &fs.PathError{Op: "open", Path: "/data/jwt_secret", Err: fs.ErrPermission})
	if want := fmt.Sprintf("chown %d:%d /data/jwt_secret", os.Getuid(), os.Getgid()); !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not say %s", err, want)
	}
}

// run runs a command of the program and returns its exit code and output.
func run(t *testing.T, ctx context.Context, args []string, environ ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Command{Args: args, Environ: environ, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}.Run(ctx)
	return code, out.String(), errs.String()
}

func TestPortInUseIsSaidInOneSentenceAndNothingIsMade(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := strconv.Itoa(taken.Addr().(*net.TCPAddr).Port)
	dir := filepath.Join(t.TempDir(), "data")
	code, _, stderr := run(t, t.Context(), nil, "HOST=127.0.0.1", "PORT="+port, "DATA_DIR="+dir)
	if want := "expenseflow cannot start: port " + port + " is in use: stop the program that listens there, or set PORT to " +
		"another\n"; code != 2 || stderr != want {
		t.Errorf("exit code %d, stderr %q, want %q", code, stderr, want)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data directory was made: %v", err)
	}
}

func TestRefusalsToStart(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(elsewhere, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		settings []string
		want     string
	}{
		{"bad settings", []string{"PORT=http", "NODE_ENV=production"}, "the configuration has 2 problems"},
		{"no address of ours", []string{"HOST=203.0.113.1", "PORT=0"}, "HOST=203.0.113.1 is no address of this machine"},
		{"data directory is a file", []string{"HOST=127.0.0.1", "PORT=0", "DATA_DIR=" + elsewhere}, "is a file: set it to a folder"},
		{
			"no certificate",
			[]string{"HOST=127.0.0.1", "PORT=0", "TLS_CERT_FILE=" + elsewhere, "TLS_KEY_FILE=" + elsewhere},
			"do not make a certificate",
		},
		{
			"metrics nowhere",
			[]string{"HOST=127.0.0.1", "PORT=0", "METRICS_ADDR=203.0.113.1:9"},
			"METRICS_ADDR=203.0.113.1:9 cannot be listened on",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			environ := append([]string{"DATA_DIR=" + dir}, tt.settings...)
			code, _, stderr := run(t, t.Context(), nil, environ...)
			if code != 2 || !strings.HasPrefix(stderr[strings.Index(stderr, "expenseflow cannot"):], "expenseflow cannot start: ") ||
				!strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, stderr %s", code, stderr)
			}
			if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the data directory was made: %v", err)
			}
		})
	}
}

func TestServeEndsWellWhenAsked(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	log := &testneed.LogBuffer{}
	code := make(chan int, 1)
	environ := []string{
		"HOST=127.0.0.1", "PORT=0", "SHUTDOWN_DELAY=0", "DATA_DIR=" + filepath.Join(t.TempDir(), "data"),
		"MONGODB_URI=mongodb://x",
	}
	go func() { code <- Command{Environ: environ, Stdout: io.Discard, Stderr: log}.Run(ctx) }()
	for deadline := time.Now().Add(patience); !strings.Contains(log.String(),
		"expenseflow serves http://127.0.0.1:"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(log)
		}
	}
	cancel()
	if got := <-code; got != 0 || !strings.Contains(log.String(), "MONGODB_URI is not used") {
		t.Errorf("exit code %d, log %s", got, log)
	}
}

func TestBeingStoppedDuringTheStartIsNoFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code, _, stderr := run(t, ctx, []string{"serve"}, "HOST=127.0.0.1", "PORT=0", "SHUTDOWN_DELAY=0",
		"DATA_DIR="+t.TempDir()); code != 0 {
		t.Errorf("exit code %d, stderr %s", code, stderr)
	}
}

func TestHelpTeachesEverySetting(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}, {"config", "--help"}} {
		code, stdout, _ := run(t, t.Context(), args)
		if code != 0 {
			t.Errorf("%v: exit code %d", args, code)
		}
		for name := range verbs {
			if !strings.Contains(stdout, name) {
				t.Errorf("%v does not mention %s", args, name)
			}
		}
		for _, s := range config.Settings() {
			if !strings.Contains(stdout, "\n  "+s.Name+"\n") {
				t.Errorf("%v does not mention %s", args, s.Name)
			}
		}
	}
}

func TestConfigShowsWhatIsInForceAndNoSecret(t *testing.T) {
	code, stdout, stderr := run(t, t.Context(), []string{"config"}, "PORT=4000", "JWT_SECRET=hunter2",
		"DATABASE_URL=postgres://u:hunter2@db/x")
	if code != 0 || !strings.Contains(stderr, "warning: JWT_SECRET is shorter than 32 characters") {
		t.Errorf("exit code %d, stderr %s", code, stderr)
	}
	if strings.Contains(stdout+stderr, "hunter2") {
		t.Errorf("a secret is shown in %s", stdout)
	}
	for _, line := range []string{
		"PORT 4000 set", "HOST default", "JWT_SECRET REDACTED set", "DATABASE_URL postgres://db/x set",
		"JWT_EXPIRE 7d default",
	} {
		if !strings.Contains(strings.Join(strings.Fields(stdout), " "), line) {
			t.Errorf("no %q in\n%s", line, stdout)
		}
	}
	if code, _, stderr := run(t, t.Context(), []string{"config"}, "PORT=x"); code != 2 ||
		!strings.Contains(stderr, "PORT=x is not a whole number") {
		t.Errorf("with a problem: exit code %d, stderr %s", code, stderr)
	}
}

func TestUnknownCommandsAndVersion(t *testing.T) {
	for _, args := range [][]string{{"serv"}, {"--port=3000"}, {"config", "extra"}} {
		if code, _, stderr := run(t, t.Context(), args); code != 2 || !strings.Contains(stderr, "is no command") {
			t.Errorf("%v: exit code %d, stderr %s", args, code, stderr)
		}
	}
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if code, stdout, _ := run(t, t.Context(), args); code != 0 || !strings.HasPrefix(stdout, "expenseflow ") ||
			!strings.Contains(stdout, "go1.") {
			t.Errorf("%v: exit code %d, stdout %s", args, code, stdout)
		}
	}
}

func TestHealthcheckAsksTheServerOfTheSameSettings(t *testing.T) {
	r := start(t, "SHUTDOWN_DELAY=1s")
	_, port, err := net.SplitHostPort(r.app.Addr())
	if err != nil {
		t.Fatal(err)
	}
	environ := []string{"HOST=127.0.0.1", "PORT=" + port}
	if code, stdout, stderr := run(t, t.Context(), []string{"healthcheck"}, environ...); code != 0 || stdout != "ready\n" {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
	r.app.draining.Store(true)
	if code, _, stderr := run(t, t.Context(), []string{"healthcheck"}, environ...); code != 1 ||
		!strings.Contains(stderr, "drain:failing") {
		t.Errorf("draining: exit code %d, %s", code, stderr)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := run(t, t.Context(), []string{"healthcheck"}, environ...); code != 1 ||
		!strings.HasPrefix(stderr, "not ready: ") {
		t.Errorf("no server: exit code %d, %s", code, stderr)
	}
}

func TestURLIsWhereABrowserFindsIt(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1": "http://127.0.0.1:", "": "http://localhost:",
		"0.0.0.0": "http://localhost:", "::1": "http://[::1]:",
	} {
		ln, err := listen(host, 0)
		if err != nil {
			continue // a machine without IPv6
		}
		a := &App{cfg: config.Config{Host: host}, ln: ln}
		if got := a.URL(); !strings.HasPrefix(got, want) {
			t.Errorf("HOST=%s: %s, want %s", host, got, want)
		}
		ln.Close()
	}
}

func TestMetricsHaveTheirOwnListener(t *testing.T) {
	r := start(t, "METRICS_ADDR=127.0.0.1:0")
	token := r.register("alice@example.org")
	r.listen(token)
	r.call("GET", "/api/user/profile", token, "")
	if a := r.call("GET", "/metrics", "", ""); a.code != 404 {
		t.Errorf("/metrics beside the page: %d", a.code)
	}
	res, err := http.Get("http://" + r.app.metricsLn.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"expenseflow_sockets 1", `expenseflow_connections{transport="websocket"} 1`, "expenseflow_connections_opened_total 1",
		`expenseflow_http_request_seconds_count{method="GET",route="/api/user/profile",status="200"} 1`,
	} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("no %s", line)
		}
	}
}
