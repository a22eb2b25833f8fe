package ceilometer

import (
	"fmt"
	"strings"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Defaults of policies.
const (
	// DefaultTolerance is HPA's (--horizontal-pod-autoscaler-tolerance).
	DefaultTolerance = .1
	// DefaultScaleDownWindow is HPA's (--horizontal-pod-autoscaler-downscale-stabilization).
	DefaultScaleDownWindow = 5 * time.Minute
	// DefaultHold outlasts a restart of telemetry's services.
	DefaultHold = 15 * time.Minute
	// DefaultQuantile is how much of all times a forecast is to bound.
	DefaultQuantile = .85
	// DefaultBootTime is that of a machine whose boot time nobody knows.
	DefaultBootTime = 10 * time.Minute
	// ForecastBucket is the width of the buckets of time that forecasts are made of, unless telemetry's points are wider.
	ForecastBucket = 5 * time.Minute
	// forecastWindow is how long a forecast counts after it was made. Where buckets are wide it counts until the next one has come, which
	// may be late by forecastLate.
	forecastWindow = 15 * time.Minute
	forecastLate   = 5 * time.Minute
	// Points may be late: a policy without a maximum age allows for this many of them, and for this long at least.
	maxAgePoints = 3
	leastMaxAge  = 3 * time.Minute
	// unknownGranularity stands in for that of points that don't tell it: Ceilometer's own.
	unknownGranularity = 5 * time.Minute
)

// The metrics that Gnocchi's source knows by name.
const (
	MetricCPU        = "cpu"
	MetricMemory     = "memory"
	MetricDiskRead   = "disk-read"
	MetricDiskWrite  = "disk-write"
	MetricNetworkIn  = "network-in"
	MetricNetworkOut = "network-out"
)

var (
	wellKnown      = []string{MetricCPU, MetricMemory, MetricDiskRead, MetricDiskWrite, MetricNetworkIn, MetricNetworkOut}
	defaultTargets = map[string]float64{MetricCPU: 60, MetricMemory: 75}
)

// isPercent says whether a metric is in percent of a machine.
func isPercent(m *Metric) bool {
	return m.Expression == "" && (m.Name == MetricCPU || m.Name == MetricMemory)
}

// Policy is what a node group's floor is made by: its annotations over the defaults.
type Policy struct {
	Signals []Signal
	// Window is the time over which points are averaged; 0: the newest one.
	Window time.Duration
	// Tolerance is how far from the target the load may be without a change, as a part of the target.
	Tolerance float64
	// ScaleUpWindow and ScaleDownWindow are how long a change must have been wanted.
	ScaleUpWindow, ScaleDownWindow time.Duration
	// Granularity and PollingInterval are 0 for the source's choice.
	Granularity, PollingInterval time.Duration
	// MaxAge is how old the newest point may be; 0: by the points' granularity.
	MaxAge time.Duration
	// Hold is how long the last good floor is held.
	Hold     time.Duration
	Schedule []nodegroups.Schedule
	Headroom nodegroups.Headroom
	Forecast nodegroups.ForecastMode
	// Quantile and BootTime are the forecast's.
	Quantile float64
	BootTime time.Duration
	// ServerGroup is what the servers carry as metering.server_group.
	ServerGroup string
}

// Signal is one metric of a policy, with a target or steps.
type Signal struct {
	Metric Metric
	Target float64
	Steps  []nodegroups.LoadStep
}

// PolicyOf returns the policy of a group, and false if it has no annotation about load. The problems say what of it can't be used;
// the rest of it is good.
func PolicyOf(group *nodegroups.Group, defaults *Defaults) (Policy, []nodegroups.Problem, bool) {
	own := &group.Config.Load
	if !own.Given() {
		return Policy{}, nil, false
	}
	l := over(own, &defaults.Load)
	p := Policy{
		Window: value(l.Window, 0), Tolerance: value(l.Tolerance, DefaultTolerance),
		ScaleUpWindow: value(l.ScaleUpWindow, 0), ScaleDownWindow: value(l.ScaleDownWindow, DefaultScaleDownWindow),
		Granularity: value(l.Granularity, 0), PollingInterval: value(l.PollingInterval, 0),
		MaxAge: value(l.MaxAge, 0), Hold: value(l.Hold, DefaultHold),
		Schedule: l.Schedule, Headroom: value(l.Headroom, nodegroups.Headroom{}), Forecast: l.Forecast,
		Quantile: value(l.ForecastQuantile, DefaultQuantile), BootTime: value(l.ForecastBootTime, DefaultBootTime),
		ServerGroup: l.ServerGroup,
	}
	if p.ServerGroup == "" {
		p.ServerGroup = group.Name
	}
	var problems []nodegroups.Problem
	p.Signals, problems = signals(l, defaults)
	for i := range problems {
		problems[i].Group, problems[i].Reason, problems[i].Severity = group.Name, nodegroups.ReasonBadLoadPolicy, nodegroups.Warning
	}
	return p, problems, true
}

// signals are those that can be used, and what is wrong with the others.
func signals(l *nodegroups.Load, defaults *Defaults) (all []Signal, problems []nodegroups.Problem) {
	bad := func(key nodegroups.Key, value, message, remedy string) {
		problems = append(problems, nodegroups.Problem{Key: string(key), Value: value, Message: message, Remedy: remedy})
	}
	if len(l.Targets) > 1 && len(l.Targets) != len(l.Metrics) && len(l.Metrics) > 0 {
		bad(nodegroups.KeyLoadTarget, joinFloats(l.Targets), fmt.Sprintf("there are %d targets for %d metrics", len(l.Targets), len(l.Metrics)),
			"give one target for all metrics or one per metric")
		return nil, problems
	}
	if l.Metrics == nil && (l.Targets != nil || l.Steps != nil) {
		bad(nodegroups.KeyLoadMetric, "", "there is a target or there are steps, but no metric", "add the annotation load-metric, for example load-metric=cpu")
	}
	for i, name := range l.Metrics {
		metric, target, err := defaults.metric(name)
		if err != nil {
			bad(nodegroups.KeyLoadMetric, name, err.Error(), "correct the annotation")
			continue
		}
		s := Signal{Metric: metric, Target: target, Steps: l.Steps}
		switch {
		case len(l.Steps) > 0:
			s.Target = 0
		case len(l.Targets) == 1:
			s.Target = l.Targets[0]
		case len(l.Targets) > 1:
			s.Target = l.Targets[i]
		}
		if s.Target <= 0 && len(s.Steps) == 0 {
			bad(nodegroups.KeyLoadTarget, "", fmt.Sprintf("metric %q has no target", name), "add the annotation load-target, in the metric's unit per node")
			continue
		}
		all = append(all, s)
	}
	return all, problems
}

func joinFloats(values []float64) string {
	items := make([]string, 0, len(values))
	for _, v := range values {
		items = append(items, fmt.Sprintf("%g", v))
	}
	return strings.Join(items, ";")
}

// over returns the group's own settings with those of the defaults where it has none. A target and steps stand for each other, and
// a list of targets belongs to its list of metrics.
func over(own, defaults *nodegroups.Load) *nodegroups.Load {
	l := *own
	if l.Targets == nil && l.Steps == nil && (l.Metrics == nil || len(defaults.Targets) <= 1) {
		l.Targets, l.Steps = defaults.Targets, defaults.Steps
	}
	if l.Metrics == nil {
		l.Metrics = defaults.Metrics
	}
	if l.Schedule == nil {
		l.Schedule = defaults.Schedule
	}
	if l.Forecast == "" {
		l.Forecast = defaults.Forecast
	}
	l.Tolerance = either(l.Tolerance, defaults.Tolerance)
	l.Window = either(l.Window, defaults.Window)
	l.ScaleUpWindow = either(l.ScaleUpWindow, defaults.ScaleUpWindow)
	l.ScaleDownWindow = either(l.ScaleDownWindow, defaults.ScaleDownWindow)
	l.Granularity = either(l.Granularity, defaults.Granularity)
	l.PollingInterval = either(l.PollingInterval, defaults.PollingInterval)
	l.MaxAge = either(l.MaxAge, defaults.MaxAge)
	l.Hold = either(l.Hold, defaults.Hold)
	l.Headroom = either(l.Headroom, defaults.Headroom)
	l.ForecastQuantile = either(l.ForecastQuantile, defaults.ForecastQuantile)
	l.ForecastBootTime = either(l.ForecastBootTime, defaults.ForecastBootTime)
	return &l
}

func either[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

func value[T any](p *T, otherwise T) T {
	if p != nil {
		return *p
	}
	return otherwise
}
