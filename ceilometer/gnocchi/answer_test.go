package gnocchi

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

func TestAnswer(t *testing.T) {
	var a answer
	require.NoError(t, json.Unmarshal([]byte(`{"measures":{
		"disk":{"disk.device.read.bytes":{"mean":[["2026-11-23T12:00:00+00:00",60.0,5]],"rate:mean":[["2026-11-23T12:00:00+00:00",60.0,null]]}}},
		"references":[{"id":"disk","instance_id":"server"},{"id":"other","instance_id":"x"}]}`), &a))
	one := a.series["disk"]
	require.NotNil(t, one)
	assert.Equal(t, "server", one.machine)
	assert.True(t, math.IsNaN(one.values[0].value))
	assert.InDelta(t, 5, one.means[0].value, 0)
	assert.Equal(t, time.Date(2026, 11, 23, 12, 1, 0, 0, time.UTC), one.means[0].end())
	for _, bad := range []string{`[]`, `{"measures":{"x":[]}}`, `{"measures":{"aggregated":{}}}`, `{"measures":{"x":{"m":{"a":[[1,2]]}}}}`,
		`{"measures":{"x":{"m":{"a":[["2026-11-23T12:00:00Z",0,2]]}}}}`, `{"measures":{"x":{"m":{"a":["p"]}}}}`} {
		assert.Error(t, json.Unmarshal([]byte(bad), &a), bad)
	}
}

// FuzzAnswer: whatever Gnocchi says, a load that is told without an error is a number, not negative, not absurd and not from the future.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"measures":{"m":{"cpu":{"rate:mean":[["2026-11-23T12:00:00+00:00",60.0,1e10],["2026-11-23T12:01:00+00:00",60.0,-1e10]]}}}}`), true)
	f.Add([]byte(`{"measures":{"m":{"cpu":{"mean":[["2026-11-23T12:00:00+00:00",60.0,1],["2026-11-23T12:01:00+00:00",60.0,6e9]],"rate:mean":[["2026-11-23T12:01:00+00:00",60.0,6e9]]}}}}`), false)
	f.Add([]byte(`{"measures":{"m":{"cpu":{"mean":[["2026-11-23T12:01:00+00:00",60.0,1],["2026-11-23T12:00:00+00:00",60.0,null]],"rate:mean":[]}}}}`), false)
	f.Fuzz(func(t *testing.T, text []byte, known bool) {
		var a answer
		if json.Unmarshal(text, &a) != nil {
			return
		}
		s := New(nil)
		what, err := meterOf(ceilometer.Metric{Name: "cpu"})
		require.NoError(t, err)
		now := time.Date(2026, 11, 23, 12, 3, 0, 0, time.UTC)
		request := ceilometer.Request{Now: now, Window: 2 * time.Minute, Granularity: time.Minute, Groups: []ceilometer.Subject{
			{Group: "g", Machines: []ceilometer.Machine{{ServerID: "m", VCPUs: 1}}}}}
		if known {
			request.PollingInterval = time.Minute
		}
		r := s.newReading(request, what)
		s.findInterval(r, &a)
		sample := r.samples(&a)["g"]
		if sample.Err != nil {
			return
		}
		if !(sample.Load >= 0 && sample.Load <= absurd) || sample.Machines != 1 || sample.At.After(now) {
			t.Errorf("%s: %+v", text, sample)
		}
	})
}
