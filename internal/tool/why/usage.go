package why

import (
	"cmp"
	"fmt"
	"strings"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/installed"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// options are the options that hold for a group: its annotations, else the autoscaler's flags, else cluster-autoscaler's
// defaults.
func (f *facts) options(g *model.NodeGroup) installed.Flags {
	over := installed.Flags{}
	for flag, key := range map[string]nodegroups.Key{
		"scale-down-utilization-threshold": nodegroups.KeyUtilizationThreshold, "scale-down-gpu-utilization-threshold": nodegroups.KeyGPUUtilizationThreshold,
		"scale-down-unneeded-time": nodegroups.KeyUnneededTime, "scale-down-unready-time": nodegroups.KeyUnreadyTime,
		"ignore-daemonsets-utilization": nodegroups.KeyIgnoreDaemonSets, "max-node-provision-time": nodegroups.KeyMaxNodeProvisionTime,
	} {
		if value := g.Annotations[string(key)]; value != "" {
			over[flag] = []string{value}
		} else if values := f.flags()[flag]; len(values) > 0 {
			over[flag] = values
		}
	}
	return over
}

// defaultThreshold is cluster-autoscaler's --scale-down-utilization-threshold.
const defaultThreshold = 0.5

// usageReason says that a node is used too much to be removed, nil if it is not: what its pods ask for, as a part of what it has,
// is not below the threshold. It is cluster-autoscaler's own computation (simulator/utilization).
func (f *facts) usageReason(node *v1.Node, g *model.NodeGroup) *Reason {
	options := f.options(g)
	if f.hasGPU(node) {
		// Its cpu and memory do not count, and without a GPU that is ready it counts as unused.
		share, ok := f.share(node, gpuResource, options)
		threshold := options.Float("scale-down-gpu-utilization-threshold", defaultThreshold)
		if !ok || share < threshold {
			return nil
		}
		return usedReason(gpuResource, share, threshold, nodegroups.KeyGPUUtilizationThreshold, "scale-down-gpu-utilization-threshold")
	}
	threshold := options.Float("scale-down-utilization-threshold", defaultThreshold)
	highest, of := 0.0, v1.ResourceName("")
	for _, name := range []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory} {
		if share, ok := f.share(node, name, options); ok && share >= highest {
			highest, of = share, name
		}
	}
	if of == "" || highest < threshold {
		return nil
	}
	return usedReason(of, highest, threshold, nodegroups.KeyUtilizationThreshold, "scale-down-utilization-threshold")
}

const (
	// gpuResource is the resource that counts on nodes with a GPU, whatever name the node group gives its devices (utils/gpu).
	gpuResource = v1.ResourceName("nvidia.com/gpu")
	// defaultGPULabel is the autoscaler's --openstack-gpu-label.
	defaultGPULabel = "cluster-autoscaler-openstack/gpu-type"
)

// hasGPU says whether cluster-autoscaler takes a node for one with a GPU: by its label, whatever the value, or by what it offers.
func (f *facts) hasGPU(node *v1.Node) bool {
	label := cmp.Or(f.flags().Last("openstack-gpu-label"), defaultGPULabel)
	_, isLabelled := node.Labels[label]
	offered := node.Status.Allocatable[gpuResource]
	return isLabelled || !offered.IsZero()
}

func usedReason(name v1.ResourceName, share, threshold float64, key nodegroups.Key, flag string) *Reason {
	return &Reason{
		Code:   CodeUsed,
		Text:   fmt.Sprintf("it is needed: its pods ask for %.0f%% of its %s, and only nodes below %.0f%% are removed", share*100, name, threshold*100),
		Remedy: "move or shrink its pods, or raise the threshold (annotation " + string(key) + ", or --" + flag + ")",
	}
}

// share is what the node's pods ask for of a resource, as a part of what it has; false if it has none.
func (f *facts) share(node *v1.Node, name v1.ResourceName, options installed.Flags) (float64, bool) {
	all := node.Status.Allocatable[name]
	total := all.AsApproximateFloat64()
	used := 0.0
	for _, pod := range f.podsOn(node.Name) {
		q := requestsOf(pod)[name]
		asked := q.AsApproximateFloat64()
		isMirror := pod.Annotations[mirrorPod] != ""
		if stays(pod) && (isMirror && f.flags().Bool("ignore-mirror-pods-utilization", false) || !isMirror && options.Bool("ignore-daemonsets-utilization", false)) {
			total -= asked
			continue
		}
		used += asked
	}
	if total <= 0 {
		return 0, false
	}
	return used / total, true
}

// roomReason says which pods of a node would find no place on the other nodes, nil if all would, as far as that is checked.
func (f *facts) roomReason(node *v1.Node) *Reason {
	others := f.room(node)
	var homeless []string
	why := ""
	for _, pod := range f.podsOn(node.Name) {
		if stays(pod) || pod.DeletionTimestamp != nil {
			continue
		}
		name := pod.Namespace + "/" + pod.Name
		if reason, ok := place(pod, others); !ok {
			homeless = append(homeless, name)
			if why == "" && reason != "" {
				why = fmt.Sprintf("; pod %s on the node that is closest: %s", name, reason)
			}
		}
	}
	if len(homeless) == 0 {
		return nil
	}
	const most = 3
	shown := strings.Join(homeless[:min(len(homeless), most)], ", ")
	if len(homeless) > most {
		shown += fmt.Sprintf(" and %s", cli.Count(len(homeless)-most, "other"))
	}
	return &Reason{
		Code: CodeNoRoom, Text: fmt.Sprintf("there is no room elsewhere for %s%s", shown, why),
		Remedy: "that is as it should be if the pods are needed; else scale them down, or let them ask for less",
	}
}

// site is a node with what is taken of it.
type site struct {
	node  *v1.Node
	taken v1.ResourceList
}

// room are all other nodes on which pods may be placed.
func (f *facts) room(except *v1.Node) []site {
	var sites []site
	for i := range f.Nodes {
		n := &f.Nodes[i]
		if n.Name == except.Name || n.Spec.Unschedulable || isLeaving(n) || !nodegroups.IsReady(n) {
			continue
		}
		taken := v1.ResourceList{}
		for _, pod := range f.podsOn(n.Name) {
			add(taken, requestsOf(pod))
		}
		sites = append(sites, site{n, taken})
	}
	return sites
}

// place puts a pod on the first node on which it fits. If there is none it says what is in the way on the node with the fewest
// obstacles.
func place(pod *v1.Pod, sites []site) (closest string, ok bool) {
	least := -1
	for i := range sites {
		found := fit(pod, sites[i].node, sites[i].taken, nil)
		if len(found) == 0 {
			add(sites[i].taken, requestsOf(pod))
			return "", true
		}
		if least < 0 || len(found) < least {
			least = len(found)
			closest = strings.ReplaceAll(found[0].text, "a new node", fmt.Sprintf("node %q", sites[i].node.Name))
			closest = strings.ReplaceAll(closest, "for DaemonSets", "for its pods")
		}
	}
	return closest, false
}
