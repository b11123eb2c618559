// Package observe lets people see what the process does: log lines, metrics
// and profiles.
//
// Nothing here shows a token, an amount or a description: log lines and metric
// labels are made of routes, ids and counts.
package observe

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// NewLogger makes a logger that writes lines of level ("debug", "info", "warn",
// "error") and above to w, as JSON or as text. An unknown level is info.
func NewLogger(w io.Writer, level string, json bool) *slog.Logger {
	var least slog.Level
	if least.UnmarshalText([]byte(level)) != nil {
		least = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: least, ReplaceAttr: short}
	if json {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// maxShown is how many bytes of a text a line shows: names of events, methods and paths
// are what a client chose.
const maxShown = 256

// short cuts texts, but for the program's own.
func short(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.MessageKey || a.Key == "stack" || a.Key == "setting" || a.Value.Kind() != slog.KindString {
		return a
	}
	if text := a.Value.String(); len(text) > maxShown {
		a.Value = slog.StringValue(strings.ToValidUTF8(text[:maxShown], "") + "...")
	}
	return a
}

// Metrics are the numbers of one process. Its methods may be called
// concurrently, those on a nil *Metrics do nothing.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	refusals *prometheus.CounterVec
}

// NewMetrics makes a registry with the process's own numbers in it.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "expenseflow_http_request_seconds", Help: "Time to answer an HTTP request, by route and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"method", "route", "status"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "expenseflow_http_refusals_total", Help: "HTTP requests that were refused, by reason.",
		}, []string{"reason"}),
	}
	m.registry.MustRegister(m.requests, m.refusals, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Request counts one answered request. route is the pattern, never the path: ids
// would make a series each.
func (m *Metrics) Request(method, route string, status int, took time.Duration) {
	if m != nil {
		m.requests.WithLabelValues(knownMethod(method), route, strconv.Itoa(status)).Observe(took.Seconds())
	}
}

// Refusal counts one request that was refused for reason, a fixed word.
func (m *Metrics) Refusal(reason string) {
	if m != nil {
		m.refusals.WithLabelValues(reason).Inc()
	}
}

// Gauge shows what read gives whenever somebody looks. labels are fixed.
func (m *Metrics) Gauge(name, help string, labels map[string]string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, read))
}

// Counter shows what read gives, which only grows. labels are fixed.
func (m *Metrics) Counter(name, help string, labels map[string]string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, read))
}

// knownMethod keeps clients from making series of their own.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// Handler serves /metrics and, to callers on the same machine, /debug/pprof, which
// shows what is in memory. It is for operators: mount it where only they reach it.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry}))
	mux.Handle("GET /debug/pprof/", local(pprof.Index))
	mux.Handle("GET /debug/pprof/cmdline", local(pprof.Cmdline))
	mux.Handle("GET /debug/pprof/profile", local(pprof.Profile))
	mux.Handle("GET /debug/pprof/symbol", local(pprof.Symbol))
	mux.Handle("GET /debug/pprof/trace", local(pprof.Trace))
	return mux
}

// local answers who connects from this machine.
func local(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if from, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !from.Addr().Unmap().IsLoopback() {
			http.Error(w, "Profiles are shown to this machine alone: connect from it, such as through an SSH tunnel", http.StatusForbidden)
			return
		}
		next(w, r)
	})
}
