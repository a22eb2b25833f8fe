// Package metrics counts what the project does and shows it to Prometheus, beside cluster-autoscaler's own metrics.
//
// Metrics is a decorator from the outside: it implements the observers of the other packages, so that none of them knows
// Prometheus. What is true of node groups right now (sizes, members, problems) is read from the snapshot when Prometheus
// asks, so that a group or a problem that is gone is gone from the metrics too.
package metrics

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodelife"
)

// namespace starts every name. cluster_autoscaler is what core's own metrics start with.
const namespace = "cluster_autoscaler_openstack"

// Metrics is a prometheus.Collector for everything this project counts. It is safe for concurrent use.
type Metrics struct {
	clock    clock.PassiveClock
	snapshot func() *nodegroups.Snapshot
	// load is nil while there are no floors.
	load atomic.Pointer[func() []ceilometer.State]

	program         *prometheus.GaugeVec
	requests        *prometheus.CounterVec
	requestDuration *prometheus.HistogramVec
	refreshes       *prometheus.CounterVec
	refreshDuration prometheus.Histogram
	verified, wrong *prometheus.CounterVec
	reports         *prometheus.CounterVec
	panics          *prometheus.CounterVec
	decisions       *prometheus.CounterVec
	tokens          tokens
	certificates    certificates
	readings        readings
	repairs         *prometheus.CounterVec
	nodesDeleted    *prometheus.CounterVec
	nodesReady      *prometheus.HistogramVec

	mu         sync.Mutex
	withTokens map[string]bool // node groups that had tokens when they were last counted
	refreshed  time.Time
	drift      map[string]map[string]float64 // node group -> resource -> real / template
	held       map[nodelife.Held]int
}

// New returns Metrics about the node groups of snapshot; nil for none. A nil clock is the real one.
func New(snapshot func() *nodegroups.Snapshot, c clock.PassiveClock) *Metrics {
	if c == nil {
		c = clock.RealClock{}
	}
	if snapshot == nil {
		empty := nodegroups.NewSnapshot(nil, nil)
		snapshot = func() *nodegroups.Snapshot { return empty }
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	}
	return &Metrics{
		clock:    c,
		snapshot: snapshot,
		program:  newProgram(),
		requests: counter("api_requests_total",
			"Requests to the OpenStack APIs, by service, HTTP method and status code (0: no answer).", "service", "method", "code"),
		requestDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "api_request_duration_seconds",
			Help:    "Time until an OpenStack API had answered completely.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"service", "method"}),
		refreshes: counter("refreshes_total",
			"Readings of the cloud, by result (ok, error). An error aborts cluster-autoscaler's loop.", "result"),
		refreshDuration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "refresh_duration_seconds", Help: "Time that a reading of the cloud took.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}),
		verified: counter("removals_verified_total",
			"Members that were ordered to go and of which it was verified that they, and no others, went.", "stack"),
		wrong: counter("removals_wrong_total",
			"Servers that went although nobody had named them. Every one deserves an alarm.", "stack"),
		reports: counter("problem_reports_total",
			"Reports of problems, repetitions included, by reason.", "reason"),
		panics: counter("panics_total",
			"Panics that were caught, by the method that cluster-autoscaler had called. Every one is a bug.", "entry"),
		decisions: counter("dry_run_decisions_total",
			"Members that a dry run would have ordered (grow), removed (remove), replaced (replace) or withdrawn (shrink).", "node_group", "action"),
		repairs: counter("repairs_total",
			"Broken members whose replacement was ordered, by what they suffered from (Error, ShutOff, StuckInBuild, NeverJoined).",
			"node_group", "reason"),
		nodesDeleted: counter("nodes_deleted_total", "Node objects that were deleted because their server is gone.", "node_group"),
		nodesReady: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "node_ready_duration_seconds",
			Help:    "Time from the making of a member's server to its node being Ready for the first time.",
			Buckets: []float64{10, 20, 30, 45, 60, 90, 120, 180, 300, 450, 600, 900, 1800},
		}, []string{"node_group"}),
		tokens: newTokens(counter), withTokens: map[string]bool{}, certificates: newCertificates(),
		readings: newReadings(counter),
		drift:    map[string]map[string]float64{},
	}
}

// counters are the collectors that keep their own state.
func (m *Metrics) counters() []prometheus.Collector {
	return slices.Concat([]prometheus.Collector{m.program, m.requests, m.requestDuration, m.refreshes, m.refreshDuration, m.verified, m.wrong,
		m.reports, m.panics, m.decisions, m.repairs, m.nodesDeleted, m.nodesReady}, m.tokens.collectors(), m.certificates.collectors(),
		m.readings.collectors())
}

// Observe counts a request to OpenStack; it implements openstack.Observer.
func (m *Metrics) Observe(service, method string, code int, took time.Duration) {
	m.requests.WithLabelValues(service, method, strconv.Itoa(code)).Inc()
	m.requestDuration.WithLabelValues(service, method).Observe(took.Seconds())
}

// Report counts a problem; it implements nodegroups.Reporter.
func (m *Metrics) Report(p nodegroups.Problem) { m.reports.WithLabelValues(p.Reason).Inc() }

// Removed counts members of a stack whose removal was verified, and servers of it that went without being named.
func (m *Metrics) Removed(stack string, verified, wrong int) {
	m.verified.WithLabelValues(stack).Add(float64(verified))
	m.wrong.WithLabelValues(stack).Add(float64(wrong))
}

// Panicked counts a panic that was caught; it belongs to cloudprovider.Observer, as do the following.
func (m *Metrics) Panicked(entry string) { m.panics.WithLabelValues(entry).Inc() }

// Refreshed counts a reading of the cloud.
func (m *Metrics) Refreshed(took time.Duration, err error) {
	m.refreshDuration.Observe(took.Seconds())
	if err != nil {
		m.refreshes.WithLabelValues("error").Inc()
		return
	}
	m.refreshes.WithLabelValues("ok").Inc()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refreshed = m.clock.Now()
}

// Decided counts a decision of a dry run.
func (m *Metrics) Decided(group, action string, count int) {
	m.decisions.WithLabelValues(group, action).Add(float64(count))
}

// Drifted notes how much of a resource a real node has, divided by what the template node promises.
func (m *Metrics) Drifted(group, resource string, ratio float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.drift[group] == nil {
		m.drift[group] = map[string]float64{}
	}
	m.drift[group][resource] = ratio
}

// Replaced counts a replacement of a broken member; it belongs to nodelife.Observer, as do the following.
func (m *Metrics) Replaced(group, reason string) { m.repairs.WithLabelValues(group, reason).Inc() }

// NodeDeleted counts a Node whose server is gone.
func (m *Metrics) NodeDeleted(group string) { m.nodesDeleted.WithLabelValues(group).Inc() }

// NodeReady notes how long a new machine has taken to become a Ready node.
func (m *Metrics) NodeReady(group string, after time.Duration) {
	m.nodesReady.WithLabelValues(group).Observe(after.Seconds())
}

// HeldBack notes which broken members are not replaced now, and why.
func (m *Metrics) HeldBack(members map[nodelife.Held]int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held = members
}
