package cloudprovider

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// IncreaseSize orders delta more members and returns when the cloud has confirmed it. An error means that none was
// ordered; core then leaves the group alone for a while and tries another one.
func (n *nodeGroup) IncreaseSize(delta int) (err error) {
	defer n.provider.caught("NodeGroup.IncreaseSize", n.name, func(caught error) { err = caught })
	if delta <= 0 {
		return fmt.Errorf("node group %q: the size must be increased by 1 or more, not %d", n.name, delta)
	}
	logger := klog.FromContext(n.provider.ctx).WithValues("nodeGroup", n.name, "by", delta)
	ctx, cancel := n.writeContext(n.provider.opts.WriteTimeout)
	defer cancel()
	if err := n.provider.groups.Grow(ctx, n.name, delta); err != nil {
		logger.Error(err, "The node group could not grow")
		return err
	}
	if n.dry(DecisionGrow, delta) {
		logger.Info("Dry run: would have grown the node group")
		return nil
	}
	logger.V(3).Info("Grew the node group")
	return nil
}

// AtomicIncreaseSize is not implemented: Heat can't make all members or none.
func (n *nodeGroup) AtomicIncreaseSize(int) error { return cloudprovider.ErrNotImplemented }

// DeleteNodes orders the removal of exactly these nodes' members. It costs nothing for members that are going or gone,
// which core names again in every loop.
func (n *nodeGroup) DeleteNodes(nodes []*v1.Node) (err error) {
	defer n.provider.caught("NodeGroup.DeleteNodes", n.name, func(caught error) { err = caught })
	return n.remove(nodes, false)
}

// ForceDeleteNodes is DeleteNodes without regard to the minimum size.
func (n *nodeGroup) ForceDeleteNodes(nodes []*v1.Node) (err error) {
	defer n.provider.caught("NodeGroup.ForceDeleteNodes", n.name, func(caught error) { err = caught })
	return n.remove(nodes, true)
}

func (n *nodeGroup) remove(nodes []*v1.Node, force bool) error {
	ids, kind, err := n.victims(nodes)
	if err != nil || len(ids) == 0 {
		return err
	}
	timeout, remove := n.provider.opts.WriteTimeout, n.provider.groups.Remove
	switch kind {
	case victimsFailed:
		timeout = n.provider.opts.CleanupTimeout
	case victimsNodes:
		// Core waits for these in goroutines of their own, so that they may take their time.
		remove = n.provider.groups.Retire
		if g := n.group(); g != nil {
			timeout += g.Config.ShutdownTime()
		}
	case victimsUnregistered:
	}
	logger := klog.FromContext(n.provider.ctx).WithValues("nodeGroup", n.name, "members", ids)
	ctx, cancel := n.writeContext(timeout)
	defer cancel()
	if err := remove(ctx, n.name, ids, force); err != nil {
		logger.Error(err, "The members could not be removed")
		return err
	}
	if n.dry(DecisionRemove, len(ids)) {
		logger.Info("Dry run: would have removed members from the node group")
		return nil
	}
	logger.V(3).Info("Removed members from the node group")
	return nil
}

// victimKind says what the nodes of a removal are.
type victimKind int

const (
	// victimsNodes: at least one is a node of the cluster.
	victimsNodes victimKind = iota
	// victimsUnregistered: core made all of them up, for members that have not become nodes.
	victimsUnregistered
	// victimsFailed: core made all of them up, for members that could not be made.
	victimsFailed
)

// kindOf says what nodes are.
func kindOf(nodes []*v1.Node) victimKind {
	kind := victimsFailed
	for _, node := range nodes {
		switch reason, madeUp := node.Annotations[cloudprovider.FakeNodeReasonAnnotation]; {
		case !madeUp:
			return victimsNodes
		case reason != cloudprovider.FakeNodeCreateError:
			kind = victimsUnregistered
		}
	}
	return kind
}

// victims returns the ids of the nodes' members that are still to be removed, and what the nodes are. An error means that a node is not this group's: then nothing may be
// removed, since core's picture is not ours.
func (n *nodeGroup) victims(nodes []*v1.Node) (ids []string, kind victimKind, err error) {
	snapshot := n.provider.groups.Snapshot()
	for _, node := range nodes {
		g, member := snapshot.ByNode(node)
		switch {
		case g != nil && g.Name != n.name:
			return nil, 0, fmt.Errorf("node %q is a member of node group %q, not of %q: nothing was removed", node.Name, g.Name, n.name)
		case member != nil && member.State == nodegroups.Deleting:
			continue
		case member != nil:
			ids = append(ids, member.ID())
			continue
		case n.provider.hasDeparted(node):
			continue
		}
		// Not a member now. The groups know whether it was one and has been removed.
		id, err := nodegroups.ServerIDFromNode(node)
		if err != nil {
			return nil, 0, fmt.Errorf("node group %q: %w", n.name, err)
		}
		ids = append(ids, id)
	}
	return ids, kindOf(nodes), nil
}

// DecreaseTargetSize withdraws -delta members that have never come; it never removes a living server. Core calls it when
// a group has had fewer nodes than its size says for longer than their provision time, and does nothing else in that
// loop, nor in one that fails here. So what can't be withdrawn is reported and left out of the size that core is told.
func (n *nodeGroup) DecreaseTargetSize(delta int) (err error) {
	defer n.provider.caught("NodeGroup.DecreaseTargetSize", n.name, func(caught error) { err = caught })
	if delta >= 0 {
		return fmt.Errorf("node group %q: the size must be decreased by a negative number, not %d", n.name, delta)
	}
	g := n.group()
	if g == nil {
		return errVanished
	}
	ctx, cancel := n.writeContext(n.provider.opts.CleanupTimeout)
	defer cancel()
	done, err := n.withdraw(ctx, g, -delta)
	if n.dry(DecisionShrink, done) {
		done = 0 // the size has not changed, and core must not order it again in every loop
	}
	if rest := -delta - done; rest > 0 {
		n.leaveOut(rest, err)
	}
	return nil
}

// withdraw takes up to want members without a living server out of g, first those that have not been made, then those
// that could not be or whose server is gone. It returns how many.
func (n *nodeGroup) withdraw(ctx context.Context, g *nodegroups.Group, want int) (int, error) {
	missing, dead := 0, []string(nil)
	for _, m := range g.Members {
		switch {
		case m.State == nodegroups.Creating && m.ServerID == "" && m.Index == "":
			missing++
		case (m.State == nodegroups.Failed || m.State == nodegroups.Lost) && m.ID() != "":
			dead = append(dead, m.ID())
		}
	}
	done := 0
	var failures []error
	if by := min(missing, want); by > 0 {
		if err := n.provider.groups.Shrink(ctx, n.name, by); err != nil {
			failures = append(failures, err)
		} else {
			done += by
		}
	}
	if by := min(len(dead), want-done); by > 0 {
		if err := n.provider.groups.Remove(ctx, n.name, dead[:by], false); err != nil {
			failures = append(failures, err)
		} else {
			done += by
		}
	}
	return done, errors.Join(failures...)
}

// leaveOut takes by members out of the size that core is told, and reports it.
func (n *nodeGroup) leaveOut(by int, cause error) {
	g := n.group()
	if g == nil {
		return
	}
	n.mu.Lock()
	n.gap.widen(g, by)
	n.mu.Unlock()
	message := fmt.Sprintf("%d of the %d members that were ordered have not become nodes and can't be withdrawn", by, g.Target)
	if cause != nil {
		message += ": " + cause.Error()
	}
	n.provider.report(nodegroups.Problem{
		Reason: nodegroups.ReasonSizeMismatch, Severity: nodegroups.Warning, Group: n.name, Message: message,
		Remedy: "see why they did not join (the servers' console logs) or remove them from the stack; autoscaling goes on without them",
	})
}

// dry says whether this is a dry run, and if so counts what would have been done.
func (n *nodeGroup) dry(what Decision, count int) bool {
	if n.provider.opts.DryRun && count > 0 {
		n.provider.observer.Decided(n.name, what, count)
	}
	return n.provider.opts.DryRun
}

func (n *nodeGroup) writeContext(timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx := klog.NewContext(n.provider.ctx, klog.FromContext(n.provider.ctx).WithValues("nodeGroup", n.name))
	return context.WithTimeout(ctx, timeout)
}
