package nodegroups_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func TestDrift(t *testing.T) {
	set := func(name v1.ResourceName, value string) func(*v1.Node) {
		return func(n *v1.Node) { n.Status.Allocatable[name] = *quantity(value) }
	}
	taint := func(key string) func(*v1.Node) {
		return func(n *v1.Node) {
			n.Spec.Taints = append(n.Spec.Taints, v1.Taint{Key: key, Effect: v1.TaintEffectNoSchedule})
		}
	}
	// The template: 2 CPUs, 3996 MiB, 18 GiB, 110 pods, 1 GPU.
	tests := map[string]struct {
		change func(*v1.Node)
		want   []string
	}{
		"the same":                         {func(*v1.Node) {}, nil},
		"another name":                     {func(n *v1.Node) { n.Name, n.Labels[v1.LabelHostname] = "x", "x" }, nil},
		"a little less memory":             {set("memory", "3850Mi"), nil},
		"a little more memory":             {set("memory", "4100Mi"), nil},
		"much less memory":                 {set("memory", "3700Mi"), []string{`resource memory: expected "3996Mi", found "3700Mi"`}},
		"much more memory":                 {set("memory", "5Gi"), []string{`resource memory: expected "3996Mi", found "5Gi"`}},
		"less disk":                        {set("ephemeral-storage", "10Gi"), []string{`resource ephemeral-storage: expected "18Gi", found "10Gi"`}},
		"less CPU":                         {set("cpu", "1900m"), []string{`resource cpu: expected "2", found "1900m"`}},
		"fewer pods":                       {set("pods", "109"), []string{`resource pods: expected "110", found "109"`}},
		"no GPU":                           {func(n *v1.Node) { delete(n.Status.Allocatable, "nvidia.com/gpu") }, []string{`resource nvidia.com/gpu: expected "1", found ""`}},
		"a device that was not promised":   {set("amd.com/gpu", "1"), []string{`resource amd.com/gpu: expected "", found "1"`}},
		"a device of which there are none": {set("amd.com/gpu", "0"), nil},
		"resources nobody can know":        {set("hugepages-2Mi", "1Gi"), nil},
		"a label is missing":               {func(n *v1.Node) { delete(n.Labels, "pool") }, []string{`label pool: expected "", found ""`}},
		"a label differs":                  {func(n *v1.Node) { n.Labels[v1.LabelTopologyZone] = "x" }, []string{`label topology.kubernetes.io/zone: expected "zone-1", found "x"`}},
		"more labels":                      {func(n *v1.Node) { n.Labels["mine"] = "x" }, nil},
		"old labels": {func(n *v1.Node) {
			delete(n.Labels, v1.LabelFailureDomainBetaZone)
			delete(n.Labels, "beta.kubernetes.io/instance-type")
		}, nil},
		"a taint is missing": {func(n *v1.Node) { n.Spec.Taints = nil }, []string{`taint dedicated: expected "dedicated=gpu:NoSchedule", found ""`}},
		"a taint differs": {func(n *v1.Node) { n.Spec.Taints[0].Effect = v1.TaintEffectNoExecute }, []string{
			`taint dedicated: expected "dedicated=gpu:NoSchedule", found ""`, `taint dedicated: expected "", found "dedicated=gpu:NoExecute"`,
		}},
		"more taints":         {taint("mine"), []string{`taint mine: expected "", found "mine:NoSchedule"`}},
		"passing taint":       {taint("node.kubernetes.io/not-ready"), nil},
		"autoscaler's taint":  {taint("ToBeDeletedByClusterAutoscaler"), nil},
		"uninitialized taint": {taint("node.cloudprovider.kubernetes.io/uninitialized"), nil},
		"several, sorted": {func(n *v1.Node) {
			set("pods", "1")(n)
			set("cpu", "1")(n)
			taint("mine")(n)
			delete(n.Labels, "pool")
		}, []string{`label pool: expected "", found ""`, `resource cpu: expected "2", found "1"`, `resource pods: expected "110", found "1"`,
			`taint mine: expected "", found "mine:NoSchedule"`}},
	}
	template, err := nodegroups.TemplateNode(groupOf(t, specs(map[string]string{"resources:VGPU": "1"}),
		capacity+"labels=pool=", capacity+"taints=dedicated=gpu:NoSchedule"), nodegroups.TemplateOptions{})
	require.NoError(t, err)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			joined := template.DeepCopy()
			test.change(joined)
			found := nodegroups.Drift(template, joined)
			got := make([]string, 0, len(found))
			for _, d := range found {
				got = append(got, d.String())
			}
			assert.Equal(t, append([]string{}, test.want...), got)
		})
	}
}

// What the template could not know, it did not promise.
func TestDriftOfAnUnknownDisk(t *testing.T) {
	template, err := nodegroups.TemplateNode(groupOf(t, func(s *nodegroups.Stack) {
		f := *s.Flavor
		f.DiskGiB = 0
		s.Flavor = &f
	}), nodegroups.TemplateOptions{})
	require.NoError(t, err)
	joined := template.DeepCopy()
	joined.Status.Allocatable["ephemeral-storage"] = *quantity("18Gi")
	assert.Empty(t, nodegroups.Drift(template, joined))
}
