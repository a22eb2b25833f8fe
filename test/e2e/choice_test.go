package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// TestChoiceOfGroup: the expander takes the group that wastes least; labels and taints, which are known before there is a
// node, are honoured.
func TestChoiceOfGroup(t *testing.T) {
	t.Parallel()
	s := newScene(t, "choice")
	small := s.group(world.GroupSpec{Name: "small", Max: 5, Flavor: "m1.small"})
	large := s.group(world.GroupSpec{Name: "large", Max: 5, Flavor: "m1.large"})
	special := s.group(world.GroupSpec{
		Name: "special", Max: 5, Flavor: "m1.small", Labels: map[string]string{"pool": "special"}, Taints: []string{"dedicated=special:NoSchedule"},
	})
	require.NoError(t, s.StartAutoscaler(t.Context(), "--expander=least-waste"))

	s.deploy(world.Workload{Name: "little", Replicas: 1, CPU: "600m"})
	s.runs("little", 1)
	s.size(small, 1)
	s.deploy(world.Workload{Name: "big", Replicas: 1, CPU: "3"})
	s.runs("big", 1)
	s.size(large, 1)
	s.deploy(world.Workload{
		Name: "dedicated", Replicas: 1, CPU: "600m", NodeLabels: map[string]string{"pool": "special"},
		Tolerations: []v1.Toleration{{Key: "dedicated", Operator: v1.TolerationOpEqual, Value: "special", Effect: v1.TaintEffectNoSchedule}},
	})
	s.runs("dedicated", 1)
	members := s.size(special, 1)
	// Nothing else was made on the way.
	s.size(small, 1)
	s.size(large, 1)

	nodes, err := s.Nodes(t.Context())
	require.NoError(t, err)
	for _, node := range nodes {
		if world.ServerOf(&node) == members["0"].ID {
			require.Equal(t, "special", node.Labels["pool"])
			require.Contains(t, node.Spec.Taints, v1.Taint{Key: "dedicated", Value: "special", Effect: v1.TaintEffectNoSchedule})
			return
		}
	}
	require.Fail(t, "the special node has not joined")
}
