package nodegroups

import "time"

// typeItems are lists whose items may hold commas.
const (
	typeItems  = "list, separated by ';'"
	typeNumber = "number"
)

// loadAnnotations are those about load.
var loadAnnotations = []annotation{
	{KeyLoadMetric, typeItems, "", "cpu;memory", "Signals that move the floor: cpu, memory, disk-read, disk-write, network-in, network-out, a name of the " +
		"load file, gnocchi:EXPRESSION or prometheus:PROMQL. The greatest size that one of them wants counts. none: no signal",
		setLoadMetrics, getLoadMetrics, false},
	{KeyLoadTarget, typeItems, "60 for cpu, 75 for memory", "60", "Load per node to aim at, one for all metrics or one per metric: percent for cpu and memory, " +
		"the metric's own unit else", setLoadTargets, getLoadTargets, false},
	{KeyLoadSteps, typeItems, "", "70:+1;90:+3;20:-1", "In place of a target: from this load on, add so many nodes; or below it, take so many away",
		setLoadSteps, getLoadSteps, false},
	number(KeyLoadTolerance, "0.1", "0.1", "How far the load may be from the target, as a part of it, without a change", 0, .9,
		func(c *Config) **float64 { return &c.Load.Tolerance }),
	span(KeyLoadWindow, "the newest point", "10m", "Time over which points are averaged", 0, 24*time.Hour,
		func(c *Config) **timeDuration { return &c.Load.Window }),
	span(KeyLoadScaleUpWindow, "0s", "2m", "How long more nodes must have been wanted before the floor rises", 0, 24*time.Hour,
		func(c *Config) **timeDuration { return &c.Load.ScaleUpWindow }),
	span(KeyLoadScaleDownWindow, "5m", "15m", "How long fewer nodes must have been wanted before the floor falls", 0, 24*time.Hour,
		func(c *Config) **timeDuration { return &c.Load.ScaleDownWindow }),
	span(KeyLoadGranularity, "the source's", "1m", "Width of the points to read, one that the archive policy has", time.Second, 24*time.Hour,
		func(c *Config) **timeDuration { return &c.Load.Granularity }),
	span(KeyLoadPollingInterval, "found from the data", "5m", "How often Ceilometer polls cumulative meters such as cpu. It is not the granularity", 0, 24*time.Hour,
		func(c *Config) **timeDuration { return &c.Load.PollingInterval }),
	span(KeyLoadMaxAge, "3 points, at least 3m", "15m", "How old the newest point may be; with older ones load has no opinion", time.Second, 24*time.Hour,
		func(c *Config) **timeDuration { return &c.Load.MaxAge }),
	span(KeyLoadHold, "--telemetry-hold", "30m", "How long the last good floor is kept while load has no opinion; then the minimum size is the floor", 0, 7*24*time.Hour,
		func(c *Config) **timeDuration { return &c.Load.Hold }),
	{KeyLoadServerGroup, typeName, "the node group's name", "prod-workers", "What the group's servers carry as metering.server_group",
		setLoadServerGroup, func(c *Config) (string, bool) { return c.Load.ServerGroup, c.Load.ServerGroup != "" }, false},
	{KeySchedule, typeItems, "", "Mon-Fri 08:00-18:00 Europe/Berlin=5", "Sizes that are wanted at certain times: days, from-to and time zone, or cron/duration@zone. " +
		"none: no schedule", setSchedule, getSchedule, false},
	{KeyHeadroom, "nodes or percent", "0", "10%", "Nodes to spare on top of what is wanted", setHeadroom, getHeadroom, false},
	{KeyForecast, "true, false or shadow", "false", "shadow", "The floor rises before the load does. shadow: forecasts are computed and shown, not used",
		setForecast, func(c *Config) (string, bool) { return string(c.Load.Forecast), c.Load.Forecast != "" }, false},
	number(KeyForecastQuantile, "0.85", "0.9", "Part of all times in which the load is to stay below what is foreseen", .5, .99,
		func(c *Config) **float64 { return &c.Load.ForecastQuantile }),
	span(KeyForecastBootTime, "10m", "5m", "How long a machine takes from its order until it works", 0, 6*time.Hour,
		func(c *Config) **timeDuration { return &c.Load.ForecastBootTime }),
}
