package nodegroups

import (
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Config is how a node group is configured: its annotations, parsed and checked. Zero values mean "not given".
type Config struct {
	// Name is the node group's name; the stack's name unless the annotation node-group says otherwise.
	Name string
	// MinSize and MaxSize bound what cluster-autoscaler may order, in members of the whole group.
	MinSize, MaxSize int
	// MinSet and MaxSet tell a size of 0 that was given from one that was not.
	MinSet, MaxSet bool
	// Parameters are the names of the stack's parameters.
	Parameters ParameterNames
	// TokenSource says where new members have their bootstrap token from; empty means TokenOwn.
	TokenSource TokenSource
	// Capacity overrides what the flavor says of a new node.
	Capacity CapacityOverrides
	// Reserved is what a node keeps back from its capacity.
	Reserved Reserved
	// Options are this group's own autoscaling options; nil fields take cluster-autoscaler's flags.
	Options Options
	// Life is what becomes of this group's machines when they break or have to go.
	Life Life
	// Load is how load moves the group's floor.
	Load Load
}

// ParameterNames are the names of the stack parameters that we read or write.
type ParameterNames struct {
	Size          string // default node_count
	Removal       string // default nodes_to_remove
	Flavor        string // default flavor
	BootVolumeGiB string // default boot_volume_size
	Zone          string // default availability_zone
	Token         string // default bootstrap_token
}

// CapacityOverrides are the capacity.cluster-autoscaler.kubernetes.io annotations.
type CapacityOverrides struct {
	CPU, Memory, EphemeralDisk *resource.Quantity
	MaxPods                    *int64
	// GPUType is the resource's name, such as nvidia.com/gpu; GPUCount how many a node has.
	GPUType  string
	GPUCount *int64
	Labels   map[string]string
	Taints   []v1.Taint
	// Arch is a Kubernetes architecture such as amd64; empty: amd64.
	Arch string
}

// Reserved is what the kubelet subtracts from capacity to get allocatable.
type Reserved struct {
	Kube, System, EvictionHard v1.ResourceList
	// EvictionHardSet tells an eviction-hard annotation that is given from the kubelet's defaults
	// (memory.available<100Mi, nodefs.available<10%).
	EvictionHardSet bool
	// EvictionDiskPercent is nodefs.available as a percentage of the disk, when it was given (or defaulted) that way.
	EvictionDiskPercent float64
	// EvictionMemoryPercent is memory.available as a percentage of the memory, when it was given that way.
	EvictionMemoryPercent float64
}

// Options are the autoscaling-options annotations: cluster-autoscaler's NodeGroupAutoscalingOptions, nil where not given.
type Options struct {
	ScaleDownUtilizationThreshold    *float64
	ScaleDownGpuUtilizationThreshold *float64
	ScaleDownUnneededTime            *time.Duration
	ScaleDownUnreadyTime             *time.Duration
	MaxNodeProvisionTime             *time.Duration
	ZeroOrMaxNodeScaling             *bool
	IgnoreDaemonSetsUtilization      *bool
}

// Life are the annotations about the machines' life; nil fields are not given.
type Life struct {
	// AutoRepair says whether broken members are replaced; nil takes the flag.
	AutoRepair *bool
	// GracefulShutdownTime is how long a machine may take to shut down before its member is removed; nil or 0: it is removed
	// without being shut down.
	GracefulShutdownTime *time.Duration
}

// ShutdownTime is how long a machine of the group may take to shut down before it is removed, 0 for not at all.
func (c *Config) ShutdownTime() time.Duration {
	if c.Life.GracefulShutdownTime == nil {
		return 0
	}
	return *c.Life.GracefulShutdownTime
}
