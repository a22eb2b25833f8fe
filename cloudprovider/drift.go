package cloudprovider

import (
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// driftEvery is how often one node of a group is compared with the group's template.
const driftEvery = 10 * time.Minute

// compare compares a ready node of the group with the template, if that is due. It is called for every node core asks
// about, so that it must cost next to nothing when it is not due.
func (n *nodeGroup) compare(node *v1.Node) {
	if !n.driftDue.Load() || !nodegroups.IsReady(node) || !n.driftDue.CompareAndSwap(true, false) {
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
		if ratio, ok := nodegroups.RealPart(template, node, name); ok {
			n.provider.observer.Drifted(n.name, string(name), ratio)
		}
	}
	for _, d := range nodegroups.Drift(template, node) {
		if message, remedy := d.Explain(template, node); message != "" {
			n.provider.report(nodegroups.Problem{
				Reason: nodegroups.ReasonTemplateDrift, Severity: nodegroups.Warning, Group: n.name,
				Key: d.Name, Value: d.Template, Message: message, Remedy: remedy,
			})
		}
	}
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
