package nodegroups_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// groupOf returns the node group of one stack "a" with these tags.
func groupOf(t *testing.T, change func(*nodegroups.Stack), tags ...string) *nodegroups.Group {
	t.Helper()
	s := fake.Stack("a", 0, func(s *nodegroups.Stack) {
		var problems []nodegroups.Problem
		s.Config, problems = nodegroups.ParseConfig("a", append(tags, "node-group-max-size=9"), "")
		require.Empty(t, problems)
	})
	if change != nil {
		change(s)
	}
	g := merge(s).Group("a")
	require.NotNil(t, g)
	return g
}

// resources returns a resource list as text.
func resources(list v1.ResourceList) map[string]string {
	out := map[string]string{}
	for name, q := range list {
		out[string(name)] = q.String()
	}
	return out
}

func specs(specs map[string]string) func(*nodegroups.Stack) {
	return func(s *nodegroups.Stack) {
		f := *s.Flavor
		f.ExtraSpecs = specs
		s.Flavor = &f
	}
}

func TestTemplateNodeResources(t *testing.T) {
	type list = map[string]string
	// The flavor of fake.Stack: 2 vCPUs, 4096 MiB, 20 GiB.
	tests := map[string]struct {
		change                func(*nodegroups.Stack)
		tags                  []string
		overhead              float64
		capacity, allocatable list // only what is not as in the first case
	}{
		"by flavor": {}, // 4096-100 MiB; 90 % of 20 GiB
		"memory overhead lowers allocatable only": {
			overhead: 5, allocatable: list{"memory": "3975361332"}, // 4096 MiB - 100 MiB - 5 % of 4096 MiB
		},
		"boot volume": {
			change:   func(s *nodegroups.Stack) { s.BootVolumeGiB = 100 },
			capacity: list{"ephemeral-storage": "100Gi"}, allocatable: list{"ephemeral-storage": "90Gi"},
		},
		"no disk known": {
			change:   func(s *nodegroups.Stack) { s.Flavor = fake.Flavor("f", 2, 4096, 0) },
			capacity: list{"ephemeral-storage": "-"}, allocatable: list{"ephemeral-storage": "-"},
		},
		"annotations": {
			tags:        []string{capacity + "cpu=3500m", capacity + "memory=8Gi", capacity + "ephemeral-disk=10Gi", capacity + "maxPods=30"},
			overhead:    50, // is not taken off what the operator says
			capacity:    list{"cpu": "3500m", "memory": "8Gi", "ephemeral-storage": "10Gi", "pods": "30"},
			allocatable: list{"cpu": "3500m", "memory": "8092Mi", "ephemeral-storage": "9Gi", "pods": "30"},
		},
		"annotations without a flavor": {
			change: func(s *nodegroups.Stack) { s.Flavor, s.BootVolumeGiB = nil, 10 },
			tags:   []string{capacity + "cpu=1", capacity + "memory=2Gi"}, capacity: list{"cpu": "1", "memory": "2Gi", "ephemeral-storage": "10Gi"},
			allocatable: list{"cpu": "1", "memory": "1948Mi", "ephemeral-storage": "9Gi"},
		},
		"annotations without a disk": {
			change: func(s *nodegroups.Stack) { s.Flavor = nil },
			tags:   []string{capacity + "cpu=1", capacity + "memory=2Gi"}, capacity: list{"cpu": "1", "memory": "2Gi", "ephemeral-storage": "-"},
			allocatable: list{"cpu": "1", "memory": "1948Mi", "ephemeral-storage": "-"},
		},
		"reserved": {
			tags:        []string{"kube-reserved=cpu=100m;memory=500Mi;pid=1000", "system-reserved=cpu=0.1;memory=96Mi;ephemeral-storage=2Gi"},
			allocatable: list{"cpu": "1800m", "memory": "3400Mi", "ephemeral-storage": "16Gi"},
		},
		"more reserved than there is": {
			tags: []string{"kube-reserved=cpu=3;memory=5Gi"}, allocatable: list{"cpu": "0", "memory": "0"},
		},
		"eviction in quantities": {
			tags:        []string{"eviction-hard=memory.available<96Mi;nodefs.available<1Gi"},
			allocatable: list{"memory": "4000Mi", "ephemeral-storage": "19Gi"},
		},
		"eviction in percent": {
			tags:        []string{"eviction-hard=memory.available<50%;nodefs.available<25%"},
			allocatable: list{"memory": "2Gi", "ephemeral-storage": "15Gi"},
		},
		"no eviction": { // the kubelet's defaults go as soon as one threshold is given
			tags: []string{"eviction-hard=pid.available<5%"}, allocatable: list{"memory": "4Gi", "ephemeral-storage": "20Gi"},
		},
		"GPUs by annotation": {
			change: specs(map[string]string{"resources:VGPU": "1"}), tags: []string{capacity + "gpu-type=amd.com/gpu", capacity + "gpu-count=3"},
			capacity: list{"amd.com/gpu": "3"}, allocatable: list{"amd.com/gpu": "3"},
		},
		"no GPUs by annotation": {
			change: specs(map[string]string{"resources:VGPU": "1"}), tags: []string{capacity + "gpu-count=0"},
		},
		"virtual GPU": {
			change:   specs(map[string]string{"resources:VGPU": "1", "resources1:PGPU": "2", "resources:VCPU": "7", "hw:VGPU": "9"}),
			capacity: list{"nvidia.com/gpu": "3"}, allocatable: list{"nvidia.com/gpu": "3"},
		},
		"virtual GPU of another kind": {
			change: specs(map[string]string{"resources:VGPU": "1"}), tags: []string{capacity + "gpu-type=intel.com/gpu"},
			capacity: list{"intel.com/gpu": "1"}, allocatable: list{"intel.com/gpu": "1"},
		},
		"PCI alias that is named": {
			change: specs(map[string]string{"pci_passthrough:alias": "a100:2"}), tags: []string{capacity + "gpu-type=nvidia.com/gpu"},
			capacity: list{"nvidia.com/gpu": "2"}, allocatable: list{"nvidia.com/gpu": "2"},
		},
		"PCI alias that may be anything": {change: specs(map[string]string{"pci_passthrough:alias": "a100:2"})},
		"two PCI aliases": {
			change: specs(map[string]string{"pci_passthrough:alias": "a100:2,nic:1"}), tags: []string{capacity + "gpu-type=nvidia.com/gpu"},
		},
		"numbers that are none": {
			change: specs(map[string]string{"pci_passthrough:alias": "a100", "resources:VGPU": "-1", "resources:PGPU": "x"}),
			tags:   []string{capacity + "gpu-type=nvidia.com/gpu"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			node, err := nodegroups.TemplateNode(groupOf(t, test.change, test.tags...), nodegroups.TemplateOptions{MemoryOverheadPercent: test.overhead})
			require.NoError(t, err)
			wantCapacity := list{"cpu": "2", "memory": "4Gi", "ephemeral-storage": "20Gi", "pods": "110"}
			wantAllocatable := list{"cpu": "2", "memory": "3996Mi", "ephemeral-storage": "18Gi", "pods": "110"}
			for _, change := range [][2]list{{wantCapacity, test.capacity}, {wantAllocatable, test.allocatable}} {
				for key, value := range change[1] {
					change[0][key] = value
					if value == "-" {
						delete(change[0], key)
					}
				}
			}
			assert.Equal(t, wantCapacity, resources(node.Status.Capacity))
			assert.Equal(t, wantAllocatable, resources(node.Status.Allocatable))
		})
	}
}

// A well-known mistake: vCPUs as if they were milli-CPUs, or the other way round.
func TestTemplateNodeCPUIsInCores(t *testing.T) {
	node, err := nodegroups.TemplateNode(groupOf(t, func(s *nodegroups.Stack) { s.Flavor = fake.Flavor("f", 4, 1024, 1) }), nodegroups.TemplateOptions{})
	require.NoError(t, err)
	assert.EqualValues(t, 4000, node.Status.Capacity.Cpu().MilliValue())
	assert.EqualValues(t, 1<<30, node.Status.Capacity.Memory().Value())
}

func TestTemplateNodeMetadata(t *testing.T) {
	g := groupOf(t, func(s *nodegroups.Stack) { s.Arch = "arm64" },
		capacity+"labels=pool=fast;topology.kubernetes.io/zone=mine", capacity+"taints=dedicated=gpu:NoSchedule")
	node, err := nodegroups.TemplateNode(g, nodegroups.TemplateOptions{})
	require.NoError(t, err)
	assert.Equal(t, "template-a", node.Name)
	assert.Equal(t, "openstack:///template-a", node.Spec.ProviderID)
	assert.Equal(t, map[string]string{
		"kubernetes.io/hostname": "template-a", "pool": "fast",
		"kubernetes.io/arch": "arm64", "beta.kubernetes.io/arch": "arm64",
		"kubernetes.io/os": "linux", "beta.kubernetes.io/os": "linux",
		"node.kubernetes.io/instance-type": "m1.small", "beta.kubernetes.io/instance-type": "m1.small",
		"topology.kubernetes.io/region": "region-1", "failure-domain.beta.kubernetes.io/region": "region-1",
		"topology.kubernetes.io/zone": "mine", "failure-domain.beta.kubernetes.io/zone": "zone-1",
	}, node.Labels)
	assert.Equal(t, []v1.Taint{{Key: "dedicated", Value: "gpu", Effect: v1.TaintEffectNoSchedule}}, node.Spec.Taints)
	assert.Equal(t, "arm64", node.Status.NodeInfo.Architecture)
	assert.Equal(t, "linux", node.Status.NodeInfo.OperatingSystem)
	status := map[v1.NodeConditionType]v1.ConditionStatus{}
	for _, c := range node.Status.Conditions {
		status[c.Type] = c.Status
	}
	assert.Equal(t, v1.ConditionTrue, status[v1.NodeReady])
	assert.Equal(t, v1.ConditionFalse, status[v1.NodeNetworkUnavailable])

	node.Spec.Taints[0].Key, node.Labels["pool"] = "changed", "changed"
	again, err := nodegroups.TemplateNode(g, nodegroups.TemplateOptions{})
	require.NoError(t, err)
	assert.Equal(t, []string{"dedicated", "fast"}, []string{again.Spec.Taints[0].Key, again.Labels["pool"]}, "the caller owns the node")
}

func TestTemplateNodeOptions(t *testing.T) {
	node, err := nodegroups.TemplateNode(groupOf(t, nil), nodegroups.TemplateOptions{Name: "n", Region: "r", ProviderIDPrefix: "openstack://r/"})
	require.NoError(t, err)
	assert.Equal(t, []string{"n", "openstack://r/n"}, []string{node.Name, node.Spec.ProviderID})
	assert.Equal(t, []string{"n", "r"}, []string{node.Labels[v1.LabelHostname], node.Labels[v1.LabelTopologyRegion]})
}

func TestTemplateNodeLabelsAreValid(t *testing.T) {
	g := groupOf(t, func(s *nodegroups.Stack) {
		s.Flavor, s.Zone, s.Arch = fake.Flavor("8 vCPU / 16 GB", 8, 16384, 20), "zone 1", ""
	})
	node, err := nodegroups.TemplateNode(g, nodegroups.TemplateOptions{})
	require.NoError(t, err)
	assert.Equal(t, g.Flavor.ID, node.Labels[v1.LabelInstanceTypeStable], "the id, where the name is no valid label")
	assert.NotContains(t, node.Labels, v1.LabelTopologyZone)
	assert.Equal(t, "amd64", node.Labels[v1.LabelArchStable])

	long := fake.Stack("a", 0, fake.InGroup("Long_"+strings.Repeat("x", 52)+"-_-rest", 0, 1), func(s *nodegroups.Stack) { s.Flavor = nil })
	long.Config.Capacity.CPU, long.Config.Capacity.Memory = quantity("1"), quantity("1Gi")
	long.Config.Capacity.Arch = "s390x"
	node, err = nodegroups.TemplateNode(merge(long).Groups()[0], nodegroups.TemplateOptions{})
	require.NoError(t, err)
	assert.Equal(t, "template-long-"+strings.Repeat("x", 49), node.Name)
	assert.NotContains(t, node.Labels, v1.LabelInstanceTypeStable)
	assert.Equal(t, "s390x", node.Labels[v1.LabelArchStable])
}

func TestTemplateNodeOfUnknownHardware(t *testing.T) {
	noFlavor := func(s *nodegroups.Stack) { s.Flavor = nil }
	for _, tags := range [][]string{nil, {capacity + "cpu=1"}, {capacity + "memory=1Gi"}} {
		_, err := nodegroups.TemplateNode(groupOf(t, noFlavor, tags...), nodegroups.TemplateOptions{})
		var p nodegroups.Problem
		require.ErrorAs(t, err, &p)
		assert.Equal(t, []string{nodegroups.ReasonUnknownFlavor, "a", "a"}, []string{p.Reason, p.Group, p.Stack})
		assert.Contains(t, p.Remedy, capacity+"cpu")
	}
}
