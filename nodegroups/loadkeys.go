package nodegroups

// How load moves the floor of the group.
const (
	// KeyLoadMetric names the signals.
	KeyLoadMetric Key = "load-metric"
	// KeyLoadTarget is the load per machine to aim at.
	KeyLoadTarget Key = "load-target"
	// KeyLoadSteps are steps in place of a target.
	KeyLoadSteps Key = "load-steps"
	// KeyLoadTolerance is how far from the target the load may be without a change.
	KeyLoadTolerance Key = "load-tolerance"
	// KeyLoadWindow is the time over which points are averaged.
	KeyLoadWindow Key = "load-window"
	// KeyLoadScaleUpWindow is how long more must have been wanted before the floor rises.
	KeyLoadScaleUpWindow Key = "load-scale-up-window" //nolint:gosec // the name of an annotation, no credential
	// KeyLoadScaleDownWindow is how long less must have been wanted before the floor falls.
	KeyLoadScaleDownWindow Key = "load-scale-down-window"
	// KeyLoadGranularity is the width of the points to read.
	KeyLoadGranularity Key = "load-granularity"
	// KeyLoadPollingInterval is how often cumulative meters are polled.
	KeyLoadPollingInterval Key = "load-polling-interval"
	// KeyLoadMaxAge is how old the newest point may be.
	KeyLoadMaxAge Key = "load-max-age"
	// KeyLoadHold is how long the last good floor is kept.
	KeyLoadHold Key = "load-hold"
	// KeyLoadServerGroup is the servers' metering.server_group.
	KeyLoadServerGroup Key = "load-server-group"
	// KeySchedule are sizes that are wanted at certain times.
	KeySchedule Key = "schedule"
	// KeyHeadroom is room to spare.
	KeyHeadroom Key = "headroom"
	// KeyForecast says whether the floor rises before the load does.
	KeyForecast Key = "forecast"
	// KeyForecastQuantile is how much of all times the load is to stay below what is foreseen.
	KeyForecastQuantile Key = "forecast-quantile"
	// KeyForecastBootTime is how long a machine takes from its order to its work.
	KeyForecastBootTime Key = "forecast-boot-time"
)
