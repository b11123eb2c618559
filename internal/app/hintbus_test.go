package app

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/testneed"
)

// quickly is well below the time after which a process notices a change by itself.
const quickly = 500 * time.Millisecond

// hinted are the ways to connect processes, as settings.
func hinted(t *testing.T) map[string][]string {
	return map[string][]string{
		"redis":    {"DATABASE_URL=" + testneed.Postgres(t), "REDIS_URL=" + testneed.Redis(t)},
		"postgres": {"DATABASE_URL=" + testneed.Postgres(t)},
	}
}

func (r *running) awaitHints(t *testing.T, state string) {
	t.Helper()
	r.within(patience, "hints are "+state, func() bool {
		a := r.call("GET", "/readyz", "", "")
		return a.code == 200 && a.field("checks", "hints") == state
	})
}

// A change in one process reaches the devices of another sooner than by the poll.
func TestAChangeReachesTheOtherProcessAtOnce(t *testing.T) {
	for name, settings := range hinted(t) {
		t.Run(name, func(t *testing.T) {
			a, b := start(t, settings...), start(t, settings...)
			token := a.register(fmt.Sprintf("%s@example.org", name))
			device := b.listen(token)
			for _, r := range []*running{a, b} {
				r.awaitHints(t, "ok")
				r.within(patience, "they have met", func() bool { return r.app.remoteHints.Stats().Senders > 0 })
			}
			// The machine may be slow now and then.
			a.within(patience, "half of ten changes are there at once", func() bool {
				var took []time.Duration
				for range 10 {
					began := time.Now()
					device.until(a.expense(token))
					took = append(took, time.Since(began))
				}
				slices.Sort(took)
				t.Logf("from request to event: %v", took)
				return took[len(took)/2] <= quickly
			})
		})
	}
}

// A Redis that is down makes processes slower, not unready.
func TestRedisComesAndGoes(t *testing.T) {
	redis := testneed.NewRedis(t, testneed.RedisOptions{})
	redis.Stop(t)
	settings := []string{"DATABASE_URL=" + testneed.Postgres(t), "REDIS_URL=" + redis.URL, "METRICS_ADDR=127.0.0.1:0"}
	a, b := start(t, settings...), start(t, settings...)
	token := a.register("comes@example.org")
	device := b.listen(token)
	a.awaitHints(t, "degraded")
	device.until(a.expense(token))
	if text := a.metrics(); !strings.Contains(text, "expenseflow_hints_up 0") {
		t.Error("the metric does not say so")
	}
	redis.Start(t)
	a.awaitHints(t, "ok")
	b.awaitHints(t, "ok")
	if text := a.metrics(); !strings.Contains(text, "expenseflow_hints_up 1") ||
		!strings.Contains(text, `expenseflow_hints_dropped_total{reason="forged"} 0`) {
		t.Error("the metric does not say so")
	}
	device.until(a.expense(token))
	redis.Stop(t)
	a.awaitHints(t, "degraded")
	device.until(a.expense(token))
	if n := strings.Count(a.log.String(), "hints between processes do not flow"); n == 0 || n > 3 {
		t.Errorf("it was logged %d times", n)
	}
}

func (r *running) metrics() string {
	r.t.Helper()
	res, err := http.Get("http://" + r.app.metricsLn.Addr().String() + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

func TestWhatWillNeverWorkIsRefusedAtTheStart(t *testing.T) {
	redis := testneed.NewRedis(t, testneed.RedisOptions{Password: true})
	database := testneed.Postgres(t)
	wrong := "REDIS_URL=" + strings.Replace(redis.URL, "://:", "://:x", 1)
	wrongListening := "DATABASE_LISTEN_URL=" + strings.Replace(database, "expenseflow:", "expenseflow:x", 1)
	for name, tt := range map[string]struct {
		settings []string
		says     string
	}{
		"wrong password of Redis":       {[]string{wrong}, "refuses the user or the password"},
		"a URL that the library lacks":  {[]string{"REDIS_URL=redis://127.0.0.1:6379/seven"}, "REDIS_URL cannot be used"},
		"wrong password for listening":  {[]string{wrongListening}, "correct DATABASE_LISTEN_URL"},
		"emitters and a wrong password": {[]string{"EMITTERS=redis", wrong}, "refuses the user or the password"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := settings(t, append(tt.settings, "DATABASE_URL="+database)...)
			a, err := New(t.Context(), cfg, slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, %v", a, err)
			}
		})
	}
}

// With SQLite there is one process, whose report does not mention hints.
func TestAloneThereAreNoHints(t *testing.T) {
	r := start(t)
	if a := r.call("GET", "/readyz", "", ""); a.code != 200 || strings.Contains(a.body, "hints") {
		t.Errorf("%d %s", a.code, a.body)
	}
}

// A sign-out in one process closes the sockets of another as soon as that is told to look.
func TestASignOutIsHintedAt(t *testing.T) {
	database := "DATABASE_URL=" + testneed.Postgres(t)
	a, b := start(t, database), start(t, database)
	r := a.app.remoteHints
	for _, sign := range []struct{ method, path, body string }{
		{"POST", "/api/auth/logout", ""},
		{"DELETE", "/api/sessions/", ""},
	} {
		token := a.register(fmt.Sprintf("out%d@example.org", len(sign.path)))
		device := b.listen(token)
		a.awaitHints(t, "ok")
		path := sign.path
		if sign.method == "DELETE" {
			a.within(patience, "the session is listed", func() bool {
				_, id, found := strings.Cut(a.call("GET", "/api/sessions", token, "").body, `"id":"`)
				id, _, _ = strings.Cut(id, `"`)
				path = sign.path + id
				return found
			})
		}
		before := r.Stats().Sent
		if answer := a.call(sign.method, path, token, sign.body); answer.code != 200 {
			t.Fatalf("%s: %d %s", path, answer.code, answer.body)
		}
		a.within(patience, "it is hinted at", func() bool { return r.Stats().Sent > before })
		if !device.gone() {
			t.Errorf("%s: the socket of the other process stays open", path)
		}
	}
}
