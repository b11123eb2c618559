package app

import (
	"context"
	"slices"

	"expenseflow/internal/emitters"
	"expenseflow/internal/observe"
	"expenseflow/internal/pubsub"
	"expenseflow/models"
)

// openEmitters prepares to receive what other programs of the application publish, if
// EMITTERS says so. A server that cannot be reached now is waited for; a configuration that
// will never work is an error.
func (a *App) openEmitters(ctx context.Context) error {
	if len(a.cfg.Emitters) == 0 {
		return nil
	}
	a.emitters = emitters.New(a.hub, a.log)
	if slices.Contains(a.cfg.Emitters, "redis") {
		broker, err := pubsub.OpenRedis(a.cfg.RedisURL.Reveal())
		if err != nil {
			return err
		}
		a.emitters.AddRedis(broker, a.cfg.EmitterPrefix)
		if err := broker.Check(ctx, a.cfg.EmitterPrefix); models.KindOf(err) == models.Invalid {
			return err
		}
	}
	if slices.Contains(a.cfg.Emitters, "postgres") {
		address, setting := a.cfg.ListenDatabase()
		broker, err := pubsub.OpenPostgres(address, setting, "expenseflow emitters")
		if err != nil {
			return err
		}
		a.emitters.AddPostgres(broker, a.cfg.EmitterPrefix)
		if err := broker.Check(ctx, a.cfg.EmitterPrefix); models.KindOf(err) == models.Invalid {
			return err
		}
	}
	return nil
}

// registerEmitterMetrics adds the metrics of emitters, if they are received.
func registerEmitterMetrics(m *observe.Metrics, r *emitters.Receiver) {
	if r == nil {
		return
	}
	for _, result := range emitters.Results {
		m.Counter("expenseflow_emitter_messages_total", "Messages of emitters since the start, by what became of them.",
			map[string]string{"result": result}, func() float64 { return float64(r.Stats().Messages[result]) })
	}
	for source := range r.Stats().Up {
		m.Gauge("expenseflow_emitters_up", "Whether emitters are heard.", map[string]string{"source": source}, func() float64 {
			return float(r.Stats().Up[source])
		})
	}
}
