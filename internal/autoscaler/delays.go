package autoscaler

import (
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/context"
	"k8s.io/autoscaler/cluster-autoscaler/processors/nodes"
	"k8s.io/autoscaler/cluster-autoscaler/simulator"
	"k8s.io/utils/clock"
)

// delays keeps nodes of a node group for a while after that group has grown, shrunk or failed to shrink
// (--scale-down-delay-type-local with --scale-down-delay-after-add, -after-delete and -after-failure).
//
// Core's own processor for this, ScaleDownCandidatesDelayProcessor, is not used:
//   - it reads maps that the goroutines of removals write, which ends the whole process now and then
//     (https://github.com/kubernetes/autoscaler/pull/9130);
//   - it hides the nodes from core, which forgets for how long they have been unneeded: a node would be removed a delay and
//     --scale-down-unneeded-time after the group has grown, not when both are over, as with delays for the whole cluster.
//
// This one lets core observe the nodes and only keeps them from being removed. Safe for concurrent use.
type delays struct {
	nodes.ScaleDownSetProcessor
	clock clock.PassiveClock

	mu                     sync.Mutex
	grown, shrunk, failure map[string]time.Time // by the node group's id
}

func newDelays(next nodes.ScaleDownSetProcessor, c clock.PassiveClock) *delays {
	return &delays{
		ScaleDownSetProcessor: next, clock: c,
		grown: map[string]time.Time{}, shrunk: map[string]time.Time{}, failure: map[string]time.Time{},
	}
}

// FilterUnremovableNodes implements nodes.ScaleDownSetProcessor.
func (d *delays) FilterUnremovableNodes(ctx *context.AutoscalingContext, scaleDown *nodes.ScaleDownContext,
	candidates []simulator.NodeToBeRemoved) ([]simulator.NodeToBeRemoved, []simulator.UnremovableNode) {
	left := make([]simulator.NodeToBeRemoved, 0, len(candidates))
	var kept []simulator.UnremovableNode
	for _, c := range candidates {
		if d.isDelayed(ctx, c.Node) {
			kept = append(kept, simulator.UnremovableNode{Node: c.Node, Reason: simulator.NotUnneededLongEnough})
			continue
		}
		left = append(left, c)
	}
	removable, unremovable := d.ScaleDownSetProcessor.FilterUnremovableNodes(ctx, scaleDown, left)
	return removable, append(kept, unremovable...)
}

// isDelayed says whether a node has to stay for now. One whose group is not known stays.
func (d *delays) isDelayed(ctx *context.AutoscalingContext, node *v1.Node) bool {
	group, err := ctx.CloudProvider.NodeGroupForNode(node)
	if err != nil || group == nil {
		return true
	}
	now, id := d.clock.Now(), group.Id()
	d.mu.Lock()
	defer d.mu.Unlock()
	recent := func(times map[string]time.Time, delay time.Duration) bool {
		at, ok := times[id]
		return ok && at.Add(delay).After(now)
	}
	return recent(d.grown, ctx.ScaleDownDelayAfterAdd) || recent(d.shrunk, ctx.ScaleDownDelayAfterDelete) ||
		recent(d.failure, ctx.ScaleDownDelayAfterFailure)
}

// RegisterScaleUp implements nodegroupchange.NodeGroupChangeObserver, as do the following.
func (d *delays) RegisterScaleUp(group cloudprovider.NodeGroup, _ int, at time.Time) {
	d.note(d.grown, group, at)
}

// RegisterScaleDown notes that a group has shrunk.
func (d *delays) RegisterScaleDown(group cloudprovider.NodeGroup, _ string, at, _ time.Time) {
	d.note(d.shrunk, group, at)
}

// RegisterFailedScaleUp delays nothing, as in core.
func (d *delays) RegisterFailedScaleUp(cloudprovider.NodeGroup, string, string, string, string, time.Time) {
}

// RegisterFailedScaleDown notes that a node of a group could not be removed.
func (d *delays) RegisterFailedScaleDown(group cloudprovider.NodeGroup, _ string, at time.Time) {
	d.note(d.failure, group, at)
}

func (d *delays) note(times map[string]time.Time, group cloudprovider.NodeGroup, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	times[group.Id()] = at
}
