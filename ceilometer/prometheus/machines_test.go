package prometheus_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/prometheus"
)

// machine is what Prometheus says of a server: its value, and when that was scraped.
func machine(id, value, timestamp string) []string {
	labels := `"server_group":"stack-1","resource":"` + id + `"`
	return []string{element(labels, value), element(labels+`,"part":"timestamp"`, timestamp)}
}

func TestMachines(t *testing.T) {
	const fresh = "1699999995" // 10 s before it was asked
	join := func(parts ...[]string) (all []string) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for name, test := range map[string]struct {
		metric   string
		elements []string
		change   func(r *ceilometer.Request)
		want     ceilometer.Sample
		kind     error
		says     []string
	}{
		"cpu": {
			metric:   "cpu", // of 2 processors: 50, 100 and 25 %
			elements: join(machine("server-0", "1e9", fresh), machine("server-1", "2e9", "1699999945"), machine("server-2", "5e8", fresh), machine("gone", "2e9", fresh)),
			want:     ceilometer.Sample{Load: 175.0 / 3, Machines: 3, At: now.Add(-time.Minute)},
		},
		"memory": {
			metric:   "memory",
			elements: join(machine("server-0", "1024", fresh), machine("server-1", "1024", fresh), machine("server-2", "1024", fresh), machine("young", "1024", fresh)),
			want:     ceilometer.Sample{Load: 25, Machines: 4, At: now.Add(-10 * time.Second)},
		},
		"silent":       {metric: "cpu", elements: join(machine("server-0", "1e9", fresh), machine("server-1", "1e9", fresh)), kind: ceilometer.ErrPartial, says: []string{"server-2"}},
		"repeated":     {metric: "cpu", elements: join(machine("server-0", "0", fresh), machine("server-1", "0", fresh)), kind: ceilometer.ErrNoData, says: []string{"workers"}},
		"gone series":  {metric: "cpu", elements: join(machine("server-0", "1e9", fresh)[:1]), kind: ceilometer.ErrNoData},
		"negative":     {metric: "memory", elements: join(machine("server-0", "-1", fresh)), kind: ceilometer.ErrAbsurd, says: []string{"server-0", "-1"}},
		"not a number": {metric: "cpu", elements: join(machine("server-0", "NaN", fresh)), kind: ceilometer.ErrAbsurd},
		"too much":     {metric: "cpu", elements: join(machine("server-0", "9e9", fresh)), kind: ceilometer.ErrAbsurd, says: []string{"450 %"}},
		"one of two":   {metric: "cpu", elements: join(machine("server-0", "1e9", fresh), machine("server-1", "NaN", fresh)), kind: ceilometer.ErrAbsurd, says: []string{"server-1"}},
		"from the future": {
			metric: "cpu", elements: join(machine("server-0", "1e9", "1700009999")), kind: ceilometer.ErrAbsurd,
		},
		"unknown flavor": {
			metric: "memory", elements: join(machine("server-0", "1024", fresh)), kind: ceilometer.ErrAbsurd, says: []string{"server-0", "RAM"},
			change: func(r *ceilometer.Request) { r.Groups[0].Machines[0].RAMMiB = 0 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := request()
			r.Metric = ceilometer.Metric{Name: test.metric, Source: ceilometer.SourcePrometheus}
			if test.change != nil {
				test.change(&r)
			}
			address, requests := fake(t, http.StatusOK, result(test.elements...))
			samples, err := source(t, address, prometheus.Options{}).Read(t.Context(), r)
			require.NoError(t, err)
			require.Len(t, *requests, 1)
			got := samples["workers"]
			if test.kind == nil {
				assert.Equal(t, test.want, got)
				return
			}
			require.ErrorIs(t, got.Err, test.kind)
			for _, word := range test.says {
				assert.ErrorContains(t, got.Err, word)
			}
			if errors.Is(test.kind, ceilometer.ErrAbsurd) {
				assert.Equal(t, ceilometer.Sample{Err: got.Err}, got, "no load of the others is told, not even 0")
			}
		})
	}
}

// The range holds two polls at least, and names with signs of regular expressions are taken as they are.
func TestMachinesExpression(t *testing.T) {
	r := request()
	r.Metric = ceilometer.Metric{Name: "cpu"}
	r.Groups = append(r.Groups, ceilometer.Subject{Group: "a.b", ServerGroup: "a.b"})
	address, requests := fake(t, http.StatusOK, result())
	samples, err := source(t, address, prometheus.Options{Lookback: time.Minute}).Read(t.Context(), r)
	require.NoError(t, err)
	assert.Empty(t, samples)
	form := (*requests)[0].Form
	assert.Equal(t, `max by (server_group, resource) (rate(ceilometer_cpu{server_group=~"a\\.b|stack-1"}[750s])) or `+
		`label_replace(max by (server_group, resource) (timestamp(ceilometer_cpu{server_group=~"a\\.b|stack-1"})), "part", "timestamp", "", "")`, form.Get("query"))
	assert.Equal(t, "1m0s", form.Get("lookback_delta"))
}
