package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	testclock "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/metrics"
)

func TestLoadIsReadAtScrape(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Unix(1000, 0))
	m := metrics.New(nil, clock)
	require.Empty(t, scrape(t, m, "load"), "there are no floors")
	states := []ceilometer.State{
		{
			Group: "a", Floor: 5, Applied: true, Headroom: 1, ScheduleText: "08:00-18:00=4", Schedule: 4, Forecast: 6,
			Signals: []ceilometer.SignalState{{
				Metric: "cpu", Value: 85, Machines: 3, At: time.Unix(970, 0), Target: 60, Wanted: 5, Opinion: true,
				Foresees: true, Foreseen: 3.4, ForeseenWanted: 6,
			}},
		},
		{
			Group: "b", Held: true,
			Signals: []ceilometer.SignalState{
				{Metric: "cpu", Err: fmt.Errorf("member x: %w", ceilometer.ErrPartial), Value: 20, At: time.Unix(900, 0), Wanted: 3},
				{Metric: "memory", Err: ceilometer.ErrPending},
			},
		},
	}
	m.ShowLoad(func() []ceilometer.State { return states })
	require.Equal(t, []string{
		"load{metric=cpu,node_group=a} 85",
		"load{metric=cpu,node_group=b} 20",
		"load_age_seconds{metric=cpu,node_group=a} 30",
		"load_age_seconds{metric=cpu,node_group=b} 100",
		"load_target{metric=cpu,node_group=a} 60",
		"load_unknown{metric=cpu,node_group=a,reason=} 0",
		"load_unknown{metric=cpu,node_group=b,reason=Partial} 1",
		"load_unknown{metric=memory,node_group=b,reason=Pending} 1",
		"load_wanted_size{metric=cpu,node_group=a} 5",
		"load_wanted_size{metric=cpu,node_group=b} 3",
	}, scrape(t, m, "load"))
	require.Equal(t, []string{"forecast_load{metric=cpu,node_group=a} 3.4", "forecast_size{node_group=a} 6"}, scrape(t, m, "forecast"))
	require.Equal(t, []string{"schedule_size{node_group=a} 4"}, scrape(t, m, "schedule"))
	require.Equal(t, []string{"headroom_nodes{node_group=a} 1", "headroom_nodes{node_group=b} 0"}, scrape(t, m, "headroom"))
	require.Equal(t, []string{"node_group_floor_held{node_group=a} 0", "node_group_floor_held{node_group=b} 1"}, scrape(t, m, "node_group_floor_held"))

	states = states[:1]
	require.Len(t, scrape(t, m, "load_unknown"), 1, "a group that is gone disappears")
}

func TestEveryReasonWhyLoadIsUnknownHasAWord(t *testing.T) {
	for err, word := range map[error]string{
		ceilometer.ErrNoData: "NoData", ceilometer.ErrPartial: "Partial", ceilometer.ErrAbsurd: "Absurd", ceilometer.ErrStale: "Late",
		ceilometer.ErrSource: "Unreadable", ceilometer.ErrPending: "Pending", errors.New("another one"): "NoData",
	} {
		m := metrics.New(nil, nil)
		m.ShowLoad(func() []ceilometer.State {
			return []ceilometer.State{{Group: "a", Signals: []ceilometer.SignalState{{Metric: "cpu", Err: fmt.Errorf("because: %w", err)}}}}
		})
		require.Equal(t, []string{"load_unknown{metric=cpu,node_group=a,reason=" + word + "} 1"}, scrape(t, m, "load_unknown"))
	}
}

func TestReadingsAreCounted(t *testing.T) {
	m := metrics.New(nil, nil)
	m.ReadingDone(context.Background(), ceilometer.Reading{Source: "gnocchi", Metric: "cpu", Groups: 50, Duration: time.Second})
	m.ReadingDone(context.Background(), ceilometer.Reading{Source: "gnocchi", Metric: "cpu", Groups: 50, Err: ceilometer.ErrSource})
	require.Equal(t, []string{
		"telemetry_reading_duration_seconds{source=gnocchi} 2",
		"telemetry_readings_total{metric=cpu,result=error,source=gnocchi} 1",
		"telemetry_readings_total{metric=cpu,result=ok,source=gnocchi} 1",
	}, scrape(t, m, "telemetry"))
}
