package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// TestZones: of two groups in two zones the one grows in whose zone a pod wants to be, from zero; and pods that must be spread over zones
// make both grow.
func TestZones(t *testing.T) {
	t.Parallel()
	s := newScene(t, "zones")
	first := s.group(world.GroupSpec{Name: "az1", Max: 3, Parameters: map[string]any{"availability_zone": "az1"}})
	second := s.group(world.GroupSpec{Name: "az2", Max: 3, Parameters: map[string]any{"availability_zone": "az2"}})
	require.NoError(t, s.StartAutoscaler(t.Context(), "--balance-similar-node-groups"))

	s.deploy(world.Workload{Name: "here", Replicas: 1, CPU: "600m", NodeLabels: map[string]string{v1.LabelTopologyZone: "az2"}})
	s.runs("here", 1)
	members := s.size(second, 1)
	s.size(first, 0)
	require.Equal(t, "az2", s.nodesOn(members)[0].Labels[v1.LabelTopologyZone])

	// Four more anywhere: similar groups share the growth.
	s.deploy(world.Workload{Name: "anywhere", Replicas: 3, CPU: "600m"})
	s.runs("anywhere", 3)
	s.size(first, 2)
	s.size(second, 2)
	s.noWrongRemoval()
}

// gpuFlavor has its GPU in Nova's extra specs only.
var gpuFlavor = simulator.Flavor{Name: "g1.a100", VCPUs: 4, RAMMiB: 16384, DiskGiB: 80, ExtraSpecs: map[string]string{"resources:VGPU": "1"}}

// TestGPUGroupFromZero: a pod that asks for a GPU makes the group with the GPU flavor grow from zero. While the node has joined and its device
// plugin has not reported the GPU yet, no second one is ordered.
func TestGPUGroupFromZero(t *testing.T) {
	t.Parallel()
	const gpu, label = "nvidia.com/gpu", "cluster-autoscaler-openstack/gpu-type"
	s := newScene(t, "gpu")
	s.sim.AddFlavor(gpuFlavor)
	plain := s.group(world.GroupSpec{Name: "plain", Max: 3})
	group := s.group(world.GroupSpec{
		Name: "gpu", Max: 3, Flavor: gpuFlavor.Name, Labels: map[string]string{label: "a100"}, Taints: []string{gpu + "=present:NoSchedule"},
	})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	s.deploy(world.Workload{
		Name: "training", Replicas: 1, CPU: "600m", Devices: map[string]string{gpu: "1"},
		Tolerations: []v1.Toleration{{Key: gpu, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoSchedule}},
	})
	members := s.size(group, 1)
	node := s.nodesOn(members)[0]
	require.Equal(t, "a100", node.Labels[label])
	s.throughout(5*time.Second, "one node to be enough", func(ctx context.Context) error {
		stack, err := group.Stack(ctx)
		switch {
		case err != nil:
			return err
		case stack.Count() != 1:
			return fmt.Errorf("the stack has %d", stack.Count())
		}
		pods, err := s.Pods(ctx, "training")
		if err == nil && (len(pods) != 1 || pods[0].Spec.NodeName != "") {
			err = errors.New("the pod has found a node without a GPU")
		}
		return err
	})

	// What a device plugin does in the end.
	patch := []byte(`{"status": {"capacity": {"nvidia.com/gpu": "1"}, "allocatable": {"nvidia.com/gpu": "1"}}}`)
	_, err := base.Cluster.Client.CoreV1().Nodes().Patch(t.Context(), node.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	require.NoError(t, err)
	s.runs("training", 1)
	s.size(group, 1)
	s.size(plain, 0)

	require.NoError(t, s.Undeploy(t.Context(), "training"))
	s.size(group, 0)
	s.noWrongRemoval()
}
