package ceilometer_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const goodFile = `
defaults:
  load-metric: [cpu, queue-length]
  load-target: [70, 20]
  load-hold: 30m
  forecast: shadow
metrics:
  queue-length:
    source: prometheus
    expression: sum by (node_group) (queue_length)
    target: 20
`

func TestTheFileOfDefaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "load.yaml")
	require.NoError(t, os.WriteFile(path, []byte(goodFile), 0o600))
	d, err := ceilometer.LoadFile(path)
	require.NoError(t, err)
	assert.Equal(t, []string{"cpu", "queue-length"}, d.Load.Metrics)
	assert.Equal(t, []float64{70, 20}, d.Load.Targets)
	assert.Equal(t, 30*time.Minute, *d.Load.Hold)
	assert.Equal(t, nodegroups.ForecastShadow, d.Load.Forecast)

	group := groupOf(t, "workers", 1, 0, 5, "load-scale-down-window=1m")
	p, problems, ok := ceilometer.PolicyOf(group, &d)
	require.True(t, ok)
	require.Empty(t, problems)
	require.Len(t, p.Signals, 2)
	assert.Equal(t, ceilometer.Metric{Name: "cpu", Source: ceilometer.SourceGnocchi}, p.Signals[0].Metric)
	assert.Equal(t, ceilometer.Metric{
		Name: "queue-length", Source: ceilometer.SourcePrometheus, Expression: "sum by (node_group) (queue_length)",
	}, p.Signals[1].Metric)
	assert.InDelta(t, 20, p.Signals[1].Target, 0)
	assert.Equal(t, time.Minute, p.ScaleDownWindow, "the group's own annotation goes before the file")
	_, _, ok = ceilometer.PolicyOf(groupOf(t, "plain", 1, 0, 5), &d)
	assert.False(t, ok, "defaults alone give no group a floor")

	_, err = ceilometer.LoadFile(path + "x")
	require.ErrorContains(t, err, path+"x")
}

func TestBadFilesNameKeyValueAndRemedy(t *testing.T) {
	metric := func(text string) string { return "metrics: {queue: {" + text + "}}" }
	for text, want := range map[string][]string{
		"default: {}":                                        {"default"},
		"defaults: {load-taget: 60}":                         {"load-taget"},
		"defaults: {load-target: -1}":                        {"load-target", "-1"},
		"defaults: {load-target: {a: 1}}":                    {"load-target", "must be a text"},
		"defaults: {load-target: }":                          {"load-target"},
		"defaults: {load-metric: ''}":                        {"load-metric", "has no value"},
		"defaults: {load-server-group: x}":                   {"load-server-group", "annotation"},
		"defaults: {schedule: 'Mon 08:00=3'}":                {"schedule"},
		metric("source: influx, expression: x"):              {"queue", "influx", "gnocchi or prometheus"},
		metric("source: gnocchi"):                            {"queue", "expression"},
		metric("source: gnocchi, expression: x, a: b"):       {"a"},
		metric("source: gnocchi, expression: x, target: -2"): {"queue", "-2"},
		"metrics: {cpu: {source: gnocchi, expression: x}}":   {"cpu", "already"},
		"metrics: {Queue: {source: gnocchi, expression: x}}": {"Queue", "lower-case"},
	} {
		_, err := ceilometer.ParseFile([]byte(text))
		if !assert.Error(t, err, text) {
			continue
		}
		for _, part := range want {
			assert.ErrorContains(t, err, part, text)
		}
	}
}

func TestPoliciesThatCanNotBeUsedAreExplainedAndTheRestHolds(t *testing.T) {
	for name, tt := range map[string]struct {
		tags    []string
		signals int
		says    string
	}{
		"an unknown metric":        {[]string{"load-metric=cpu;queue"}, 1, `"queue"`},
		"no target":                {[]string{"load-metric=disk-read"}, 0, "has no target"},
		"targets without a metric": {[]string{"load-target=60"}, 0, "no metric"},
		"too many targets":         {[]string{"load-metric=cpu", "load-target=60;70"}, 0, "2 targets for 1 metrics"},
		"an expression":            {[]string{"load-metric=gnocchi:(metric cpu mean)", "load-target=5"}, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, problems, ok := ceilometer.PolicyOf(groupOf(t, "workers", 1, 0, 5, tt.tags...), &ceilometer.Defaults{})
			require.True(t, ok)
			assert.Len(t, p.Signals, tt.signals)
			if tt.says == "" {
				assert.Empty(t, problems)
				return
			}
			require.Len(t, problems, 1)
			assert.Equal(t, nodegroups.ReasonBadLoadPolicy, problems[0].Reason)
			assert.Equal(t, "workers", problems[0].Group)
			assert.Contains(t, problems[0].Error(), tt.says)
			assert.NotEmpty(t, problems[0].Remedy)
		})
	}
}

func TestASourceThatIsMissingIsAProblemOfItsGroups(t *testing.T) {
	r := newRig(t, 3, 1, 9, "load-metric=prometheus:up;cpu", "load-target=1;50")
	r.load(100, 3)
	assert.Equal(t, 6, r.update(), "the other signal counts")
	require.Contains(t, r.reports.Reasons(), nodegroups.ReasonBadLoadPolicy)
	assert.Contains(t, r.reports.All()[0].Message, "prometheus")
}

// Steps count from the size that is there: with headroom on top they would climb to the maximum.
func TestStepsGoWithoutHeadroom(t *testing.T) {
	r := newRig(t, 3, 1, 9, "load-metric=cpu", "load-steps=70:+1", "headroom=1")
	r.load(50, 3)
	assert.Equal(t, 3, r.update())
	require.Contains(t, r.reports.Reasons(), nodegroups.ReasonBadLoadPolicy)
	assert.Equal(t, string(nodegroups.KeyHeadroom), r.reports.All()[0].Key)
	assert.Contains(t, r.reports.All()[0].Message, "does not go with steps")
}
