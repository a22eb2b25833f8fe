package cloudprovider

import (
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const (
	// driftEvery is how often one node of a group is compared with the group's template.
	driftEvery = 10 * time.Minute
	// driftTolerated is how much less than the template a real node may have before it is reported. Too large a template
	// makes core add nodes on which the pods do not fit.
	driftTolerated = 0.05
)

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
		want, have := template.Status.Allocatable[name], node.Status.Allocatable[name]
		if want.IsZero() || have.IsZero() {
			continue
		}
		ratio := have.AsApproximateFloat64() / want.AsApproximateFloat64()
		n.provider.observer.Drifted(n.name, string(name), ratio)
		if ratio < 1-driftTolerated {
			n.provider.report(nodegroups.Problem{
				Reason: nodegroups.ReasonTemplateDrift, Severity: nodegroups.Warning, Group: n.name,
				Key: string(name), Value: want.String(),
				Message: fmt.Sprintf("a new node is expected to have this much allocatable %s, but a real one has %.0f %% less", name, 100*(1-ratio)),
				Remedy: "set the annotation capacity.cluster-autoscaler.kubernetes.io/* of that resource, or kube-reserved and " +
					"system-reserved, as the node's kubelet has them",
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

func isReady(node *v1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == v1.NodeReady {
			return c.Status == v1.ConditionTrue
		}
	}
	return false
}
