package nodegroups

// Key is the canonical name of an annotation: a tag "key=value" of the stack, or a key of the stack's JSON parameter
// AnnotationsParameter. Names are part of the contract with users and must not be changed.
type Key string

// AnnotationsParameter is the stack parameter of type json that may hold annotations, for values that are too long for
// a tag (80 characters) or that hold a comma, which separates tags.
const AnnotationsParameter = "node_group_annotations"

// The node group itself.
const (
	// KeyName is the node group's name. Stacks with the same name are shards of one group. Default: the stack's name.
	KeyName Key = "node-group"
	// KeyMinSize is the least number of members that scale-down leaves. Default 0.
	KeyMinSize Key = "node-group-min-size"
	// KeyMaxSize is the greatest number of members that may be ordered. There is no default.
	KeyMaxSize Key = "node-group-max-size"
)

// Names of the stack's parameters, for stacks that call them differently, such as Magnum's.
const (
	// KeySizeParameter names the number parameter that is the resource group's count.
	KeySizeParameter Key = "size-parameter"
	// KeyRemovalParameter names the list parameter that feeds the resource group's removal_policies.
	KeyRemovalParameter Key = "removal-parameter"
	// KeyFlavorParameter names the parameter that holds the flavor's name or id.
	KeyFlavorParameter Key = "flavor-parameter"
	// KeyBootVolumeParameter names the parameter that holds the boot volume's size in GiB.
	KeyBootVolumeParameter Key = "boot-volume-size-parameter"
	// KeyZoneParameter names the parameter that holds the availability zone.
	KeyZoneParameter Key = "availability-zone-parameter"
	// KeyTokenParameter names the hidden parameter that takes the bootstrap token of new members.
	KeyTokenParameter Key = "bootstrap-token-parameter"
)

// How new members are let into the cluster.
const (
	// KeyTokenSource says where new members have their bootstrap token from: TokenMinted or TokenOwn. The stack's parameter
	// TokenSourceParameter does the same; the annotation goes before it. Default TokenOwn.
	KeyTokenSource Key = "bootstrap-token-source"
)

// What a new node has, where the flavor does not tell it or tells it wrong. The names are those of cluster-autoscaler's
// clusterapi provider.
const (
	// KeyCPU is the node's CPU capacity.
	KeyCPU Key = "capacity.cluster-autoscaler.kubernetes.io/cpu"
	// KeyMemory is the node's memory capacity.
	KeyMemory Key = "capacity.cluster-autoscaler.kubernetes.io/memory"
	// KeyEphemeralDisk is the capacity of the disk that holds pods' ephemeral storage.
	KeyEphemeralDisk Key = "capacity.cluster-autoscaler.kubernetes.io/ephemeral-disk"
	// KeyMaxPods is the greatest number of pods on the node.
	KeyMaxPods Key = "capacity.cluster-autoscaler.kubernetes.io/maxPods"
	// KeyGPUType is the name of the extended resource under which the node offers its GPUs.
	KeyGPUType Key = "capacity.cluster-autoscaler.kubernetes.io/gpu-type"
	// KeyGPUCount is how many GPUs the node offers.
	KeyGPUCount Key = "capacity.cluster-autoscaler.kubernetes.io/gpu-count"
	// KeyLabels are labels that the node has from the beginning.
	KeyLabels Key = "capacity.cluster-autoscaler.kubernetes.io/labels"
	// KeyTaints are taints that the node has from the beginning and keeps.
	KeyTaints Key = "capacity.cluster-autoscaler.kubernetes.io/taints"
	// KeyArch is the node's architecture.
	KeyArch Key = "capacity.cluster-autoscaler.kubernetes.io/arch"
)

// What the node's kubelet keeps back. The formats are those of the kubelet's flags of the same names.
const (
	// KeyKubeReserved is what the kubelet reserves for Kubernetes' own daemons.
	KeyKubeReserved Key = "kube-reserved"
	// KeySystemReserved is what the kubelet reserves for the operating system.
	KeySystemReserved Key = "system-reserved"
	// KeyEvictionHard are the thresholds below which the kubelet evicts pods; they are not allocatable.
	KeyEvictionHard Key = "eviction-hard"
)

// Autoscaling options of this group, in place of cluster-autoscaler's flags.
const (
	// KeyUtilizationThreshold: --scale-down-utilization-threshold.
	KeyUtilizationThreshold Key = "autoscaling-options-scaledownutilizationthreshold"
	// KeyGPUUtilizationThreshold: --scale-down-gpu-utilization-threshold.
	KeyGPUUtilizationThreshold Key = "autoscaling-options-scaledowngpuutilizationthreshold"
	// KeyUnneededTime: --scale-down-unneeded-time.
	KeyUnneededTime Key = "autoscaling-options-scaledownunneededtime"
	// KeyUnreadyTime: --scale-down-unready-time.
	KeyUnreadyTime Key = "autoscaling-options-scaledownunreadytime"
	// KeyMaxNodeProvisionTime: --max-node-provision-time.
	KeyMaxNodeProvisionTime Key = "autoscaling-options-maxnodeprovisiontime"
	// KeyZeroOrMax: the group is either empty or at its maximum.
	KeyZeroOrMax Key = "autoscaling-options-zeroormaxnodescaling"
	// KeyIgnoreDaemonSets: --ignore-daemonsets-utilization.
	KeyIgnoreDaemonSets Key = "autoscaling-options-ignoredaemonsetsutilization"
)

// What becomes of machines.
const (
	// KeyAutoRepair: members whose machine is broken are replaced. Default: --auto-repair.
	KeyAutoRepair Key = "auto-repair"
	// KeyGracefulShutdown is how long a machine may take to shut down before its member is removed. Default 0: not at all.
	KeyGracefulShutdown Key = "graceful-shutdown-time"
)

// Prefixes under which cluster-autoscaler's clusterapi provider knows some of the keys.
const (
	clusterAPIPrefix    = "cluster.x-k8s.io/"
	clusterAPISizeKeys  = "cluster-api-autoscaler-"
	capacityPrefix      = "capacity.cluster-autoscaler.kubernetes.io/"
	optionsPrefix       = "autoscaling-options-"
	nodeGroupKeysPrefix = "node-group-"
)

// AnnotationDoc describes one annotation for people.
type AnnotationDoc struct {
	Key Key
	// Aliases are other names that mean the same.
	Aliases []string
	// Type, Default and Example are short; Default is "" if there is none. Meaning is one sentence without a full stop.
	Type, Default, Example, Meaning string
}

// Annotations returns every annotation there is, in the order in which they are explained. The table in docs/reference/annotations.md is made of it.
func Annotations() []AnnotationDoc {
	docs := make([]AnnotationDoc, 0, len(annotations))
	for i := range annotations {
		docs = append(docs, annotations[i].doc())
	}
	return docs
}

// CanonicalKey returns the annotation that a key of a tag or of the JSON parameter means, aliases included.
func CanonicalKey(key string) (Key, bool) {
	a := annotationOf(key)
	if a == nil {
		return "", false
	}
	return a.key, true
}
