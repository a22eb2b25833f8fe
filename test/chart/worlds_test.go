//go:build chart

package chart

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

const stepTimeout = 3 * time.Minute

// newWorld makes a scenario on a simulated cloud of its own.
func newWorld(t *testing.T, name string, options world.Options) (*world.World, *simulator.Simulator) {
	t.Helper()
	timing := simulator.DefaultTiming().Faster(2)
	sim := simulator.New(simulator.Options{Timing: &timing, Seed: world.Seed(name)})
	t.Cleanup(sim.Close)
	require.NoError(t, sim.Start("127.0.0.1:0"))
	cloud, err := world.Simulated(t.Context(), sim, t.TempDir())
	require.NoError(t, err)
	options.BootDelay = 500 * time.Millisecond
	w, err := world.New(t.Context(), base, name, cloud, options)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.Diagnosis())
		}
		// The test's own context has ended by now.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), stepTimeout)
		defer cancel()
		require.NoError(t, w.Close(ctx))
	})
	require.NoError(t, err)
	return w, sim
}

// drain lets a node go that still has a pod, which has to be evicted. Before that, with two nodes there, happens what is given.
func drain(t *testing.T, w *world.World, with func()) {
	t.Helper()
	// Two nodes of one processor, and a pod that has room on both beside what fills them.
	for name, cpu := range map[string]string{"left": "600m", "right": "600m", "small": "100m"} {
		require.NoError(t, w.Deploy(t.Context(), world.Workload{Name: name, Replicas: 1, CPU: cpu}))
	}
	nodeOf := map[string]string{}
	for _, name := range []string{"left", "right", "small"} {
		require.NoError(t, w.WaitForRunning(t.Context(), stepTimeout, name, 1))
		pods, err := w.Pods(t.Context(), name)
		require.NoError(t, err)
		nodeOf[name] = pods[0].Spec.NodeName
	}
	beside, other := "left", "right"
	if nodeOf["right"] == nodeOf["small"] {
		beside, other = other, beside
	}
	with()
	require.NoError(t, w.Undeploy(t.Context(), beside))
	waitForNodes(t, w, 1)
	require.NoError(t, w.WaitForRunning(t.Context(), stepTimeout, "small", 1))
	require.NoError(t, w.Undeploy(t.Context(), other))
	require.NoError(t, w.Undeploy(t.Context(), "small"))
	waitForNodes(t, w, 0)
}

func waitForNodes(t *testing.T, w *world.World, n int) {
	t.Helper()
	require.NoError(t, w.Until(t.Context(), stepTimeout, fmt.Sprintf("%d nodes", n), func(ctx context.Context) error {
		nodes, err := w.Nodes(ctx)
		if err == nil && len(nodes) != n {
			err = fmt.Errorf("there are %d", len(nodes))
		}
		return err
	}))
}
