package ceilometer

import (
	"time"

	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const (
	// DefaultTimeout bounds one reading of one metric.
	DefaultTimeout = 10 * time.Second
	// DefaultWait is how long cluster-autoscaler's loop waits for readings. It is a part of its scan interval of 10 s.
	DefaultWait = 3 * time.Second
)

// Options are the settings of Floors; the zero value takes the defaults.
type Options struct {
	// Sources are what can be read, by their kind: SourceGnocchi, SourcePrometheus. A metric of a kind that is missing here is a
	// problem of the groups that ask for it.
	Sources map[string]Source
	// Defaults hold for what the annotations of a group don't say.
	Defaults Defaults
	// Observer is told of floors and readings; nil for nobody.
	Observer Observer
	// Reporter is told of policies that can't be used and of groups about which telemetry has nothing to believe, with every
	// Update; nil for nobody.
	Reporter nodegroups.Reporter
	// Clock tells the time. Default: the real one.
	Clock clock.WithTicker
	// Timeout bounds one reading of one metric. Default DefaultTimeout.
	Timeout time.Duration
	// Wait is how long Update waits for the readings that it has started. What comes later counts in a later Update. Default
	// DefaultWait; negative: not at all.
	Wait time.Duration
	// Hold is how long the last good floor is held unless the group's policy says otherwise. Default DefaultHold.
	Hold time.Duration
	// NewForecaster makes forecasters; nil: policies that ask for forecasts go without, and that is a problem of their groups.
	NewForecaster func(ForecastOptions) (Forecaster, error)
}

// Forecaster foresees the load of one signal of one node group. It is used by one goroutine at a time. Package forecast has one.
type Forecaster interface {
	// Observe tells the load of the bucket of time that ends at end, in fully used machines; buckets come in the order of time.
	Observe(end time.Time, load float64)
	// Upper returns the load, in fully used machines, that machines that are ordered now will have to bear at most, and false
	// if that can't be said.
	Upper() (load float64, ok bool)
}

// ForecastOptions say what a Forecaster is for.
type ForecastOptions struct {
	Group, Metric string
	// Bucket is the width of the buckets that are observed: ForecastBucket, or that of telemetry's points if they are wider.
	Bucket time.Duration
	// BootTime is how long a machine takes from its order until it works.
	BootTime time.Duration
	// Quantile is the part of all times in which the load is to stay below Upper.
	Quantile float64
}
