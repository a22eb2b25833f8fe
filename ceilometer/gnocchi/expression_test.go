package gnocchi

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// custom reads an expression.
func (r *rig) custom(expression string, interval time.Duration, groups ...ceilometer.Subject) (map[string]ceilometer.Sample, error) {
	request := r.request("own", minute, 3*minute, groups...)
	request.Metric.Expression, request.PollingInterval = expression, interval
	return r.Read(r.t.Context(), request)
}

func TestExpressions(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: minute, Granularity: minute})
	one, two := r.group("one", "m1.medium", 3), r.group("two", "m1.medium", 2)
	r.SetLoad("one", 80)
	r.SetLoad("two", 20)
	r.FastForward(10 * minute)

	samples, err := r.custom("(* 2 (metric memory.usage mean))", 0, one, two)
	require.NoError(t, err)
	require.NoError(t, samples["one"].Err)
	assert.InDelta(t, 2048, samples["one"].Load, 1)
	assert.Equal(t, 3, samples["one"].Machines)

	const cpu = "(* 100 (/ (aggregate mean (metric cpu rate:mean)) (* 2e9 {polling-interval})))"
	r.ResetCalls()
	samples, err = r.custom(cpu, minute, one, two)
	require.NoError(t, err)
	assert.Equal(t, 1, r.CountCalls(simulator.Gnocchi, ""))
	assert.InDelta(t, 80, samples["one"].Load, 1)
	assert.InDelta(t, 20, samples["two"].Load, 1)
	assert.Equal(t, 3, samples["one"].Machines)

	_, err = r.custom(cpu, 0, one)
	require.ErrorContains(t, err, "polling interval is not known")
	_, err = r.custom("(* {granularity} (foo))", 0, one)
	require.ErrorContains(t, err, "no operation of Gnocchi's dynamic aggregates")
	_, err = r.custom("(/ (metric cpu rate:mean) (metric memory.usage mean))", 0, one, two)
	require.ErrorContains(t, err, "aggregate mean")
	_, err = r.custom("(metric (cpu mean) (memory.usage mean))", 0, one)
	require.ErrorContains(t, err, "several series")

	nameless := one
	nameless.ServerGroup = ""
	stranger := ceilometer.Subject{Group: "s", ServerGroup: "s", Machines: []ceilometer.Machine{{ServerID: "0f0f0f0f-0000-4000-8000-000000000000"}}}
	samples, err = r.custom(cpu, minute, nameless, two, stranger)
	require.NoError(t, err)
	require.ErrorIs(t, samples["one"].Err, ceilometer.ErrNoData)
	require.ErrorContains(t, samples["one"].Err, "metering.server_group")
	require.ErrorIs(t, samples["s"].Err, ceilometer.ErrNoData)
	require.NoError(t, samples["two"].Err)

	bad := r.Inject(simulator.Fault{Service: simulator.Gnocchi, Status: 200, Body: fmt.Sprintf(
		`[{"group":{"server_group":"one"},"measures":{"measures":{"aggregated":[[%q,60.0,null]]}}},{"group":{"server_group":"x"}}]`, r.Now().Format(time.RFC3339))})
	samples, err = r.custom(cpu, minute, one)
	bad()
	require.NoError(t, err)
	require.ErrorIs(t, samples["one"].Err, ceilometer.ErrAbsurd)
	_, err = r.custom("(metric (aggregates mean) (cpu mean))", 0, one)
	require.Error(t, err)
}

// Disks and ports are resources of their own. What is gone is left out, and the rest adds up.
func TestDisksAddUp(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: minute, Granularity: minute})
	g := r.group("g", "m1.small", 2)
	r.FastForward(20 * minute)
	var counter []float64
	for i := range 16 {
		counter = append(counter, float64(i)*6000) // 200 B/s, one poll in 30 s
	}
	for _, m := range g.Machines {
		for _, disk := range []string{"vda", "vdb"} {
			r.metricResource("instance_disk", m.ServerID+"-"+disk, map[string]any{"name": disk, "instance_id": m.ServerID})
			r.push(m.ServerID+"-"+disk, "disk.device.read.bytes", "ceilometer-low-rate", 30*time.Second, counter...)
		}
	}
	sample := r.read("disk-read", minute, 3*minute, g)["g"]
	require.NoError(t, sample.Err)
	assert.InDelta(t, 400, sample.Load, 4)
	assert.Equal(t, 2, sample.Machines)
	assert.Equal(t, 30*time.Second, r.known("disk-read", 0, minute))
	require.ErrorIs(t, r.read("network-in", minute, 3*minute, g)["g"].Err, ceilometer.ErrNoData)

	// One disk is detached: the others go on.
	r.FastForward(3 * minute)
	for _, m := range g.Machines {
		r.push(m.ServerID+"-vda", "disk.device.read.bytes", "ceilometer-low-rate", 30*time.Second, 96000, 102000, 108000, 114000, 120000, 126000)
	}
	sample = r.read("disk-read", minute, 2*minute, g)["g"]
	require.NoError(t, sample.Err)
	assert.InDelta(t, 200, sample.Load, 4)
}
