package metrics

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// What is read from the snapshot at each scrape.
var (
	ageDesc = desc("refresh_age_seconds", "Time since the cloud was last read; missing before the first time.")

	targetDesc = desc("node_group_target_size", "Members that have been ordered, failed and lost ones included.", "node_group")
	minDesc    = desc("node_group_min_size", "The configured minimum.", "node_group")
	maxDesc    = desc("node_group_max_size", "The configured maximum.", "node_group")
	floorDesc  = desc("node_group_floor",
		"What load, schedules, forecasts and headroom make of the minimum, between the configured limits. Only of node groups with annotations about them.", "node_group")
	membersDesc = desc("node_group_members", "Members by state (creating, running, deleting, failed, lost).", "node_group", "state")
	stacksDesc  = desc("node_group_stacks", "Heat stacks that make up the node group.", "node_group")
	blockedDesc = desc("node_group_blocked", "1 while the node group is left alone, with the reason; 0 otherwise.", "node_group", "reason")
	problemDesc = desc("problems", "Problems that hold now. One that is mended disappears.", "node_group", "reason", "severity")
	heldDesc    = desc("repairs_held_back", "Broken members that are not replaced now, by the reason why not.", "node_group", "reason")
	driftDesc   = desc("template_drift_ratio",
		"Allocatable amount of a real node divided by what the template node promises; 1 is right.", "node_group", "resource")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, c := range m.counters() {
		c.Describe(out)
	}
	for _, d := range []*prometheus.Desc{ageDesc, targetDesc, minDesc, maxDesc, floorDesc, membersDesc, stacksDesc, blockedDesc, problemDesc, heldDesc, driftDesc} {
		out <- d
	}
	for _, d := range loadDescs {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	for _, c := range m.counters() {
		c.Collect(out)
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	snapshot := m.snapshot()
	for _, g := range snapshot.Groups() {
		collectGroup(gauge, g)
		if _, ok := snapshot.Floor(g.Name); ok {
			gauge(floorDesc, float64(snapshot.MinSize(g)), g.Name)
		}
	}
	m.collectLoad(gauge)
	for key, count := range countProblems(snapshot.Problems()) {
		gauge(problemDesc, float64(count), key.group, key.reason, key.severity)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.refreshed.IsZero() {
		gauge(ageDesc, m.clock.Since(m.refreshed).Seconds())
	}
	for held, members := range m.held {
		gauge(heldDesc, float64(members), held.Group, held.Reason)
	}
	maps.DeleteFunc(m.drift, func(group string, _ map[string]float64) bool { return snapshot.Group(group) == nil })
	for group, resources := range m.drift {
		for resource, ratio := range resources {
			gauge(driftDesc, ratio, group, resource)
		}
	}
}

func collectGroup(gauge func(*prometheus.Desc, float64, ...string), g *nodegroups.Group) {
	gauge(targetDesc, float64(g.Target), g.Name)
	gauge(minDesc, float64(g.MinSize), g.Name)
	gauge(maxDesc, float64(g.MaxSize), g.Name)
	gauge(stacksDesc, float64(len(g.Stacks)), g.Name)
	counts := map[nodegroups.State]int{
		nodegroups.Creating: 0, nodegroups.Running: 0, nodegroups.Deleting: 0, nodegroups.Failed: 0, nodegroups.Lost: 0,
	}
	for _, m := range g.Members {
		counts[m.State]++
	}
	for _, state := range slices.Sorted(maps.Keys(counts)) {
		gauge(membersDesc, float64(counts[state]), g.Name, state.String())
	}
	if g.Blocked != nil {
		gauge(blockedDesc, 1, g.Name, g.Blocked.Reason)
	} else {
		gauge(blockedDesc, 0, g.Name, "")
	}
}

// problemKey is by what problems are counted.
type problemKey struct{ group, reason, severity string }

func countProblems(problems []nodegroups.Problem) map[problemKey]int {
	counts := map[problemKey]int{}
	for _, p := range problems {
		severity := "warning"
		if p.Severity == nodegroups.Blocking {
			severity = "blocking"
		}
		counts[problemKey{p.Group, p.Reason, severity}]++
	}
	return counts
}
