package app

import (
	"time"

	"expenseflow/internal/observe"
	"expenseflow/internal/socketio"
	"expenseflow/sockets"
)

// measureSockets returns what the Hub measures.
func (a *App) measureSockets() sockets.Measures {
	m := a.observed
	rateLimited := func() { m.RateLimited("socket") }
	if !a.timed() {
		return sockets.Measures{RateLimited: rateLimited}
	}
	event := m.Histograms("expenseflow_event_seconds", "Time to handle an event of a client.", observe.HandlingBuckets, "event")
	return sockets.Measures{
		Delivery: m.Histogram("expenseflow_delivery_seconds", "Time from a change's transaction to the queue of a socket "+
			"that was connected and had room.", observe.DeliveryBuckets),
		Event:       func(name string) func(time.Duration) { return event(name) },
		RateLimited: rateLimited,
	}
}

// registerHubMetrics adds the metrics of the sockets of signed-in users.
func registerHubMetrics(m *observe.Metrics, stats func() sockets.Stats) {
	m.Gauge("expenseflow_sockets", "Sockets of signed-in users that are open.", nil,
		func() float64 { return float64(stats().Sockets) })
	m.Gauge("expenseflow_users_online", "Users who have sockets in this process.", nil,
		func() float64 { return float64(stats().Users) })
	m.Counters(observe.Family{
		Name: "expenseflow_connects_total", Help: "Sockets that asked to connect, by what became of them and why.",
		Labels: []string{"result", "reason"},
	}, func(add observe.Add) {
		for _, c := range stats().Connects {
			add(float64(c.N), c.Result, c.Reason)
		}
	})
	m.Counters(observe.Family{
		Name: "expenseflow_disconnects_total", Help: "Sockets that were connected and have ended, by reason.",
		Labels: []string{"reason"},
	}, func(add observe.Add) {
		for reason, n := range stats().Disconnects {
			add(float64(n), reason)
		}
	})
	m.Counter("expenseflow_catch_up_changes_total", "Changes that were sent to sockets late: made before they connected, "+
		"or while their queue was full.", nil, func() float64 { return float64(stats().CatchUpChanges) })
}

// registerEventMetrics adds what is counted of events: for the namespace "/" under our names,
// and for all under those of the npm exporters.
func registerEventMetrics(m *observe.Metrics, stats func() []socketio.NamespaceStats) {
	received := func(n socketio.NamespaceStats) []socketio.EventStats { return n.Received }
	sent := func(n socketio.NamespaceStats) []socketio.EventStats { return n.Sent }
	count := func(e socketio.EventStats) int64 { return e.Count }
	bytes := func(e socketio.EventStats) int64 { return e.Bytes }

	main := func(name, help string, of func(socketio.NamespaceStats) []socketio.EventStats) {
		m.Counters(observe.Family{Name: name, Help: help, Labels: []string{"event"}}, func(add observe.Add) {
			for _, n := range stats() {
				for _, e := range of(n) {
					if n.Name == "/" {
						add(float64(e.Count), e.Name)
					}
				}
			}
		})
	}
	main("expenseflow_events_received_total", "Events from clients, by name.", received)
	main("expenseflow_events_sent_total", "Events to clients, by name, counted for each socket.", sent)

	exporters := eventFamilies{m, stats}
	exporters.add("socket_io_events_received_total", "Events from clients.", received, count)
	exporters.add("socket_io_events_sent_total", "Events to clients, counted for each socket.", sent, count)
	const receivedBytes = "socket_io_recieve_bytes" //nolint:misspell // so the exporters spell it
	exporters.add(receivedBytes, "Bytes of events from clients.", received, bytes)
	exporters.add("socket_io_transmit_bytes", "Bytes of the arguments of events to clients.", sent, bytes)
	registerNamespaceMetrics(m, stats)
}

// eventFamilies are the metrics of events that npm exporters have, spelt as there.
type eventFamilies struct {
	m     *observe.Metrics
	stats func() []socketio.NamespaceStats
}

func (f eventFamilies) add(
	name, help string, of func(socketio.NamespaceStats) []socketio.EventStats, read func(socketio.EventStats) int64,
) {
	f.m.Counters(observe.Family{Name: name, Help: help, Labels: []string{"event", "namespace"}}, func(add observe.Add) {
		for _, n := range f.stats() {
			for _, e := range of(n) {
				add(float64(read(e)), e.Name, n.Name)
			}
		}
	})
}

// registerNamespaceMetrics adds the metrics of namespaces that npm exporters have.
func registerNamespaceMetrics(m *observe.Metrics, stats func() []socketio.NamespaceStats) {
	m.Gauge("socket_io_connected", "Sockets that are connected, of all namespaces.", nil, func() (sum float64) {
		for _, n := range stats() {
			sum += float64(n.Connected)
		}
		return sum
	})
	for name, c := range map[string]struct {
		help string
		read func(socketio.NamespaceStats) int64
	}{
		"connect":    {"Sockets that have connected.", func(n socketio.NamespaceStats) int64 { return n.Connects }},
		"disconnect": {"Sockets that have ended.", func(n socketio.NamespaceStats) int64 { return n.Disconnects }},
		"errors": {
			"CONNECTs that were refused or failed, and handlers that panicked; of other also broken packets.",
			func(n socketio.NamespaceStats) int64 { return n.Errors },
		},
	} {
		m.Counters(observe.Family{Name: "socket_io_" + name + "_total", Help: c.help, Labels: []string{"namespace"}},
			func(add observe.Add) {
				for _, n := range stats() {
					add(float64(c.read(n)), n.Name)
				}
			})
	}
}
