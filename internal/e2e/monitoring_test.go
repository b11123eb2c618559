//go:build unix

package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/testneed"
)

// alertSpeed divides the durations in the rules of alerts. With 1 the alerts are those that
// operators get, and the test takes ten minutes.
var alertSpeed = flag.Int("alert-speed", 30, "by how much the durations in docs/deploy/alerts.yml are divided")

const metricsToken = "the token of Prometheus"

// A monitored program has a real Prometheus that scrapes it.
type monitored struct {
	*program
	prometheus
	database *testneed.Server
}

// A prometheus has the rules of docs/deploy. It is its address, as a URL.
type prometheus string

func startMonitored(t *testing.T) *monitored {
	t.Helper()
	m := &monitored{database: testneed.NewPostgres(t)}
	metrics := "127.0.0.1:" + strconv.Itoa(mustPort(t))
	m.program = start(t, "DATABASE_URL="+m.database.URL, "EMITTERS=postgres", "METRICS_ADDR="+metrics, "METRICS_TOKEN="+metricsToken,
		"MAX_CONNECTIONS=7", "TRUSTED_PROXIES=127.0.0.1", "AUTH_RATE_LIMIT=1/15m", "SOCKET_RATE=5/10s")
	m.prometheus = startPrometheus(t, metrics)
	return m
}

func mustPort(t *testing.T) int {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

var ruleDuration = regexp.MustCompile(`(for: |\[|offset )(\d+)([mh])\b`)

// fasterRules are the rules with their durations divided by alertSpeed.
func fasterRules(t *testing.T) string {
	t.Helper()
	rules, err := os.ReadFile("../../docs/deploy/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	return ruleDuration.ReplaceAllStringFunc(string(rules), func(text string) string {
		m := ruleDuration.FindStringSubmatch(text)
		d, err := time.ParseDuration(m[2] + m[3])
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s%dms", m[1], d.Milliseconds()/int64(*alertSpeed))
	})
}

// startPrometheus has these addresses scraped.
func startPrometheus(t *testing.T, targets ...string) prometheus {
	t.Helper()
	dir, address := t.TempDir(), "127.0.0.1:"+strconv.Itoa(mustPort(t))
	for name, text := range map[string]string{
		"alerts.yml": fasterRules(t),
		"prometheus.yml": fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [alerts.yml]
scrape_configs:
  - job_name: expenseflow
    static_configs: [{targets: [%s]}]
    authorization: {credentials: %q}
`, strings.Join(targets, ", "), metricsToken),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(testneed.Prometheus(t), "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=error")
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return prometheus("http://" + address)
}

// ask asks Prometheus, and stores the data of its answer in v. It reports whether it answered.
func (p prometheus) ask(t *testing.T, path string, v any) bool {
	t.Helper()
	res, err := http.Get(string(p) + path)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return false
	}
	answer := struct {
		Status, Error string
		Data          any
	}{Data: v}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Status != "success" {
		t.Logf("%s: %v, %.300s", path, err, text)
		return false
	}
	return true
}

// query returns how many series a query has now, and whether Prometheus could answer it.
func (p prometheus) query(t *testing.T, expr string) (series int, ok bool) {
	t.Helper()
	var data struct{ Result []json.RawMessage }
	ok = p.ask(t, "/api/v1/query?query="+url.QueryEscape(expr), &data)
	return len(data.Result), ok
}

// firing returns the names of the alerts that fire.
func (p prometheus) firing(t *testing.T) (names []string) {
	t.Helper()
	var data struct {
		Alerts []struct {
			State       string
			Labels      map[string]string
			Annotations map[string]string
		}
	}
	p.ask(t, "/api/v1/alerts", &data)
	for _, a := range data.Alerts {
		if a.State == "firing" {
			names = append(names, a.Labels["alertname"])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// awaitFiring waits until these alerts fire, and does something again and again meanwhile.
func (p prometheus) awaitFiring(t *testing.T, meanwhile func(), want ...string) {
	t.Helper()
	began := time.Now()
	deadline := began.Add(patience + 15*time.Minute/time.Duration(*alertSpeed))
	for seen := map[string]bool{}; ; time.Sleep(200 * time.Millisecond) {
		meanwhile()
		for _, name := range p.firing(t) {
			if !seen[name] {
				seen[name] = true
				t.Logf("%s fires after %v", name, time.Since(began).Round(time.Second))
			}
		}
		if !slices.ContainsFunc(want, func(name string) bool { return !seen[name] }) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %v fire, not all of %v", p.firing(t), want)
		}
	}
}

// use has clients do everything that the board shows, as far as one process can show it.
func (m *monitored) use(t *testing.T) (*account, []*device) {
	t.Helper()
	a, n := register(t, m.program), startNode(t)
	devices := make([]*device, 6) // of seven: over 85 %
	for i := range devices {
		options := transports[i%2].options()
		options["auth"] = map[string]any{"token": a.Token, "deviceId": a.device(strconv.Itoa(i))}
		options["extraHeaders"] = map[string]string{"X-Forwarded-For": fmt.Sprintf("192.0.2.%d", i+1)}
		devices[i] = n.open(t, m.url(), options)
		devices[i].await(t, "connect", 1)
	}
	return a, devices
}

// load is some seconds' work.
func (m *monitored) load(t *testing.T, a *account) {
	t.Helper()
	for i := range 4 {
		a.create(t, fmt.Sprint("expense ", i), a.phone())
		a.batch(t, a.queued("CREATE", fmt.Sprint("temp", i), draft("queued")))
	}
	for range 3 {
		_, _ = try(http.MethodPost, m.url()+"/api/auth/login", "", map[string]any{"email": a.Email, "password": "wrong"})
	}
}

// Every query of the board has an answer after the program was used, and the alerts of five
// minutes or less that a failing database, a full process and a dead one cause, fire.
func TestTheBoardAndTheAlertsOnARealPrometheus(t *testing.T) {
	t.Parallel()
	m := startMonitored(t)
	a, devices := m.use(t)
	for range 8 { // over SOCKET_RATE
		devices[1].emit(t, "dashboard:subscribe", map[string]any{"days": 7})
	}
	loads := 0
	m.checkBoard(t, func() {
		m.load(t, a)
		devices[loads%len(devices)].emit(t, "dashboard:unsubscribe")
		loads++
		time.Sleep(500 * time.Millisecond) // Prometheus scrapes meanwhile
	})

	m.database.Stop(t)
	m.awaitFiring(t, func() { _, _ = try(http.MethodGet, m.url()+"/api/expenses", a.Token, nil) },
		"ExpenseflowNotReady", "ExpenseflowTailLag", "ExpenseflowHintsDown", "ExpenseflowServerErrors",
		"ExpenseflowSocketsNearLimit")
	if err := m.kill(); err != nil {
		t.Fatal(err)
	}
	m.awaitFiring(t, func() {}, "ExpenseflowDown")
}

// mayBeEmpty are the queries of the board that have an answer only when something is wrong or
// large: a wait for the database, a thousand sockets.
var mayBeEmpty = []string{"> 1000)", "expenseflow_db_waits_total", "expenseflow_http_errors_total"}

func (m *monitored) checkBoard(t *testing.T, load func()) {
	t.Helper()
	missing := boardQueries(t)
	for deadline := time.Now().Add(patience); len(missing) > 0 && time.Now().Before(deadline); {
		load()
		missing = slices.DeleteFunc(missing, func(expr string) bool {
			series, ok := m.query(t, expr)
			mayBe := slices.ContainsFunc(mayBeEmpty, func(part string) bool { return strings.Contains(expr, part) })
			return ok && (series > 0 || mayBe)
		})
	}
	for _, expr := range missing {
		t.Errorf("nothing answers %s", expr)
	}
}

// boardQueries are the queries of docs/deploy/grafana.json, as Grafana sends them.
func boardQueries(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/deploy/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	type panel struct {
		Targets []struct{ Expr string }
	}
	var board struct {
		Panels []struct {
			panel
			Panels []panel
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$job", "expenseflow", "$instance", ".+", "$__rate_interval", "10s")
	for _, row := range board.Panels {
		for _, p := range append(row.Panels, row.panel) {
			for _, q := range p.Targets {
				all = append(all, variables.Replace(q.Expr))
			}
		}
	}
	if len(all) < 50 {
		t.Fatalf("%d queries", len(all))
	}
	return all
}
