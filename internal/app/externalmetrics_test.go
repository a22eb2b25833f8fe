package app

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/externalmetrics"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

func TestPresentLoads(t *testing.T) {
	now := time.Unix(1700000000, 0)
	states := []ceilometer.State{
		{Group: "a", At: now.Add(-time.Minute), Floor: 5, Applied: true, Signals: []ceilometer.SignalState{
			{Metric: "cpu", Value: 85, Machines: 3, Target: 60, At: now.Add(-2 * time.Minute), Opinion: true},
			{Metric: "memory", Value: 20, Machines: 3, Target: 75, At: now, Err: ceilometer.ErrPartial},
		}},
		{Group: "no floor", At: now, Floor: 7},
		{Group: "old", At: now.Add(-time.Minute - time.Second), Floor: 9, Applied: true, Signals: []ceilometer.SignalState{{Metric: "cpu", Value: 85, Opinion: true}}},
	}
	p := &presentLoads{states: func() []ceilometer.State { return states }, mostAge: time.Minute, now: func() time.Time { return now }}
	require.Equal(t, []externalmetrics.Load{
		{Group: "a", Metric: "cpu", Mean: 85, Machines: 3, Target: 60, At: now.Add(-2 * time.Minute), Opinion: true},
		{Group: "a", Metric: "memory", Mean: 20, Machines: 3, Target: 75, At: now},
	}, p.Loads())
	require.Equal(t, []externalmetrics.Floor{{Group: "a", Size: 5, At: now.Add(-time.Minute)}}, p.Floors())
}

// TestExternalMetricsAreServedByTheLeaderOnly: while another replica leads nobody listens, and a stranger is told nothing.
func TestExternalMetricsAreServedByTheLeaderOnly(t *testing.T) {
	t.Parallel()
	address, kube := freeAddress(t), newKubernetes(t)
	lease := func(holder string) map[string]any {
		return map[string]any{
			"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": map[string]any{"name": "cluster-autoscaler", "namespace": "kube-system"},
			"spec": map[string]any{"holderIdentity": holder, "leaseDurationSeconds": 3600, "renewTime": time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")},
		}
	}
	const path = "apis/coordination.k8s.io/v1/namespaces/kube-system/leases/cluster-autoscaler"
	kube.put(path, lease("another"))
	r := startIn(t, kube, simulator.StackSpec{
		Name: "workers", Template: simulator.GroupTemplate, Tags: []string{"autoscaled", "node-group-max-size=5", "schedule=00:00-24:00=3"},
	}, "--external-metrics-address="+address)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // the program makes its own certificate
	ask := func() int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/apis/external.metrics.k8s.io/v1beta1/namespaces/x/openstack_node_group_floor", nil)
		require.NoError(t, err)
		response, err := client.Do(request)
		if err != nil {
			return 0
		}
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	r.eventually(t, "it knows the leader", func() bool { return strings.Contains(r.log.String(), `identity="another"`) })
	require.Zero(t, ask(), "it stands by")
	kube.put(path, lease(""))
	r.eventually(t, "it answers", func() bool { return ask() != 0 })
	require.Contains(t, []int{http.StatusForbidden, http.StatusUnauthorized, http.StatusInternalServerError}, ask(), "nobody says that this one may ask")
	require.NoError(t, r.terminate(t))
	require.Zero(t, ask())
}
