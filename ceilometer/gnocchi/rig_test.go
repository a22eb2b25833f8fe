package gnocchi

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// rig is a simulated cloud with Ceilometer, and a source that reads its Gnocchi through a session.
type rig struct {
	*simulator.Simulator
	*Source
	t *testing.T
}

func newRig(t *testing.T, ceilometer simulator.Ceilometer) *rig {
	t.Helper()
	clock := clocktesting.NewFakeClock(time.Date(2026, 11, 23, 12, 0, 7, 0, time.UTC))
	cloud := simulator.New(simulator.Options{Clock: clock, TokenLife: 1000 * time.Hour})
	require.NoError(t, cloud.Start("127.0.0.1:0"))
	t.Cleanup(cloud.Close)
	cloud.StartCeilometer(ceilometer)
	return &rig{cloud, New(session(t, cloud)), t}
}

func session(t *testing.T, cloud *simulator.Simulator) *openstack.Session {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "cloud.conf")
	require.NoError(t, os.WriteFile(conf, []byte(cloud.CloudConf("demo", "demo")), 0o600))
	s, err := openstack.NewSession(context.Background(), openstack.Options{CloudConfig: conf, Rate: -1})
	require.NoError(t, err)
	return s
}

// group makes servers of a group and waits until they run.
func (r *rig) group(name, flavor string, machines int) ceilometer.Subject {
	r.t.Helper()
	g := ceilometer.Subject{Group: name, ServerGroup: name}
	for i := range machines {
		g.Machines = append(g.Machines, r.machine(name, flavor, i))
	}
	r.FastForward(10 * time.Second)
	return g
}

func (r *rig) machine(group, flavor string, i int) ceilometer.Machine {
	sizes := map[string][2]int{"m1.small": {1, 2048}, "m1.medium": {2, 4096}, "m1.large": {4, 8192}}
	return ceilometer.Machine{
		ServerID: r.AddServer("demo", simulator.ServerSpec{
			Name: fmt.Sprintf("%s-%d", group, i), Flavor: flavor, Metadata: map[string]string{"metering.server_group": group},
		}),
		Created: r.Now(), VCPUs: sizes[flavor][0], RAMMiB: sizes[flavor][1],
	}
}

// read asks now for one metric.
func (r *rig) read(metric string, granularity, window time.Duration, groups ...ceilometer.Subject) map[string]ceilometer.Sample {
	r.t.Helper()
	samples, err := r.Read(context.Background(), r.request(metric, granularity, window, groups...))
	require.NoError(r.t, err)
	return samples
}

func (r *rig) request(metric string, granularity, window time.Duration, groups ...ceilometer.Subject) ceilometer.Request {
	return ceilometer.Request{
		Metric: ceilometer.Metric{Name: metric, Source: ceilometer.SourceGnocchi}, Now: r.Now(), Window: window, Granularity: granularity, Groups: groups,
	}
}

// metricResource makes a resource in Gnocchi, as Ceilometer's publisher does.
func (r *rig) metricResource(kind, id string, attributes map[string]any) {
	r.t.Helper()
	client, err := r.clients.Metric(context.Background())
	require.NoError(r.t, err)
	body := map[string]any{"id": id, "project_id": r.projectID(), "user_id": "u", "metrics": map[string]any{}}
	for key, value := range attributes {
		body[key] = value
	}
	_, err = client.Post(context.Background(), client.ServiceURL("v1", "resource", kind), body, nil, &gophercloud.RequestOpts{OkCodes: []int{201}})
	require.NoError(r.t, err)
}

func (r *rig) projectID() string { return r.clients.(*openstack.Session).ProjectID() }

// push delivers measures that end now, one every interval.
func (r *rig) push(resource, metric, policy string, interval time.Duration, values ...float64) {
	r.t.Helper()
	client, err := r.clients.Metric(context.Background())
	require.NoError(r.t, err)
	var measures []any
	for i, v := range values {
		at := r.Now().Add(-interval * time.Duration(len(values)-1-i))
		measures = append(measures, map[string]any{"timestamp": at.UTC().Format("2006-01-02T15:04:05.999999"), "value": v})
	}
	body := map[string]any{resource: map[string]any{metric: map[string]any{"archive_policy_name": policy, "measures": measures}}}
	url := client.ServiceURL("v1", "batch", "resources", "metrics", "measures") + "?create_metrics=true"
	_, err = client.Post(context.Background(), url, body, nil, &gophercloud.RequestOpts{OkCodes: []int{202}})
	require.NoError(r.t, err)
}
