// Package cluster reads from Kubernetes what the operator's tool needs. Every method is one list or one get. Errors name the right
// that is missing, where one is.
package cluster

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/corestatus"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
)

// Reader reads one cluster.
type Reader struct {
	client     kubernetes.Interface
	autoscaler cli.AutoscalerOptions
}

// New returns a Reader.
func New(client kubernetes.Interface, autoscaler cli.AutoscalerOptions) *Reader {
	return &Reader{client: client, autoscaler: autoscaler}
}

// Nodes lists all nodes.
func (r *Reader) Nodes(ctx context.Context) ([]v1.Node, error) {
	list, err := r.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, cli.Explain("list nodes", err)
	}
	return list.Items, nil
}

// Pods lists the pods of all namespaces.
func (r *Reader) Pods(ctx context.Context) ([]v1.Pod, error) {
	list, err := r.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, cli.Explain("list pods in all namespaces", err)
	}
	return list.Items, nil
}

// Pod reads one pod, nil if there is none of that name.
func (r *Reader) Pod(ctx context.Context, namespace, name string) (*v1.Pod, error) {
	pod, err := r.client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // "there is none" is an answer
	}
	return pod, cli.Explain(fmt.Sprintf("get pods in namespace %q", namespace), err)
}

// DisruptionBudgets lists the PodDisruptionBudgets of all namespaces.
func (r *Reader) DisruptionBudgets(ctx context.Context) ([]policyv1.PodDisruptionBudget, error) {
	list, err := r.client.PolicyV1().PodDisruptionBudgets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, cli.Explain("list poddisruptionbudgets in all namespaces", err)
	}
	return list.Items, nil
}

// DaemonSets lists the DaemonSets of all namespaces.
func (r *Reader) DaemonSets(ctx context.Context) ([]appsv1.DaemonSet, error) {
	list, err := r.client.AppsV1().DaemonSets(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, cli.Explain("list daemonsets in all namespaces", err)
	}
	return list.Items, nil
}

// Claim is what one of a pod's PersistentVolumeClaims is bound to.
type Claim struct {
	// Volume is nil if the claim is not bound, or if its volume does not exist; then Lost is the name of that volume.
	Volume *v1.PersistentVolume
	Lost   string
}

// Volumes returns what a pod's claims are bound to, by claim, with no entry for one that does not exist.
func (r *Reader) Volumes(ctx context.Context, pod *v1.Pod) (map[string]Claim, error) {
	claims := map[string]Claim{}
	for i := range pod.Spec.Volumes {
		source := pod.Spec.Volumes[i].PersistentVolumeClaim
		if source == nil {
			continue
		}
		claim, err := r.client.CoreV1().PersistentVolumeClaims(pod.Namespace).Get(ctx, source.ClaimName, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, cli.Explain(fmt.Sprintf("get persistentvolumeclaims in namespace %q", pod.Namespace), err)
		}
		if claim.Spec.VolumeName == "" {
			claims[source.ClaimName] = Claim{}
			continue
		}
		volume, err := r.client.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			claims[source.ClaimName] = Claim{Lost: claim.Spec.VolumeName}
		case err != nil:
			return nil, cli.Explain("get persistentvolumes", err)
		default:
			claims[source.ClaimName] = Claim{Volume: volume}
		}
	}
	return claims, nil
}

// Events lists the Events about one object. Nodes' Events are in every namespace: give an empty one.
func (r *Reader) Events(ctx context.Context, kind, namespace, name string) ([]v1.Event, error) {
	selector := fields.Set{"involvedObject.kind": kind, "involvedObject.name": name}.AsSelector().String()
	list, err := r.client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: selector})
	if err != nil {
		where := "in all namespaces"
		if namespace != "" {
			where = fmt.Sprintf("in namespace %q", namespace)
		}
		return nil, cli.Explain("list events "+where, err)
	}
	return list.Items, nil
}

// AutoscalerEvents lists the Events on cluster-autoscaler's status ConfigMap: what it did, and what is wrong.
func (r *Reader) AutoscalerEvents(ctx context.Context) ([]v1.Event, error) {
	return r.Events(ctx, "ConfigMap", r.autoscaler.Namespace, r.autoscaler.ConfigMap)
}

// Core reads cluster-autoscaler's status ConfigMap, nil if there is none.
func (r *Reader) Core(ctx context.Context) (*corestatus.Status, error) {
	configMap, err := r.client.CoreV1().ConfigMaps(r.autoscaler.Namespace).Get(ctx, r.autoscaler.ConfigMap, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // "there is none" is an answer
	}
	if err != nil {
		return nil, cli.Explain(fmt.Sprintf("get configmaps in namespace %q", r.autoscaler.Namespace), err)
	}
	status, err := corestatus.Parse(configMap.Data["status"])
	if err != nil {
		return nil, fmt.Errorf("ConfigMap %s/%s: %w", r.autoscaler.Namespace, r.autoscaler.ConfigMap, err)
	}
	return status, nil
}
