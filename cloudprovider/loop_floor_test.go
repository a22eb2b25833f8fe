package cloudprovider

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/autoscaler/cluster-autoscaler/config"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	cloudfake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// newFloorWorld is a world whose groups have the floors that the test sets, with the flags that this program has by default.
func newFloorWorld(t *testing.T, floors *map[string]nodegroups.Floor, stacks ...*nodegroups.Stack) *world {
	t.Helper()
	w := newWorld(t, func(c *config.AutoscalingOptions, _ *Options) {
		c.EnforceNodeGroupMinSize, c.ScaleDownDelayTypeLocal = true, true
	}, stacks...)
	w.groups = nodegroups.NewManager(w.cloud, w.reports, nodegroups.ManagerOptions{
		Floors: floorsFunc(func() map[string]nodegroups.Floor { return *floors }),
	})
	require.NoError(t, w.Refresh())
	return w
}

func TestLoopGrowsToAFloorWithoutAPendingPod(t *testing.T) {
	floors := map[string]nodegroups.Floor{}
	w := newFloorWorld(t, &floors, cloudfake.Stack("a", 3), cloudfake.Stack("b", 0), cloudfake.Stack("c", 0))
	for i := range 3 {
		w.addNode(t, cloudfake.ServerID("a", i), "a", i)
	}
	require.NoError(t, w.loop())
	require.Empty(t, w.orders())
	floors = map[string]nodegroups.Floor{"a": {Size: 5}, "b": {Size: 99}}
	require.NoError(t, w.loop())
	require.Equal(t, []int{5, 10, 0}, []int{w.size(t, "a"), w.size(t, "b"), w.size(t, "c")}, "in the loop that read the floor, all groups at once")
	require.NoError(t, w.loop())
	require.Equal(t, []string{"Grow 2", "Grow 10"}, w.orders(), "once")
}

func TestLoopKeepsIdleNodesAtAFloor(t *testing.T) {
	floors := map[string]nodegroups.Floor{"a": {Size: 3}}
	w := newFloorWorld(t, &floors, cloudfake.Stack("a", 4))
	for i := range 4 {
		w.addNode(t, cloudfake.ServerID("a", i), "a", i)
	}
	idle := func() {
		for range 3 {
			w.now = w.now.Add(2 * time.Minute)
			require.NoError(t, w.loop())
		}
	}
	idle()
	w.eventually(t, func() bool { return len(w.orders()) > 0 })
	idle()
	require.Len(t, w.orders(), 1, "one is above the floor, and none needs any: %v", w.orders())
	require.Equal(t, 3, w.size(t, "a"))
	floors = nil
	idle()
	w.eventually(t, func() bool { return len(w.orders()) > 1 })
}

func TestLoopIsNotHeldUpByAFloorThatCannotBeReached(t *testing.T) {
	floors := map[string]nodegroups.Floor{"full": {Size: 2}, "blocked": {Size: 5}}
	w := newFloorWorld(t, &floors, cloudfake.Stack("full", 0), cloudfake.Stack("blocked", 1, cloudfake.BlockedBy(nodegroups.ReasonStackFailed)),
		cloudfake.Stack("good", 0))
	require.NoError(t, w.loop())
	require.Equal(t, []string{"Grow 2"}, w.orders())
	w.cloud.FailPlaceholders("full", quota)
	w.addPods(t, 1, "1", "good")
	for range 3 {
		require.NoError(t, w.loop())
	}
	require.Equal(t, []int{0, 1}, []int{w.size(t, "full"), w.size(t, "good")}, "the group is passed over for a while, as after a scale-up for pods")
}
