package app

import (
	"context"
	"errors"

	"expenseflow/handlers"
	"expenseflow/internal/config"
	"expenseflow/internal/hints"
	"expenseflow/internal/keyring"
	"expenseflow/internal/observe"
	"expenseflow/internal/store"
)

// openHints makes the bus on which this process and the others tell each other what has
// happened: Redis, or else PostgreSQL. With SQLite there is one process, and nobody to tell.
func (a *App) openHints(ctx context.Context, ring keyring.Ring) error {
	a.hints = hints.None
	if !a.cfg.OnPostgres() {
		return nil
	}
	var err error
	a.remoteHints, err = connectHints(ctx, &a.cfg, a.store, hints.Options{Process: a.cluster.ID(), Ring: ring, Logger: a.log})
	if err != nil {
		return err
	}
	a.hints = a.remoteHints
	a.senders = &senderWatch{log: a.log, count: a.countSenders}
	return nil
}

// connectHints makes the bus that the settings name, of the installation that the database is.
func connectHints(ctx context.Context, cfg *config.Config, s *store.Store, o hints.Options) (_ *hints.Remote, err error) {
	if o.Installation, err = s.Installation(ctx); err != nil {
		return nil, err
	}
	if url := cfg.RedisURL.Reveal(); url != "" {
		return hints.NewRedis(ctx, url, cfg.RedisPrefix, o)
	}
	address, setting := cfg.ListenDatabase()
	return hints.NewPostgres(ctx, address, setting, o)
}

// countSenders returns how many other processes live, how many of them are heard, and whether
// hints flow.
func (a *App) countSenders() (living, heard int, up bool) {
	s := a.remoteHints.Stats()
	return int(a.cluster.Stats().Others), s.Senders, s.Up
}

// wake tells the followers of a user's log, in this process and in the others, that it has
// grown.
func (a *App) wake(userID string) {
	a.tail.Wake(userID)
	a.hints.Publish(hints.ForUsers(userID))
}

// onHint handles what another process has told.
func (a *App) onHint(from string, h hints.Hint) {
	switch h.Kind {
	case hints.KindLog:
		a.tail.Hinted(h.Users())
	case rateHint:
		a.hearUse(h.Data)
	default:
		a.hub.Receive(from, h.Kind, h.Data)
		a.adminUI.Receive(from, h.Kind, h.Data)
	}
}

// onMissedHints is called when hints may have been lost.
func (a *App) onMissedHints() {
	a.tail.Missed()
	a.hub.HintsMissed()
}

// hintChecks are shown in the report of readiness. That hints do not flow makes a process
// slower, not unready.
func (a *App) hintChecks() []handlers.Check {
	if a.remoteHints == nil {
		return nil
	}
	return []handlers.Check{{Name: "hints", Do: a.checkHints, Uncached: true, Advisory: true}}
}

func (a *App) checkHints(ctx context.Context) error {
	err := a.remoteHints.Check(ctx)
	if errors.Is(err, hints.ErrConnecting) {
		return handlers.ErrConnecting
	}
	return errors.Join(err, a.senders.check())
}

// registerHintMetrics adds the metrics of hints, where there are any.
func registerHintMetrics(m *observe.Metrics, r *hints.Remote) {
	if r == nil {
		return
	}
	m.Gauge("expenseflow_hints_up", "1 while this process hears its own hints, 0 while the server that carries them cannot be used.",
		nil, func() float64 { return float(r.Stats().Up) })
	m.Gauge("expenseflow_hint_senders", "Other processes whose hints arrived within the last 15 s; if some do not, "+
		"the processes may use different servers for hints.", nil,
		func() float64 { return float64(r.Stats().Senders) })
	for name, c := range map[string]struct {
		help string
		read func(hints.Stats) int64
	}{
		"hints_sent":     {"Hints sent to the other processes.", func(s hints.Stats) int64 { return s.Sent }},
		"hints_received": {"Hints received from other processes.", func(s hints.Stats) int64 { return s.Received }},
		"hint_gaps":      {"How often hints of another process were lost on the way.", func(s hints.Stats) int64 { return s.Gaps }},
	} {
		m.Counter("expenseflow_"+name+"_total", c.help, nil, func() float64 { return float64(c.read(r.Stats())) })
	}
	for _, reason := range hints.DropReasons {
		m.Counter("expenseflow_hints_dropped_total", "Hints that were not sent or not believed, by reason.",
			map[string]string{"reason": reason}, func() float64 { return float64(r.Stats().Dropped[reason]) })
	}
}
