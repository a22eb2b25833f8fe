package ceilometer_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

// failures are what may go wrong with telemetry, and how docs/reference/load.md tells of it.
var failures = []struct {
	what, said string
	set        func(r *rig, s *telemetry)
	want       error
}{
	{"it is off or can't be reached", "telemetry can't be read", failing("connection refused"), ceilometer.ErrSource},
	{"401, the credentials are refused", "telemetry can't be read", failing("401"), ceilometer.ErrSource},
	{"500 and other errors", "telemetry can't be read", failing("500"), ceilometer.ErrSource},
	{"slow, no answer in time", "telemetry can't be read", failing("context deadline exceeded"), ceilometer.ErrSource},
	{"the source panics", "telemetry can't be read", func(_ *rig, s *telemetry) { s.err = errPanic }, ceilometer.ErrSource},
	{"the answer is empty", "telemetry has no points", func(_ *rig, s *telemetry) { delete(s.samples, "workers") }, ceilometer.ErrNoData},
	{"20 minutes late", "telemetry is late", saying(func(s *ceilometer.Sample) { s.At = s.At.Add(-20 * time.Minute) }), ceilometer.ErrStale},
	{"one of five members is silent", "telemetry lacks points of some machines", wrong(ceilometer.ErrPartial), ceilometer.ErrPartial},
	{"a negative rate, after a counter was reset", "telemetry has values that cannot be", wrong(ceilometer.ErrAbsurd), ceilometer.ErrAbsurd},
	{"a negative load", "telemetry has values that cannot be", saying(func(s *ceilometer.Sample) { s.Load = -1 }), ceilometer.ErrAbsurd},
	{"not a number", "telemetry has values that cannot be", saying(func(s *ceilometer.Sample) { s.Load = math.NaN() }), ceilometer.ErrAbsurd},
	{"infinite", "telemetry has values that cannot be", saying(func(s *ceilometer.Sample) { s.Load = math.Inf(1) }), ceilometer.ErrAbsurd},
	{"more than 200 % of cpu or memory", "telemetry has values that cannot be", saying(func(s *ceilometer.Sample) { s.Load = 201 }), ceilometer.ErrAbsurd},
	{"a load of no machines", "telemetry has values that cannot be", saying(func(s *ceilometer.Sample) { s.Machines = 0 }), ceilometer.ErrAbsurd},
	{"a point of the future", "telemetry has values that cannot be", saying(func(s *ceilometer.Sample) { s.At = s.At.Add(time.Hour) }), ceilometer.ErrAbsurd},
}

func failing(text string) func(*rig, *telemetry) {
	return func(_ *rig, s *telemetry) { s.err = errors.New(text) }
}

func wrong(err error) func(*rig, *telemetry) {
	return saying(func(s *ceilometer.Sample) { s.Err = fmt.Errorf("%w: server 4711", err) })
}

// saying changes a sample that would otherwise lower the floor.
func saying(change func(*ceilometer.Sample)) func(*rig, *telemetry) {
	return func(r *rig, s *telemetry) {
		sample := ceilometer.Sample{Load: 1, Machines: 5, At: r.clock.Now(), Granularity: time.Minute}
		change(&sample)
		s.samples["workers"] = sample
	}
}

// errPanic makes the telemetry panic.
var errPanic = errors.New("panic")

// Whatever goes wrong: the last good floor is held, then the minimum is the floor, and schedules count all the time.
func TestFailures(t *testing.T) {
	for _, test := range failures {
		t.Run(test.what, func(t *testing.T) {
			r := newRig(t, 5, 2, 10, "load-metric=cpu")
			r.load(84, 5)
			require.Equal(t, 7, r.update())
			for minutes := 1; minutes <= 16; minutes++ {
				r.clock.Step(time.Minute)
				r.source.set(func(s *telemetry) { test.set(r, s) })
				floor := r.update()
				signal := r.state().Signals[0]
				assert.False(t, signal.Opinion)
				require.ErrorIs(t, signal.Err, test.want)
				assert.Contains(t, signal.Err.Error(), test.said)
				if minutes < 15 {
					assert.Equal(t, 7, floor, "held after %d minutes", minutes)
					assert.True(t, r.state().Held)
				} else {
					assert.Equal(t, 2, floor, "the minimum after %d minutes", minutes)
					assert.False(t, r.state().Held)
				}
			}
			assert.Contains(t, r.reports.Reasons(), "NoLoadSignal")
			r.source.set(func(s *telemetry) { s.err, s.samples = nil, map[string]ceilometer.Sample{} })
			r.load(84, 5)
			assert.Equal(t, 7, r.update(), "with the first good point all is well again")
		})
	}
}

// The table of the documentation is the one that is tested.
func TestFailuresAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/reference/load.md")
	require.NoError(t, err)
	var want strings.Builder
	want.WriteString("| telemetry | is | the floor |\n|---|---|---|\n")
	for _, f := range failures {
		fmt.Fprintf(&want, "| %s | %s | held for `load-hold`, then the minimum size |\n", f.what, f.said)
	}
	assert.Contains(t, string(page), want.String())
}
