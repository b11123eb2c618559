package observe

import "github.com/prometheus/client_golang/prometheus"

// errorCounts count what was answered with an error, by the code of the error. Codes are
// constants of the program (wire.Code), as are the names of routes and events.
type errorCounts struct{ requests, events *prometheus.CounterVec }

func newErrorCounts() errorCounts {
	return errorCounts{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "expenseflow_http_errors_total", Help: "HTTP requests that were answered with an error, by route and code of the error.",
		}, []string{"route", "code"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "expenseflow_event_errors_total", Help: "Events of sockets that were answered with an error, by event and its code.",
		}, []string{"event", "code"}),
	}
}

// RequestError counts one request that was answered with an error. route is as for Request.
func (m *Metrics) RequestError(route, code string) {
	if m != nil {
		m.errors.requests.WithLabelValues(route, code).Inc()
	}
}

// EventError counts one event of a socket that was answered with an error
// (sockets.Options.CountError).
func (m *Metrics) EventError(event, code string) {
	if m != nil {
		m.errors.events.WithLabelValues(event, code).Inc()
	}
}
