package observe

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics are the metrics of one process. The methods may be called concurrently.
// Request, RequestError, EventError and RateLimited do nothing on a nil *Metrics.
//
// Most metrics are numbers that the packages count themselves; a function reads them
// whenever the metrics are collected (Gauge, Counter, Gauges, Counters). Durations are
// observed in histograms, which the packages get as functions of their own options.
type Metrics struct {
	registry    *prometheus.Registry
	requests    *prometheus.HistogramVec
	errors      errorCounts
	rateLimited *prometheus.CounterVec
}

// NewMetrics makes Metrics with those of the Go runtime and of the process.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "expenseflow_http_request_seconds", Help: "Time to answer an HTTP request, by route and status.",
			Buckets: HandlingBuckets,
		}, []string{"method", "route", "status"}),
		errors: newErrorCounts(),
		rateLimited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "expenseflow_rate_limited_total", Help: "Requests, events and sockets that a rate limit refused, by limit.",
		}, []string{"policy"}),
	}
	m.registry.MustRegister(m.requests, m.errors.requests, m.errors.events, m.rateLimited, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// The upper bounds of histograms, in seconds: of handling a request, an event or a
// statement, and of what also waits for a network or a poll.
var (
	HandlingBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}
	DeliveryBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
)

// Request counts one answered request. route is the pattern of the route, not the path:
// each id would make a series of its own.
func (m *Metrics) Request(method, route string, status int, took time.Duration) {
	if m != nil {
		m.requests.WithLabelValues(knownMethod(method), route, strconv.Itoa(status)).Observe(took.Seconds())
	}
}

// RateLimited counts one request, event or socket that a rate limit refused. policy is the
// name of the limit, a constant of the program.
func (m *Metrics) RateLimited(policy string) {
	if m != nil {
		m.rateLimited.WithLabelValues(policy).Inc()
	}
}

// Gauge adds a gauge whose value read returns whenever the metrics are collected. It is
// called once for each name with its labels.
func (m *Metrics) Gauge(name, help string, labels map[string]string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, read))
}

// Counter adds a counter whose value read returns whenever the metrics are collected. It
// is called once for each name with its labels.
func (m *Metrics) Counter(name, help string, labels map[string]string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, read))
}

// An Add adds one value with the values of its labels to a family.
type Add func(value float64, labels ...string)

// A Family is what the metrics of one name have in common.
type Family struct {
	Name, Help string
	Labels     []string
}

// Gauges adds gauges of one name, and Counters counters. read gives all their values
// whenever the metrics are collected; no two may have the same labels.
func (m *Metrics) Gauges(f Family, read func(Add)) { m.register(f, prometheus.GaugeValue, read) }

// Counters is described with Gauges.
func (m *Metrics) Counters(f Family, read func(Add)) { m.register(f, prometheus.CounterValue, read) }

func (m *Metrics) register(f Family, kind prometheus.ValueType, read func(Add)) {
	m.registry.MustRegister(&familyCollector{prometheus.NewDesc(f.Name, f.Help, f.Labels, nil), kind, read})
}

// A familyCollector collects a Family.
type familyCollector struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(Add)
}

// Describe implements prometheus.Collector.
func (c *familyCollector) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

// Collect implements prometheus.Collector.
func (c *familyCollector) Collect(to chan<- prometheus.Metric) {
	c.read(func(value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(c.desc, c.kind, value, labels...)
	})
}

// An Observer is a histogram to which a duration is added. It allocates nothing.
type Observer func(time.Duration)

// Histogram adds a histogram of durations, with the upper bounds of its buckets in seconds.
func (m *Metrics) Histogram(name, help string, buckets []float64) Observer {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	m.registry.MustRegister(h)
	return func(d time.Duration) { h.Observe(d.Seconds()) }
}

// Histograms adds histograms that differ by a label. The function that it returns makes the
// one of a value of the label, which is a constant of the program.
func (m *Metrics) Histograms(name, help string, buckets []float64, label string) func(value string) Observer {
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, []string{label})
	m.registry.MustRegister(vec)
	return func(value string) Observer {
		h := vec.WithLabelValues(value)
		return func(d time.Duration) { h.Observe(d.Seconds()) }
	}
}

// Build adds the version of the program, the revision that it was built from and the
// version of Go, as the labels of a metric that is 1. It is called once.
func (m *Metrics) Build(version, revision, goVersion string) {
	m.Gauge("expenseflow_build_info", "Always 1; the labels name the release that runs.",
		map[string]string{"version": version, "revision": revision, "goversion": goVersion}, func() float64 { return 1 })
}

// knownMethod returns the method, or "other" for one that is not standard.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}
