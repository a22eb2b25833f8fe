package nodegroups

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
)

// Explain says what a difference between these two nodes is and how to mend it; nothing for one that does no harm. The message does
// not depend on which node was compared, so that it is told once.
func (d Difference) Explain(template, node *v1.Node) (message, remedy string) {
	switch d.Kind {
	case DriftResource:
		ratio, ok := RealPart(template, node, v1.ResourceName(d.Name))
		if !ok || ratio > 1 {
			return "", "" // devices come later than the node; and more than expected is no harm
		}
		return fmt.Sprintf("a new node is expected to have this much allocatable, but a real one has %.0f %% less", 100*(1-ratio)),
			"set the annotation capacity.cluster-autoscaler.kubernetes.io/* of that resource, or kube-reserved and " +
				"system-reserved, as the nodes' kubelets have them"
	case DriftLabel:
		return fmt.Sprintf("a new node is expected to have this label, but a real one has %q", d.Real),
			"set the annotation capacity.cluster-autoscaler.kubernetes.io/labels as the nodes' kubelets have it in --node-labels"
	case DriftTaint:
		return fmt.Sprintf("a new node is expected to have this taint, but a real one has %q", d.Real),
			"set the annotation capacity.cluster-autoscaler.kubernetes.io/taints as the nodes' kubelets have it in " +
				"--register-with-taints, or name a taint that goes away in --startup-taint"
	}
	return "", ""
}

// RealPart is what a real node can give of a resource, divided by what the template promises. ok is false where one of them has
// none.
func RealPart(template, node *v1.Node, name v1.ResourceName) (ratio float64, ok bool) {
	want, have := template.Status.Allocatable[name], node.Status.Allocatable[name]
	if want.IsZero() || have.IsZero() {
		return 0, false
	}
	return have.AsApproximateFloat64() / want.AsApproximateFloat64(), true
}
