package app

import (
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/testneed"
)

// metricRow is a row of a table of docs/metrics.md: one name or two of one type.
var (
	metricRow  = regexp.MustCompile("(?m)^\\| (`[a-z_]+`(?:, `[a-z_]+`)*) \\| (\\w+) \\|")
	metricName = regexp.MustCompile("`([a-z_]+)`")
	servedType = regexp.MustCompile(`(?m)^# TYPE (expenseflow_\w+|socket_io_\w+) (\w+)$`)
)

// docs/metrics.md has every metric that a process can have, with its type, and no other.
func TestEveryMetricIsDocumented(t *testing.T) {
	r := start(t, "METRICS_ADDR=127.0.0.1:0", "DATABASE_URL="+testneed.Postgres(t), "EMITTERS=postgres")
	r.listen(r.register("metrics@example.org"))
	r.app.observed.RateLimited("user")
	r.app.observed.EventError("other", "INVALID")
	r.app.observed.RequestError("/healthz", "INVALID")
	if res, err := http.Get(r.url + "/healthz"); err != nil || res.Body.Close() != nil {
		t.Fatal(err)
	}

	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]string{}, map[string]string{}
	for _, row := range metricRow.FindAllStringSubmatch(string(page), -1) {
		for _, name := range metricName.FindAllStringSubmatch(row[1], -1) {
			want[name[1]] = row[2]
		}
	}
	for _, m := range servedType.FindAllStringSubmatch(r.metrics(), -1) {
		got[m[1]] = m[2]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/metrics.md, and what is served:\n%s", diff)
	}
}

// Clients made series without end by events, namespaces and paths that they made up.
func TestWhatClientsMakeUpMakesNoSeries(t *testing.T) {
	r := start(t, "METRICS_ADDR=127.0.0.1:0", "SOCKET_RATE=0", "RATE_LIMIT=0")
	token := r.register("inventive@example.org")
	device := r.listen(token)
	r.invent(device, "0")
	before := seriesOf(r.metrics())
	for i := range 50 {
		r.invent(device, strings.Repeat("x", i+1))
	}
	r.within(patience, "the events are counted", func() bool {
		return strings.Contains(r.metrics(), `expenseflow_events_received_total{event="other"} 51`+"\n")
	})
	for series := range seriesOf(r.metrics()) {
		if !before[series] {
			t.Errorf("a new series: %s", series)
		}
	}
}

// invent sends an event, and asks for a page and a route, of a name that there is not.
func (r *running) invent(device *socket, name string) {
	device.send(`42["` + name + `",{}]`)
	for _, path := range []string{"/invented/" + name, "/api/invented/" + name, "/socket.io/" + name} {
		res, err := http.Get(r.url + path)
		if err != nil {
			r.t.Fatal(err)
		}
		res.Body.Close()
	}
}

// seriesOf returns the series of a scrape.
func seriesOf(text string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(text) {
		if i := strings.LastIndexByte(line, ' '); !strings.HasPrefix(line, "#") && i > 0 {
			all[line[:i]] = true
		}
	}
	return all
}

// Who scrapes often must not make the database work. What it is asked in the meantime is asked
// in the background, a few times a second at most.
func TestAScrapeAsksTheDatabaseNothing(t *testing.T) {
	r := start(t, "METRICS_ADDR=127.0.0.1:0")
	reads := func() int {
		found := regexp.MustCompile(`db_seconds_count\{kind="read"\} (\d+)`).FindStringSubmatch(r.metrics())
		n, err := strconv.Atoi(found[1])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	const scrapes = 100
	before := reads()
	for range scrapes {
		r.metrics()
	}
	if asked := reads() - before; asked >= scrapes {
		t.Errorf("%d scrapes: %d reads", scrapes, asked)
	}
}

// METRICS_TOKEN is asked for by the listener of METRICS_ADDR.
func TestTheMetricsAreClosedByAToken(t *testing.T) {
	r := start(t, "METRICS_ADDR=127.0.0.1:0", "METRICS_TOKEN=a token of the operator")
	for token, want := range map[string]int{"": 401, "another token": 401, "a token of the operator": 200} {
		req, err := http.NewRequest(http.MethodGet, "http://"+r.app.metricsLn.Addr().String()+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("with %q: %d, want %d", token, res.StatusCode, want)
		}
	}
}
