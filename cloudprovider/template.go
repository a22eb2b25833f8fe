package cloudprovider

import (
	"errors"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/framework"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// errNoTemplate stands for a template function that returned neither a node nor an error.
var errNoTemplate = errors.New("no template node was built")

// TemplateNodeInfo returns what a new node would look like. If that is not known it returns the last good answer, else a
// node on which nothing fits. An error will not do: with ErrNotImplemented core 1.33.0 gives up every scale-up of every
// group ("No node info for", core/scaleup/resource/manager.go), with any other it aborts the loop. There are no pods on it: DaemonSets' pods are added by core, and cloud-provider-openstack's
// clusters run kube-proxy as a DaemonSet.
func (n *nodeGroup) TemplateNodeInfo() (info *framework.NodeInfo, err error) {
	defer n.provider.caught("NodeGroup.TemplateNodeInfo", n.name, func(caught error) { info, err = n.lastTemplate(caught) })
	g := n.group()
	if g == nil {
		return n.lastTemplate(nil)
	}
	node, err := n.templateNode(g)
	if err != nil {
		return n.lastTemplate(err)
	}
	info = framework.NewNodeInfo(node, nil)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.template = info
	return info.DeepCopy(), nil
}

func (n *nodeGroup) templateNode(g *nodegroups.Group) (*v1.Node, error) {
	node, err := n.provider.opts.Template(g)
	if err == nil && node == nil {
		err = errNoTemplate
	}
	return node, err
}

// lastTemplate returns a copy of the last good template, or else a barren node, and reports why there is none.
func (n *nodeGroup) lastTemplate(cause error) (*framework.NodeInfo, error) {
	n.mu.Lock()
	last := n.template
	n.mu.Unlock()
	if last != nil {
		return last.DeepCopy(), nil
	}
	if cause != nil {
		n.provider.report(nodegroups.Problem{
			Reason: nodegroups.ReasonNoTemplate, Severity: nodegroups.Warning, Group: n.name,
			Message: "what a new node would look like is not known, so that the group can't be scaled up from 0: " + cause.Error(),
			Remedy: "name an existing flavor in the stack's flavor parameter, or give the annotations " +
				"capacity.cluster-autoscaler.kubernetes.io/cpu and /memory",
		})
	}
	return framework.NewNodeInfo(barrenNode(n.name), nil), nil
}

// barrenNode stands for nodes that nobody knows anything about: no pod fits on it, so that no scale-up chooses its group.
func barrenNode(group string) *v1.Node {
	name := group + "-unknown"
	none := v1.ResourceList{
		v1.ResourceCPU: resource.Quantity{}, v1.ResourceMemory: resource.Quantity{}, v1.ResourcePods: resource.Quantity{},
	}
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1.LabelHostname: name}},
		Spec:       v1.NodeSpec{Unschedulable: true},
		Status: v1.NodeStatus{
			Capacity: none, Allocatable: none,
			Conditions: []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue}},
		},
	}
}
