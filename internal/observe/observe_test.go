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
