package ceilometer_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// histories sets how many random histories the next check tries.
func histories(t *testing.T, n int) {
	t.Helper()
	before := flag.Lookup("rapid.checks").Value.String()
	require.NoError(t, flag.Set("rapid.checks", fmt.Sprint(n)))
	t.Cleanup(func() { _ = flag.Set("rapid.checks", before) })
}

// oracle knows what the load really was, and judges floors without knowing how they are made.
type oracle struct {
	minSize, maxSize, headroom int
	window, hold               time.Duration
	// loops are what was known in each one that was evaluated.
	loops []loop
	// silent is for how long nothing has been known, without the time in which nobody asked.
	silent time.Duration
	// most is the most that was ever wanted; started the size at the last start.
	most, started int
	floor         int
	falls, holds  int
}

type loop struct {
	at   time.Time
	good bool
	// exact is the size at which the load is the target, not rounded.
	exact float64
}

const tolerance = .1

func (o *oracle) least(exact float64) int { return int(math.Ceil(exact/(1+tolerance) - 1e-6)) }

// judge returns what is wrong with a floor, "" if it is right.
func (o *oracle) judge(now loop, floor int) string {
	if n := len(o.loops); n > 0 {
		o.silent += min(now.at.Sub(o.loops[n-1].at), 2*time.Minute)
	}
	if now.good {
		o.silent = 0
		o.most = max(o.most, int(math.Ceil(now.exact-1e-9)))
	}
	o.loops = append(o.loops, now)
	before := o.floor
	o.floor = floor
	switch {
	case floor < o.minSize || floor > o.maxSize:
		return "out of its limits"
	case floor > max(o.minSize+o.headroom, o.most+o.headroom, o.started):
		return "greater than anything ever wanted"
	case now.good && floor < min(o.maxSize, o.least(now.exact)+o.headroom):
		return "less than what the load wants now"
	case floor >= before:
		return ""
	case !now.good:
		o.holds++
		if o.silent < o.hold {
			return fmt.Sprintf("fell after %s without data", o.silent)
		}
		if floor != min(o.maxSize, o.minSize+o.headroom) {
			return "the hold is over, and it is not the minimum"
		}
		return ""
	}
	o.falls++
	for i := len(o.loops) - 1; i >= 0; i-- {
		l := o.loops[i]
		if !l.at.After(now.at.Add(-o.window)) {
			break
		}
		if !l.good {
			return fmt.Sprintf("fell although the load was not known %s ago", now.at.Sub(l.at))
		}
		if floor < min(o.maxSize, o.least(l.exact)+o.headroom) {
			return fmt.Sprintf("fell below what the load of %s ago wants", now.at.Sub(l.at))
		}
	}
	return ""
}

// last returns the event, and lets an outage last for some loops.
func last(event string, outage *int) string {
	switch {
	case *outage > 0:
		*outage--
		return "outage"
	case event == "outage":
		*outage = 6
	}
	return event
}

// A node group lives through loads, gaps, errors, restarts and pauses, and its floor never falls without a reason.
func TestNeverAWrongScaleDown(t *testing.T) {
	histories(t, 2500)
	falls, holds, total := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		o := &oracle{
			minSize: rapid.IntRange(0, 3).Draw(rt, "min"), maxSize: rapid.IntRange(4, 40).Draw(rt, "max"),
			headroom: rapid.SampledFrom([]int{0, 0, 2}).Draw(rt, "headroom"),
			window:   time.Duration(rapid.SampledFrom([]int{0, 2, 5}).Draw(rt, "window")) * time.Minute,
			hold:     time.Duration(rapid.SampledFrom([]int{4, 15}).Draw(rt, "hold")) * time.Minute,
		}
		tags := []string{
			"load-metric=cpu", "load-target=50", "headroom=" + fmt.Sprint(o.headroom),
			"load-scale-down-window=" + o.window.String(), "load-hold=" + o.hold.String(),
		}
		size := rapid.IntRange(max(1, o.minSize), o.maxSize).Draw(rt, "size")
		r := newRig(t, size, o.minSize, o.maxSize, tags...)
		load, outage := 50., 0
		for range rapid.IntRange(10, 60).Draw(rt, "loops") {
			r.clock.Step(time.Duration(rapid.SampledFrom([]int{10, 30, 60}).Draw(rt, "seconds")) * time.Second)
			if rapid.IntRange(0, 4).Draw(rt, "moves") == 0 {
				load = rapid.Float64Range(0, 100).Draw(rt, "load")
			}
			// Pods move the size, too, but never below the floor.
			if next := rapid.IntRange(max(1, o.floor), o.maxSize).Draw(rt, "grown"); next != size && rapid.IntRange(0, 9).Draw(rt, "pods") == 0 || size < o.floor {
				size = max(next, o.floor)
				r.group = groupOf(t, "workers", size, o.minSize, o.maxSize, tags...)
			}
			if len(o.loops) == 0 {
				o.started = size
			}
			// Some that run may be too young to be measured.
			measured := max(1, size-rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(rt, "young"))
			now := loop{at: r.clock.Now(), exact: load * float64(measured) / 50}
			if measured < size {
				o.most = max(o.most, size) // they are no reason to shrink
			}
			sample := ceilometer.Sample{Load: load, Machines: measured, At: now.at, Granularity: time.Minute}
			var err error
			// What goes wrong always comes with a load that would lower the floor.
			switch event := rapid.SampledFrom([]string{
				"good", "good", "good", "good", "good", "good", "good", "good", "late", "nan", "negative", "partial", "error", "empty",
				"outage", "restart", "pause", "blocked",
			}).Draw(rt, "event"); last(event, &outage) {
			case "good":
				now.good = true
			case "late":
				sample.At, sample.Load = now.at.Add(-20*time.Minute), 0
			case "nan":
				sample.Load = math.NaN()
			case "negative":
				sample.Load = -load - 1
			case "partial":
				sample.Load, sample.Err = 0, ceilometer.ErrPartial
			case "error":
				err = errors.New("503")
			case "empty":
				sample.Err = ceilometer.ErrNoData
			case "outage": // goes on for some loops
				r.clock.Step(2 * time.Minute)
				now.at, err = r.clock.Now(), errors.New("503")
			case "restart":
				r.restart()
				// The new process knows nothing of before, and counts its time from its first loop.
				o.loops, o.silent, o.most, o.started, err = nil, 0, 0, size, errors.New("starting")
			case "pause":
				r.clock.Step(time.Duration(rapid.IntRange(3, 40).Draw(rt, "minutes")) * time.Minute)
				now.at, now.good, sample.At = r.clock.Now(), true, r.clock.Now()
			case "blocked":
				free, blocked := r.group, *r.group
				blocked.Blocked = &nodegroups.Problem{Reason: nodegroups.ReasonStackFailed}
				r.group = &blocked
				if floor := r.update(); floor != o.floor && len(o.loops) > 0 {
					rt.Fatalf("floor %d of a blocked group became %d", o.floor, floor)
				}
				r.group = free
				continue
			}
			r.sample(sample)
			r.source.set(func(s *telemetry) { s.err = err })
			before := o.floor
			floor := r.update()
			if problem := o.judge(now, floor); problem != "" {
				rt.Fatalf("floor %d, before %d, load %v on %d: %s: %s", floor, before, load, size, problem, r.state().Reason)
			}
		}
		falls, holds, total = falls+o.falls, holds+o.holds, total+1
	})
	assert.GreaterOrEqual(t, total, 2000)
	assert.Greater(t, falls, 1000, "the histories must have something to judge")
	assert.Greater(t, holds, 50)
}

func TestMoreLoadWantsMore(t *testing.T) {
	histories(t, 300)
	rapid.Check(t, func(rt *rapid.T) {
		tags := rapid.SampledFrom([][]string{
			{"load-metric=cpu"}, {"load-metric=cpu", "headroom=15%"}, {"load-metric=cpu", "load-steps=20:-2;40:-1;60:+1;90:+4"},
		}).Draw(rt, "tags")
		machines, last := rapid.IntRange(1, 30).Draw(rt, "machines"), rapid.Float64Range(0, 100).Draw(rt, "last")
		less, more := rapid.Float64Range(0, 100).Draw(rt, "less"), rapid.Float64Range(0, 100).Draw(rt, "more")
		if less > more {
			less, more = more, less
		}
		floor := func(load float64) int {
			r := newRig(t, 1, 0, 1000, append([]string{"load-scale-down-window=0s"}, tags...)...)
			r.load(last, machines)
			r.update()
			r.clock.Step(time.Minute)
			r.load(load, machines)
			return r.update()
		}
		if a, b := floor(less), floor(more); a > b {
			rt.Fatalf("a load of %v wants %d, one of %v only %d", less, a, more, b)
		}
	})
}

func BenchmarkUpdate50Groups(b *testing.B) {
	r := newRig(b, 1, 0, 10)
	var groups []*nodegroups.Group
	for i := range 50 {
		name := fmt.Sprint("group-", i)
		groups = append(groups, groupOf(b, name, 100, 1, 200, "load-metric=cpu", "schedule=0 8 * * 1-5/10h@Europe/Berlin=5"))
		r.source.samples[name] = ceilometer.Sample{Load: 70, Machines: 100, At: midnight, Granularity: time.Minute}
	}
	b.ReportAllocs()
	for b.Loop() {
		r.floors.Update(b.Context(), groups)
	}
}
