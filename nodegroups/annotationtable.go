package nodegroups

import "slices"

// annotation is one row of the table that drives parsing, merging and documentation.
type annotation struct {
	key                              Key
	typ, defaultText, example, about string
	// set parses text and puts it into the configuration; the error says what a good value looks like.
	set func(c *Config, text string) error
	// get returns the value in a form that set reads back, and whether it is given.
	get func(c *Config) (string, bool)
	// ofStack: the value belongs to the single stack, so that shards may differ.
	ofStack bool
}

// Types of annotations, as documentation shows them.
const (
	typeName     = "name"
	typeCount    = "whole number"
	typeQuantity = "quantity"
	typeDuration = "duration"
	typeFraction = "number from 0 to 1"
	typeBool     = "true or false"
	typeList     = "list"
)

// annotations is the whole vocabulary, in the order of the documentation.
var annotations = slices.Concat(groupAnnotations, loadAnnotations)

// groupAnnotations are those about the group and its machines.
var groupAnnotations = []annotation{
	{KeyName, typeName, "the stack's name", "workers", "Name of the node group; stacks with the same name are shards of one group",
		setName, func(c *Config) (string, bool) { return c.Name, c.Name != "" }, true},
	{KeyMinSize, typeCount, "0", "1", "Least number of members; scale-down stops there",
		setMinSize, func(c *Config) (string, bool) { return formatInt(c.MinSize), c.MinSet || c.MinSize != 0 }, false},
	{KeyMaxSize, typeCount, "", "10", "Greatest number of members; scale-up stops there. Required, unless --nodes gives it",
		setMaxSize, func(c *Config) (string, bool) { return formatInt(c.MaxSize), c.MaxSet || c.MaxSize != 0 }, false},

	parameterName(KeySizeParameter, "number_of_minions", "Stack parameter that is the count of the resource group",
		func(p *ParameterNames) *string { return &p.Size }),
	parameterName(KeyRemovalParameter, "minions_to_remove", "Stack parameter that lists the members to remove",
		func(p *ParameterNames) *string { return &p.Removal }),
	parameterName(KeyFlavorParameter, "minion_flavor", "Stack parameter that holds the flavor's name or id",
		func(p *ParameterNames) *string { return &p.Flavor }),
	parameterName(KeyBootVolumeParameter, "root_volume_size", "Stack parameter that holds the boot volume's size in GiB",
		func(p *ParameterNames) *string { return &p.BootVolumeGiB }),
	parameterName(KeyZoneParameter, "zone", "Stack parameter that holds the availability zone",
		func(p *ParameterNames) *string { return &p.Zone }),
	parameterName(KeyTokenParameter, "join_token", "Hidden stack parameter that takes the bootstrap token of new members, where it is minted",
		func(p *ParameterNames) *string { return &p.Token }),
	{KeyTokenSource, typeName, string(TokenOwn), string(TokenMinted),
		"minted: each growth brings a bootstrap token that was made for it. own: the members join in a way of their own. The stack parameter " +
			TokenSourceParameter + " says the same, for stacks without the annotation",
		setTokenSource, func(c *Config) (string, bool) { return string(c.TokenSource), c.TokenSource != "" }, true},

	quantity(KeyCPU, "the flavor's vCPUs", "3500m", "CPU capacity of a new node", cpuFloor,
		func(c *Config) **resourceQuantity { return &c.Capacity.CPU }),
	quantity(KeyMemory, "the flavor's RAM", "16Gi", "Memory capacity of a new node", memoryFloor,
		func(c *Config) **resourceQuantity { return &c.Capacity.Memory }),
	quantity(KeyEphemeralDisk, "the boot volume or the flavor's disk", "100Gi", "Ephemeral storage of a new node", memoryFloor,
		func(c *Config) **resourceQuantity { return &c.Capacity.EphemeralDisk }),
	count(KeyMaxPods, "110", "250", "Greatest number of pods on a new node", 1,
		func(c *Config) **int64 { return &c.Capacity.MaxPods }),
	{KeyGPUType, typeName, "", "nvidia.com/gpu", "Extended resource under which a new node offers its GPUs or other devices",
		setGPUType, func(c *Config) (string, bool) { return c.Capacity.GPUType, c.Capacity.GPUType != "" }, false},
	count(KeyGPUCount, "what the flavor's extra specs say", "2", "Number of GPUs of a new node; needs gpu-type", 0,
		func(c *Config) **int64 { return &c.Capacity.GPUCount }),
	{KeyLabels, typeList, "", "pool=fast;disk=nvme", "Labels that a new node registers with",
		setLabels, func(c *Config) (string, bool) { return formatLabels(c.Capacity.Labels), c.Capacity.Labels != nil }, false},
	{KeyTaints, typeList, "", "dedicated=gpu:NoSchedule", "Taints that a new node registers with and keeps",
		setTaints, func(c *Config) (string, bool) { return formatTaints(c.Capacity.Taints), c.Capacity.Taints != nil }, false},
	{KeyArch, typeName, "amd64", "arm64", "Architecture of a new node",
		setArch, func(c *Config) (string, bool) { return c.Capacity.Arch, c.Capacity.Arch != "" }, false},

	reserved(KeyKubeReserved, "cpu=100m;memory=500Mi", "The kubelet's --kube-reserved, which is not allocatable",
		func(r *Reserved) *resourceList { return &r.Kube }),
	reserved(KeySystemReserved, "memory=200Mi;ephemeral-storage=1Gi", "The kubelet's --system-reserved, which is not allocatable",
		func(r *Reserved) *resourceList { return &r.System }),
	{KeyEvictionHard, typeList, "memory.available<100Mi;nodefs.available<10%", "memory.available<500Mi;nodefs.available<5%",
		"The kubelet's --eviction-hard; memory.available and nodefs.available are not allocatable",
		setEvictionHard, getEvictionHard, false},

	fraction(KeyUtilizationThreshold, "--scale-down-utilization-threshold", "0.7",
		"Nodes used less than this, as a part of what is allocatable, may be removed",
		func(o *Options) **float64 { return &o.ScaleDownUtilizationThreshold }),
	fraction(KeyGPUUtilizationThreshold, "--scale-down-gpu-utilization-threshold", "0.5",
		"The same for nodes with GPUs, of whose use only the GPUs count",
		func(o *Options) **float64 { return &o.ScaleDownGpuUtilizationThreshold }),
	period(KeyUnneededTime, "--scale-down-unneeded-time", "5m", "How long a node must have been unneeded before it is removed", 0,
		func(c *Config) **timeDuration { return &c.Options.ScaleDownUnneededTime }),
	period(KeyUnreadyTime, "--scale-down-unready-time", "20m", "The same for a node that is not ready", 0,
		func(c *Config) **timeDuration { return &c.Options.ScaleDownUnreadyTime }),
	period(KeyMaxNodeProvisionTime, "--max-node-provision-time", "20m", "How long a member may take to become a node", 1,
		func(c *Config) **timeDuration { return &c.Options.MaxNodeProvisionTime }),
	boolean(KeyZeroOrMax, "false", "true", "The group is either empty or at its maximum, nothing between",
		func(c *Config) **bool { return &c.Options.ZeroOrMaxNodeScaling }),
	boolean(KeyIgnoreDaemonSets, "--ignore-daemonsets-utilization", "true", "DaemonSet pods do not count as use of a node",
		func(c *Config) **bool { return &c.Options.IgnoreDaemonSetsUtilization }),

	boolean(KeyAutoRepair, "--auto-repair", "false", "Members whose machine is broken are replaced",
		func(c *Config) **bool { return &c.Life.AutoRepair }),
	period(KeyGracefulShutdown, "0s", "90s",
		"How long a machine may take to shut down before it is removed, at most 10m; Nova itself gives a guest 60s",
		0, func(c *Config) **timeDuration { return &c.Life.GracefulShutdownTime }),
}
