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
	drainRulesComment  = "pods that may not be evicted: safe-to-evict, controllers, local storage, kube-system, PodDisruptionBudgets"
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
	case !f.isReplicated(pod):
		return &Reason{
			Code: CodeNotReplicated, Text: fmt.Sprintf("pod %s has no controller that would make it anew elsewhere", name),
			Remedy: fmt.Sprintf("run it by a Deployment or a Job, annotate it with %s=true, or delete it", safeToEvict),
		}
	case pod.Namespace == kubeSystem && len(budgets) == 0 && f.flags().Bool("skip-nodes-with-system-pods", true):
		if f.isOldSystemPod(pod) {
			return nil // no other rule is asked then
		}
		return &Reason{
			Code: CodeSystemPod, Text: fmt.Sprintf("pod %s is one of kube-system, has no PodDisruptionBudget and is young", name),
			Remedy: fmt.Sprintf("make a PodDisruptionBudget for it, annotate it with %s=true, or start cluster-autoscaler with --skip-nodes-with-system-pods=false", safeToEvict),
		}
	case pod.Annotations[safeToEvict] == "false":
		return &Reason{
			Code: CodeNotEvictable, Text: fmt.Sprintf("pod %s forbids it by its annotation %s=false", name, safeToEvict),
			Remedy: "take the annotation away, or delete the pod",
		}
	case spent != nil:
		return spent
	}
	if volume := localVolume(pod); volume != "" && f.flags().Bool("skip-nodes-with-local-storage", true) {
		return &Reason{
			Code: CodeLocalStorage, Text: fmt.Sprintf("pod %s has data on the node: volume %q is local", name, volume),
			Remedy: fmt.Sprintf("annotate it with %s=%s (or %s=true) if the data may be lost, or start cluster-autoscaler with --skip-nodes-with-local-storage=false",
				safeLocalVolumes, volume, safeToEvict),
		}
	}
	return nil
}

// isReplicated says whether a controller that cluster-autoscaler knows makes the pod anew elsewhere (rules/replicated).
func (f *facts) isReplicated(pod *v1.Pod) bool {
	owner := metav1.GetControllerOf(pod)
	if owner == nil || !f.flags().Bool("skip-nodes-with-custom-controller-pods", true) {
		return owner != nil
	}
	return slices.Contains([]string{"ReplicationController", "Job", "ReplicaSet", "StatefulSet"}, owner.Kind)
}

// isOldSystemPod says whether a pod of kube-system without a budget has held its node for long enough (rules/system). Old versions of a
// stock cluster-autoscaler wait for ever.
func (f *facts) isOldSystemPod(pod *v1.Pod) bool {
	timeout := f.flags().Duration("blocking-system-pod-distruption-timeout", time.Hour)
	return !pod.CreationTimestamp.IsZero() && f.since(pod.CreationTimestamp.Time) > timeout
}

// localVolume is the name of a volume that is on the node and may not be lost, empty if there is none.
func localVolume(pod *v1.Pod) string {
	mayGo := map[string]bool{}
	for name := range strings.SplitSeq(pod.Annotations[safeLocalVolumes], ",") {
		mayGo[name] = true // with its blanks, as cluster-autoscaler takes it
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
