package app

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// A failure is found in the log by the id in its answer, in the tracing system by the trace
// of the log, and among the metrics by its code: over HTTP, over a socket, and where a
// connection is refused.
func TestAFailureIsFoundByItsIDItsTraceAndItsCode(t *testing.T) {
	r := start(t, "METRICS_ADDR=127.0.0.1:0")
	token := r.register("alice@example.org")
	const traceID, spanID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	traceparent := "00-" + traceID + "-" + spanID + "-01"
	line := func(id string) string {
		lines := regexp.MustCompile(`(?m)^.* request_id=`+id+`\b.*$`).FindAllString(r.log.String(), -1)
		if id == "" || len(lines) != 1 {
			t.Fatalf("%d lines have the id %q", len(lines), id)
		}
		return lines[0]
	}
	want := func(line string, parts ...string) {
		t.Helper()
		for _, part := range append(parts, "level=WARN", "trace_id="+traceID, "span_id="+spanID) {
			if !strings.Contains(line, part) {
				t.Errorf("no %s in %s", part, line)
			}
		}
	}

	a := r.call("POST", "/api/expenses", token, `{"description":"secret lunch"}`,
		"traceparent", traceparent, "X-Request-Id", "proxy-7")
	if id := a.header.Get("X-Request-Id"); a.code != 400 || id != "proxy-7" {
		t.Errorf("%d, id %q", a.code, id)
	}
	want(line("proxy-7"), "route=/api/expenses", "status=400", "code=INVALID", "user_id=")

	s, _ := r.dial(fmt.Sprintf(`{"token":%q,"traceparent":%q}`, token, traceparent))
	var rejected []struct{ RequestID string }
	if err := json.Unmarshal([]byte(s.ask("expense:create", `{"description":"secret lunch"}`)), &rejected); err != nil {
		t.Fatal(err)
	}
	want(line(rejected[0].RequestID), "event=expense:create", "code=INVALID", "user_id=")

	if id := r.call("GET", "/socket.io/?EIO=3&transport=polling", "", "").header.Get("X-Request-Id"); id == "" {
		t.Error("a refused connection has no id")
	}
	if strings.Contains(r.log.String(), "lunch") {
		t.Error("the log quotes the client")
	}
	for _, metric := range []string{
		`expenseflow_http_errors_total{code="INVALID",route="/api/expenses"} 1`,
		`expenseflow_event_errors_total{code="INVALID",event="expense:create"} 1`,
	} {
		if !strings.Contains(r.metrics(), metric) {
			t.Errorf("no %s among the metrics", metric)
		}
	}
}
