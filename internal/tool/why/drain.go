package why

import (
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Annotations of pods that cluster-autoscaler looks at.
const (
	safeToEvict        = "cluster-autoscaler.kubernetes.io/safe-to-evict"
	safeLocalVolumes   = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
	scaleDownDisabled  = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
	mirrorPod          = "kubernetes.io/config.mirror"
	kubeSystem         = metav1.NamespaceSystem
	drainRulesComment  = "pods that may not be evicted: safe-to-evict, controllers, local storage"
	drainRulesBudgets  = ", kube-system, PodDisruptionBudgets"
	drainRulesExcluded = "controllers that are gone, and other rules of cluster-autoscaler's own"
)

// stays says whether a pod goes with its node without being asked: a DaemonSet's, or one that the kubelet made itself.
func stays(pod *v1.Pod) bool {
	owner := metav1.GetControllerOf(pod)
	return owner != nil && owner.Kind == "DaemonSet" || pod.Annotations[mirrorPod] != ""
}

// holds says why a pod keeps cluster-autoscaler from draining its node, nil if it does not. The rules and their order are those of
// cluster-autoscaler 1.33 (simulator/drainability/rules).
func (f *facts) holds(pod *v1.Pod) *Reason {
	name := pod.Namespace + "/" + pod.Name
	if stays(pod) || pod.DeletionTimestamp != nil {
		return nil
	}
	budgets := f.budgetsOf(pod)
	spent := exhausted(name, budgets)
	switch {
	case pod.Annotations[safeToEvict] == "true":
		return spent
	case metav1.GetControllerOf(pod) == nil:
		return &Reason{
			Code: CodeNotReplicated, Text: fmt.Sprintf("pod %s has no controller that would make it anew elsewhere", name),
			Remedy: fmt.Sprintf("run it by a Deployment or a Job, annotate it with %s=true, or delete it", safeToEvict),
		}
	case f.isCustom(metav1.GetControllerOf(pod)):
		return &Reason{
			Code: CodeCustomPod, Text: fmt.Sprintf("pod %s belongs to a %s, and cluster-autoscaler does not trust controllers of that kind to make pods anew",
				name, metav1.GetControllerOf(pod).Kind),
			Remedy: fmt.Sprintf("annotate it with %s=true, or start cluster-autoscaler with --skip-nodes-with-custom-controller-pods=false", safeToEvict),
		}
	case f.isSystem(pod, budgets) && !f.budgetsKnown && f.systemReason(pod) == nil:
		return nil // it may go if it has no budget, and that is not known; a younger one is held by what follows, or by this rule
	case f.isSystem(pod, budgets) && f.budgetsKnown:
		// What is old enough may go, whatever the rules below say (system/rule.go).
		return f.systemReason(pod)
	case pod.Annotations[safeToEvict] == "false":
		return &Reason{
			Code: CodeNotEvictable, Text: fmt.Sprintf("pod %s forbids it by its annotation %s=false", name, safeToEvict),
			Remedy: "take the annotation away, or delete the pod",
		}
	}
	if volume := localVolume(pod); volume != "" && f.flags().Bool("skip-nodes-with-local-storage", true) {
		return &Reason{
			Code: CodeLocalStorage, Text: fmt.Sprintf("pod %s has data on the node: volume %q is local", name, volume),
			Remedy: fmt.Sprintf("annotate it with %s=%s (or %s=true) if the data may be lost, or start cluster-autoscaler with --skip-nodes-with-local-storage=false",
				safeLocalVolumes, volume, safeToEvict),
		}
	}
	return spent
}

// replicatedKinds are the kinds of controllers that cluster-autoscaler trusts to make pods anew (replicated/rule.go). It does not look
// at their API group.
var replicatedKinds = []string{"ReplicationController", "Job", "ReplicaSet", "StatefulSet"}

// isCustom says whether a controller is none that cluster-autoscaler trusts.
func (f *facts) isCustom(controller *metav1.OwnerReference) bool {
	return !slices.Contains(replicatedKinds, controller.Kind) && f.flags().Bool("skip-nodes-with-custom-controller-pods", true)
}

// isSystem says whether a pod is one of kube-system without a budget that is known, and such pods hold nodes.
func (f *facts) isSystem(pod *v1.Pod, budgets []*policyv1.PodDisruptionBudget) bool {
	return pod.Namespace == kubeSystem && len(budgets) == 0 && f.flags().Bool("skip-nodes-with-system-pods", true)
}

const (
	// systemPodTimeout is cluster-autoscaler's --blocking-system-pod-distruption-timeout (so it is spelled).
	systemPodTimeout = time.Hour
	// systemPodTimeoutMinor is the minor version with which that flag came: before it such pods hold nodes for ever.
	systemPodTimeoutMinor = 33
)

// systemReason says that such a pod holds its node, nil if it is old enough to go.
func (f *facts) systemReason(pod *v1.Pod) *Reason {
	r := &Reason{
		Code: CodeSystemPod, Text: fmt.Sprintf("pod %s/%s is one of kube-system and has no PodDisruptionBudget", pod.Namespace, pod.Name),
		Remedy: fmt.Sprintf("make a PodDisruptionBudget for it, annotate it with %s=true, or start cluster-autoscaler with --skip-nodes-with-system-pods=false", safeToEvict),
	}
	if minor, known := f.Autoscaler.StockMinor(); known && minor < systemPodTimeoutMinor {
		return r
	}
	timeout := f.flags().Duration("blocking-system-pod-distruption-timeout", systemPodTimeout)
	if created := pod.CreationTimestamp; !created.IsZero() {
		left := timeout - f.At.Sub(created.Time)
		if left < 0 {
			return nil
		}
		r.Text += fmt.Sprintf(": it holds the node for %s yet, until it is %s old", span(left), span(timeout))
		r.Remedy = "wait, or " + r.Remedy
	}
	return r
}

// localVolume is the name of a volume that is on the node and may not be lost, empty if there is none.
func localVolume(pod *v1.Pod) string {
	mayGo := map[string]bool{}
	for name := range strings.SplitSeq(pod.Annotations[safeLocalVolumes], ",") {
		mayGo[name] = true // spaces count: cluster-autoscaler does not trim them (utils/drain)
	}
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		isLocal := v.HostPath != nil || v.EmptyDir != nil && v.EmptyDir.Medium != v1.StorageMediumMemory
		if isLocal && !mayGo[v.Name] {
			return v.Name
		}
	}
	return ""
}

// budgetsOf are the PodDisruptionBudgets that are about a pod.
func (f *facts) budgetsOf(pod *v1.Pod) []*policyv1.PodDisruptionBudget {
	var found []*policyv1.PodDisruptionBudget
	for i := range f.budgets {
		b := &f.budgets[i]
		if b.Namespace != pod.Namespace {
			continue
		}
		selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err == nil && selector.Matches(labels.Set(pod.Labels)) {
			found = append(found, b)
		}
	}
	return found
}

// exhausted says which budget does not allow the eviction, nil if all do.
func exhausted(pod string, budgets []*policyv1.PodDisruptionBudget) *Reason {
	for _, b := range budgets {
		if b.Status.DisruptionsAllowed > 0 {
			continue
		}
		return &Reason{
			Code: CodeBudget, Text: fmt.Sprintf("PodDisruptionBudget %s/%s does not allow pod %s to be evicted now: %d of %d pods are healthy, %d have to be",
				b.Namespace, b.Name, pod, b.Status.CurrentHealthy, b.Status.ExpectedPods, b.Status.DesiredHealthy),
			Remedy: "run more replicas, let the budget allow a disruption, or mend the pods that are not healthy",
		}
	}
	return nil
}
