package cloudprovider

import (
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// driftEvery is how often one node of a group is compared with the group's template.
const driftEvery = 10 * time.Minute

// compare compares a ready node of the group with the template, if that is due. It is called for every node core asks
// about, so that it must cost next to nothing when it is not due.
func (n *nodeGroup) compare(node *v1.Node) {
	if !n.driftDue.Load() || !isReady(node) || !n.driftDue.CompareAndSwap(true, false) {
		return
	}
	g := n.group()
	if g == nil {
		return
	}
	template, err := n.templateNode(g)
	if err != nil {
		return // TemplateNodeInfo reports it when core asks
	}
	for _, name := range []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory, v1.ResourceEphemeralStorage, v1.ResourcePods} {
		if ratio, ok := realPart(template, node, name); ok {
			n.provider.observer.Drifted(n.name, string(name), ratio)
		}
	}
	for _, d := range nodegroups.Drift(template, node) {
		if message, remedy := explain(d, template, node); message != "" {
			n.provider.report(nodegroups.Problem{
				Reason: nodegroups.ReasonTemplateDrift, Severity: nodegroups.Warning, Group: n.name,
				Key: d.Name, Value: d.Template, Message: message, Remedy: remedy,
			})
		}
	}
}

// explain says what a difference is and how to mend it; nothing for one that does no harm. The message does not depend on
// which node was compared, so that it is told once.
func explain(d nodegroups.Difference, template, node *v1.Node) (message, remedy string) {
	switch d.Kind {
	case nodegroups.DriftResource:
		ratio, ok := realPart(template, node, v1.ResourceName(d.Name))
		if !ok || ratio > 1 {
			return "", "" // devices come later than the node; and more than expected is no harm
		}
		return fmt.Sprintf("a new node is expected to have this much allocatable, but a real one has %.0f %% less", 100*(1-ratio)),
			"set the annotation capacity.cluster-autoscaler.kubernetes.io/* of that resource, or kube-reserved and " +
				"system-reserved, as the nodes' kubelets have them"
	case nodegroups.DriftLabel:
		return fmt.Sprintf("a new node is expected to have this label, but a real one has %q", d.Real),
			"set the annotation capacity.cluster-autoscaler.kubernetes.io/labels as the nodes' kubelets have it in --node-labels"
	case nodegroups.DriftTaint:
		return fmt.Sprintf("a new node is expected to have this taint, but a real one has %q", d.Real),
			"set the annotation capacity.cluster-autoscaler.kubernetes.io/taints as the nodes' kubelets have it in " +
				"--register-with-taints, or name a taint that goes away in --startup-taint"
	}
	return "", ""
}

// realPart is what a real node can give of a resource, divided by what the template promises. ok is false where one of
// them has none.
func realPart(template, node *v1.Node, name v1.ResourceName) (ratio float64, ok bool) {
	want, have := template.Status.Allocatable[name], node.Status.Allocatable[name]
	if want.IsZero() || have.IsZero() {
		return 0, false
	}
	return have.AsApproximateFloat64() / want.AsApproximateFloat64(), true
}

// dueForDrift lets one node of each group be compared with its template, every driftEvery. The caller holds refreshing.
func (p *Provider) dueForDrift(now time.Time) {
	if !p.driftAsked.IsZero() && now.Sub(p.driftAsked) < driftEvery {
		return
	}
	p.driftAsked = now
	p.byName.Range(func(_, group any) bool {
		group.(*nodeGroup).driftDue.Store(true)
		return true
	})
}

func isReady(node *v1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == v1.NodeReady {
			return c.Status == v1.ConditionTrue
		}
	}
	return false
}
