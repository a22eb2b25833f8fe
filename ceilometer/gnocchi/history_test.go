package gnocchi

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

func TestHistory(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: minute, Granularity: minute})
	g := r.group("g", "m1.medium", 3)
	other := r.group("other", "m1.small", 1)
	magnum := other
	magnum.Group, magnum.ServerGroup = "magnum", ""
	r.SetLoad("g", 50)
	r.FastForward(30 * minute)
	r.DeleteServer(g.Machines[0].ServerID)
	r.FastForward(30 * minute)
	now := g
	now.Machines = g.Machines[1:]
	request := r.request("cpu", minute, time.Hour, now, other, magnum)
	r.ResetCalls()
	history, err := r.History(t.Context(), request)
	require.NoError(t, err)
	assert.Equal(t, 2, r.CountCalls(simulator.Gnocchi, ""), "one to find the polling interval")
	require.NotEmpty(t, history["g"])
	assert.NotContains(t, history, "magnum")
	assert.InDelta(t, 1.5, history["g"][15].Value, .02, "the machine that is gone counts")
	last := history["g"][len(history["g"])-1]
	assert.InDelta(t, 1, last.Value, .02)
	assert.False(t, last.At.After(r.Now()))
	assert.InDelta(t, 0, history["other"][15].Value, .01)
	for i := 1; i < len(history["g"]); i++ {
		assert.True(t, history["g"][i].At.After(history["g"][i-1].At))
	}
	r.ResetCalls()
	_, err = r.History(t.Context(), request)
	require.NoError(t, err)
	assert.Equal(t, 1, r.CountCalls(simulator.Gnocchi, ""))

	memory, err := r.History(t.Context(), r.request("memory", minute, time.Hour, now))
	require.NoError(t, err)
	assert.InDelta(t, .75, memory["g"][15].Value, .01)

	_, err = r.History(t.Context(), r.request("disk-read", minute, time.Hour, now))
	require.ErrorContains(t, err, "no history")
	_, err = r.History(t.Context(), r.request("nosuch", minute, time.Hour, now))
	require.Error(t, err)
	empty, err := r.History(t.Context(), r.request("cpu", minute, time.Hour, magnum))
	require.NoError(t, err)
	assert.Empty(t, empty)
	_, err = New(r.clients).History(t.Context(), r.request("cpu", minute, time.Hour, other))
	require.ErrorIs(t, err, ceilometer.ErrNoData, "an idle machine does not tell the interval")
}
