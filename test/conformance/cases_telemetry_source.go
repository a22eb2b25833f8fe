package conformance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/gnocchi"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// The autoscaler's own source reads the true load from what was measured every 20 seconds, and every 90, in periods of a
// minute, without being told so; and the memory in use.
func telemetrySourceReadsTheLoad(t *testing.T, c *Case) {
	m := c.Telemetry()
	for name, polling := range map[string]time.Duration{"often": 20 * time.Second, "seldom": 90 * time.Second} {
		var groups []ceilometer.Subject
		for load, group := range map[float64]string{.54: name + "-busy", .05: name + "-idle"} {
			g := ceilometer.Subject{Group: group, ServerGroup: group}
			for range 3 {
				id := m.Machine(group)
				var cpu, memory []float64
				for i := range int(20 * time.Minute / polling) {
					cpu = append(cpu, 1e12+load*2*polling.Seconds()*1e9*float64(i)) // 2 vcpus
					memory = append(memory, 3072)
				}
				m.Push(id, "cpu", ratePolicy, polling, cpu...)
				m.Push(id, "memory.usage", meanPolicy, polling, memory...)
				g.Machines = append(g.Machines, ceilometer.Machine{ServerID: id, Created: m.Start.Add(-time.Hour), VCPUs: 2, RAMMiB: 4096})
			}
			groups = append(groups, g)
		}
		for _, g := range groups {
			for _, one := range g.Machines {
				m.Visible(one.ServerID, "cpu", min(int(20*time.Minute/polling), 20))
				m.Visible(one.ServerID, "memory.usage", min(int(20*time.Minute/polling), 20))
			}
		}
		source := gnocchi.New(openstack.NewSessionFromEndpoints(c.Client.Token, c.Client.ProjectID, "", map[string]string{"metric": c.Client.Endpoint(api.Metric)}, openstack.Options{}))
		request := ceilometer.Request{
			Metric: ceilometer.Metric{Name: "cpu"}, Now: m.Start.Add(20 * time.Minute), Window: 4 * time.Minute, Granularity: time.Minute, Groups: groups,
		}
		for range 2 { // while the polling interval is found, and afterwards
			samples, err := source.Read(c.ctx, request)
			require.NoError(t, err)
			for group, load := range map[string]float64{name + "-busy": 54, name + "-idle": 5} {
				require.NoError(t, samples[group].Err)
				require.InDelta(t, load, samples[group].Load, 2, group)
				require.Equal(t, 3, samples[group].Machines)
			}
		}
		request.Metric.Name = "memory"
		samples, err := source.Read(c.ctx, request)
		require.NoError(t, err)
		require.NoError(t, samples[name+"-busy"].Err)
		require.InDelta(t, 75, samples[name+"-busy"].Load, .1)
	}
}
