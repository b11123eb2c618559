package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"

	"expenseflow/handlers"
	"expenseflow/internal/cluster"
	"expenseflow/internal/engineio"
	"expenseflow/internal/keyring"
	"expenseflow/internal/observe"
	"expenseflow/middleware"
)

// joinCluster makes this process known to the others that share its database, if others
// can: a SQLite file is open in one process alone.
func (a *App) joinCluster(ctx context.Context, ring keyring.Ring) (err error) {
	if !a.cfg.OnPostgres() {
		return nil
	}
	var own func() []*tls.Certificate
	if a.certs != nil {
		own = a.certs.Own
	}
	a.limits = middleware.NewSharedLimits()
	a.cluster, err = cluster.Join(ctx, cluster.Options{
		Table: a.store, Version: Version(), Ring: ring, Certificates: own, Logger: a.log,
		OnGeneration: func(int64) { a.hub.Renew() },
		URL:          cmp.Or(string(a.cfg.AdvertiseURL), cluster.AdvertisedURL(a.ln.Addr(), a.tls != nil)),
	})
	return err
}

// clusterAttrs names this process in the log as the others name it there.
func (a *App) clusterAttrs() []any {
	if a.cluster == nil {
		return nil
	}
	carrier := "postgres"
	if a.cfg.RedisURL != "" {
		carrier = "redis"
	}
	return []any{slog.String("process", a.cluster.ID()), slog.String("url", a.cluster.URL()), slog.String("hints", carrier)}
}

// clusterChecks are shown in the report of readiness. That another process cannot be reached
// makes this one no less ready.
func (a *App) clusterChecks() []handlers.Check {
	if a.cluster == nil {
		return nil
	}
	return []handlers.Check{{Name: "processes", Do: a.cluster.CheckReachable, Uncached: true, Advisory: true}}
}

// forwardForeign returns a handler of sockets that forwards those of other processes, and
// leaves the rest to own.
func (a *App) forwardForeign(engine *engineio.Server, own http.Handler) http.Handler {
	return a.cluster.Forward(cluster.Routing{
		MaxBody: engine.MaxPayload(), Take: a.connections.take, Trust: shareConnection, Unavailable: engine.Unavailable,
	}, own)
}

// registerClusterMetrics adds the metrics of what several processes do together.
func registerClusterMetrics(m *observe.Metrics, c *cluster.Cluster) {
	gauge := func(name, help string, read func(cluster.Stats) int64) {
		m.Gauge(name, help, nil, func() float64 { return float64(read(c.Stats())) })
	}
	gauge("expenseflow_nodes", "Processes on this database that live, itself among them.",
		func(s cluster.Stats) int64 { return s.Others + 1 })
	gauge("expenseflow_nodes_unreachable", "Other processes that cannot be reached at their ADVERTISE_URL.",
		func(s cluster.Stats) int64 { return s.Unreachable })
	gauge("expenseflow_tunnels", "WebSocket connections passed on to another process.",
		func(s cluster.Stats) int64 { return s.Tunnels })
	for result, read := range map[string]func(cluster.Stats) int64{
		"answered": func(s cluster.Stats) int64 { return s.Forwarded },
		"failed":   func(s cluster.Stats) int64 { return s.Failed },
		"refused":  func(s cluster.Stats) int64 { return s.Refused },
		"received": func(s cluster.Stats) int64 { return s.Received },
		"forged":   func(s cluster.Stats) int64 { return s.Forged },
	} {
		m.Counter("expenseflow_forwards_total", "Requests forwarded between processes. Where they arrived: answered by the owner, "+
			"failed, or refused by a bound. At the owner: received, or forged.",
			map[string]string{"result": result}, func() float64 { return float64(read(c.Stats())) })
	}
}
