package cloudprovider

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/config"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/framework"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// errVanished is the answer about a group that is gone. Core asks only for groups that it was just given; an object that
// it keeps longer answers this.
var errVanished = errors.New("the node group does not exist any more")

// nodeGroup is cluster-autoscaler's NodeGroup. It holds a name and what has to be remembered for it; everything else is
// looked up in the newest snapshot, so that one object serves a group for ever.
type nodeGroup struct {
	provider *Provider
	name     string

	mu       sync.Mutex
	lastSize int                      // what TargetSize answered last
	lastList []cloudprovider.Instance // what Nodes answered last
	template *framework.NodeInfo      // the last good template
	gap      gap

	// driftDue asks for the next ready node to be compared with the template.
	driftDue atomic.Bool
}

// group returns the group as it is now, nil if it is gone.
func (n *nodeGroup) group() *nodegroups.Group { return n.provider.groups.Snapshot().Group(n.name) }

// Id returns the group's name.
func (n *nodeGroup) Id() string { return n.name } //nolint:revive,staticcheck // the interface is cluster-autoscaler's

// MaxSize returns the largest size core may order. A blocked group is frozen at its present size: core then neither
// picks it for a scale-up, which would fail, nor takes nodes away from it. A group that only can't grow may still shrink.
func (n *nodeGroup) MaxSize() (size int) {
	defer n.provider.caught("NodeGroup.MaxSize", n.name, func(error) { size = n.remembered() })
	g := n.group()
	switch {
	case g == nil:
		return 0
	case g.Blocked != nil, g.GrowthBlocked != nil:
		return n.size(g)
	}
	return g.MaxSize
}

// MinSize returns the smallest size core may leave: the annotated minimum, or the floor that load wants. See MaxSize for
// blocked groups.
func (n *nodeGroup) MinSize() (size int) {
	defer n.provider.caught("NodeGroup.MinSize", n.name, func(error) { size = n.remembered() })
	snapshot := n.provider.groups.Snapshot()
	g := snapshot.Group(n.name)
	switch {
	case g == nil:
		return 0
	case g.Blocked != nil:
		return n.size(g)
	case g.GrowthBlocked != nil:
		return min(snapshot.MinSize(g), n.size(g)) // core would else order what is missing again and again
	}
	return snapshot.MinSize(g)
}

// TargetSize returns the size that was ordered, less the members that are known never to come. It fails only for a group
// that NodeGroups does not list any more.
func (n *nodeGroup) TargetSize() (size int, err error) {
	defer n.provider.caught("NodeGroup.TargetSize", n.name, func(error) { size, err = n.remembered(), nil })
	g := n.group()
	if g == nil {
		return 0, fmt.Errorf("%q: %w", n.name, errVanished)
	}
	return n.size(g), nil
}

// size is what core is told of g's size.
func (n *nodeGroup) size(g *nodegroups.Group) int {
	size := max(g.Target-stuck(g), 0)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lastSize = max(size-n.gap.of(g), 0)
	return n.lastSize
}

// remembered is the last size that could be told.
func (n *nodeGroup) remembered() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lastSize
}

// stuck counts the failed and lost members of stacks that must not be written to. They count in the stack's target, and
// nobody can take them out: to core they would be nodes that are about to come, for ever, and after their provision time
// core would want the target corrected and skip everything else until it is.
func stuck(g *nodegroups.Group) int {
	count := 0
	for _, s := range g.Stacks {
		if s.Blocked == nil {
			continue
		}
		for i := range s.Members {
			if st := s.Members[i].State; st == nodegroups.Failed || st == nodegroups.Lost {
				count++
			}
		}
	}
	return count
}

// Debug describes the group in one line.
func (n *nodeGroup) Debug() (text string) {
	defer n.provider.caught("NodeGroup.Debug", n.name, func(error) { text = n.name })
	snapshot := n.provider.groups.Snapshot()
	g := snapshot.Group(n.name)
	if g == nil {
		return n.name + " (gone)"
	}
	text = fmt.Sprintf("%s (min %d, max %d, target %d, running %d, creating %d, failed %d, lost %d, deleting %d, stacks %d)",
		g.Name, g.MinSize, g.MaxSize, g.Target, g.Count(nodegroups.Running), g.Count(nodegroups.Creating),
		g.Count(nodegroups.Failed), g.Count(nodegroups.Lost), g.Count(nodegroups.Deleting), len(g.Stacks))
	if floor, ok := snapshot.Floor(n.name); ok {
		text += fmt.Sprintf(", floor %d: %s", snapshot.MinSize(g), floor.Reason)
	}
	if g.Blocked != nil {
		text += ", blocked: " + g.Blocked.Error()
	} else if g.GrowthBlocked != nil {
		text += ", can't grow: " + g.GrowthBlocked.Error()
	}
	return text
}

// Exist says whether the group is still there.
func (n *nodeGroup) Exist() (exists bool) {
	defer n.provider.caught("NodeGroup.Exist", n.name, func(error) { exists = true })
	return n.group() != nil
}

// Create answers ErrAlreadyExist: node groups are made as Heat stacks.
func (n *nodeGroup) Create() (cloudprovider.NodeGroup, error) {
	return nil, cloudprovider.ErrAlreadyExist
}

// Delete is not implemented: a stack is deleted by whoever made it.
func (n *nodeGroup) Delete() error { return cloudprovider.ErrNotImplemented }

// Autoprovisioned is false for every group.
func (n *nodeGroup) Autoprovisioned() bool { return false }

// GetOptions returns the defaults with the group's own options put in, and ErrNotImplemented for a group without any:
// every field of an answer replaces core's default, and core compares the error by identity.
func (n *nodeGroup) GetOptions(defaults config.NodeGroupAutoscalingOptions) (opts *config.NodeGroupAutoscalingOptions, err error) {
	defer n.provider.caught("NodeGroup.GetOptions", n.name, func(error) { opts, err = nil, cloudprovider.ErrNotImplemented })
	g := n.group()
	if g == nil || g.Config.Options == (nodegroups.Options{}) {
		return nil, cloudprovider.ErrNotImplemented
	}
	own := g.Config.Options
	override(&defaults.ScaleDownUtilizationThreshold, own.ScaleDownUtilizationThreshold)
	override(&defaults.ScaleDownGpuUtilizationThreshold, own.ScaleDownGpuUtilizationThreshold)
	override(&defaults.ScaleDownUnneededTime, own.ScaleDownUnneededTime)
	override(&defaults.ScaleDownUnreadyTime, own.ScaleDownUnreadyTime)
	override(&defaults.MaxNodeProvisionTime, own.MaxNodeProvisionTime)
	override(&defaults.ZeroOrMaxNodeScaling, own.ZeroOrMaxNodeScaling)
	override(&defaults.IgnoreDaemonSetsUtilization, own.IgnoreDaemonSetsUtilization)
	return &defaults, nil
}

// override replaces a default by a value that is given.
func override[T any](value *T, own *T) {
	if own != nil {
		*value = *own
	}
}

var _ cloudprovider.NodeGroup = (*nodeGroup)(nil)
