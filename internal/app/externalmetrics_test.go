package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/externalmetrics"
)

func TestWhatIsServedAsExternalMetrics(t *testing.T) {
	at := time.Unix(1000, 0)
	l := shownLoads{func() []ceilometer.State {
		return []ceilometer.State{
			{Group: "a", Applied: true, Floor: 5, At: at, Signals: []ceilometer.SignalState{
				{Metric: "cpu", Value: 85, Machines: 3, Target: 60, At: at, Opinion: true},
				{Metric: "memory", Value: 10, Machines: 2, Target: 75, At: at, Err: ceilometer.ErrPartial},
			}},
			{Group: "empty", Applied: true, At: at, Signals: []ceilometer.SignalState{{Metric: "cpu", Target: 60, Opinion: true}}},
		}
	}}
	require.Equal(t, []externalmetrics.Load{
		{Group: "a", Metric: "cpu", Mean: 85, Machines: 3, Target: 60, At: at, Opinion: true},
		{Group: "a", Metric: "memory", Mean: 10, Machines: 2, Target: 75, At: at},
		{Group: "empty", Metric: "cpu", Target: 60},
	}, l.Loads())
	require.Equal(t, []externalmetrics.Floor{{Group: "a", Size: 5, At: at}, {Group: "empty", Size: 0, At: at}}, l.Floors())
}

// Serving external metrics, or failing to, is nothing that the autoscaler's own work depends on.
func TestExternalMetricsDoNotDisturb(t *testing.T) {
	address := freeAddress(t)
	r := start(t, "--leader-elect=false", "--external-metrics-address="+address)
	r.eventually(t, "the stack grows", func() bool { return r.size(t) == "1" })
	require.NoError(t, r.terminate(t))

	r = start(t, "--leader-elect=false", "--external-metrics-address=10.255.255.1:1")
	select {
	case err := <-r.ended:
		require.ErrorContains(t, err, "exit status 1")
	case <-time.After(time.Minute):
		require.Fail(t, "it did not end")
	}
	require.Contains(t, r.log.String(), "--external-metrics-address=10.255.255.1:1")
}
