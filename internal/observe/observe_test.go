package observe

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestLoggerKeepsToItsLevelAndForm(t *testing.T) {
	var out strings.Builder
	log := NewLogger(&out, "warn", true)
	log.Info("quiet")
	log.Warn("loud")
	if got := out.String(); strings.Contains(got, "quiet") || !strings.Contains(got, `"msg":"loud"`) {
		t.Errorf("log: %s", got)
	}
	out.Reset()
	NewLogger(&out, "nonsense", false).Info("plain")
	if got := out.String(); !strings.Contains(got, "msg=plain") {
		t.Errorf("log: %s", got)
	}
}

func TestMetricsAreServed(t *testing.T) {
	m := NewMetrics()
	m.Request("GET", "/api/expenses", 200, time.Millisecond)
	m.Request("BREW", "/api/expenses", 404, time.Millisecond)
	m.RateLimited("user")
	m.Gauge("expenseflow_sockets", "Open sockets.", map[string]string{"transport": "polling"}, func() float64 { return 7 })
	m.Counter("expenseflow_things_total", "Things.", nil, func() float64 { return 3 })

	w := httptest.NewRecorder()
	m.Handler("").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		`expenseflow_http_request_seconds_count{method="GET",route="/api/expenses",status="200"} 1`,
		`expenseflow_http_request_seconds_count{method="other",route="/api/expenses",status="404"} 1`,
		`expenseflow_rate_limited_total{policy="user"} 1`,
		`expenseflow_sockets{transport="polling"} 7`,
		`expenseflow_things_total 3`,
		`go_goroutines `,
	} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("no %s in /metrics", line)
		}
	}
}

func TestNoMetricsCountNothing(t *testing.T) {
	var m *Metrics
	m.Request("GET", "/", 200, 0)
	m.RateLimited("x")
}

// A client could make a log line as long as it liked by the name of an event or method.
func TestLogLinesAreNotAsLongAsClientsLike(t *testing.T) {
	var out strings.Builder
	NewLogger(&out, "info", false).Info("told", "event", strings.Repeat("é", 100_000), "stack", strings.Repeat("s", 1000))
	if got := out.String(); len(got) > 1500 || !strings.Contains(got, strings.Repeat("é", 128)+"...") ||
		!strings.Contains(got, strings.Repeat("s", 1000)) {
		t.Errorf("%d bytes: %.200s", len(got), got)
	}
}

// Everybody who reached METRICS_ADDR could read what is in memory.
func TestProfilesAreShownToThisMachineAlone(t *testing.T) {
	h := NewMetrics().Handler("")
	for from, want := range map[string]int{
		"127.0.0.1:9": 200, "[::1]:9": 200, "[::ffff:127.0.0.1]:9": 200, "192.0.2.1:9": 403,
		"[2001:db8::1]:9": 403,
	} {
		for path, code := range map[string]int{"/metrics": 200, "/debug/pprof/": want, "/debug/pprof/cmdline": want} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.RemoteAddr = from
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != code {
				t.Errorf("%s from %s: %d, want %d", path, from, w.Code, code)
			}
		}
	}
}

// METRICS_TOKEN is asked for by every route of the listener.
func TestATokenIsAskedForByEveryRoute(t *testing.T) {
	h := NewMetrics().Handler("a token of the operator")
	for authorization, want := range map[string]int{
		"": 401, "Bearer": 401, "Bearer ": 401, "Bearer a token": 401, "Basic a token of the operator": 401,
		"a token of the operator": 401, "Bearer a token of the operator": 200, "bearer  a token of the operator": 200,
	} {
		for _, path := range []string{"/metrics", "/debug/pprof/cmdline"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.RemoteAddr = "127.0.0.1:9"
			r.Header.Set("Authorization", authorization)
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != want || (want == 401) != (w.Header().Get("WWW-Authenticate") != "") {
				t.Errorf("%s with %q: %d, want %d", path, authorization, w.Code, want)
			}
		}
	}
}

func TestFamiliesAndHistogramsAreServed(t *testing.T) {
	m := NewMetrics()
	m.Counters(Family{"expenseflow_events_total", "Events.", []string{"event", "namespace"}}, func(add Add) {
		add(2, "a", "/")
		add(3, "b", "/")
	})
	m.Gauges(Family{"expenseflow_pools", "Pools.", []string{"state"}}, func(add Add) { add(1, "idle") })
	m.RateLimited("user")
	m.Histogram("expenseflow_delivery_seconds", "Delivery.", DeliveryBuckets)(20 * time.Millisecond)
	pings := m.Histograms("expenseflow_ping_seconds", "Pings.", DeliveryBuckets, "transport")
	pings("websocket")
	pings("polling")(time.Second)
	m.Build("1.2.3", "abc", "go1")

	w := httptest.NewRecorder()
	m.Handler("").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		`expenseflow_events_total{event="b",namespace="/"} 3`, `expenseflow_pools{state="idle"} 1`,
		`expenseflow_rate_limited_total{policy="user"} 1`,
		`expenseflow_delivery_seconds_bucket{le="0.01"} 0`, `expenseflow_delivery_seconds_bucket{le="0.025"} 1`,
		`expenseflow_ping_seconds_count{transport="websocket"} 0`, `expenseflow_ping_seconds_sum{transport="polling"} 1`,
		`expenseflow_build_info{goversion="go1",revision="abc",version="1.2.3"} 1`, "# TYPE expenseflow_events_total counter",
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("no %s in /metrics:\n%s", line, w.Body)
		}
	}
}

// What is observed for each event or delivery must not make garbage.
func TestObservingAllocatesNothing(t *testing.T) {
	observe := NewMetrics().Histogram("expenseflow_delivery_seconds", "Delivery.", DeliveryBuckets)
	if n := testing.AllocsPerRun(100, func() { observe(time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
