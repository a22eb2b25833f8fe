package nodegroups

import (
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// TemplateOptions are what a template node needs besides its group.
type TemplateOptions struct {
	// Name is the node's name and hostname label. Default: made of the group's name.
	Name string
	// Region is the region label's value. Default: the group's.
	Region string
	// ProviderIDPrefix is what precedes the UUID in provider ids of real nodes. Default "openstack:///".
	ProviderIDPrefix string
	// MemoryOverheadPercent is how much of the flavor's RAM a node never sees: firmware, the kernel and its page tables
	// keep some for themselves, so that a kubelet reports less than the flavor promises. It is taken off allocatable
	// memory; capacity stays the flavor's RAM, by which people know the group. Too little makes cluster-autoscaler add
	// nodes on which a pod does not fit after all, so it is better to err above. 0 means none: take
	// DefaultMemoryOverheadPercent unless the operator says otherwise. A memory annotation is taken as it is.
	MemoryOverheadPercent float64
}

// DefaultMemoryOverheadPercent covers virtual machines of 2 GiB and more; of smaller ones the kernel takes a greater part.
const DefaultMemoryOverheadPercent = 5

// Defaults of the kubelet (kubernetes pkg/kubelet/apis/config/v1beta1/defaults.go and pkg/kubelet/eviction/defaults_linux.go).
const (
	defaultMaxPods             = 110
	defaultEvictionDiskPercent = 10
	defaultArch                = "amd64"
	operatingSystem            = "linux"
)

var defaultEvictionMemory = resource.MustParse("100Mi")

// TemplateNode returns the node that a new member of the group would become: capacity by the flavor or by annotations,
// allocatable as the kubelet computes it, labels and taints as kubelet and cloud controller manager set them. It is
// Ready. The caller owns it. The error, a Problem, says that neither a flavor is known nor annotations stand in for it.
func TemplateNode(g *Group, opts TemplateOptions) (*v1.Node, error) {
	capacity, err := templateCapacity(g)
	if err != nil {
		return nil, err
	}
	name := opts.Name
	if name == "" {
		name = templateName(g.Name)
	}
	prefix := opts.ProviderIDPrefix
	if prefix == "" {
		prefix = FormatProviderID("", "")
	}
	arch := templateArch(g)
	node := &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: templateLabels(g, name, arch, opts.Region)},
		Spec:       v1.NodeSpec{ProviderID: prefix + name},
		Status: v1.NodeStatus{
			Capacity:    capacity,
			Allocatable: allocatable(g, capacity, opts.MemoryOverheadPercent),
			Conditions:  readyConditions(),
			NodeInfo:    v1.NodeSystemInfo{Architecture: arch, OperatingSystem: operatingSystem},
		},
	}
	for _, t := range g.Config.Capacity.Taints {
		node.Spec.Taints = append(node.Spec.Taints, *t.DeepCopy())
	}
	return node, nil
}

func templateArch(g *Group) string {
	for _, arch := range []string{g.Config.Capacity.Arch, g.Arch} {
		if arch != "" {
			return arch
		}
	}
	return defaultArch
}

// templateLabels are those of the kubelet (well-known labels), those of the cloud controller manager (instance type,
// region and zone) with their older names, and the group's own, which win. Kubernetes would refuse values that are not
// valid, so they are left out here.
func templateLabels(g *Group, name, arch, region string) map[string]string {
	labels := map[string]string{}
	set := func(value string, keys ...string) {
		if value == "" || len(validation.IsValidLabelValue(value)) > 0 {
			return
		}
		for _, key := range keys {
			labels[key] = value
		}
	}
	if region == "" {
		region = g.Region
	}
	set(arch, v1.LabelArchStable, "beta.kubernetes.io/arch")
	set(operatingSystem, v1.LabelOSStable, "beta.kubernetes.io/os")
	set(instanceType(g.Flavor), v1.LabelInstanceTypeStable, v1.LabelInstanceType)
	set(region, v1.LabelTopologyRegion, v1.LabelFailureDomainBetaRegion)
	set(g.Zone, v1.LabelTopologyZone, v1.LabelFailureDomainBetaZone)
	for key, value := range g.Config.Capacity.Labels {
		labels[key] = value
	}
	labels[v1.LabelHostname] = name
	return labels
}

// instanceType is the flavor's name, or its id if the name is no valid label, as cloud-provider-openstack has it.
func instanceType(f *Flavor) string {
	switch {
	case f == nil:
		return ""
	case len(validation.IsValidLabelValue(f.Name)) == 0:
		return f.Name
	}
	return f.ID
}

// templateName makes a valid node name and label value of a group's name.
func templateName(group string) string {
	name := strings.ReplaceAll(strings.ToLower("template-"+group), "_", "-")
	if len(name) > validation.DNS1123LabelMaxLength {
		name = name[:validation.DNS1123LabelMaxLength]
	}
	return strings.TrimRight(name, "-.")
}

// readyConditions are those of a healthy node.
func readyConditions() []v1.NodeCondition {
	return []v1.NodeCondition{
		{Type: v1.NodeReady, Status: v1.ConditionTrue, Reason: "KubeletReady"},
		{Type: v1.NodeMemoryPressure, Status: v1.ConditionFalse},
		{Type: v1.NodeDiskPressure, Status: v1.ConditionFalse},
		{Type: v1.NodePIDPressure, Status: v1.ConditionFalse},
		{Type: v1.NodeNetworkUnavailable, Status: v1.ConditionFalse},
	}
}
