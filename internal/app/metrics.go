package app

import (
	"context"
	"runtime"
	"sync"
	"time"

	"expenseflow/internal/changes"
	"expenseflow/internal/engineio"
	"expenseflow/internal/observe"
	"expenseflow/internal/reconcile"
	"expenseflow/internal/store"
)

// How often the figures are renewed that only the database has. A scrape does not ask it:
// Prometheus may scrape as often as it likes, and while the database is away.
const (
	readyInterval  = 5 * time.Second
	parkedInterval = 30 * time.Second
	figureTimeout  = 5 * time.Second
)

// statsAge is for how long figures are kept that are read by looking at each socket.
const statsAge = 500 * time.Millisecond

// registerMetrics adds the metrics of everything but the routes. Each is in docs/metrics.md.
func (a *App) registerMetrics(c components) {
	m := c.metrics
	m.Build(Version(), revision(), runtime.Version())
	gauge := func(name, help string, read func() float64) { m.Gauge(name, help, nil, read) }
	gauge("expenseflow_ready", "1 while /readyz says that this process should get requests.",
		func() float64 { return float(a.figures.ready.Load() && !a.draining.Load()) })
	gauge("expenseflow_draining", "1 while this process shuts down.", func() float64 { return float(a.draining.Load()) })
	gauge("expenseflow_parked_operations", "Operations of all users that wait for a decision, as of the last half minute.",
		func() float64 { return float64(a.figures.parked.Load()) })
	m.Counter("expenseflow_log_rows_pruned_total", "Changes that this process deleted from the logs for their age.", nil,
		func() float64 { return float64(a.figures.prunedChanges.Load()) })
	m.Counter("expenseflow_alerts_total", "Alerts of budgets that were sent.", nil,
		func() float64 { return float64(c.ledger.Alerts()) })
	gauge("expenseflow_backup_timestamp_seconds",
		"The moment of which the last backup is that expenseflow backup verified; 0 if there is none.",
		func() float64 { return float64(a.figures.backupOf.Load()) })
	registerOperationMetrics(m, c.reconciler)
	registerLogMetrics(m, a.tail.Stats)
	registerDatabaseMetrics(m, a.store.PoolStats)
	registerConnectionMetrics(m, c.io.Engine(), a.cfg.MaxConnections)
	registerHubMetrics(m, a.hub.Stats)
	registerEventMetrics(m, c.io.Stats)
	registerHintMetrics(m, a.remoteHints)
	registerClusterMetrics(m, a.cluster)
	registerCertificateMetrics(m, a.certs)
	a.disk.register(m)
}

func float(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func registerOperationMetrics(m *observe.Metrics, r *reconcile.Reconciler) {
	m.Counters(observe.Family{
		Name: "expenseflow_operations_total", Help: "Operations of offline batches and deltas, by what became of them.",
		Labels: []string{"result"},
	}, func(add observe.Add) {
		for i, n := range r.Stats() {
			add(float64(n), reconcile.Outcomes[i])
		}
	})
}

// registerLogMetrics adds the metrics of following the change logs.
func registerLogMetrics(m *observe.Metrics, stats func() changes.Stats) {
	m.Gauge("expenseflow_tail_lag_seconds", "For how long a changed log has waited to be read for sockets here, "+
		"or the database has not said which logs changed.", nil, func() float64 { return stats().Lag.Seconds() })
	m.Counters(observe.Family{
		Name: "expenseflow_wakes_total", Help: "Logs with sockets here that have grown, by how that was noticed: a commit here, " +
			"a hint of another process, or the poll.", Labels: []string{"source"},
	}, func(add observe.Add) {
		s := stats()
		add(float64(s.WokenByCommit), "commit")
		add(float64(s.WokenByHint), "hint")
		add(float64(s.WokenByPoll), "poll")
	})
	m.Counter("expenseflow_log_comparisons_total",
		"How often the change logs of all users with sockets were compared: at the start, "+
			"after a new connection to the database, and when hints of other processes were missed.", nil,
		func() float64 { return float64(stats().Comparisons) })
	m.Counter("expenseflow_log_comparisons_found_total",
		"Logs in which such a comparison found changes that nothing else had told of.", nil,
		func() float64 { return float64(stats().Found) })
}

// registerDatabaseMetrics adds the metrics of the connections to the database.
func registerDatabaseMetrics(m *observe.Metrics, stats func() store.PoolStats) {
	m.Gauges(observe.Family{
		Name: "expenseflow_db_connections", Help: "Connections to the database by state; max is how many there may be.",
		Labels: []string{"state"},
	}, func(add observe.Add) {
		s := stats()
		add(float64(s.InUse), "in_use")
		add(float64(s.Idle), "idle")
		add(float64(s.Max), "max")
	})
	m.Counter("expenseflow_db_waits_total", "How often work had to wait for a connection to the database.", nil,
		func() float64 { return float64(stats().Waits) })
	m.Counter("expenseflow_db_wait_seconds_total", "Time for which work waited for a connection to the database.", nil,
		func() float64 { return stats().Waited.Seconds() })
}

// timed reports whether durations are observed: only if somebody can read them. Counters
// always count.
func (a *App) timed() bool { return a.cfg.MetricsAddr != "" }

// observeDatabase returns store.Options.Observe.
func (a *App) observeDatabase() func(store.Work, time.Duration) {
	if !a.timed() {
		return nil
	}
	took := a.observed.Histograms("expenseflow_db_seconds", "Time of reads until their first row, and of transactions "+
		"with their wait for the user's turn.", observe.HandlingBuckets, "kind")
	reading, writing := took("read"), took("write")
	return func(w store.Work, d time.Duration) {
		if w == store.Reading {
			reading(d)
		} else {
			writing(d)
		}
	}
}

// registerConnectionMetrics adds the metrics of the connections of sockets.
func registerConnectionMetrics(m *observe.Metrics, engine *engineio.Server, limit int) {
	m.Gauges(observe.Family{
		Name: "expenseflow_connections", Help: "Open connections by transport.", Labels: []string{"transport"},
	}, func(add observe.Add) {
		s := engine.Stats()
		add(float64(s.Polling), engineio.Polling)
		add(float64(s.WebSocket), engineio.WebSocket)
	})
	m.Gauge("expenseflow_connections_limit", "MAX_CONNECTIONS; 0 is no limit.", nil, func() float64 { return float64(limit) })
	queues := recent(statsAge, func() (q struct{ bytes, slow int64 }) {
		bytes, full := engine.Queues()
		q.bytes, q.slow = bytes, int64(full)
		return q
	})
	m.Gauge("expenseflow_queue_bytes", "Bytes that wait in memory for sockets.", nil,
		func() float64 { return float64(queues().bytes) })
	m.Gauge("expenseflow_slow_sockets", "Connections whose queue is full: their changes wait in the log.", nil,
		func() float64 { return float64(queues().slow) })
	registerConnectionCounters(m, engine.Stats)
}

func registerConnectionCounters(m *observe.Metrics, stats func() engineio.Stats) {
	for name, c := range map[string]struct {
		help string
		read func(engineio.Stats) int64
	}{
		"connections_opened":  {"Connections that were opened.", func(s engineio.Stats) int64 { return s.Opened }},
		"connections_closed":  {"Connections that have ended.", func(s engineio.Stats) int64 { return s.Closed }},
		"connections_slow":    {"Connections that ended because nobody read them.", func(s engineio.Stats) int64 { return s.Slow }},
		"connection_upgrades": {"Connections that went from polling to WebSocket.", func(s engineio.Stats) int64 { return s.Upgraded }},
		"ping_timeouts":       {"Connections that ended without a pong.", func(s engineio.Stats) int64 { return s.PingTimeouts }},
		"socket_refusals":     {"Requests of sockets that were refused.", func(s engineio.Stats) int64 { return s.Refused }},
		"socket_messages_in":  {"Messages from sockets.", func(s engineio.Stats) int64 { return s.MessagesIn }},
		"socket_bytes_in":     {"Bytes of messages and POST bodies from sockets.", func(s engineio.Stats) int64 { return s.BytesIn }},
		"socket_bytes_out":    {"Bytes written to sockets.", func(s engineio.Stats) int64 { return s.BytesOut }},
	} {
		m.Counter("expenseflow_"+name+"_total", c.help, nil, func() float64 { return float64(c.read(stats())) })
	}
}

// observePings returns engineio.Config.ObservePing.
func (a *App) observePings() func(webSocket bool, took time.Duration) {
	if !a.timed() {
		return nil
	}
	took := a.observed.Histograms("expenseflow_ping_seconds", "Time from a ping that was due to its pong.",
		observe.DeliveryBuckets, "transport")
	polling, webSocket := took(engineio.Polling), took(engineio.WebSocket)
	return func(overWebSocket bool, d time.Duration) {
		if overWebSocket {
			webSocket(d)
		} else {
			polling(d)
		}
	}
}

// recent returns read with its result kept for an age.
func recent[T any](age time.Duration, read func() T) func() T {
	var mu sync.Mutex
	var last T
	var at time.Time
	return func() T {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(at) >= age {
			last, at = read(), time.Now()
		}
		return last
	}
}

// renewFigures renews, until ctx ends, the figures that only the database has.
func (a *App) renewFigures(ctx context.Context) error {
	tick := time.NewTicker(readyInterval)
	defer tick.Stop()
	for parkedAt := (time.Time{}); ; {
		a.figures.ready.Store(a.health.Ready(ctx))
		if time.Since(parkedAt) >= parkedInterval && a.readFigures(ctx) {
			parkedAt = time.Now()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// readFigures reports whether the database answered.
func (a *App) readFigures(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, figureTimeout)
	defer cancel()
	n, err := a.store.CountParked(ctx)
	if err != nil {
		return false
	}
	a.figures.parked.Store(n)
	of, err := a.store.LastBackup(ctx)
	if err == nil && !of.IsZero() {
		a.figures.backupOf.Store(of.Unix())
	}
	return err == nil
}
