package installed

import (
	"context"
	"regexp"
	"slices"
	"strconv"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Running is what the autoscaler's pods say of it.
type Running struct {
	// Pods are its running pods; none if there are none in this cluster.
	Pods []v1.Pod
	// Flags are the flags of all containers of the first one, and of the stock cluster-autoscaler beside it, if that has pods of its own.
	Flags Flags
	// stock is such a pod.
	stock *v1.Pod
}

// Pods finds the autoscaler's running pods: those with its labels, or without any, those whose flags are the autoscaler's. Errors are
// those of the API server.
func Pods(ctx context.Context, client kubernetes.Interface, where Where) (*Running, error) {
	found := &Running{Flags: Flags{}}
	for _, selector := range where.selectors() {
		pods, err := running(ctx, client, where.Namespace, by(selector))
		if err != nil {
			return nil, err
		}
		found.Pods = slices.DeleteFunc(pods, func(p v1.Pod) bool { return where.isOther(p.Labels) || isTool(&p.Spec) })
		if len(found.Pods) > 0 {
			break
		}
	}
	var all []v1.Pod // of the namespace: they may be many, and are listed only if there is need
	if len(found.Pods) == 0 && where.Selector == "" || len(found.Pods) > 0 && found.isAlone() {
		var err error
		if all, err = running(ctx, client, where.Namespace, metav1.ListOptions{}); err != nil {
			return nil, err
		}
	}
	if len(found.Pods) == 0 {
		for i := range all {
			if _, isAutoscaler := programOf(&all[i].Spec, false); isAutoscaler && !where.isOther(all[i].Labels) {
				found.Pods = append(found.Pods, all[i])
			}
		}
	}
	if len(found.Pods) == 0 {
		return found, nil
	}
	if found.isAlone() {
		found.stock = stockOf(all)
	}
	found.readFlags()
	return found, nil
}

// running are the pods that run and stay.
func running(ctx context.Context, client kubernetes.Interface, namespace string, options metav1.ListOptions) ([]v1.Pod, error) {
	list, err := client.CoreV1().Pods(namespace).List(ctx, options)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list.Items, func(p v1.Pod) bool { return p.DeletionTimestamp != nil || p.Status.Phase != v1.PodRunning }), nil
}

func (r *Running) isAlone() bool {
	p, ok := programOf(&r.Pods[0].Spec, true)
	return ok && p.isAlone()
}

// stockOf is a pod of the stock cluster-autoscaler; nil if there is none, or if pods of one are not told from those of another.
func stockOf(pods []v1.Pod) *v1.Pod {
	var found *v1.Pod
	for i := range pods {
		p, isAutoscaler := programOf(&pods[i].Spec, false)
		if isAutoscaler || !p.External {
			continue
		}
		if found != nil && owner(found) != owner(&pods[i]) {
			return nil
		}
		if found == nil {
			found = &pods[i]
		}
	}
	return found
}

// owner is what made a pod, else the pod itself.
func owner(pod *v1.Pod) string {
	if controller := metav1.GetControllerOf(pod); controller != nil {
		return controller.Kind + "/" + controller.Name
	}
	return "Pod/" + pod.Name
}

// readFlags gathers the flags of all containers: in the external form cluster-autoscaler's own are in another one than the provider's.
func (r *Running) readFlags() {
	for _, pod := range r.deciding() {
		for i := range pod.Spec.Containers {
			if c := &pod.Spec.Containers[i]; !runsTool(c) {
				r.Flags.add(containerFlags(c))
			}
		}
	}
}

// deciding are the pods that say how it runs.
func (r *Running) deciding() []*v1.Pod {
	if len(r.Pods) == 0 {
		return nil
	}
	if r.stock == nil {
		return []*v1.Pod{&r.Pods[0]}
	}
	return []*v1.Pod{&r.Pods[0], r.stock}
}

// stockImage is how images of cluster-autoscaler itself are called, such as registry.k8s.io/autoscaling/cluster-autoscaler:v1.33.5.
var stockImage = regexp.MustCompile(`(?:^|/)cluster-autoscaler(?:-amd64|-arm64|-s390x)?:v?1\.(\d+)\.\d`)

// StockMinor is the minor version of the stock cluster-autoscaler that the pods run, as the tag of its image says; false if they run
// none, or the tag does not say it.
func (r *Running) StockMinor() (minor int, known bool) {
	for _, pod := range r.deciding() {
		for i := range pod.Spec.Containers {
			if found := stockImage.FindStringSubmatch(pod.Spec.Containers[i].Image); found != nil {
				minor, err := strconv.Atoi(found[1])
				return minor, err == nil
			}
		}
	}
	return 0, false
}
