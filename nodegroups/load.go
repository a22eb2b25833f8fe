package nodegroups

import "time"

// Load is what the annotations say of load: which signals move the group's floor, and how. Nil and empty fields are not given.
// Package ceilometer makes a policy of it, over cluster-wide defaults.
type Load struct {
	// Metrics are the signals' names or expressions ("gnocchi:...", "prometheus:..."). Not nil and empty: none, also if the
	// defaults name some.
	Metrics []string
	// Targets are the loads to aim at, one for all metrics or one per metric: percent for cpu and memory, else in the metric's own
	// unit per machine.
	Targets []float64
	// Steps are used in place of targets.
	Steps []LoadStep
	// Tolerance is how far from the target, as a part of it, the load may be without a change.
	Tolerance *float64
	// Window is the time over which points are averaged.
	Window *time.Duration
	// ScaleUpWindow is how long a greater size must have been wanted before the floor rises; ScaleDownWindow the same for falling.
	ScaleUpWindow, ScaleDownWindow *time.Duration
	// Granularity is the width of the points; PollingInterval how often cumulative meters are polled.
	Granularity, PollingInterval *time.Duration
	// MaxAge is how old the newest point may be. Hold is how long the last good floor is kept without good points.
	MaxAge, Hold *time.Duration
	// Schedule are the sizes that are wanted at certain times. Not nil and empty: none.
	Schedule []Schedule
	// Headroom is what is added on top.
	Headroom *Headroom
	// Forecast says whether floors rise before the load does.
	Forecast ForecastMode
	// ForecastQuantile is how much of all times the load is to stay below what is foreseen, from 0.5 to 0.99.
	ForecastQuantile *float64
	// ForecastBootTime is how long a machine takes from its order to its work.
	ForecastBootTime *time.Duration
	// ServerGroup is what the group's servers carry as metering.server_group; empty: the node group's name.
	ServerGroup string
}

// LoadStep changes the size by Change when the load is at Threshold or above it (Change > 0), or at it or below it (Change < 0).
type LoadStep struct {
	Threshold float64
	Change    int
}

// Headroom is room to spare, in nodes or as a part of the size; one of both is 0.
type Headroom struct {
	Nodes   int
	Percent float64
}

// ForecastMode says what becomes of forecasts.
type ForecastMode string

// Modes of forecasts.
const (
	// ForecastOff computes none. It is the default.
	ForecastOff ForecastMode = "false"
	// ForecastOn lets forecasts raise the floor.
	ForecastOn ForecastMode = "true"
	// ForecastShadow computes and shows them, and does not use them.
	ForecastShadow ForecastMode = "shadow"
)

// Given says whether any annotation about load is there. A group without one has no floor.
func (l *Load) Given() bool {
	c := Config{Load: *l}
	for i := range loadAnnotations {
		if _, ok := loadAnnotations[i].get(&c); ok {
			return true
		}
	}
	return false
}
