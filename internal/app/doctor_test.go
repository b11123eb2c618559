package app

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"expenseflow/internal/doctor"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
)

// examine runs the command doctor and returns what it found, by check.
func examine(t *testing.T, environ []string, args ...string) map[string]doctor.Finding {
	t.Helper()
	code, out, errs := run(t, t.Context(), append([]string{"doctor", "--json"}, args...), environ...)
	var report struct {
		OK       bool
		Findings []doctor.Finding
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.OK != (code == exitOK) {
		t.Fatalf("exit code %d: %v\n%s%s", code, err, out, errs)
	}
	found := map[string]doctor.Finding{}
	for _, f := range report.Findings {
		found[f.Check] = f
	}
	return found
}

// finds fails the test unless the checks have these results: a status and words, by check.
func finds(t *testing.T, found map[string]doctor.Finding, want map[string]string) {
	t.Helper()
	for name, w := range want {
		status, words, _ := strings.Cut(w, ": ")
		if f := found[name]; string(f.Status) != status || !strings.Contains(f.Text+" "+f.Fix, words) {
			t.Errorf("%s: %+v, want %s", name, f, w)
		}
	}
}

func (r *running) port() string {
	_, port, _ := net.SplitHostPort(r.app.Addr())
	return port
}

func TestDoctorOfASoundInstallation(t *testing.T) {
	onEachOperated(t, func(t *testing.T, o operated) {
		if o.app.cfg.OnPostgres() {
			o.awaitHints(t, "ok") // they connect after the server listens
		}
		environ := append(o.environ, "HOST=127.0.0.1", "PORT="+o.port())
		code, out, errs := run(t, t.Context(), []string{"doctor"}, environ...)
		for _, line := range []string{"database", "migrations", "server", "polling", "websocket", "proxy"} {
			if !strings.Contains(out, "\nok       "+line+" ") && !strings.HasPrefix(out, "ok       "+line+" ") {
				t.Errorf("%s is not ok", line)
			}
		}
		if code != exitOK || errs != "" || t.Failed() {
			t.Errorf("exit code %d\n%s%s", code, out, errs)
		}
	})
}

// nginxSites are servers before one process: one that does what it should, and others that
// each forget something.
const nginxSites = `daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
http {
	access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p;
	fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	map $http_upgrade $connection_upgrade { default upgrade; '' close; }
	map $http_x_forwarded_for $passed { default $http_x_forwarded_for; '' 198.51.100.1; }
	proxy_http_version 1.1;
	server { listen %[3]s; location / {
		proxy_pass http://%[2]s; proxy_set_header Host $http_host;
		proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
		proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
	} }
	server { listen %[4]s; location / { proxy_pass http://%[2]s; } }
	server { listen %[5]s; location / {
		proxy_pass http://%[2]s; proxy_set_header Host $http_host;
		proxy_set_header X-Forwarded-For $passed;
		add_header Access-Control-Allow-Origin * always;
	} }
	server { listen %[6]s; location / {
		proxy_pass http://%[2]s; proxy_set_header Host other.example.org;
		proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
	} }
}
`

// startNginx runs nginx before a process until the test ends, and returns the addresses of
// nginxSites.
func startNginx(t *testing.T, process string) (sites [4]string) {
	t.Helper()
	dir, path := t.TempDir(), testneed.Nginx(t)
	args := []any{dir, process}
	for i := range sites {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		sites[i] = ln.Addr().String()
		args = append(args, sites[i])
		ln.Close()
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, nginxSites, args...), 0o600); err != nil {
		t.Fatal(err)
	}
	nginx := exec.Command(path, "-c", file, "-e", "stderr")
	nginx.Stderr = t.Output()
	if err := nginx.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = nginx.Process.Signal(syscall.SIGTERM)
		_ = nginx.Wait()
	})
	awaitListening(t, sites[3])
	return sites
}

func awaitListening(t *testing.T, addr string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return
		}
	}
	t.Fatalf("nothing listens at %s", addr)
}

func TestDoctorSeesWhatAProxyDoes(t *testing.T) {
	page, data := "https://app.example.org", shortFolder(t)
	environ := []string{"DATA_DIR=" + data, "TRUSTED_PROXIES=127.0.0.1", "FRONTEND_URL=" + page}
	r := start(t, environ...)
	environ = append(environ, "JWT_SECRET="+testSecret, "HOST=127.0.0.1", "PORT="+r.port())
	sites := startNginx(t, r.app.Addr())
	finds(t, examine(t, environ, "--url", "http://"+sites[0]), map[string]string{
		"polling": "ok", "websocket": "ok", "proxy": "ok: passes address", "cors": "ok: " + page, "clock": "ok",
	})
	finds(t, examine(t, environ, "--url", "http://"+sites[1]), map[string]string{
		"polling": "ok", "websocket": "failed: proxy_set_header Upgrade", "proxy": "failed: X-Forwarded-For",
	})
	finds(t, examine(t, environ, "--url", "http://"+sites[2]), map[string]string{
		"proxy": "failed: clients can choose", "cors": "failed: comes twice",
	})
	finds(t, examine(t, environ, "--url", "http://"+sites[3], "--origin", "https://stranger.example.org"), map[string]string{
		"proxy": "failed: other.example.org", "cors": "failed: https://stranger.example.org may not call",
	})
	environ[len(environ)-3] = "JWT_SECRET=another secret of the tests, long enough too"
	finds(t, examine(t, environ, "--url", "http://"+sites[0]), map[string]string{"proxy": "failed: JWT_SECRET"})
}

func TestDoctorTellsAProxyThatIsNotTrusted(t *testing.T) {
	data := shortFolder(t)
	r := start(t, "DATA_DIR="+data)
	environ := []string{"DATA_DIR=" + data, "JWT_SECRET=" + testSecret, "HOST=127.0.0.1", "PORT=" + r.port()}
	finds(t, examine(t, environ, "--url", "http://"+startNginx(t, r.app.Addr())[0]), map[string]string{
		"proxy": "failed: set TRUSTED_PROXIES=127.0.0.1",
	})
	if a := r.call("GET", "/healthz", "", "", "Expenseflow-Doctor", "guessed"); !strings.Contains(a.body, `"status":"ok"`) {
		t.Errorf("a guessed key: %d %s", a.code, a.body)
	}
}

func TestDoctorOfAnInstallationThatIsDown(t *testing.T) {
	o := storetest.PostgresOptions(t, storetest.PostgresDSN(t))
	u, err := url.Parse(o.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), "a wrong password")
	redis := testneed.NewRedis(t, testneed.RedisOptions{Password: true}).URL
	open, err := url.Parse(redis)
	if err != nil {
		t.Fatal(err)
	}
	open.User = url.UserPassword("default", "a wrong password")
	found := examine(t, []string{"DATABASE_URL=" + u.String(), "REDIS_URL=" + open.String(), "PORT=1"})
	finds(t, found, map[string]string{
		"database": "failed: refuses the password", "migrations": "skipped", "redis": "failed: REDIS_URL", "server": "failed: start it",
		"figures": "skipped", "polling": "failed: nothing answers", "websocket": "skipped",
	})
	for name, f := range found {
		if strings.Contains(f.Text+f.Fix, "a wrong password") {
			t.Errorf("%s tells the password: %+v", name, f)
		}
	}
	finds(t, examine(t, []string{"DATABASE_URL=postgres://u:p@127.0.0.1:1/x", "PORT=1"}),
		map[string]string{"database": "failed: cannot be reached"})
	finds(t, examine(t, []string{"DATABASE_URL=" + o.URL, "REDIS_URL=redis://127.0.0.1:1", "PORT=1"}), map[string]string{
		"database": "ok", "migrations": "failed: The database is empty", "redis": "failed: cannot be reached",
	})
}

func TestDoctorComparesClocks(t *testing.T) {
	r := start(t, "DATABASE_URL="+storetest.PostgresOptions(t, storetest.PostgresDSN(t)).URL)
	cfg := settings(t, "DATABASE_URL="+r.app.cfg.DatabaseURL.Reveal(), "REDIS_URL="+testneed.Redis(t), "PORT="+r.port())
	for off, want := range map[time.Duration]string{0: "ok: PostgreSQL's clock and Redis's", time.Hour: "failed: 1h0m0s behind"} {
		o, err := (&doctorCall{Command: Command{Stderr: t.Output()}}).options(&cfg)
		if err != nil {
			t.Fatal(err)
		}
		o.Now = func() time.Time { return time.Now().Add(off) }
		found := map[string]doctor.Finding{}
		for _, c := range doctor.Checks(o) {
			if c.Name == "database" || c.Name == "clock" { // which needs what the database answered
				found[c.Name] = c.Do(t.Context())
			}
		}
		finds(t, found, map[string]string{"clock": want})
	}
}

func TestDoctorIsToldWhatToCheck(t *testing.T) {
	for args, want := range map[string]string{
		"doctor --url money.example.org": "is no address", "doctor now": "too many", "doctor --deep": "-deep",
	} {
		if code, _, errs := run(t, t.Context(), strings.Fields(args)); code != exitRefused || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, %s", args, code, errs)
		}
	}
	for _, args := range []string{"doctor --help", "help doctor", "users --help", "users delete --help", "token -h"} {
		if code, out, _ := run(t, t.Context(), strings.Fields(args)); code != exitOK || !strings.Contains(out, "--json") {
			t.Errorf("%s: exit code %d, %s", args, code, out)
		}
	}
}
