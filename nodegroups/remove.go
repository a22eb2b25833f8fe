package nodegroups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"k8s.io/klog/v2"
)

// Remove orders the removal of exactly these members, given by server UUID or placeholder name. Members that are being
// deleted, or that the group had lately and that have gone, are no error. ErrUnknownMember if one of ids is none of
// these: then nothing is ordered. ErrBelowMin if fewer than MinSize members would be left and force is not set: then
// nothing is ordered either. Failed members may always go, since they are no machines.
//
// Members of a blocked shard are refused with its Problem, those of the other shards go all the same. The orders to
// several shards go out in parallel; what could not be ordered is in the joined error.
func (m *Manager) Remove(ctx context.Context, group string, ids []string, force bool) error {
	ctx, cancel := m.writeContext(ctx)
	defer cancel()
	victims, done, err := m.admitRemoval(group, ids, force)
	if err != nil {
		return err
	}
	defer done()
	if len(victims) == 0 {
		return nil
	}
	errs := make([]error, len(victims))
	var wait sync.WaitGroup
	for i, v := range victims {
		wait.Go(func() {
			errs[i] = m.removeFrom(ctx, v)
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("node group %q: %w", group, err)
	}
	return nil
}

// victims are the members to remove from one stack.
type victims struct {
	stack   *Stack
	members []Member
	// missing is how many of the orders to withdraw are for members that were never made.
	missing int
}

// admitRemoval finds the members and checks the minimum size against the live target, less what is being removed by
// others at the same time. The caller calls done when the removal has ended.
func (m *Manager) admitRemoval(group string, ids []string, force bool) (byStack []victims, done func(), err error) {
	m.rebuild() // before the lock, so that many removals share one
	m.admitting.Lock()
	defer m.admitting.Unlock()
	g, err := m.writable(group)
	if err != nil {
		return nil, nil, err
	}
	members, err := m.findVictims(g, ids)
	if err != nil {
		return nil, nil, err
	}
	under := m.removing[group]
	// What has neither a server nor an index can only be withdrawn by number: asked for again while that is under way it would cost
	// another member.
	members = slices.DeleteFunc(members, func(v *Member) bool { return v.missing() && under[v.ID()] > 0 })
	if err := checkMin(g, members, under); err != nil && !force {
		return nil, nil, err
	}
	if under == nil {
		under = map[string]int{}
		m.removing[group] = under
	}
	for _, v := range members {
		under[v.ID()]++
	}
	return groupVictims(g, members), func() { m.endRemoval(group, members) }, nil
}

// endRemoval makes the effect of a removal visible before it stops counting as under way.
func (m *Manager) endRemoval(group string, members []*Member) {
	m.rebuild()
	m.admitting.Lock()
	defer m.admitting.Unlock()
	under := m.removing[group]
	for _, v := range members {
		if under[v.ID()]--; under[v.ID()] <= 0 {
			delete(under, v.ID())
		}
	}
}

// findVictims returns the members that still have to go, each once.
func (m *Manager) findVictims(g *Group, ids []string) ([]*Member, error) {
	snapshot := m.Snapshot()
	members := make([]*Member, 0, len(ids))
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		owner, member := snapshot.ByServer(id)
		switch {
		case member == nil && m.hasGone(g.Name, id):
		case member == nil || owner.Name != g.Name:
			return nil, fmt.Errorf("node group %q: %q: %w", g.Name, id, ErrUnknownMember)
		case member.State != Deleting:
			members = append(members, member)
		}
	}
	return members, nil
}

// checkMin refuses a removal that would leave too few members. Failed members may go nevertheless: they are no machines,
// and cluster-autoscaler has to be able to clean them up in a group at its minimum too.
func checkMin(g *Group, members []*Member, under map[string]int) error {
	left := g.Target
	for _, v := range g.Members {
		if v.counts() && under[v.ID()] > 0 {
			left--
		}
	}
	machines := 0
	for _, v := range members {
		if under[v.ID()] > 0 {
			continue
		}
		left--
		if v.State != Failed {
			machines++
		}
	}
	if machines > 0 && left < g.MinSize {
		return fmt.Errorf("removing %d members of node group %q would leave %d: %w, %d",
			len(members), g.Name, left, ErrBelowMin, g.MinSize)
	}
	return nil
}

// groupVictims sorts members by their stack.
func groupVictims(g *Group, members []*Member) []victims {
	var out []victims
	at := map[string]int{}
	for _, member := range members {
		i, ok := at[member.StackID]
		if !ok {
			i = len(out)
			at[member.StackID] = i
			out = append(out, victims{stack: g.Stack(member.StackID)})
		}
		if member.missing() {
			out[i].missing++
		} else {
			out[i].members = append(out[i].members, *member)
		}
	}
	return out
}

// removeFrom removes members from one stack.
func (m *Manager) removeFrom(ctx context.Context, v victims) error {
	if v.stack.Blocked != nil {
		return *v.stack.Blocked
	}
	logger := klog.FromContext(ctx)
	var errs []error
	if len(v.members) > 0 {
		if err := m.stacks.Remove(ctx, v.stack.ID, v.members); err != nil {
			errs = append(errs, fmt.Errorf("removing %d members of stack %q: %w", len(v.members), v.stack.Name, err))
		} else {
			logger.Info("Ordered the removal of members", "stack", v.stack.Name, "members", indices(v.members))
		}
	}
	if v.missing > 0 {
		if err := m.stacks.Shrink(ctx, v.stack.ID, v.missing); err != nil {
			errs = append(errs, fmt.Errorf("withdrawing %d members of stack %q: %w", v.missing, v.stack.Name, err))
		} else {
			logger.Info("Withdrew the order of members that were never made", "stack", v.stack.Name, "by", v.missing)
		}
	}
	return errors.Join(errs...)
}

func indices(members []Member) []string {
	out := make([]string, 0, len(members))
	for _, m := range members {
		out = append(out, m.Index)
	}
	return out
}
