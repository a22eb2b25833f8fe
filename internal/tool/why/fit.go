package why

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/component-helpers/storage/volume"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cluster"
)

// fitChecked is what fit checks, with the scheduler's own library; fitNotChecked is what only the scheduler can tell.
func (f *facts) fitChecked() []string {
	requests := "requests against what a new node has"
	if f.daemonSetsKnown {
		requests += ", less its DaemonSets"
	}
	return []string{requests, "taints", "node selector and required node affinity"}
}

var fitNotChecked = []string{"affinity between pods", "topology spread", "host ports", "devices of resource claims"}

// zonesChecked is what is checked for one pod only.
const zonesChecked = "zones of volumes"

// obstacle is why a pod does not fit on a node.
type obstacle struct{ code, text, remedy string }

// fit says why a pod does not fit on a node on which taken is taken already; nothing if it does.
func fit(pod *v1.Pod, node *v1.Node, taken v1.ResourceList, claims map[string]cluster.Claim) []obstacle {
	return slices.Concat(selectorObstacles(pod, node), taintObstacles(pod, node), volumeObstacles(node, claims), resourceObstacles(pod, node, taken))
}

func selectorObstacles(pod *v1.Pod, node *v1.Node) []obstacle {
	if ok, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(node); ok && err == nil {
		return nil
	}
	var found []obstacle
	for _, key := range slices.Sorted(maps.Keys(pod.Spec.NodeSelector)) {
		want := pod.Spec.NodeSelector[key]
		if have, ok := node.Labels[key]; !ok || have != want {
			found = append(found, labelObstacle(key, "="+want, have, ok))
		}
	}
	// The selector alone may fit: then it is the affinity.
	only := &v1.Pod{Spec: v1.PodSpec{Affinity: pod.Spec.Affinity}}
	if ok, err := nodeaffinity.GetRequiredNodeAffinity(only).Match(node); !ok || err != nil {
		found = append(found, affinityObstacles(pod, node)...)
	}
	return found
}

func isZone(key string) bool {
	return key == v1.LabelTopologyZone || key == v1.LabelFailureDomainBetaZone
}

func labelObstacle(key, want, have string, there bool) obstacle {
	has := "has no such label"
	if there {
		has = fmt.Sprintf("has %s=%s", key, have)
	}
	o := obstacle{
		code: CodeSelector, text: fmt.Sprintf("it wants a node with %s%s; a new node %s", key, want, has),
		remedy: fmt.Sprintf("mend the pod's selector, or let nodes have the label: the annotation capacity.cluster-autoscaler.kubernetes.io/labels=%s%s, "+
			"and the same in the kubelet's --node-labels", key, want),
	}
	if isZone(key) {
		o.code = CodeZone
		o.remedy = "add a node group whose stack is in that zone (parameter availability_zone), or let the pod run elsewhere"
	}
	return o
}

// affinityObstacles tells the expressions of the only term that do not hold; of several terms, that none does.
func affinityObstacles(pod *v1.Pod, node *v1.Node) []obstacle {
	required := pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	if len(required.NodeSelectorTerms) != 1 {
		return []obstacle{{
			CodeAffinity, fmt.Sprintf("none of the %d terms of its required node affinity holds for a new node", len(required.NodeSelectorTerms)),
			"mend the pod's affinity, or let nodes have the labels (annotation capacity.cluster-autoscaler.kubernetes.io/labels, and the kubelet's --node-labels)",
		}}
	}
	var found []obstacle
	for _, e := range required.NodeSelectorTerms[0].MatchExpressions {
		one := &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{MatchExpressions: []v1.NodeSelectorRequirement{e}}}}
		if ok, err := nodeaffinity.NewLazyErrorNodeSelector(one).Match(node); ok && err == nil {
			continue
		}
		have, there := node.Labels[e.Key]
		o := labelObstacle(e.Key, fmt.Sprintf(" %s [%s]", e.Operator, strings.Join(e.Values, ", ")), have, there)
		if o.code == CodeSelector {
			o.code = CodeAffinity
			o.remedy = "mend the pod's affinity, or let nodes have the label (annotation capacity.cluster-autoscaler.kubernetes.io/labels, and the kubelet's --node-labels)"
		}
		found = append(found, o)
	}
	if len(found) == 0 {
		found = []obstacle{{CodeAffinity, "its required node affinity names a node by its fields, which no new node has", "mend the pod's affinity"}}
	}
	return found
}

func taintObstacles(pod *v1.Pod, node *v1.Node) []obstacle {
	var found []obstacle
	for i := range node.Spec.Taints {
		one := node.Spec.Taints[i : i+1]
		taint, untolerated := corev1helpers.FindMatchingUntoleratedTaint(one, pod.Spec.Tolerations, func(t *v1.Taint) bool {
			return t.Effect == v1.TaintEffectNoSchedule || t.Effect == v1.TaintEffectNoExecute
		})
		if untolerated {
			found = append(found, obstacle{
				CodeTaint, fmt.Sprintf("it does not tolerate the taint %s of a new node", taint.ToString()),
				fmt.Sprintf("give the pod a toleration for %s if it may run there, or add a node group without the taint", taint.Key),
			})
		}
	}
	return found
}

func volumeObstacles(node *v1.Node, claims map[string]cluster.Claim) []obstacle {
	var found []obstacle
	for _, claim := range slices.Sorted(maps.Keys(claims)) {
		pv := claims[claim].Volume
		if pv == nil || volume.CheckNodeAffinity(pv, node.Labels) == nil {
			continue
		}
		found = append(found, obstacle{
			CodeVolume, fmt.Sprintf("its volume %q (claim %q) can't be used on a new node: %s", pv.Name, claim, wherePV(pv)),
			"add a node group in the volume's zone (parameter availability_zone of its stack), or move the data",
		})
	}
	return found
}

// wherePV says where a volume can be used.
func wherePV(pv *v1.PersistentVolume) string {
	var parts []string
	for _, term := range pv.Spec.NodeAffinity.Required.NodeSelectorTerms {
		for _, e := range term.MatchExpressions {
			parts = append(parts, fmt.Sprintf("%s %s [%s]", e.Key, e.Operator, strings.Join(e.Values, ", ")))
		}
	}
	return "it wants " + strings.Join(parts, " or ")
}

func resourceObstacles(pod *v1.Pod, node *v1.Node, taken v1.ResourceList) []obstacle {
	requests := requestsOf(pod)
	var found []obstacle
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		want := requests[name]
		if want.IsZero() {
			continue
		}
		all, there := node.Status.Allocatable[name]
		left := all.DeepCopy()
		used := taken[name]
		left.Sub(used)
		if there && want.Cmp(left) <= 0 {
			continue
		}
		if !there && name != v1.ResourceCPU && name != v1.ResourceMemory && name != v1.ResourcePods {
			found = append(found, obstacle{
				CodeInsufficient, fmt.Sprintf("it asks for %s %s; a new node offers none", name, cli.Amount(name, want)),
				"add a node group whose nodes have it (a flavor with the device, and the annotations capacity.cluster-autoscaler.kubernetes.io/gpu-type and gpu-count)",
			})
			continue
		}
		text := fmt.Sprintf("it asks for %s %s; a new node has %s", name, cli.Amount(name, want), cli.Amount(name, left))
		if !used.IsZero() {
			text += fmt.Sprintf(" (%s, less %s for DaemonSets)", cli.Amount(name, all), cli.Amount(name, used))
		}
		found = append(found, obstacle{CodeInsufficient, text, "let the pod ask for less, or add a node group with a larger flavor"})
	}
	return found
}

// requestsOf is what a pod takes of a node, itself as one of its pods included.
func requestsOf(pod *v1.Pod) v1.ResourceList {
	requests := resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})
	if requests == nil {
		requests = v1.ResourceList{}
	}
	requests[v1.ResourcePods] = *resource.NewQuantity(1, resource.DecimalSI)
	return requests
}

// takenByDaemonSets is what pods of DaemonSets would take of a new node.
func (f *facts) takenByDaemonSets(node *v1.Node) v1.ResourceList {
	taken := v1.ResourceList{}
	for i := range f.daemonSets {
		pod := &v1.Pod{Spec: f.daemonSets[i].Spec.Template.Spec}
		if len(selectorObstacles(pod, node))+len(taintObstacles(pod, node)) > 0 {
			continue
		}
		add(taken, requestsOf(pod))
	}
	return taken
}

func add(sum, more v1.ResourceList) {
	for name, q := range more {
		total := sum[name]
		total.Add(q)
		sum[name] = total
	}
}
