package why

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

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/installed"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cluster"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/sight"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// facts are everything that an explanation is made of. Explaining asks nobody.
type facts struct {
	*sight.Sight
	// statusName is namespace/name of cluster-autoscaler's status ConfigMap.
	statusName string
	// pods are those of all namespaces, budgets all PodDisruptionBudgets, daemonSets all DaemonSets. What may not be read is empty, and
	// not known: that there is none must not be concluded from it.
	pods                                     []v1.Pod
	budgets                                  []policyv1.PodDisruptionBudget
	daemonSets                               []appsv1.DaemonSet
	podsKnown, budgetsKnown, daemonSetsKnown bool
	// claims are those of the pod that is asked about, see cluster.Reader.Volumes; nil if they are not known.
	claims map[string]cluster.Claim
	// notChecked are checks that a missing right prevents.
	notChecked []string
}

func (f *facts) flags() installed.Flags { return f.Autoscaler.Flags }

// read reads what explanations of all kinds need besides sight. What may not be read is noted, and what depends on it not checked.
func (f *facts) read(ctx context.Context, reader *cluster.Reader) error {
	var err error
	f.pods, err = reader.Pods(ctx)
	if f.podsKnown = err == nil; f.lost(&err, "pods that hold nodes, what pods ask for, room for them, and pending pods") {
		return err
	}
	f.budgets, err = reader.DisruptionBudgets(ctx)
	if f.budgetsKnown = err == nil; f.lost(&err, "PodDisruptionBudgets, and so pods of kube-system") {
		return err
	}
	f.daemonSets, err = reader.DaemonSets(ctx)
	if f.daemonSetsKnown = err == nil; f.lost(&err, "what DaemonSets take of a new node") {
		return err
	}
	return nil
}

// lost says whether *err ends everything. A missing right does not: it is noted.
func (f *facts) lost(err *error, what string) bool {
	switch {
	case *err == nil:
		return false
	case apierrors.IsForbidden(*err):
		f.Source.Notes = append(f.Source.Notes, fmt.Sprintf("%v; so that is not checked: %s", *err, what))
		f.notChecked = append(f.notChecked, what+" (no permission)")
		return false
	}
	return true
}

// podsOn are the pods of a node that have not ended.
func (f *facts) podsOn(node string) []*v1.Pod {
	var pods []*v1.Pod
	for i := range f.pods {
		if p := &f.pods[i]; p.Spec.NodeName == node && p.Status.Phase != v1.PodSucceeded && p.Status.Phase != v1.PodFailed {
			pods = append(pods, p)
		}
	}
	return pods
}

// groupOf is the group that a node is a member of, and which member it is; nil if it is none.
func (f *facts) groupOf(node *v1.Node) (*model.NodeGroup, *model.Member) {
	id, err := nodegroups.ServerIDFromNode(node)
	for i := range f.Groups {
		for k := range f.Groups[i].Members {
			m := &f.Groups[i].Members[k]
			if m.Node == node.Name || err == nil && m.Server != "" && m.Server == id {
				return &f.Groups[i], m
			}
		}
	}
	return nil, nil
}

// newNode is what a new node of the group would be, as cluster-autoscaler sees it: a Ready one that is there, without what is its own;
// else the template. like says which; nil if neither is known.
func (f *facts) newNode(g *model.NodeGroup) (node *v1.Node, like string) {
	for i := range f.Nodes {
		n := &f.Nodes[i]
		if group, _ := f.groupOf(n); group == nil || group.Name != g.Name || !nodegroups.IsReady(n) || isLeaving(n) {
			continue
		}
		node = n.DeepCopy()
		node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(t v1.Taint) bool { return f.isTransient(t.Key) })
		node.Spec.Unschedulable = false
		delete(node.Labels, v1.LabelHostname)
		node.Name = "new"
		return node, fmt.Sprintf("as its node %q is", n.Name)
	}
	if g.Template == nil {
		return nil, ""
	}
	return g.Template.Node("new"), "as its flavor and annotations say"
}

// Taints of cluster-autoscaler.
const (
	toBeDeletedTaint       = "ToBeDeletedByClusterAutoscaler"
	deletionCandidateTaint = "DeletionCandidateOfClusterAutoscaler"
)

// isTransient knows taints that come and go in a node's life: a new node's are without them (SanitizeTaints in utils/taints).
func (f *facts) isTransient(key string) bool {
	for _, flag := range []string{"startup-taint", "ignore-taint", "status-taint"} {
		if slices.Contains(f.flags()[flag], key) {
			return true
		}
	}
	return key == toBeDeletedTaint || key == deletionCandidateTaint || strings.HasPrefix(key, "node.kubernetes.io/") ||
		strings.HasPrefix(key, "node.cloudprovider.kubernetes.io/") || strings.HasPrefix(key, "ignore-taint.cluster-autoscaler.kubernetes.io/") ||
		strings.HasPrefix(key, "startup-taint.cluster-autoscaler.kubernetes.io/") || strings.HasPrefix(key, "status-taint.cluster-autoscaler.kubernetes.io/")
}

func taintOf(node *v1.Node, key string) *v1.Taint {
	for i := range node.Spec.Taints {
		if node.Spec.Taints[i].Key == key {
			return &node.Spec.Taints[i]
		}
	}
	return nil
}

func isLeaving(node *v1.Node) bool {
	return node.DeletionTimestamp != nil || taintOf(node, toBeDeletedTaint) != nil
}

// lastEvent is the newest Event of one of the reasons among those of a group, nil if there is none.
func lastEvent(events []model.Event, reasons ...string) *model.Event {
	for i := range events {
		if slices.Contains(reasons, events[i].Reason) {
			return &events[i]
		}
	}
	return nil
}

// since is how long ago a time was.
func (f *facts) since(t time.Time) time.Duration { return max(f.At.Sub(t), 0) }
