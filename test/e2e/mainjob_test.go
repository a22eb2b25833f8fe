package e2e_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// TestMainJob: 0 to 3 from pending pods, then exactly the node that is not needed, then 0, on any cloud.
func TestMainJob(t *testing.T) {
	t.Parallel()
	const name = "mainjob"
	var w *world.World
	check, timeout := func() {}, stepTimeout
	if *realCloud != "" {
		cloud, err := world.Real(t.Context(), *realCloud, *adminCloud)
		require.NoError(t, err)
		w, timeout = newWorld(t, name, cloud), realStepTimeout
	} else {
		s := newScene(t, name)
		w, check = s.World, s.noWrongRemoval
	}
	group, err := world.MainJob{World: w, Timeout: timeout, Say: t.Logf}.Run(t.Context())
	require.NoError(t, err)
	check()
	requireRightTemplate(t, w, group)
	require.True(t, w.StopAutoscaler(), "the autoscaler should end with success when asked to")
}

// requireRightTemplate checks the autoscaler's own comparison of the nodes that joined with what it had expected before
// there was one.
func requireRightTemplate(t *testing.T, w *world.World, group *world.Group) {
	t.Helper()
	var samples map[string]float64
	require.NoError(t, w.Until(t.Context(), stepTimeout, "the metric of template drift", func(ctx context.Context) error {
		var err error
		samples, err = w.Autoscaler.Samples(ctx, "cluster_autoscaler_openstack_template_drift_ratio", map[string]string{"node_group": group.Name}, "resource")
		return err
	}))
	for _, resource := range []string{"cpu", "memory", "ephemeral-storage", "pods"} {
		require.InDelta(t, 1, samples[resource], 0.001, "the template node's %s is wrong: %v", resource, samples)
	}
}
