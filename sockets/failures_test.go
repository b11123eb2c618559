package sockets

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"expenseflow/internal/engineio"
	"expenseflow/internal/trace"
	"expenseflow/models"
)

// A failureLog has what a Hub logs and counts.
type failureLog struct {
	mu     sync.Mutex
	lines  []map[string]any
	counts map[string]int // by event and code
}

// Write implements io.Writer.
func (l *failureLog) Write(line []byte) (int, error) {
	var fields map[string]any
	if err := json.Unmarshal(line, &fields); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fields)
	return len(line), nil
}

func (l *failureLog) count(event, code string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[event+" "+code]++
}

// of returns the only line with a request id.
func (l *failureLog) of(t *testing.T, id string) (line map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, fields := range l.lines {
		if fields["request_id"] != id {
			continue
		}
		if line != nil {
			t.Errorf("%s is logged twice", id)
		}
		line = fields
	}
	if line == nil {
		t.Fatalf("no line has the id %q: %v", id, l.lines)
	}
	return line
}

// newFailureFixture returns a fixture and what it logs.
func newFailureFixture(t *testing.T, o Options) (*fixture, *failureLog) {
	l := &failureLog{counts: make(map[string]int)}
	o.Logger = slog.New(trace.Handler(slog.NewJSONHandler(l, nil)))
	o.CountError = l.count
	w := newFixture(t, o, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	return w, l
}

const (
	someTrace       = "4bf92f3577b34da6a3ce929d0e0e4736"
	someTraceparent = "00-" + someTrace + "-00f067aa0ba902b7-01"
)

func TestAFailedEventIsLoggedOnceUnderTheIDThatItsSenderGets(t *testing.T) {
	w, log := newFailureFixture(t, Options{})
	b := w.dial(t, nil)
	b.connect(`{"token":"a","traceparent":"` + someTraceparent + `"}`)
	for _, tt := range []struct {
		event, arguments string
		err              error // of the ledger
		code, level      string
		cause            any
	}{
		{"expense:create", `,{"description":"secret lunch"}`, nil, "INVALID", "WARN", nil},
		{"expense:delete", ``, nil, "INVALID", "WARN", nil},
		{"expense:delete", `,{"id":"64b000000000000000000001"}`, errors.New("disk on fire"), "INTERNAL", "ERROR", "disk on fire"},
		{"sync_request", ``, models.E(models.Unavailable, "later"), "UNAVAILABLE", "ERROR", "later"},
	} {
		w.expenses.fail, w.parked.err = tt.err, tt.err
		b.send(`427["` + tt.event + `"` + tt.arguments + `]`)
		b.event()
		told := b.rejectionID
		b.frame()
		if tt.event != "sync_request" {
			same(t, tt.event+": ids of event and acknowledgement", told, b.rejectionID)
		}
		line := log.of(t, b.rejectionID)
		same(t, tt.event, []any{tt.level, tt.event, tt.code, "alice", someTrace, tt.cause},
			[]any{line["level"], line["event"], line["code"], line["user_id"], line["trace_id"], line["error"]})
		if text := fmt.Sprint(line); strings.Contains(text, "lunch") {
			t.Errorf("%s", text)
		}
	}
	same(t, "counts", map[string]int{
		"expense:create INVALID": 1, "expense:delete INVALID": 1, "expense:delete INTERNAL": 1, "sync_request UNAVAILABLE": 1,
	}, log.counts)
}

func TestInventedEventsMakeNoLabelAndNoLine(t *testing.T) {
	w, log := newFailureFixture(t, Options{Rate: 0.01, Burst: 1})
	b := w.dial(t, nil)
	b.connect(`{"token":"a"}`)
	for i := range 100 {
		b.send(fmt.Sprintf(`42["invented %d"]`, i))
	}
	for range 20 {
		b.event()
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	same(t, "labels", 1, len(log.counts))
	if log.counts["other RATE_LIMITED"] == 0 || len(log.lines) > 15 || strings.Contains(fmt.Sprint(log.lines), "invented") {
		t.Errorf("counted %v and logged %v", log.counts, log.lines)
	}
	same(t, "setting", "SOCKET_RATE", log.lines[0]["setting"])
}

func TestARefusedSocketIsLoggedWithItsSetting(t *testing.T) {
	w, log := newFailureFixture(t, Options{MaxPerUser: 1})
	w.dial(t, nil).connect(`{"token":"a"}`)
	w.tokens.add("old", "alice", time.Hour)
	for _, tt := range []struct {
		auth, code, setting string
		err                 error
	}{
		{`{"token":"a"}`, "CONNECTION_LIMIT", "MAX_CONNECTIONS_PER_USER", nil},
		{`{"token":"bad"}`, "TOKEN_INVALID", "JWT_SECRET", nil},
		{`{}`, "NO_TOKEN", models.FixedLimit, nil},
		{`{"token":"old"}`, "TOKEN_EXPIRED", "JWT_EXPIRE", &models.Error{Kind: models.Unauthorized, Code: "TOKEN_EXPIRED"}},
	} {
		w.tokens.failWith(tt.err)
		b := w.dial(t, map[string][]string{"Traceparent": {someTraceparent}})
		b.connect(tt.auth)
		line := log.of(t, b.rejectionID)
		same(t, tt.auth, []any{tt.code, tt.setting, someTrace}, []any{line["code"], line["setting"], line["trace_id"]})
	}
}

func TestASocketIsInOnlySoManyRooms(t *testing.T) {
	w, log := newFailureFixture(t, Options{MaxRooms: 2})
	b := w.dial(t, nil)
	b.connect(`{"token":"a"}`)
	id := func(i int) string { return fmt.Sprintf("%024x", i) }
	for i := range 4 {
		w.expenses.grant("alice", id(i), models.RoleOwner)
	}
	ask := func(event string, i int) map[string]any {
		b.send(fmt.Sprintf(`427["%s","expense:%s"]`, event, id(i)))
		_, ack := b.readAck(t, "7")
		return ack
	}
	for i := range 2 {
		same(t, "joined", true, ask("room:join", i)["ok"])
	}
	same(t, "joined again", true, ask("room:join", 1)["ok"])

	refused := ask("room:join", 2)

	same(t, "a third", []any{"ROOM_LIMIT", "This socket is in as many rooms as it may be, leave one first"},
		[]any{refused["code"], refused["error"]})
	same(t, "setting", "MAX_ROOMS_PER_SOCKET", log.of(t, b.rejectionID)["setting"])
	same(t, "left", true, ask("room:leave", 0)["ok"])
	same(t, "a third after one was left", true, ask("room:join", 2)["ok"])
}

// Sockets that watch the same days share a dashboard, and a socket that watches others gives
// its dashboard up.
func TestAUserWatchesOnlySoManyDashboards(t *testing.T) {
	w, log := newFailureFixture(t, Options{MaxDashboards: 2})
	open := func() *testClient {
		b := w.dial(t, nil)
		b.connect(`{"token":"a"}`)
		return b
	}
	watch := func(b *testClient, day int) map[string]any {
		b.send(fmt.Sprintf(`427["dashboard:subscribe",{"from":"2026-01-%02d"}]`, day))
		_, ack := b.readAck(t, "7")
		return ack
	}
	first, second, third := open(), open(), open()
	for _, day := range []int{1, 2, 1} {
		same(t, "the first watches", true, watch(first, day)["ok"])
	}
	same(t, "the second watches", true, watch(second, 2)["ok"])

	same(t, "the third watches other days", "DASHBOARD_LIMIT", watch(third, 3)["code"])
	same(t, "setting", "MAX_DASHBOARDS_PER_USER", log.of(t, third.rejectionID)["setting"])
	same(t, "the third watches the same", true, watch(third, 2)["ok"])
	same(t, "dashboards", 2, w.boards("alice"))
}
