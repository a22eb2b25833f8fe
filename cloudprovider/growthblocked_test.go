package cloudprovider

import (
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// A group that must not grow is at its maximum, so that core picks another one; its nodes can be removed.
func TestAGroupThatMustNotGrowMayShrink(t *testing.T) {
	for name, test := range map[string]struct{ minSize, wantMin int }{"above its minimum": {1, 1}, "below its minimum": {5, 3}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil, fake.Stack("a", 3, fake.InGroup("a", test.minSize, 10), func(s *nodegroups.Stack) {
				s.GrowthBlocked = &nodegroups.Problem{Reason: nodegroups.ReasonUnsafeBootstrap, Severity: nodegroups.Blocking, Group: "a", Message: "unsafe"}
			}))
			g := r.nodeGroup(t, "a")
			require.Equal(t, []int{test.wantMin, 3, 3}, []int{g.MinSize(), r.size(t, "a"), g.MaxSize()})
			var problem nodegroups.Problem
			require.ErrorAs(t, g.IncreaseSize(1), &problem)
			require.Equal(t, nodegroups.ReasonUnsafeBootstrap, problem.Reason)
			require.Contains(t, g.Debug(), "can't grow")
			if test.minSize == 1 {
				require.NoError(t, g.DeleteNodes([]*v1.Node{nodeOf("a", 0, threeSlashes+fake.ServerID("a", 0))}))
			}
		})
	}
}
