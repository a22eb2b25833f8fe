package replay

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// What the autoscaler itself does has to be close to the model that forecasts are judged by: a mistake in either would part them.
func TestTheProductDoesWhatTheModelDoes(t *testing.T) {
	traces, err := ReadShipped("testdata")
	require.NoError(t, err)
	for _, i := range []int{3, 6} {
		trace := &traces[i]
		s := DefaultSetup()
		s.Boot = 10
		foreseen, err := NewForeseen(trace.Loads, s, .85)
		require.NoError(t, err)
		for mode, model := range map[string]Policy{"false": NewReactive(trace.Loads, s, s.Target), "true": foreseen} {
			product, err := NewProduct(trace, s, map[nodegroups.Key]string{
				nodegroups.KeyForecast: mode, nodegroups.KeyLoadScaleDownWindow: "9m", // the model's ten minutes, the first one counted
			})
			require.NoError(t, err)
			want, got := Simulate(trace.Loads, s, model, nil), Simulate(trace.Loads, s, product, nil)
			assert.InEpsilon(t, want.NodeHours, got.NodeHours, .01, "%s, forecast=%s", trace.Name, mode)
			assert.InEpsilon(t, want.Violation(), got.Violation(), .06, "%s, forecast=%s", trace.Name, mode)
		}
	}
}

func TestTheProductKeepsToItsAnnotations(t *testing.T) {
	trace := &Trace{Begin: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Bucket: 5, Loads: flat(288, 1.8)}
	trace.Loads[100] = 300 // which telemetry tells as five machines at 200 %
	s := Setup{Bucket: 5, Boot: 3, Target: .6, Min: 1, Max: 30, Start: 3}
	p, err := NewProduct(trace, s, map[nodegroups.Key]string{
		nodegroups.KeySchedule: "Mon 10:00-12:00 = 8", nodegroups.KeyHeadroom: "2", nodegroups.KeyLoadScaleDownWindow: "1h",
	})
	require.NoError(t, err)
	sizes := map[int]int{}
	Simulate(trace.Loads, s, p, func(minute int, _ float64, wanted, _, _ int) { sizes[minute] = wanted })
	for minute, want := range map[int]int{400: 5, 505: 5, 506: 19, 569: 19, 590: 5, 610: 10, 719: 10, 725: 5} {
		assert.Equal(t, want, sizes[minute], minute)
	}
}

func TestWhatTheProductDoesNotUnderstand(t *testing.T) {
	trace, s := &Trace{Bucket: 5, Loads: flat(9, 1)}, DefaultSetup()
	for want, annotations := range map[string]map[nodegroups.Key]string{
		"annotation sizes=3: ":        {"sizes": "3"},
		"annotation headroom=much: ":  {nodegroups.KeyHeadroom: "much"},
		"annotation load-target=50: ": {nodegroups.KeyLoadTarget: "50"},
		"contradicts load-metric":     {nodegroups.KeyLoadMetric: "memory"},
	} {
		_, err := NewProduct(trace, s, annotations)
		assert.ErrorContains(t, err, want)
	}
}
