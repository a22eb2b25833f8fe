package metrics_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/metrics"
)

// forgetful is a source without a history.
type forgetful struct{ err error }

func (f forgetful) Read(context.Context, ceilometer.Request) (map[string]ceilometer.Sample, error) {
	return map[string]ceilometer.Sample{"a": {Load: 85}}, f.err
}

// mindful is one with a history.
type mindful struct{ forgetful }

func (mindful) History(context.Context, ceilometer.Request) (map[string][]ceilometer.Point, error) {
	return map[string][]ceilometer.Point{"a": {{Value: 2}}}, errors.New("down")
}

func TestQuestionsToSourcesAreCounted(t *testing.T) {
	m := metrics.New(nil, nil)
	ctx := context.Background()
	cpu, memory := ceilometer.Request{Metric: ceilometer.Metric{Name: "cpu"}}, ceilometer.Request{Metric: ceilometer.Metric{Name: "memory"}}
	plain := m.Source(ceilometer.SourcePrometheus, forgetful{})
	_, remembers := plain.(ceilometer.HistorySource)
	require.False(t, remembers)
	samples, err := plain.Read(ctx, cpu)
	require.NoError(t, err)
	require.Equal(t, map[string]ceilometer.Sample{"a": {Load: 85}}, samples)
	failing := m.Source(ceilometer.SourceGnocchi, mindful{forgetful{err: errors.New("down")}})
	_, err = failing.Read(ctx, memory)
	require.EqualError(t, err, "down")
	points, err := failing.(ceilometer.HistorySource).History(ctx, memory)
	require.EqualError(t, err, "down")
	require.Len(t, points, 1)
	require.Equal(t, []string{
		"telemetry_request_duration_seconds{source=gnocchi} 2",
		"telemetry_request_duration_seconds{source=prometheus} 1",
		"telemetry_requests_total{metric=cpu,result=ok,source=prometheus} 1",
		"telemetry_requests_total{metric=memory,result=error,source=gnocchi} 2",
	}, scrape(t, m, "telemetry"))
}
