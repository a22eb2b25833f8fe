package nodegroups

import (
	"fmt"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

const (
	mebibyte = 1 << 20
	gibibyte = 1 << 30
)

// DefaultGPUType is the resource name for the virtual and whole GPUs that a flavor asks Placement for, unless the
// annotation gpu-type names another. It is the name of the most common device plugin.
const DefaultGPUType = "nvidia.com/gpu"

// templateCapacity is what a new node has. Huge pages are not among it: a flavor's hw:mem_page_size is about the host's
// memory behind the guest's, the guest's own huge pages are set up inside the guest.
func templateCapacity(g *Group) (v1.ResourceList, error) {
	given := g.Config.Capacity
	if g.Flavor == nil && (given.CPU == nil || given.Memory == nil) {
		return nil, Problem{
			Reason: ReasonUnknownFlavor, Severity: Warning, Group: g.Name, Stack: g.Stacks[0].Name,
			Message: "it is not known what a new node has: the flavor is not known",
			Remedy: fmt.Sprintf("name the stack parameter that holds the flavor by the annotation %s, or give both %s and %s",
				KeyFlavorParameter, KeyCPU, KeyMemory),
		}
	}
	capacity := v1.ResourceList{v1.ResourcePods: *resource.NewQuantity(defaultMaxPods, resource.DecimalSI)}
	if f := g.Flavor; f != nil {
		capacity[v1.ResourceCPU] = *resource.NewMilliQuantity(int64(f.VCPUs)*1000, resource.DecimalSI)
		capacity[v1.ResourceMemory] = *resource.NewQuantity(int64(f.RAMMiB)*mebibyte, resource.BinarySI)
		// A flavor with a disk of 0 makes the root disk as large as the image, which is not known here: then nothing is
		// promised.
		if disk := rootDiskGiB(f, g.BootVolumeGiB); disk > 0 {
			capacity[v1.ResourceEphemeralStorage] = *resource.NewQuantity(int64(disk)*gibibyte, resource.BinarySI)
		}
	} else if g.BootVolumeGiB > 0 {
		capacity[v1.ResourceEphemeralStorage] = *resource.NewQuantity(int64(g.BootVolumeGiB)*gibibyte, resource.BinarySI)
	}
	if name, n := gpus(g); n > 0 {
		capacity[v1.ResourceName(name)] = *resource.NewQuantity(n, resource.DecimalSI)
	}
	for name, q := range map[v1.ResourceName]*resource.Quantity{
		v1.ResourceCPU: given.CPU, v1.ResourceMemory: given.Memory, v1.ResourceEphemeralStorage: given.EphemeralDisk,
	} {
		if q != nil {
			capacity[name] = q.DeepCopy()
		}
	}
	if given.MaxPods != nil {
		capacity[v1.ResourcePods] = *resource.NewQuantity(*given.MaxPods, resource.DecimalSI)
	}
	return capacity, nil
}

// rootDiskGiB is the size of the disk that holds a node's root file system: the boot volume, else the flavor's disk.
func rootDiskGiB(f *Flavor, bootVolumeGiB int) int {
	if bootVolumeGiB > 0 {
		return bootVolumeGiB
	}
	return f.DiskGiB
}

// gpus returns the name and the number of a new node's GPUs or other devices: by annotations, else by the flavor's extra
// specs (nova doc/source/user/flavors.rst). Placement's resource classes VGPU and PGPU can only be GPUs. A PCI alias is
// a word of the cloud's operator that may mean any device, so that it counts only if an annotation says what it is, and
// only if it is the only one.
func gpus(g *Group) (name string, n int64) {
	given := g.Config.Capacity
	if given.GPUCount != nil {
		return given.GPUType, *given.GPUCount
	}
	if g.Flavor == nil {
		return "", 0
	}
	for spec, value := range g.Flavor.ExtraSpecs {
		// resources:VGPU, or resources1:VGPU in a numbered request group
		if group, class, ok := strings.Cut(spec, ":"); ok && strings.HasPrefix(group, "resources") && (class == "VGPU" || class == "PGPU") {
			n += positive(value)
		}
	}
	name = given.GPUType
	if n == 0 && name != "" {
		if alias := g.Flavor.ExtraSpecs["pci_passthrough:alias"]; !strings.Contains(alias, ",") {
			_, devices, _ := strings.Cut(alias, ":")
			n = positive(devices)
		}
	}
	if n > 0 && name == "" {
		name = DefaultGPUType
	}
	return name, n
}

// positive reads a number; what is none counts as 0.
func positive(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// allocatable is capacity less what the kubelet keeps back, as its "Node Allocatable" feature computes it: kube reserved,
// system reserved and the hard eviction thresholds. It also takes the RAM off that no node sees.
func allocatable(g *Group, capacity v1.ResourceList, memoryOverheadPercent float64) v1.ResourceList {
	r := g.Config.Reserved
	out := capacity.DeepCopy()
	subtract := func(name v1.ResourceName, q resource.Quantity) {
		left, ok := out[name]
		if !ok {
			return
		}
		left.Sub(q)
		if left.Sign() < 0 {
			left = *resource.NewQuantity(0, left.Format)
		}
		out[name] = left
	}
	share := func(name v1.ResourceName, percent float64) {
		q := capacity[name]
		subtract(name, *resource.NewQuantity(int64(float64(q.Value())*percent/100), resource.BinarySI))
	}
	for _, list := range []v1.ResourceList{r.Kube, r.System, r.EvictionHard} {
		for name, q := range list {
			subtract(name, q)
		}
	}
	share(v1.ResourceMemory, r.EvictionMemoryPercent)
	share(v1.ResourceEphemeralStorage, r.EvictionDiskPercent)
	if !r.EvictionHardSet {
		subtract(v1.ResourceMemory, defaultEvictionMemory)
		share(v1.ResourceEphemeralStorage, defaultEvictionDiskPercent)
	}
	if g.Config.Capacity.Memory == nil {
		share(v1.ResourceMemory, memoryOverheadPercent)
	}
	return out
}
