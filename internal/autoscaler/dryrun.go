package autoscaler

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/context"
	"k8s.io/autoscaler/cluster-autoscaler/processors/nodes"
	"k8s.io/autoscaler/cluster-autoscaler/simulator"
)

// RemovalReporter is told of nodes that a dry run would have removed.
type RemovalReporter func(node *v1.Node, pods int)

// removeNothing lets core choose nodes for removal, reports them, and leaves none.
type removeNothing struct {
	nodes.ScaleDownSetProcessor
	reporter RemovalReporter
}

// FilterUnremovableNodes implements nodes.ScaleDownSetProcessor.
func (p *removeNothing) FilterUnremovableNodes(ctx *context.AutoscalingContext, scaleDown *nodes.ScaleDownContext,
	candidates []simulator.NodeToBeRemoved) ([]simulator.NodeToBeRemoved, []simulator.UnremovableNode) {
	chosen, unremovable := p.ScaleDownSetProcessor.FilterUnremovableNodes(ctx, scaleDown, candidates)
	for _, c := range chosen {
		p.reporter(c.Node, len(c.PodsToReschedule))
		unremovable = append(unremovable, simulator.UnremovableNode{Node: c.Node, Reason: simulator.NotUnneededOtherReason})
	}
	return nil, unremovable
}
