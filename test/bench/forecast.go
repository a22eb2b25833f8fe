package main

import (
	"context"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/forecast"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/replay"
)

// tracesFolder has the public load traces; "make bench" runs in the repository's root.
const tracesFolder = "ceilometer/replay/testdata"

// benchForecast measures by how much forecasts reduce the time above target of the reactive policy, at equal node-hours.
func benchForecast(_ context.Context, print func(string, float64, string)) error {
	traces, err := replay.ReadShipped(tracesFolder)
	if err != nil {
		return err
	}
	all, err := replay.CompareAll(traces, replay.DefaultSetup(), forecast.DefaultQuantile)
	if err != nil {
		return err
	}
	s := replay.Summarize(all)
	print("forecast_violation_reduction_mean_pct", s.Mean, "pct")
	print("forecast_violation_reduction_pooled_pct", s.Pooled, "pct")
	print("forecast_violation_reduction_worst_pct", s.Worst, "pct")
	return nil
}

// benchForecastCost measures the processor time of one step of one group's forecast.
func benchForecastCost(_ context.Context, print func(string, float64, string)) error {
	traces, err := replay.ReadShipped(tracesFolder)
	if err != nil {
		return err
	}
	loads := traces[len(traces)-1].Loads
	f, err := forecast.New(forecast.Options{BootTime: 10 * time.Minute})
	if err != nil {
		return err
	}
	end := time.Unix(0, 0)
	used := processorTime()
	for _, load := range loads {
		end = end.Add(forecast.DefaultBucket)
		f.Observe(end, load)
		f.Upper()
	}
	print("forecast_us_per_group", float64((processorTime()-used).Microseconds())/float64(len(loads)), "us")
	return nil
}
