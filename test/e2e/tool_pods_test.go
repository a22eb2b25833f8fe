package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// TestWhyPods: the tool says why pods are pending, each for another reason that really is.
func TestWhyPods(t *testing.T) {
	t.Parallel()
	s := newScene(t, "whypods")
	small := s.group(world.GroupSpec{Name: "small", Max: 1})
	s.group(world.GroupSpec{Name: "dedicated", Max: 3, Flavor: "m1.large", Taints: []string{"dedicated=db:NoSchedule"}})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	o := s.operator("viewer", nil)

	s.deploy(world.Workload{Name: "first", Replicas: 1, CPU: "600m"})
	s.size(small, 1)
	s.runs("first", 1)
	running := s.podOf("first")
	var x explanation
	r := o.ok("why", running)
	require.Contains(t, r.out, "is not pending: it runs on node")

	toleration := v1.Toleration{Key: "dedicated", Operator: v1.TolerationOpExists}
	for _, c := range []struct {
		workload world.Workload
		code     string
		text     string
		fits     map[string]bool
	}{
		{
			world.Workload{Name: "big", CPU: "64", Tolerations: []v1.Toleration{toleration}}, "InsufficientResource", "it asks for cpu 64; a new node has",
			map[string]bool{"small": false, "dedicated": false},
		},
		{
			world.Workload{Name: "intolerant", CPU: "2"}, "UntoleratedTaint", "it does not tolerate the taint dedicated=db:NoSchedule",
			map[string]bool{"small": false, "dedicated": false},
		},
		{
			world.Workload{Name: "picky", CPU: "600m", NodeLabels: map[string]string{"disk": "nvme"}, Tolerations: []v1.Toleration{toleration}},
			"NodeSelector", "it wants a node with disk=nvme; a new node has no such label", map[string]bool{"small": false, "dedicated": false},
		},
		{
			world.Workload{Name: "elsewhere", CPU: "600m", NodeLabels: map[string]string{v1.LabelTopologyZone: "moon"}, Tolerations: []v1.Toleration{toleration}},
			"Zone", "it wants a node with topology.kubernetes.io/zone=moon; a new node has", map[string]bool{"small": false, "dedicated": false},
		},
		{
			world.Workload{Name: "second", CPU: "600m"}, "AtMaximum", "it is at its maximum size, 1", map[string]bool{"small": true, "dedicated": false},
		},
	} {
		c.workload.Replicas = 1
		s.deploy(c.workload)
		x = *o.why(s.podOf(c.workload.Name), c.code, c.text)
		require.Equal(t, "Pending", x.State)
		for _, g := range x.NodeGroups {
			require.Equal(t, c.fits[g.Name[len("whypods-"):]], g.Fits, "%s in %s", c.workload.Name, g.Name)
		}
		require.Len(t, x.NodeGroups, 2)
	}
	// What others say is told too.
	pod := s.podOf("second")
	s.until("cluster-autoscaler to say why not", said(o, "pod/whypods/"+pod, "cluster-autoscaler", "NotTriggerScaleUp"))
	s.until("the scheduler to say why not", said(o, pod, "default-scheduler", "FailedScheduling"))

	// The group itself: it is full, and these pods are why anybody asks.
	x = *o.why("group/"+small.Name, "AtMaximum", "it is at its maximum size, 1")
	require.Equal(t, "NotGrowing", x.State)

	require.True(t, s.StopAutoscaler())
	o.why(pod, "AutoscalerNotRunning", "cluster-autoscaler does not run")
}

// TestWhyCloud: what the cloud refuses is told of the pods that wait for it and of the group.
func TestWhyCloud(t *testing.T) {
	t.Parallel()
	s := newScene(t, "whycloud")
	s.sim.AddFlavor(dense)
	s.sim.SetQuota("demo", simulator.Quota{Instances: 100, Cores: 100, RAMMiB: quotaForWideOnly, Ports: -1})
	group := s.group(world.GroupSpec{Name: "dense", Max: 3, Flavor: dense.Name})
	// It does not try again before all has been looked at.
	require.NoError(t, s.StartAutoscaler(t.Context(), "--initial-node-group-backoff-duration=1h", "--max-node-group-backoff-duration=1h"))
	o := s.operator("viewer", nil)
	s.deploy(world.Workload{Name: "app", Replicas: 1, CPU: "600m", Memory: "10Gi"})
	pod := s.podOf("app")
	x := o.why(pod, "BackOff", "QuotaExceeded")
	require.Contains(t, x.Reasons[0].Remedy, "quota")
	require.True(t, x.NodeGroups[0].Fits)
	require.False(t, x.NodeGroups[0].CanGrow)
	x = o.why(group.Name, "BackOff", "QuotaExceeded")
	require.Equal(t, "NotGrowing", x.State)
	require.Contains(t, o.ok("list").out, "BackOff")

	// A stack that fails by itself: somebody asks for what there is no room for.
	require.True(t, s.StopAutoscaler())
	require.NoError(t, group.Patch(t.Context(), map[string]any{"node_count": 1}))
	o.why(group.Name, "AutoscalerNotRunning", "")
	s.until("the stack's failure to be told", whyHas(o, group.Name, "StackFailed"))
	s.until("the member's failure to be told", whyHas(o, group.Name, "QuotaExceeded"))
	require.Contains(t, o.ok("describe", group.Name).out, "QuotaExceeded")
}
