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
	mainJob(t, "mainjob", false)
}

// TestMainJobExternal: the same with a stock cluster-autoscaler that asks the product over gRPC.
func TestMainJobExternal(t *testing.T) {
	t.Parallel()
	mainJob(t, "mainjobext", true)
}

func mainJob(t *testing.T, name string, external bool) {
	t.Helper()
	options := world.Options{External: external}
	var w *world.World
	check, timeout := func() {}, stepTimeout
	var flags []string
	if *realCloud != "" {
		cloud, err := world.Real(t.Context(), *realCloud, *adminCloud)
		require.NoError(t, err)
		w, timeout = newWorld(t, name, cloud, options), realStepTimeout
		if external { // as the second one it shows what is different: the token need not be waited for as long as in production
			flags = append(flags, "--openstack-write-timeout="+realWriteTimeout.String())
		}
	} else {
		s := newSceneWith(t, name, options)
		w, check = s.World, s.noWrongRemoval
		flags = append(flags, "--openstack-write-timeout="+writeTimeout.String())
	}
	group, err := world.MainJob{World: w, Timeout: timeout, Say: t.Logf, Flags: flags}.Run(t.Context())
	require.NoError(t, err)
	check()
	requireRightTemplate(t, w, group)
	(&scene{World: w, t: t}).requireRights()
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
	// The template must never promise more than a node has; of memory it keeps a margin, as guests see less than the flavor says.
	for resource, margin := range map[string]float64{"cpu": 0, "memory": 0.05, "ephemeral-storage": 0, "pods": 0} {
		const rounding = 1e-6
		require.GreaterOrEqual(t, samples[resource], 1-rounding, "the template node promises too much %s: %v", resource, samples)
		require.LessOrEqual(t, samples[resource], 1+margin+rounding, "the template node promises too little %s: %v", resource, samples)
	}
}
