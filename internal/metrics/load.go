package metrics

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

// What is read from the floors' states at each scrape, so that a group, a signal or a forecast that is gone is gone here too.
var (
	loadDesc = desc("load",
		"Load per member as last measured, in the metric's unit: percent for cpu and memory. Missing before the first measure.", "node_group", "metric")
	loadTargetDesc = desc("load_target", "Load per member that is aimed at. Missing where steps are used.", "node_group", "metric")
	loadAgeDesc    = desc("load_age_seconds", "How old the newest measure is.", "node_group", "metric")
	loadWantedDesc = desc("load_wanted_size", "Size that the metric wants, or last wanted if it has no opinion now.", "node_group", "metric")
	loadUnknown    = desc("load_unknown",
		"1 while the metric has no opinion, with the reason (Pending, Unreadable, NoData, Late, Partial, Absurd); 0 otherwise.", "node_group", "metric", "reason")
	forecastLoadDesc = desc("forecast_load",
		"Load of the whole group that is not expected to be exceeded, in members that are fully used.", "node_group", "metric")
	forecastDesc = desc("forecast_size", "Size that forecasts want, shown only ones included.", "node_group")
	scheduleDesc = desc("schedule_size", "Size that the schedules want now. Missing while none does.", "node_group")
	headroomDesc = desc("headroom_nodes", "Members to spare that are a part of the floor.", "node_group")
	floorHeld    = desc("node_group_floor_held", "1 while the floor is an old one because load has no opinion; 0 otherwise.", "node_group")
)

var loadDescs = []*prometheus.Desc{
	loadDesc, loadTargetDesc, loadAgeDesc, loadWantedDesc, loadUnknown, forecastLoadDesc, forecastDesc, scheduleDesc, headroomDesc, floorHeld,
}

// readings counts what is asked of the sources of load.
type readings struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newReadings(counter func(name, help string, labels ...string) *prometheus.CounterVec) readings {
	return readings{
		total: counter("telemetry_readings_total",
			"Readings of metrics from the sources of load (gnocchi, prometheus), by result (ok, error). One is for all node groups.", "source", "metric", "result"),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "telemetry_reading_duration_seconds", Help: "Time that a reading of a metric took, whether or not it was answered.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"source"}),
	}
}

func (r *readings) collectors() []prometheus.Collector {
	return []prometheus.Collector{r.total, r.duration}
}

// ShowLoad makes the floors' states be shown, those that states returns at the time of the scrape.
func (m *Metrics) ShowLoad(states func() []ceilometer.State) { m.load.Store(&states) }

// ReadingDone counts a reading; it belongs to ceilometer.Observer.
func (m *Metrics) ReadingDone(_ context.Context, r ceilometer.Reading) {
	result := "ok"
	if r.Err != nil {
		result = "error"
	}
	m.readings.total.WithLabelValues(r.Source, r.Metric, result).Inc()
	m.readings.duration.WithLabelValues(r.Source).Observe(r.Duration.Seconds())
}

// FloorChanged does nothing: the floors are read at each scrape.
func (m *Metrics) FloorChanged(context.Context, ceilometer.Change) {}

var _ ceilometer.Observer = (*Metrics)(nil)

// collectLoad shows the floors' states.
func (m *Metrics) collectLoad(gauge func(*prometheus.Desc, float64, ...string)) {
	states := m.load.Load()
	if states == nil {
		return
	}
	for _, s := range (*states)() {
		gauge(floorHeld, oneIf(s.Held), s.Group)
		gauge(headroomDesc, float64(s.Headroom), s.Group)
		if s.ScheduleText != "" {
			gauge(scheduleDesc, float64(s.Schedule), s.Group)
		}
		for i := range s.Signals {
			m.collectSignal(gauge, s.Group, &s.Signals[i])
		}
		if s.Forecast > 0 {
			gauge(forecastDesc, float64(s.Forecast), s.Group)
		}
	}
}

func (m *Metrics) collectSignal(gauge func(*prometheus.Desc, float64, ...string), group string, s *ceilometer.SignalState) {
	gauge(loadUnknown, oneIf(!s.Opinion), group, s.Metric, whyUnknown(s))
	if !s.At.IsZero() {
		gauge(loadDesc, s.Value, group, s.Metric)
		gauge(loadAgeDesc, m.clock.Since(s.At).Seconds(), group, s.Metric)
	}
	if s.Target > 0 {
		gauge(loadTargetDesc, s.Target, group, s.Metric)
	}
	if s.Wanted > 0 || s.Opinion {
		gauge(loadWantedDesc, float64(s.Wanted), group, s.Metric)
	}
	if s.Foresees {
		gauge(forecastLoadDesc, s.Foreseen, group, s.Metric)
	}
}

// whyUnknown is why a signal has no opinion, in one word; empty if it has one.
func whyUnknown(s *ceilometer.SignalState) string {
	if s.Opinion {
		return ""
	}
	for _, reason := range []struct {
		err  error
		word string
	}{
		{ceilometer.ErrPending, "Pending"},
		{ceilometer.ErrSource, "Unreadable"},
		{ceilometer.ErrStale, "Late"},
		{ceilometer.ErrPartial, "Partial"},
		{ceilometer.ErrAbsurd, "Absurd"},
	} {
		if errors.Is(s.Err, reason.err) {
			return reason.word
		}
	}
	return "NoData"
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
