package gnocchi

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

func TestTokenIsRenewed(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: minute, Granularity: minute})
	g := r.group("g", "m1.small", 1)
	r.SetLoad("g", 30)
	r.FastForward(10 * minute)
	r.ExpireTokens()
	assert.InDelta(t, 30, r.read("cpu", minute, 2*minute, g)["g"].Load, 1)
}

func TestWhatGoesWrongIsExplained(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: minute, Granularity: minute})
	g := r.group("g", "m1.small", 1)
	r.FastForward(10 * minute)
	fail := func(f simulator.Fault, words ...string) error {
		t.Helper()
		f.Service = simulator.Gnocchi
		defer r.Inject(f)()
		_, err := r.Read(t.Context(), r.request("cpu", minute, 2*minute, g))
		require.Error(t, err)
		for _, w := range append(words, "reading cpu from Gnocchi") {
			require.ErrorContains(t, err, w)
		}
		assert.NotContains(t, err.Error(), "gAAAAA", "no token")
		return err
	}
	client, err := r.clients.Metric(t.Context())
	require.NoError(t, err)
	token := client.Token()
	_ = fail(simulator.Fault{Status: 500, Body: "<html><h1>Internal Server Error</h1>token " + token + "</html>"}, "Internal Server Error")
	assert.True(t, openstack.IsUnavailable(fail(simulator.Fault{Status: 503, Body: "down"}, "down")))
	_ = fail(simulator.Fault{Status: 403, Body: `{"code":403,"title":"Forbidden","description":"no"}`}, "access rules", "POST /v1/aggregates")
	_ = fail(simulator.Fault{Status: 200, Body: `{"measures":{"x":{"cpu":{"rate:mean":[["now",60,1]]}}}}`}, "cannot be read")
	_ = fail(simulator.Fault{Status: 200, Body: `{}`}, "no measures")
	_ = fail(simulator.Fault{Status: 200, Body: `{"measures":{"x":`}, "unexpected EOF")
	_ = fail(simulator.Fault{Status: 400, Body: "<html>{'cause': 'Resource type does not exist'}</html>"}, "ceilometer-upgrade")

	cancel := r.Inject(simulator.Fault{Service: simulator.Gnocchi, Hang: true})
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	_, err = r.Read(ctx, r.request("cpu", minute, 2*minute, g))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	cancel()

	_, err = r.Read(t.Context(), r.request("cpu", 30*time.Second, 2*minute, g))
	require.ErrorContains(t, err, "no granularity of 30s")
	_, err = r.Read(t.Context(), r.request("cpu_util", minute, 2*minute, g))
	require.ErrorContains(t, err, names)
	wrong := r.request("cpu", minute, 2*minute, g)
	wrong.Metric.Source = ceilometer.SourcePrometheus
	_, err = r.Read(t.Context(), wrong)
	require.ErrorContains(t, err, "not of Gnocchi")
}

func TestCloudWithoutGnocchi(t *testing.T) {
	s := New(openstack.NewSessionFromEndpoints("token", "project", "here", map[string]string{"compute": "http://127.0.0.1:1"}, openstack.Options{}))
	_, err := s.Read(t.Context(), ceilometer.Request{
		Metric: ceilometer.Metric{Name: "cpu"}, Now: time.Now(), Groups: []ceilometer.Subject{{Group: "g", Machines: []ceilometer.Machine{{ServerID: "s", VCPUs: 1}}}},
	})
	require.ErrorContains(t, err, `endpoint of service "metric" (gnocchi)`)
}

func TestEndpointWithVersion(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: minute, Granularity: minute})
	g := r.group("g", "m1.small", 1)
	r.FastForward(10 * minute)
	client, err := r.clients.Metric(t.Context())
	require.NoError(t, err)
	r.Source = New(openstack.NewSessionFromEndpoints(client.Token(), "p", "here", map[string]string{"metric": r.URL() + "/metric/v1"}, openstack.Options{}))
	require.NoError(t, r.read("cpu", minute, 2*minute, g)["g"].Err)
}

// A cpu metric whose archive policy keeps no rates, as that of a cloud with a policy of its own.
func TestArchivePolicyWithoutRates(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: minute, Granularity: minute})
	id := strings.Repeat("a", 8) + "-0000-4000-8000-000000000000"
	r.metricResource("instance", id, map[string]any{"display_name": "x", "flavor_name": "f"})
	r.push(id, "cpu", "ceilometer-low", minute, 1, 2, 3)
	g := ceilometer.Subject{Group: "g", Machines: []ceilometer.Machine{{ServerID: id, VCPUs: 1}}}
	_, err := r.Read(t.Context(), r.request("cpu", minute, 2*minute, g))
	require.ErrorContains(t, err, "ceilometer-low-rate")
	code, ok := openstack.StatusCode(err)
	assert.True(t, ok)
	assert.Equal(t, http.StatusNotFound, code)
}

// Without a granularity in the request Ceilometer's own is tried first, and then what the archive policy has.
func TestGranularityIsFound(t *testing.T) {
	r := newRig(t, simulator.Ceilometer{PollingInterval: 30 * time.Second, Granularity: 2 * minute})
	g := r.group("g", "m1.small", 1)
	r.SetLoad("g", 42)
	r.FastForward(30 * minute)
	sample := r.read("cpu", 0, 5*minute, g)["g"]
	require.NoError(t, sample.Err)
	assert.InDelta(t, 42, sample.Load, 1)
	assert.Equal(t, 2*minute, sample.Granularity)
	r.ResetCalls()
	r.read("cpu", 0, 5*minute, g)
	assert.Equal(t, 1, r.CountCalls(simulator.Gnocchi, ""))
}

func TestSeveralGranularities(t *testing.T) {
	points := func(width int) string {
		return `[["2026-11-23T12:00:00+00:00",` + map[int]string{1: "1", 60: "60", 300: "300", 3600: "3600"}[width] + `,1]]`
	}
	for want, widths := range map[time.Duration][]int{minute: {3600, 60, 1}, 5 * minute: {300, 3600}, time.Second: {1}} {
		r := newRig(t, simulator.Ceilometer{})
		var all []string
		for _, w := range widths {
			all = append(all, strings.Trim(points(w), "[]"))
		}
		body := `{"measures":{"x":{"cpu":{"rate:mean":[[` + strings.Join(all, "],[") + `]]}}}}`
		cancel := r.Inject(simulator.Fault{Service: simulator.Gnocchi, Status: 200, Body: body, Header: http.Header{"Content-Type": {"application/json"}}})
		reading := r.newReading(ceilometer.Request{Now: r.Now(), Groups: []ceilometer.Subject{{Machines: []ceilometer.Machine{{ServerID: "x"}}}}}, &meter{name: "cpu"})
		got, ok := r.findGranularity(t.Context(), reading, query{})
		cancel()
		assert.True(t, ok)
		assert.Equal(t, want, got)
	}
}
