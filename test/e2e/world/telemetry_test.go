package world

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/gnocchi"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// TestTelemetryPublishesTheWork: what is published reads as the work, shared by the servers that run, and as an error where it should.
func TestTelemetryPublishesTheWork(t *testing.T) {
	timing := simulator.FastTiming()
	sim := simulator.New(simulator.Options{Timing: &timing})
	t.Cleanup(sim.Close)
	require.NoError(t, sim.Start("127.0.0.1:0"))
	cloud, err := Simulated(t.Context(), sim, t.TempDir())
	require.NoError(t, err)
	w := &World{Name: "w", Cloud: cloud, base: &Base{Root: "../../..", Cluster: nil}}
	group, err := w.createGroup(t.Context(), GroupSpec{Name: "g", Max: 3, Parameters: map[string]any{
		"node_count": 3, "bootstrap_token_source": "own", "bootstrap_token": "abcdef.0123456789abcdef", "api_server": "https://10.0.0.1:6443", "cluster_ca": "Q0E=",
	}})
	require.NoError(t, err)
	var servers map[string]Server
	require.Eventually(t, func() bool {
		servers, err = group.Servers(t.Context())
		return err == nil && len(servers) == 3 && servers["2"].Status == "ACTIVE"
	}, time.Minute, 10*time.Millisecond, "three servers")
	telemetry, err := w.StartTelemetry(t.Context(), TelemetryOptions{Interval: time.Second, OnError: func(err error) { t.Error(err) }})
	require.NoError(t, err)
	defer telemetry.Stop()

	subject := ceilometer.Subject{Group: "g", ServerGroup: group.Name}
	for _, s := range servers {
		subject.Machines = append(subject.Machines, ceilometer.Machine{ServerID: s.ID, VCPUs: 1, RAMMiB: 2048})
	}
	source := gnocchi.New(cloud.Session)
	eventually := func(what string, check func(ceilometer.Sample) error) {
		t.Helper()
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			samples, err := source.Read(context.Background(), ceilometer.Request{
				Metric: ceilometer.Metric{Name: "cpu", Source: ceilometer.SourceGnocchi}, Now: time.Now(),
				Granularity: time.Second, PollingInterval: time.Second, Groups: []ceilometer.Subject{subject},
			})
			if assert.NoError(c, err) {
				assert.NoError(c, check(samples["g"]))
			}
		}, time.Minute, 100*time.Millisecond, what)
	}
	is := func(load float64) func(ceilometer.Sample) error {
		return func(s ceilometer.Sample) error {
			if s.Err != nil || s.Load < load-1 || s.Load > load+1 || s.Machines != 3 {
				return fmt.Errorf("%+v", s)
			}
			return nil
		}
	}
	telemetry.Work(group, 3*85)
	eventually("85 %", is(85))
	telemetry.Work(group, 3*20)
	eventually("20 %", is(20))
	fails := func(s ceilometer.Sample) error {
		if s.Err == nil {
			return fmt.Errorf("%+v", s)
		}
		return nil
	}
	telemetry.Rate(servers["1"].ID, -30)
	eventually("a counter that runs backwards", fails)
	telemetry.Rate(servers["1"].ID, 20)
	eventually("20 %", is(20))
	telemetry.Silence(servers["1"].ID)
	eventually("a server that is silent", fails)
}
