package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

// telemetry counts what is asked of the sources of load.
type telemetry struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newTelemetry(counter func(name, help string, labels ...string) *prometheus.CounterVec) telemetry {
	return telemetry{
		requests: counter("telemetry_requests_total",
			"Questions to the sources of load (gnocchi, prometheus), by metric and result (ok, error). One is for all node groups.",
			"source", "metric", "result"),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "telemetry_request_duration_seconds", Help: "Time until a source of load had answered, or had not.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"source"}),
	}
}

func (t *telemetry) collectors() []prometheus.Collector {
	return []prometheus.Collector{t.requests, t.duration}
}

// Source returns source with every question counted. It has a history if source has one.
func (m *Metrics) Source(kind string, source ceilometer.Source) ceilometer.Source {
	counted := &countedSource{telemetry: &m.telemetry, clock: m.clock, kind: kind, source: source}
	if history, ok := source.(ceilometer.HistorySource); ok {
		return &countedHistory{counted, history}
	}
	return counted
}

// countedSource is a ceilometer.Source whose questions are counted.
type countedSource struct {
	telemetry *telemetry
	clock     clock.PassiveClock
	kind      string
	source    ceilometer.Source
}

// Read implements ceilometer.Source.
func (c *countedSource) Read(ctx context.Context, request ceilometer.Request) (map[string]ceilometer.Sample, error) {
	start := c.clock.Now()
	samples, err := c.source.Read(ctx, request)
	c.count(request, start, err)
	return samples, err
}

func (c *countedSource) count(request ceilometer.Request, start time.Time, err error) {
	result := "ok"
	if err != nil {
		result = "error"
	}
	c.telemetry.requests.WithLabelValues(c.kind, request.Metric.Name, result).Inc()
	c.telemetry.duration.WithLabelValues(c.kind).Observe(c.clock.Since(start).Seconds())
}

// countedHistory is a countedSource that also remembers.
type countedHistory struct {
	*countedSource
	history ceilometer.HistorySource
}

// History implements ceilometer.HistorySource.
func (c *countedHistory) History(ctx context.Context, request ceilometer.Request) (map[string][]ceilometer.Point, error) {
	start := c.clock.Now()
	points, err := c.history.History(ctx, request)
	c.count(request, start, err)
	return points, err
}
