package ceilometer_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func TestLoadMovesTheFloor(t *testing.T) {
	r := newRig(t, 3, 1, 10, "load-metric=cpu", "load-target=60")
	r.load(85, 3)
	assert.Equal(t, 5, r.update(), "ceil(3 x 85 / 60), in the very first loop")
	s := r.state()
	assert.Equal(t, []int{5, 3, 1, 10}, []int{s.Floor, s.Start, s.Min, s.Max})
	assert.Contains(t, s.Reason, "cpu 85 on 3 machines, target 60, wants 5")
	assert.Equal(t, 5, r.after(10*time.Minute, 54, 5), "a load within the tolerance changes nothing")
	assert.Equal(t, 5, r.after(4*time.Minute, 20, 5), "it falls after the window only")
	assert.Equal(t, 2, r.after(2*time.Minute, 20, 5))
	assert.Equal(t, 10, r.after(30*time.Second, 100, 50), "never above the maximum")
	assert.Equal(t, 1, r.after(6*time.Minute, 0, 5), "never below the minimum")
	var seen []string
	for _, c := range r.watcher.changes {
		seen = append(seen, fmt.Sprint(c.Had, c.From, c.To))
	}
	assert.Equal(t, []string{"false 0 5", "true 5 2", "true 2 10", "true 10 1"}, seen)
	assert.Len(t, r.floors.States(), 1)
}

func TestWithoutAnnotationsThereIsNoFloor(t *testing.T) {
	r := newRig(t, 3, 1, 10)
	r.options.Defaults.Load.Metrics = []string{"cpu"}
	r.restart()
	r.load(85, 3)
	assert.Equal(t, -1, r.update())
	assert.Empty(t, r.source.requests)
	_, ok := r.floors.State("workers")
	assert.False(t, ok)
}

func TestTakenAwayAnnotationsTakeTheFloor(t *testing.T) {
	r := newRig(t, 3, 1, 10, "load-metric=cpu")
	r.load(85, 3)
	assert.Equal(t, 5, r.update())
	r.group = groupOf(t, "workers", 3, 1, 10)
	assert.Equal(t, -1, r.update())
	last := r.watcher.changes[len(r.watcher.changes)-1]
	assert.True(t, last.Had)
	assert.False(t, last.Has)
}

func TestStrategies(t *testing.T) {
	tests := map[string]struct {
		tags     []string
		load     float64
		machines int
		want     int
	}{
		"exactly the target":            {[]string{"load-metric=cpu"}, 60, 4, 4},
		"within the tolerance":          {[]string{"load-metric=cpu"}, 65.9, 4, 4},
		"just above the tolerance":      {[]string{"load-metric=cpu"}, 66.1, 4, 5},
		"memory has its own target":     {[]string{"load-metric=memory"}, 90, 4, 5},
		"no tolerance":                  {[]string{"load-metric=cpu", "load-tolerance=0"}, 61, 4, 5},
		"a metric of its own unit":      {[]string{"load-metric=network-in", "load-target=1e6"}, 1.5e6, 4, 6},
		"an expression":                 {[]string{"load-metric=gnocchi:(metric x mean)", "load-target=5"}, 10, 3, 6},
		"headroom in nodes":             {[]string{"load-metric=cpu", "headroom=2"}, 90, 4, 8},
		"headroom in percent":           {[]string{"load-metric=cpu", "headroom=20%"}, 90, 4, 8},
		"a step up":                     {[]string{"load-metric=cpu", "load-steps=70:+1;90:+3;20:-1"}, 70, 4, 5},
		"a higher step":                 {[]string{"load-metric=cpu", "load-steps=70:+1;90:+3;20:-1"}, 95, 4, 7},
		"between the steps":             {[]string{"load-metric=cpu", "load-steps=70:+1;90:+3;20:-1"}, 50, 6, 6},
		"a schedule that is on":         {[]string{"schedule=Thu 00:00-01:00=6"}, 0, 4, 6},
		"a schedule above the load":     {[]string{"load-metric=cpu", "schedule=00:00-01:00=9;00:00-02:00=2"}, 90, 4, 9},
		"a schedule below the load":     {[]string{"load-metric=cpu", "schedule=00:00-01:00=2"}, 90, 4, 6},
		"a schedule above the maximum":  {[]string{"schedule=00:00-01:00=100"}, 0, 4, 20},
		"a schedule that is off":        {[]string{"schedule=02:00-03:00=6"}, 0, 4, 2},
		"headroom over the minimum":     {[]string{"headroom=1"}, 0, 4, 3},
		"a load that is next to no end": {[]string{"load-metric=disk-read", "load-target=1e-300"}, 1e300, 4, 4},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 4, 2, 20, test.tags...)
			r.load(test.load, test.machines)
			assert.Equal(t, test.want, r.update(), r.state().Reason)
		})
	}
}

func TestStepsDown(t *testing.T) {
	r := newRig(t, 4, 1, 20, "load-metric=cpu", "load-steps=70:+1;20:-1;10:-2")
	r.load(15, 4)
	assert.Equal(t, 4, r.update())
	assert.Equal(t, 3, r.after(6*time.Minute, 15, 4))
	assert.Equal(t, 2, r.after(6*time.Minute, 5, 4))
}

func TestScaleUpWindow(t *testing.T) {
	r := newRig(t, 3, 1, 10, "load-metric=cpu", "load-scale-up-window=2m")
	r.load(60, 3)
	r.update()
	require.Equal(t, 3, r.after(6*time.Minute, 60, 3))
	assert.Equal(t, 3, r.after(90*time.Second, 100, 3))
	assert.Equal(t, 3, r.after(30*time.Second, 60, 3), "a short peak")
	assert.Equal(t, 3, r.after(2*time.Minute, 100, 3))
	assert.Equal(t, 5, r.after(30*time.Second, 100, 3))
}

func TestHeadroomAndToleranceDoNotClimb(t *testing.T) {
	r := newRig(t, 10, 1, 100, "load-metric=cpu", "headroom=10%")
	machines := 10
	for range 60 {
		r.clock.Step(30 * time.Second)
		r.load(600/float64(machines), machines)
		machines = max(r.update(), 1)
	}
	assert.Equal(t, 11, machines)
}

func TestSeveralSignals(t *testing.T) {
	r := newRig(t, 4, 1, 20, "load-metric=cpu;memory", "load-target=60;80")
	set := func(cpu, memory ceilometer.Sample) {
		r.source.set(func(s *telemetry) { s.samples["cpu/workers"], s.samples["memory/workers"] = cpu, memory })
	}
	good := func(load float64) ceilometer.Sample {
		return ceilometer.Sample{Load: load, Machines: 4, At: r.clock.Now(), Granularity: time.Minute}
	}
	loop := func(d time.Duration, cpu float64, memory func() ceilometer.Sample) (floor int) {
		for range int(d / (30 * time.Second)) {
			r.clock.Step(30 * time.Second)
			set(good(cpu), memory())
			floor = r.update()
		}
		return floor
	}
	assert.Equal(t, 8, loop(time.Minute, 120, func() ceilometer.Sample { return good(80) }), "the largest counts")
	assert.Equal(t, 6, loop(10*time.Minute, 10, func() ceilometer.Sample { return good(120) }))
	silent := func() ceilometer.Sample { return ceilometer.Sample{Err: ceilometer.ErrNoData} }
	assert.Equal(t, 6, loop(14*time.Minute, 10, silent), "the others lower nothing while one is silent")
	assert.True(t, r.state().Held)
	assert.Equal(t, 10, loop(time.Minute, 150, silent), "but they may raise")
	assert.Equal(t, 1, loop(20*time.Minute, 10, silent), "it is waited for until its hold is over")
	assert.Contains(t, r.reports.Reasons(), nodegroups.ReasonNoLoadSignal)
	assert.Len(t, r.source.requests[0].Groups, 1)
}

func TestRestart(t *testing.T) {
	r := newRig(t, 6, 1, 10, "load-metric=cpu", "headroom=1")
	r.load(10, 6)
	assert.Equal(t, 6, r.update(), "the size of the start is kept until the window has filled")
	assert.Equal(t, 6, r.after(4*time.Minute, 10, 6))
	assert.Equal(t, 2, r.after(2*time.Minute, 10, 6))

	r.source.set(func(s *telemetry) { s.err = errors.New("503") })
	r.restart()
	assert.Equal(t, 6, r.update(), "and while telemetry is off")
	for range 29 {
		r.clock.Step(30 * time.Second)
		assert.Equal(t, 6, r.update())
	}
	r.load(10, 6)
	r.clock.Step(30 * time.Second)
	assert.Equal(t, 6, r.after(4*time.Minute, 10, 6), "the window is counted from the first point, too")
	assert.Equal(t, 2, r.after(2*time.Minute, 10, 6))

	r.source.set(func(s *telemetry) { s.err = errors.New("503") })
	r.restart()
	r.update()
	for range 31 {
		r.clock.Step(30 * time.Second)
		r.update()
	}
	assert.Equal(t, 2, r.update(), "after the hold the minimum, and headroom")
}

func TestBlockedGroupsKeepTheirFloor(t *testing.T) {
	r := newRig(t, 3, 1, 10, "load-metric=cpu")
	free := r.group
	blocked := *free
	blocked.Blocked = &nodegroups.Problem{Reason: nodegroups.ReasonStackUnreadable}
	r.group = &blocked
	assert.Equal(t, -1, r.update(), "what was never known has no floor")
	r.group = free
	r.load(85, 3)
	assert.Equal(t, 5, r.update())
	r.group = &blocked
	before := len(r.source.requests)
	for range 20 {
		r.clock.Step(10 * time.Minute)
		assert.Equal(t, 5, r.update())
	}
	assert.Len(t, r.source.requests, before, "it is not asked for")
	r.group = free
	r.source.set(func(s *telemetry) { s.err = errors.New("503") })
	assert.Equal(t, 5, r.update(), "the time in which nobody asked is no silence of telemetry")
	r.load(10, 3)
	assert.Equal(t, 5, r.update(), "nor was anything wanted in it")
	assert.Equal(t, 1, r.after(6*time.Minute, 10, 3))
}

func TestEmptyGroups(t *testing.T) {
	r := newRig(t, 0, 0, 10, "load-metric=cpu", "headroom=1")
	assert.Equal(t, 1, r.update(), "an empty group has no load")
	assert.Empty(t, r.source.requests)
	assert.NotContains(t, r.reports.Reasons(), nodegroups.ReasonNoLoadSignal)
}

func TestSlowTelemetry(t *testing.T) {
	r := newRig(t, 3, 1, 10, "load-metric=cpu")
	r.options.Wait = -1
	r.restart()
	block := make(chan struct{})
	r.source.set(func(s *telemetry) { s.block = block })
	r.load(85, 3)
	for range 5 {
		assert.Equal(t, 3, r.update(), "the loop goes on")
	}
	require.Eventually(t, func() bool { r.source.mu.Lock(); defer r.source.mu.Unlock(); return len(r.source.requests) == 1 }, time.Minute, time.Millisecond)
	close(block)
	require.Eventually(t, func() bool { return r.update() == 5 }, time.Minute, time.Millisecond, "the answer counts in a later loop")
}

func TestReadingsEnd(t *testing.T) {
	r := newRig(t, 3, 1, 10, "load-metric=cpu")
	r.options.Timeout = 10 * time.Millisecond
	r.options.Clock = nil
	r.restart()
	r.source.set(func(s *telemetry) { s.block = make(chan struct{}) })
	assert.Equal(t, 3, r.update())
	assert.ErrorIs(t, r.state().Signals[0].Err, ceilometer.ErrSource)
	assert.ErrorContains(t, r.state().Signals[0].Err, "no answer within 10ms")
	assert.Error(t, r.watcher.readings[0].Err)
}

func TestOneCallForAllGroups(t *testing.T) {
	r := newRig(t, 1, 0, 10)
	var groups []*nodegroups.Group
	for i := range 50 {
		groups = append(groups, groupOf(t, fmt.Sprint("group-", i), 3, 1, 10, "load-metric=cpu"))
	}
	assert.Len(t, r.floors.Update(context.Background(), groups), 50)
	require.Len(t, r.source.requests, 1)
	assert.Len(t, r.source.requests[0].Groups, 50)
	assert.Len(t, r.source.requests[0].Groups[0].Machines, 3)
	assert.Equal(t, 50, r.watcher.readings[0].Groups)
}
