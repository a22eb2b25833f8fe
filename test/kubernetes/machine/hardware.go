package machine

import (
	"context"

	cadvisorapi "github.com/google/cadvisor/info/v1"
	cadvisorapiv2 "github.com/google/cadvisor/info/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	cadvisortest "k8s.io/kubernetes/pkg/kubelet/cadvisor/testing"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	evictionapi "k8s.io/kubernetes/pkg/kubelet/eviction/api"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/kubernetes/boot"
)

// Size is the machine's hardware: the cloud's flavor.
type Size struct {
	VCPUs   int
	RAMMiB  int64
	DiskGiB int64
}

// unseenMemoryPercent is what Linux' MemTotal lacks of a virtual machine's memory: firmware, the kernel itself and its page
// tables. 3 % is what a Debian guest of 4 GiB shows; smaller machines lack more.
const unseenMemoryPercent = 3

// memory is MemTotal in bytes.
func (s Size) memory() int64 { return s.RAMMiB << 20 / 100 * (100 - unseenMemoryPercent) }

func (s Size) capacity() v1.ResourceList {
	return v1.ResourceList{
		v1.ResourceCPU:              *resource.NewQuantity(int64(s.VCPUs), resource.DecimalSI),
		v1.ResourceMemory:           *resource.NewQuantity(s.memory(), resource.BinarySI),
		v1.ResourceEphemeralStorage: *resource.NewQuantity(s.DiskGiB<<30, resource.BinarySI),
	}
}

// hardware is a cAdvisor that sees the machine instead of the computer it is played on.
type hardware struct {
	cadvisortest.Fake
	size     Size
	instance boot.Instance
}

func (h *hardware) MachineInfo() (*cadvisorapi.MachineInfo, error) {
	return &cadvisorapi.MachineInfo{
		NumCores:       h.size.VCPUs,
		MemoryCapacity: uint64(h.size.memory()),
		InstanceID:     cadvisorapi.InstanceID(h.instance.ID),
		// KVM gives a guest its server's UUID as the system UUID.
		MachineID:  h.instance.ID,
		SystemUUID: h.instance.ID,
		BootID:     h.instance.ID,
	}, nil
}

func (h *hardware) RootFsInfo() (cadvisorapiv2.FsInfo, error) {
	bytes := uint64(h.size.DiskGiB) << 30
	return cadvisorapiv2.FsInfo{Device: "/dev/vda1", Capacity: bytes, Available: bytes}, nil
}

func (h *hardware) ImagesFsInfo(context.Context) (cadvisorapiv2.FsInfo, error) { return h.RootFsInfo() }

func (h *hardware) ContainerFsInfo(context.Context) (cadvisorapiv2.FsInfo, error) {
	return h.RootFsInfo()
}

func (h *hardware) GetDirFsInfo(string) (cadvisorapiv2.FsInfo, error) { return h.RootFsInfo() }

// containerManager is Kubernetes' stub, which knows neither disks nor reservations, with both added: allocatable is then
// what a real node of this size and configuration reports.
type containerManager struct {
	cm.ContainerManager
	capacity v1.ResourceList
	reserved v1.ResourceList
}

func (m *containerManager) GetCapacity(localStorageCapacityIsolation bool) v1.ResourceList {
	if !localStorageCapacityIsolation {
		return v1.ResourceList{}
	}
	return v1.ResourceList{v1.ResourceEphemeralStorage: m.capacity[v1.ResourceEphemeralStorage]}
}

func (m *containerManager) GetNodeAllocatableReservation() v1.ResourceList { return m.reserved }

// reservation is what the node keeps back: what is reserved for Kubernetes and the system and, for memory and disk,
// what the kubelet evicts pods to keep free.
func reservation(capacity, kube, system v1.ResourceList, thresholds []evictionapi.Threshold) v1.ResourceList {
	kept := v1.ResourceList{}
	for name, whole := range capacity {
		sum := kube[name].DeepCopy()
		sum.Add(system[name])
		for _, threshold := range thresholds {
			if resourceOf(threshold.Signal) == name && threshold.Operator == evictionapi.OpLessThan {
				sum.Add(*evictionapi.GetThresholdQuantity(threshold.Value, &whole))
			}
		}
		if !sum.IsZero() {
			kept[name] = sum
		}
	}
	return kept
}

func resourceOf(signal evictionapi.Signal) v1.ResourceName {
	switch signal {
	case evictionapi.SignalMemoryAvailable:
		return v1.ResourceMemory
	case evictionapi.SignalNodeFsAvailable:
		return v1.ResourceEphemeralStorage
	}
	return ""
}
