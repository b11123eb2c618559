package app

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/testneed"
)

func TestProcessesWhoseHintsDoNotArriveAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		living, heard, up := 2, 2, true
		w := &senderWatch{
			log:   slog.New(slog.NewTextHandler(&log, nil)),
			count: func() (int, int, bool) { return living, heard, up },
		}
		for _, step := range []struct {
			heard int
			up    bool
			after time.Duration
			fails bool
			lines int
		}{
			{2, true, time.Minute, false, 0},
			{1, true, 25 * time.Second, false, 0},
			{2, true, 5 * time.Second, false, 0},
			{1, true, 25 * time.Second, false, 0}, // it begins anew
			{0, true, time.Minute, true, 1},
			{0, false, 5 * time.Second, false, 1}, // what is wrong then is said elsewhere
			{0, true, time.Minute, true, 2},
			{3, true, 5 * time.Second, false, 3}, // one that has ended still counts as heard
		} {
			heard, up = step.heard, step.up
			for end := time.Now().Add(step.after); time.Now().Before(end); time.Sleep(sendersInterval) {
				w.note(t.Context(), time.Now())
			}
			if (w.check() != nil) != step.fails || strings.Count(log.String(), "\n") != step.lines {
				t.Errorf("%+v: check: %v, log:\n%s", step, w.check(), log.String())
			}
		}
		if !strings.Contains(log.String(), "give all processes the same REDIS_URL") {
			t.Errorf("log:\n%s", log.String())
		}
	})
}

// Without Redis in one of two processes each hears itself alone.
func TestReadinessShowsThatProcessesUseDifferentHints(t *testing.T) {
	database, redis := "DATABASE_URL="+testneed.Postgres(t), "REDIS_URL="+testneed.Redis(t)
	a, b := start(t, database, redis), start(t, database)
	for _, r := range []*running{a, b} {
		r.awaitHints(t, "ok")
		r.within(patience, "they know each other", func() bool { return r.app.cluster.Stats().Others == 1 })
		if living, heard, up := r.app.senders.count(); living != 1 || heard != 0 || !up {
			t.Errorf("%d live, %d are heard, %v", living, heard, up)
		}
		r.app.senders.silent.Store(true)
		r.awaitHints(t, "degraded")
	}
}
