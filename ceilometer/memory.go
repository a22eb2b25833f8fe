package ceilometer

import (
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// memory is what is remembered of one node group.
type memory struct {
	group    *nodegroups.Group
	policy   Policy
	problems []nodegroups.Problem
	subject  Subject

	// since is when it was first evaluated, evaluated when it was last.
	since, evaluated time.Time
	// start is the size that it had then. It is a floor until all signals have been known for a scale-down window, because what
	// they wanted before is not known. 0: over.
	start int
	// known is since when no signal is waited for; zero while one is.
	known time.Time

	signals  map[string]*signalMemory
	wants    wants
	reactive int
	state    State
}

// signalMemory is what is remembered of one signal of a group.
type signalMemory struct {
	// wanted is the size that it last wanted, good when.
	wanted int
	good   time.Time
	foresight
}

// switchOn says how a source is switched on.
func switchOn(kind string) string {
	if kind == SourcePrometheus {
		return "say where it is with --prometheus-url (--prometheus-url=aetos: through OpenStack)"
	}
	return "switch the source on"
}

// follow takes over the group's policy; false if it has none any more.
func (m *memory) follow(g *nodegroups.Group, opts *Options) bool {
	policy, problems, has := PolicyOf(g, &opts.Defaults)
	if !has {
		return false
	}
	m.problems = problems
	usable := policy.Signals[:0:0]
	for _, s := range policy.Signals {
		if opts.Sources[s.Metric.Source] == nil {
			m.problem(g, nodegroups.KeyLoadMetric, s.Metric.Name, "there is no source of kind "+s.Metric.Source+" to read it from",
				switchOn(s.Metric.Source)+", or name another metric")
			continue
		}
		usable = append(usable, s)
	}
	policy.Signals = usable
	if len(policy.Signals) > 0 && len(policy.Signals[0].Steps) > 0 && policy.Headroom != (nodegroups.Headroom{}) {
		// Steps count from the size that is there, headroom included: both together would climb to the maximum.
		policy.Headroom = nodegroups.Headroom{}
		m.problem(g, nodegroups.KeyHeadroom, "", "headroom is left out, since it does not go with steps", "remove headroom, or use load-target in place of load-steps")
	}
	if policy.foresees() && opts.NewForecaster == nil {
		m.problem(g, nodegroups.KeyForecast, string(policy.Forecast), "there are no forecasts in this program", "set it to false")
		policy.Forecast = nodegroups.ForecastOff
	}
	m.policy, m.subject = policy, subjectOf(g, policy.ServerGroup)
	old := m.signals
	m.signals = make(map[string]*signalMemory, len(policy.Signals))
	for _, s := range policy.Signals {
		if m.signals[s.Metric.Name] = old[s.Metric.Name]; m.signals[s.Metric.Name] == nil {
			m.signals[s.Metric.Name] = &signalMemory{}
		}
	}
	return true
}

func (m *memory) problem(g *nodegroups.Group, key nodegroups.Key, value, message, remedy string) {
	m.problems = append(m.problems, nodegroups.Problem{
		Reason: nodegroups.ReasonBadLoadPolicy, Severity: nodegroups.Warning, Group: g.Name, Key: string(key), Value: value,
		Message: message, Remedy: remedy,
	})
}

// wake begins the memory, or leaves out the time in which nobody asked: it is no silence of telemetry.
func (m *memory) wake(now time.Time) {
	if m.since.IsZero() {
		m.since, m.evaluated = now, now
		if len(m.policy.Signals) > 0 {
			m.start = m.group.Target
		}
		return
	}
	pause := now.Sub(m.evaluated)
	m.evaluated = now
	if pause <= longestPause {
		return
	}
	pause -= longestPause
	m.since = m.since.Add(pause)
	if !m.known.IsZero() {
		m.known = m.known.Add(pause)
	}
	for _, s := range m.signals {
		if !s.good.IsZero() {
			s.good = s.good.Add(pause)
		}
	}
}
