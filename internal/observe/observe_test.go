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
	m.Refusal("rate_limit")
	m.Gauge("expenseflow_sockets", "Open sockets.", map[string]string{"transport": "polling"}, func() float64 { return 7 })
	m.Counter("expenseflow_things_total", "Things.", nil, func() float64 { return 3 })

	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		`expenseflow_http_request_seconds_count{method="GET",route="/api/expenses",status="200"} 1`,
		`expenseflow_http_request_seconds_count{method="other",route="/api/expenses",status="404"} 1`,
		`expenseflow_http_refusals_total{reason="rate_limit"} 1`,
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
	m.Refusal("x")
}

// A client chose the names of events and methods that lines showed whole.
func TestLogLinesAreNotAsLongAsClientsLike(t *testing.T) {
	var out strings.Builder
	NewLogger(&out, "info", false).Info("told", "event", strings.Repeat("é", 100_000), "stack", strings.Repeat("s", 1000))
	if got := out.String(); len(got) > 1500 || !strings.Contains(got, strings.Repeat("é", 128)+"...") || !strings.Contains(got, strings.Repeat("s", 1000)) {
		t.Errorf("%d bytes: %.200s", len(got), got)
	}
}

// Whoever reached METRICS_ADDR could read what is in memory.
func TestProfilesAreShownToThisMachineAlone(t *testing.T) {
	h := NewMetrics().Handler()
	for from, want := range map[string]int{"127.0.0.1:9": 200, "[::1]:9": 200, "[::ffff:127.0.0.1]:9": 200, "192.0.2.1:9": 403, "[2001:db8::1]:9": 403} {
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
