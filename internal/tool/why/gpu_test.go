package why

import (
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/autoscaler/cluster-autoscaler/utils/gpu"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// What counts on a node with a GPU, and which nodes are such, as cluster-autoscaler has it.
func TestUsageOfGPUs(t *testing.T) {
	require.Equal(t, cloudprovider.DefaultGPULabel, defaultGPULabel)
	require.EqualValues(t, gpu.ResourceNvidiaGPU, gpuResource)
	offers := func(name v1.ResourceName, n string) func(*facts) {
		return changeNode(func(n0 *v1.Node) { n0.Status.Allocatable[name] = resource.MustParse(n) })
	}
	label := func(key string) func(*facts) { return changeNode(func(n *v1.Node) { n.Labels[key] = "a100" }) }
	annotation := func(key nodegroups.Key, value string) func(*facts) {
		return inGroup(func(g *model.NodeGroup) { g.Annotations[string(key)] = value })
	}
	busy := pods(aPod("a", on("n0"), asking(v1.ResourceCPU, "1900m")))
	train := pods(aPod("a", on("n0"), asking(gpuResource, "1")))
	for name, c := range map[string]struct {
		changes []func(*facts)
		has     bool
		says    string // empty: it is not used too much
	}{
		"no GPU":                       {[]func(*facts){busy}, false, "of its cpu"},
		"no GPU left":                  {[]func(*facts){busy, offers(gpuResource, "0")}, false, "of its cpu"},
		"cpu does not count":           {[]func(*facts){busy, offers(gpuResource, "2")}, true, ""},
		"GPUs do":                      {[]func(*facts){train, offers(gpuResource, "2")}, true, "50% of its nvidia.com/gpu"},
		"without any annotation":       {[]func(*facts){train, offers(gpuResource, "4")}, true, ""},
		"another name of the group":    {[]func(*facts){train, offers(gpuResource, "2"), annotation(nodegroups.KeyGPUType, "example.com/gpu")}, true, "of its nvidia.com/gpu"},
		"another name of devices":      {[]func(*facts){busy, offers("amd.com/gpu", "2"), annotation(nodegroups.KeyGPUType, "amd.com/gpu")}, false, "of its cpu"},
		"by its label, not ready":      {[]func(*facts){busy, label(defaultGPULabel)}, true, ""},
		"by the flag's label":          {[]func(*facts){busy, label("x/gpu"), flag("openstack-gpu-label", "x/gpu")}, true, ""},
		"label that is not the flag's": {[]func(*facts){busy, label(defaultGPULabel), flag("openstack-gpu-label", "x/gpu")}, false, "of its cpu"},
		"a threshold of the group":     {[]func(*facts){train, offers(gpuResource, "2"), annotation(nodegroups.KeyGPUUtilizationThreshold, "0.6")}, true, ""},
		"a threshold that is for cpu":  {[]func(*facts){train, offers(gpuResource, "2"), annotation(nodegroups.KeyUtilizationThreshold, "0.6")}, true, "below 50%"},
		"a threshold of the flag":      {[]func(*facts){train, offers(gpuResource, "2"), flag("scale-down-gpu-utilization-threshold", "0.2")}, true, "below 20%"},
	} {
		t.Run(name, func(t *testing.T) {
			f := theFacts(c.changes...)
			gpuLabel := defaultGPULabel
			if given := f.flags().Last("openstack-gpu-label"); given != "" {
				gpuLabel = given
			}
			require.Equal(t, c.has, gpu.NodeHasGpu(gpuLabel, &f.Nodes[0]), "cluster-autoscaler's own answer")
			require.Equal(t, c.has, f.hasGPU(&f.Nodes[0]))
			r := f.usageReason(&f.Nodes[0], &f.Groups[0])
			if c.says == "" {
				require.Nil(t, r)
				return
			}
			require.NotNil(t, r)
			require.Contains(t, r.Text, c.says)
			if c.has {
				require.Contains(t, r.Remedy, string(nodegroups.KeyGPUUtilizationThreshold))
			} else {
				require.NotContains(t, r.Remedy, "gpu")
			}
		})
	}
}
