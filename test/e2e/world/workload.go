package world

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// worldLabel is on every node of a world and asked for by every pod.
const worldLabel = "world"

const appLabel = "app"

// nowhere is an image that is nowhere to be had.
const nowhere = "registry.invalid/app:1"

// Workload says what a Deployment is like. Its pods run nothing and end at once when asked.
type Workload struct {
	Name     string
	Replicas int
	// CPU and Memory are what a pod asks for; 1 and nothing if empty.
	CPU, Memory string
	// Image is the pods' image. Empty means one that is nowhere to be had, which played machines run all the same.
	Image string
	// NodeLabels are labels that the node must have, besides the world's.
	NodeLabels map[string]string
	// Tolerations of the pods.
	Tolerations []v1.Toleration
	// Devices are extended resources that a pod asks for, such as nvidia.com/gpu.
	Devices map[string]string
	// Guaranteed gives the pods the quality of service of that name: limits that equal their requests. It needs Memory.
	Guaranteed bool
	// Spread gives the pods the topology spread constraint of docs/how-to/spread-load.md.
	Spread bool
}

// Deploy makes a Deployment.
func (w *World) Deploy(ctx context.Context, workload Workload) error {
	if workload.CPU == "" {
		workload.CPU = "1"
	}
	requests := v1.ResourceList{v1.ResourceCPU: resource.MustParse(workload.CPU)}
	if workload.Memory != "" {
		requests[v1.ResourceMemory] = resource.MustParse(workload.Memory)
	}
	limits := v1.ResourceList{}
	for device, n := range workload.Devices {
		limits[v1.ResourceName(device)] = resource.MustParse(n)
		requests[v1.ResourceName(device)] = resource.MustParse(n)
	}
	if workload.Guaranteed {
		limits = requests
	}
	if workload.Image == "" {
		workload.Image = nowhere
	}
	selector := map[string]string{worldLabel: w.Name}
	for key, value := range workload.NodeLabels {
		selector[key] = value
	}
	labels := map[string]string{appLabel: workload.Name}
	var spread []v1.TopologySpreadConstraint
	if workload.Spread {
		spread = []v1.TopologySpreadConstraint{{
			MaxSkew: 1, TopologyKey: v1.LabelHostname, WhenUnsatisfiable: v1.ScheduleAnyway,
			LabelSelector: &metav1.LabelSelector{MatchLabels: labels}, MatchLabelKeys: []string{appsv1.DefaultDeploymentUniqueLabelKey},
		}}
	}
	_, err := w.base.Cluster.Client.AppsV1().Deployments(w.Name).Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: workload.Name},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To(int32(workload.Replicas)), //nolint:gosec // a handful
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: v1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: v1.PodSpec{
					NodeSelector: selector, Tolerations: workload.Tolerations, TopologySpreadConstraints: spread,
					TerminationGracePeriodSeconds: ptr.To(int64(0)),
					AutomountServiceAccountToken:  ptr.To(false),
					Containers: []v1.Container{{
						Name: "app", Image: workload.Image, Resources: v1.ResourceRequirements{Requests: requests, Limits: limits},
					}},
				},
			},
		},
	}, metav1.CreateOptions{})
	return err
}

// DeployOnEachNode makes a DaemonSet whose pods, one on each node of the world, ask for so much of a processor.
func (w *World) DeployOnEachNode(ctx context.Context, name, cpu string) error {
	labels := map[string]string{appLabel: name}
	_, err := w.base.Cluster.Client.AppsV1().DaemonSets(w.Name).Create(ctx, &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: v1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: v1.PodSpec{
					NodeSelector: map[string]string{worldLabel: w.Name}, TerminationGracePeriodSeconds: ptr.To(int64(0)),
					AutomountServiceAccountToken: ptr.To(false),
					Containers: []v1.Container{{
						Name: "app", Image: nowhere, Resources: v1.ResourceRequirements{Requests: v1.ResourceList{v1.ResourceCPU: resource.MustParse(cpu)}},
					}},
				},
			},
		},
	}, metav1.CreateOptions{})
	return err
}

// Undeploy deletes a Deployment and its pods.
func (w *World) Undeploy(ctx context.Context, name string) error {
	err := w.base.Cluster.Client.AppsV1().Deployments(w.Name).Delete(ctx, name, metav1.DeleteOptions{
		PropagationPolicy: ptr.To(metav1.DeletePropagationBackground),
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// Scale changes the number of a Deployment's pods.
func (w *World) Scale(ctx context.Context, name string, replicas int) error {
	deployments := w.base.Cluster.Client.AppsV1().Deployments(w.Name)
	scale, err := deployments.GetScale(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	scale.Spec.Replicas = int32(replicas) //nolint:gosec // a handful
	_, err = deployments.UpdateScale(ctx, name, scale, metav1.UpdateOptions{})
	return err
}

// Restart replaces a Deployment's pods one after the other, as kubectl rollout restart does.
func (w *World) Restart(ctx context.Context, name string) error {
	patch := fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`, time.Now().Format(time.RFC3339))
	_, err := w.base.Cluster.Client.AppsV1().Deployments(w.Name).Patch(ctx, name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	return err
}

// Protect makes a PodDisruptionBudget for a Deployment's pods.
func (w *World) Protect(ctx context.Context, workload string, minAvailable int) error {
	_, err := w.base.Cluster.Client.PolicyV1().PodDisruptionBudgets(w.Name).Create(ctx, &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: workload},
		Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: ptr.To(intstr.FromInt32(int32(minAvailable))), //nolint:gosec // a handful
			Selector:     &metav1.LabelSelector{MatchLabels: map[string]string{appLabel: workload}},
		},
	}, metav1.CreateOptions{})
	return err
}

// ChangeProtection changes the PodDisruptionBudget of a Deployment's pods.
func (w *World) ChangeProtection(ctx context.Context, workload string, minAvailable int) error {
	patch := fmt.Sprintf(`{"spec":{"minAvailable":%d}}`, minAvailable)
	_, err := w.base.Cluster.Client.PolicyV1().PodDisruptionBudgets(w.Name).Patch(ctx, workload, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	return err
}

// WaitForBudget waits until the PodDisruptionBudget of a Deployment's pods allows exactly n of them to be evicted: until then the API
// server refuses all evictions, as it does not know yet.
func (w *World) WaitForBudget(ctx context.Context, timeout time.Duration, workload string, n int) error {
	return w.Until(ctx, timeout, fmt.Sprintf("the budget of %s to allow %d evictions", workload, n), func(ctx context.Context) error {
		budget, err := w.base.Cluster.Client.PolicyV1().PodDisruptionBudgets(w.Name).Get(ctx, workload, metav1.GetOptions{})
		switch {
		case err != nil:
			return err
		case budget.Status.ObservedGeneration != budget.Generation:
			return fmt.Errorf("nobody has looked at its generation %d", budget.Generation)
		case int(budget.Status.DisruptionsAllowed) != n:
			return fmt.Errorf("it allows %d", budget.Status.DisruptionsAllowed)
		}
		return nil
	})
}

// Pods lists the pods of a Deployment that are not being deleted; all of the world for an empty name.
func (w *World) Pods(ctx context.Context, workload string) ([]v1.Pod, error) {
	options := metav1.ListOptions{}
	if workload != "" {
		options.LabelSelector = appLabel + "=" + workload
	}
	list, err := w.base.Cluster.Client.CoreV1().Pods(w.Name).List(ctx, options)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list.Items, func(pod v1.Pod) bool { return pod.DeletionTimestamp != nil }), nil
}

// WaitForRunning waits until exactly n pods of a Deployment run.
func (w *World) WaitForRunning(ctx context.Context, timeout time.Duration, workload string, n int) error {
	return w.Until(ctx, timeout, fmt.Sprintf("%d running pods of %s", n, workload), func(ctx context.Context) error {
		pods, err := w.Pods(ctx, workload)
		if err != nil {
			return err
		}
		running := 0
		var states []string
		for _, pod := range pods {
			if pod.Status.Phase == v1.PodRunning {
				running++
			}
			states = append(states, fmt.Sprintf("%s %s on %q", pod.Name, pod.Status.Phase, pod.Spec.NodeName))
		}
		if running == n && len(pods) == n {
			return nil
		}
		return fmt.Errorf("%d run: %s", running, strings.Join(states, ", "))
	})
}

// Events lists the Events of a reason in the world's namespace, which is the autoscaler's too.
func (w *World) Events(ctx context.Context, reason string) ([]v1.Event, error) {
	list, err := w.base.Cluster.Client.CoreV1().Events(w.Name).List(ctx, metav1.ListOptions{FieldSelector: "reason=" + reason})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}
