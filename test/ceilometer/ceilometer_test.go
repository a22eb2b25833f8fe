//go:build lab

package ceilometer_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/gnocchi"
)

var labFlag = flag.String("lab", "", "state folder of a lab that LAB_WITH=ceilometer test/lab/up has brought up")

const (
	// granularity is that of the points that are read: the finer one of test/lab/config/ceilometer/archive-policies.yaml. No polling
	// interval of the test is the same.
	granularity = time.Minute
	// window is what a load is the mean of. A poll that comes two seconds late on a busy machine makes the load of one period wrong by three
	// percent.
	window = 2 * granularity
	// tolerance is how far a load that is read may be from the real one, in percentage points.
	tolerance = 2
)

// TestCeilometer: what Ceilometer measures and Gnocchi stores is read as the load that servers have, whatever the polling interval is
// and whether it is known or not; with servers that are rebooted and deleted.
func TestCeilometer(t *testing.T) {
	require.NotEmpty(t, *labFlag, "-lab: this test needs a real Ceilometer, see test/lab/run telemetry")
	rare, often := 20*time.Second, 10*time.Second
	slow, fast := startPolling(t, *labFlag, rare), startPolling(t, *labFlag, often)
	c := open(t, *labFlag)
	groups := []*group{
		{cloud: c, name: "slow", flavor: "m1.small", agent: slow, interval: rare, load: load{CPU: 54, Memory: 40}},
		{cloud: c, name: "fast", flavor: "m1.medium", agent: fast, interval: often, load: load{CPU: 85, Memory: 65}},
		{cloud: c, name: "rebooted", flavor: "m1.small", agent: fast, interval: often, load: load{CPU: 30, Memory: 20}},
	}
	for _, g := range groups {
		g.launch(3)
	}
	for _, g := range groups {
		g.complete()
	}
	for _, g := range groups {
		for _, s := range g.servers() {
			g.recorded(s.ID)
		}
	}
	known, found := map[*group]*reader{}, map[*group]*reader{}
	for _, g := range groups {
		known[g] = &reader{group: g, source: gnocchi.New(c.session), interval: g.interval}
		found[g] = &reader{group: g, source: gnocchi.New(c.session)} // of its own: the lab has two polling intervals, a cloud has one
	}

	// Trouble: a counter begins at 0 again, and a server goes.
	rebooted := groups[2]
	known[rebooted].first()
	victim := rebooted.servers()["1"].ID
	rebooted.reboot(victim)
	gone := groups[0].servers()["1"].ID
	groups[0].shrink(2, "1")
	// Periods that begin after the next poll have the load that is set, and nothing else.
	quiet := time.Now().Add(often + 2*time.Second)
	last := quiet.Truncate(granularity).Add(3*granularity + 5*time.Second) // two whole periods, and their way through the queues
	for time.Now().Before(last) {
		known[rebooted].notAbsurd()
		c.pause(min(5*time.Second, time.Until(last)))
	}
	// Both are on their way, and on a busy machine that takes longer.
	lowest := 0.0
	c.wait(func() string { return fmt.Sprintf("a counter that was reset, or this test proves nothing: %v", lowest) }, func() bool {
		known[rebooted].notAbsurd()
		lowest = slices.Min(c.rates(victim))
		return lowest < 0
	})
	c.wait(func() string { return "Gnocchi to be told that the server is gone" }, func() bool { return c.resource(gone).EndedAt != "" })

	for i, nodes := range []int{2, 3, 3} {
		g := groups[i]
		require.Len(t, g.subject().Machines, nodes)
		known[g].right(g.interval.String())
		found[g].right(g.interval.String() + " (found)")
	}
}

// reader reads the load of a group.
type reader struct {
	group  *group
	source ceilometer.Source
	// interval is what the source is told of the polling interval, 0 for nothing.
	interval time.Duration
}

// read asks for the load of the last periods. A metric without an answer has no data.
func (r *reader) read(metric string) ceilometer.Sample {
	c, t := r.group.cloud, r.group.t
	t.Helper()
	samples, err := r.source.Read(c.ctx, ceilometer.Request{
		Metric: ceilometer.Metric{Name: metric, Source: ceilometer.SourceGnocchi}, Now: time.Now(), Window: window,
		Granularity: granularity, PollingInterval: r.interval, Groups: []ceilometer.Subject{r.group.subject()},
	})
	require.NoError(t, err)
	sample, ok := samples[r.group.name]
	require.True(t, ok, "no sample of %s in %v", r.group.name, slices.Collect(maps.Keys(samples)))
	return sample
}

// first waits for the first load of all members.
func (r *reader) first() {
	r.group.t.Helper()
	var sample ceilometer.Sample
	r.group.wait(func() string { return fmt.Sprintf("the first load of %s: %+v", r.group.name, sample) }, func() bool {
		sample = r.read("cpu")
		return sample.Err == nil && sample.Machines == 3
	})
	r.notAbsurd()
}

// notAbsurd reads the load, which has to be possible or no opinion. It need not be right yet: of a period that has two polls so far, one
// may have come late. What a reset takes from a counter is hundreds of times what a poll adds, and cannot be missed.
func (r *reader) notAbsurd() {
	r.group.t.Helper()
	if sample := r.read("cpu"); sample.Err == nil {
		assert.Greaterf(r.group.t, sample.Load, 0.0, "of %s: %+v", r.group.name, sample)
		assert.Lessf(r.group.t, sample.Load, 2*r.group.load.CPU, "of %s: %+v", r.group.name, sample)
	}
}

// right reads both loads, which have to become right and new. On an overloaded machine Ceilometer polls late, and what it measures comes late,
// and so the next periods are another try; a wrong interval is wrong by half at least, always.
func (r *reader) right(interval string) {
	g := r.group
	g.t.Helper()
	var cpu, memory ceilometer.Sample
	what := func() string {
		return fmt.Sprintf("cpu of %s, polled every %s, near %v: %+v; and memory near %v: %+v", g.name, g.interval, g.load.CPU, cpu, g.load.Memory, memory)
	}
	g.wait(what, func() bool {
		cpu, memory = r.read("cpu"), r.read("memory")
		return isRight(cpu, g.load.CPU) && isRight(memory, g.load.Memory)
	})
	fmt.Printf("telemetry %s %s cpu %.0f %.1f memory %.0f %.1f\n", interval, granularity, g.load.CPU, cpu.Load, g.load.Memory, memory.Load)
	for _, sample := range []ceilometer.Sample{cpu, memory} {
		assert.Equal(g.t, len(g.subject().Machines), sample.Machines)
		assert.Equal(g.t, granularity, sample.Granularity)
	}
}

// isRight says whether a load is what it should be, and new.
func isRight(sample ceilometer.Sample, want float64) bool {
	return sample.Err == nil && max(sample.Load-want, want-sample.Load) <= tolerance && time.Since(sample.At) <= 2*granularity
}
