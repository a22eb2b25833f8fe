package gnocchi

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

const minute = time.Minute

// The load read back is right whatever polling interval and granularity are, with neither told.
func TestLoadIsRightForAnyPollingInterval(t *testing.T) {
	for _, one := range []struct{ polling, granularity time.Duration }{
		{5 * minute, 5 * minute}, {20 * time.Second, 5 * minute}, {minute, 5 * minute}, {10 * minute, 5 * minute},
		{minute, minute}, {30 * time.Second, minute}, {45 * time.Second, minute}, {90 * time.Second, minute}, {2 * minute, minute}, {10 * time.Second, minute},
	} {
		t.Run(fmt.Sprintf("%s in %s", one.polling, one.granularity), func(t *testing.T) {
			r := newRig(t, simulator.Ceilometer{PollingInterval: one.polling, Granularity: one.granularity, Delay: 2 * time.Second})
			busy, idle := r.group("busy", "m1.medium", 3), r.group("idle", "m1.small", 2)
			r.SetLoad("busy", 54)
			r.SetLoad(busy.Machines[0].ServerID, 84)
			step := max(one.polling, one.granularity)
			r.FastForward(25 * step)
			for range 3 { // while it learns the interval, and afterwards
				samples := r.read("cpu", one.granularity, 2*step, busy, idle)
				require.NoError(t, samples["busy"].Err)
				assert.InDelta(t, 64, samples["busy"].Load, 2)
				assert.Equal(t, 3, samples["busy"].Machines)
				assert.Equal(t, one.granularity, samples["busy"].Granularity)
				assert.False(t, samples["busy"].At.After(r.Now()))
				assert.LessOrEqual(t, r.Now().Sub(samples["busy"].At), 2*step)
				require.NoError(t, samples["idle"].Err)
				assert.InDelta(t, 0, samples["idle"].Load, .001)
				r.FastForward(one.granularity / 2)
			}
			assert.Equal(t, one.polling, r.known("cpu", 0, one.granularity), "found from the data")

			// A change is seen as soon as a whole interval shows it.
			r.SetLoad(busy.Machines[0].ServerID, 54)
			r.SetLoad("busy", 30)
			r.FastForward(4 * step)
			assert.InDelta(t, 30, r.read("cpu", one.granularity, step, busy)["busy"].Load, 2)
		})
	}
}

func TestOneCallReadsAllGroups(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: minute, Granularity: minute})
	var groups []ceilometer.Subject
	for g := range 20 {
		groups = append(groups, r.group(fmt.Sprintf("g%d", g), "m1.small", 2))
		r.SetLoad(fmt.Sprintf("g%d", g), float64(g))
	}
	r.FastForward(10 * minute)
	for range 3 {
		r.ResetCalls()
		samples := r.read("cpu", minute, 3*minute, groups...)
		assert.Equal(t, map[simulator.Call]int{{Service: simulator.Gnocchi, Method: http.MethodPost, Path: "/aggregates"}: 1}, r.Calls())
		for g := range 20 {
			assert.InDelta(t, g, samples[fmt.Sprintf("g%d", g)].Load, .01)
		}
		r.FastForward(minute)
	}
}

// Until the interval is known the growth of the cumulative mean is the load.
func TestFirstPointsAreALoadBeforeTheIntervalIsKnown(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: minute, Granularity: minute})
	g := r.group("g", "m1.small", 1)
	r.SetLoad("g", 40)
	r.FastForward(4*minute + 30*time.Second)
	sample := r.read("cpu", minute, 5*minute, g)["g"]
	require.NoError(t, sample.Err)
	assert.InDelta(t, 40, sample.Load, 2)
	assert.Zero(t, r.known("cpu", 0, minute))
}

func TestMachinesWithoutPoints(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: minute, Granularity: minute})
	g := r.group("g", "m1.small", 5)
	r.SetLoad("g", 50)
	r.FastForward(15 * minute)
	require.NoError(t, r.read("cpu", minute, 2*minute, g)["g"].Err)

	// A young one is left out.
	young := r.machine("g", "m1.small", 5)
	withYoung := g
	withYoung.Machines = append(append([]ceilometer.Machine{}, g.Machines...), young)
	r.FastForward(30 * time.Second)
	sample := r.read("cpu", minute, 2*minute, withYoung)["g"]
	require.NoError(t, sample.Err)
	assert.Equal(t, 5, sample.Machines)
	only := r.read("cpu", minute, 2*minute, ceilometer.Subject{Group: "new", Machines: []ceilometer.Machine{young}})["new"]
	require.ErrorIs(t, only.Err, ceilometer.ErrNoData)
	assert.ErrorContains(t, only.Err, "too young")

	// One falls silent: first it is late, then the sample is partial, and says who.
	mute := g.Machines[2].ServerID
	r.Silence(mute, true)
	r.FastForward(minute)
	require.NoError(t, r.read("cpu", minute, 2*minute, g)["g"].Err)
	for range 8 { // gone from what is read, too, after a while
		r.FastForward(3 * minute)
		sample = r.read("cpu", minute, 2*minute, g)["g"]
		require.ErrorIs(t, sample.Err, ceilometer.ErrPartial)
		require.ErrorContains(t, sample.Err, mute)
		assert.Equal(t, 4, sample.Machines)
	}

	// Telemetry as a whole stops: the points grow old, and then there are none.
	r.Silence("g", true)
	r.FastForward(3 * minute)
	assert.GreaterOrEqual(t, r.Now().Sub(r.read("cpu", minute, 2*minute, g)["g"].At), 2*minute)
	r.FastForward(30 * minute)
	sample = r.read("cpu", minute, 2*minute, g)["g"]
	require.ErrorIs(t, sample.Err, ceilometer.ErrNoData)
	assert.ErrorContains(t, sample.Err, "and 4 more")

	// Gnocchi knows none, and there is nothing to ask.
	stranger := ceilometer.Subject{Group: "s", Machines: []ceilometer.Machine{{ServerID: "0f0f0f0f-0000-4000-8000-000000000000", VCPUs: 1}}}
	require.ErrorIs(t, r.read("cpu", minute, 2*minute, stranger)["s"].Err, ceilometer.ErrNoData)
	r.ResetCalls()
	require.ErrorIs(t, r.read("cpu", minute, 2*minute, ceilometer.Subject{Group: "empty"})["empty"].Err, ceilometer.ErrNoData)
	assert.Empty(t, r.Calls())
}

func TestCounterReset(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: minute, Granularity: minute})
	g := r.group("g", "m1.small", 2)
	r.SetLoad("g", 70)
	r.FastForward(15 * minute)
	require.NoError(t, r.read("cpu", minute, 2*minute, g)["g"].Err)
	r.ResetCounter(g.Machines[0].ServerID)
	for range 6 {
		r.FastForward(20 * time.Second)
		sample := r.read("cpu", minute, 3*minute, g)["g"]
		require.NoError(t, sample.Err)
		assert.InDelta(t, 70, sample.Load, 2, "the period of the reset is left out")
	}
	// While the interval is unknown it is told from the rate beside the mean.
	r.Source = New(r.clients)
	sample := r.read("cpu", minute, 3*minute, g)["g"]
	require.NoError(t, sample.Err)
	assert.InDelta(t, 70, sample.Load, 2)
}

func TestMemory(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: minute, Granularity: minute})
	small, large := r.group("small", "m1.small", 2), r.group("large", "m1.large", 2)
	r.SetMemory("small", 80)
	r.SetMemory(large.Machines[0].ServerID, 50)
	r.FastForward(10 * minute)
	samples := r.read("memory", minute, 2*minute, small, large)
	assert.InDelta(t, 80, samples["small"].Load, .1)
	assert.InDelta(t, 37.5, samples["large"].Load, .1)

	unknown := small
	unknown.Machines = []ceilometer.Machine{small.Machines[0], {ServerID: small.Machines[1].ServerID}}
	sample := r.read("memory", minute, 2*minute, unknown)["small"]
	require.ErrorIs(t, sample.Err, ceilometer.ErrPartial)
	assert.ErrorContains(t, sample.Err, "RAM")

	r.SetMemory("small", 150)
	r.FastForward(2 * minute)
	sample = r.read("memory", minute, minute, small)["small"]
	require.ErrorIs(t, sample.Err, ceilometer.ErrAbsurd)
	assert.ErrorContains(t, sample.Err, "150 %")
	r.SetMemory("small", -5)
	r.FastForward(2 * minute)
	assert.ErrorIs(t, r.read("memory", minute, minute, small)["small"].Err, ceilometer.ErrAbsurd)
}

func TestImpossibleCPU(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: minute, Granularity: minute})
	g := r.group("g", "m1.small", 2)
	r.SetLoad("g", 90)
	r.FastForward(15 * minute)
	request := r.request("cpu", minute, 2*minute, g)
	request.PollingInterval = 30 * time.Second // a lie
	samples, err := r.Read(t.Context(), request)
	require.NoError(t, err)
	require.ErrorIs(t, samples["g"].Err, ceilometer.ErrAbsurd)
	assert.ErrorContains(t, samples["g"].Err, "180 %")
	assert.ErrorContains(t, samples["g"].Err, "polling interval of 30s")

	r.SetLoad("g", -20)
	r.FastForward(15 * minute)
	sample := r.read("cpu", minute, 2*minute, g)["g"]
	require.ErrorIs(t, sample.Err, ceilometer.ErrAbsurd)
	assert.ErrorContains(t, sample.Err, "counter was reset")
}

// Of many machines the interval is found from some.
func TestManyMachines(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: 30 * time.Second, Granularity: minute})
	g := r.group("g", "m1.small", many+10)
	r.FastForward(20 * minute)
	r.ResetCalls()
	sample := r.read("cpu", minute, 2*minute, g)["g"]
	require.NoError(t, sample.Err, "an idle cloud tells no interval, and all means are read")
	assert.Equal(t, many+10, sample.Machines)
	assert.Equal(t, 2, r.CountCalls(simulator.Gnocchi, ""))
	r.SetLoad("g", 37)
	r.FastForward(20 * minute)
	for _, calls := range []int{2, 1, 1} {
		r.ResetCalls()
		sample = r.read("cpu", minute, 2*minute, g)["g"]
		require.NoError(t, sample.Err)
		assert.InDelta(t, 37, sample.Load, 1)
		assert.Equal(t, many+10, sample.Machines)
		assert.Equal(t, calls, r.CountCalls(simulator.Gnocchi, ""))
	}
	defer r.Inject(simulator.Fault{Service: simulator.Gnocchi, Status: 500})()
	r.Source = New(r.clients)
	_, err := r.Read(t.Context(), r.request("cpu", minute, 2*minute, g))
	require.Error(t, err)
}

// A rate needs two polls: with rare polls a machine is young for long. And what comes after a pause is over more than one interval.
func TestYouthAndPausesOfRareAndFrequentPolls(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: 5 * minute, Granularity: minute})
	old := r.group("g", "m1.small", 2)
	r.SetLoad("g", 40)
	r.FastForward(61 * minute)
	require.NoError(t, r.read("cpu", minute, 5*minute, old)["g"].Err)
	fresh := ceilometer.Subject{Group: "g", Machines: append(append([]ceilometer.Machine{}, old.Machines...), r.machine("g", "m1.small", 2))}
	for range 12 {
		sample := r.read("cpu", minute, 5*minute, fresh)["g"]
		require.NoError(t, sample.Err)
		assert.InDelta(t, 40, sample.Load, 1)
		r.FastForward(minute)
	}
	assert.Equal(t, 3, r.read("cpu", minute, 5*minute, fresh)["g"].Machines)

	r = newRig(t, simulator.Ceilometer{PollingInterval: 10 * time.Second, Granularity: minute})
	g := r.group("g", "m1.small", 1)
	r.SetLoad("g", 1) // so that sixty times of it is nothing absurd
	r.FastForward(20 * minute)
	request := func() ceilometer.Request {
		q := r.request("cpu", minute, 2*minute, g)
		q.PollingInterval = 10 * time.Second
		return q
	}
	for _, pause := range []time.Duration{10 * minute, 3 * minute} { // nothing before it is read; and something
		r.Silence("g", true)
		r.FastForward(pause)
		r.Silence("g", false)
		for range 12 {
			r.FastForward(20 * time.Second)
			samples, err := r.Read(t.Context(), request())
			require.NoError(t, err)
			if samples["g"].Err == nil {
				assert.InDelta(t, 1, samples["g"].Load, 1)
			}
		}
	}
	samples, err := r.Read(t.Context(), request())
	require.NoError(t, err)
	require.NoError(t, samples["g"].Err)
}
