package heatstack

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Rehearsal is what one update of a stack would be if it were ordered now. Nothing has been changed for it.
type Rehearsal struct {
	// Stack and Status are the stack's name and Heat's word for its state.
	Stack, Status string
	// Was is the size parameter as it is, Size as it would be.
	Was, Size int
	// Sends says that an update would be sent now. Otherwise Why says what it would wait for, or why it is refused.
	Sends bool
	Why   error
	// Parameters are the update's, as Heat would get them; a bootstrap token is shown as ******, because it is minted for the update.
	Parameters map[string]any
	// New are the indices of the members that Heat would make, in their order.
	New []string
	// Named are the members that the update would remove.
	Named []RehearsedMember
}

// RehearsedMember is a member that an update names.
type RehearsedMember struct{ Index, ServerID string }

// minted stands for what is made for an update when it is sent.
const minted = "******"

// Rehearse plans what Grow (by more than 0 members) and Remove would do together, with the planner that they use, and changes
// nothing. It reads the stack and its members: four calls. An error means that the stack can't be read or is no node group.
func (c *Cloud) Rehearse(ctx context.Context, stackID string, by int, remove []nodegroups.Member) (*Rehearsal, error) {
	c.mu.Lock()
	st := c.stacks[stackID]
	if st == nil || st.value == nil {
		c.mu.Unlock()
		return nil, fmt.Errorf("%s: %w", stackID, ErrUnknownStack)
	}
	ref, blocked, growthBlocked := st.ref(), st.value.Blocked, st.value.GrowthBlocked
	r := &Rehearsal{Stack: ref.Name, Status: st.row.Status}
	c.mu.Unlock()
	switch {
	case blocked != nil:
		r.Why = *blocked
		return r, nil
	case by > 0 && growthBlocked != nil:
		r.Why = *growthBlocked
		return r, nil
	}
	all := newWriters(c.heat, c.nova, writerHooks{
		observed: func(*StackDetail) {}, report: func(nodegroups.Problem) {}, template: c.templateOf,
		superseded: func(string) {}, removed: func(string, int, int) {},
	}, writerOptions{Clock: c.opts.Clock, DryRun: true})
	defer all.Close()
	l, err := all.of(stackID, &ref).see(ctx, true)
	if err != nil {
		return nil, err
	}
	r.Status, r.Was, r.Size = l.Status, l.Count, l.Count
	wish := wishes{Remove: remove, Max: ref.Config.MaxSize}
	if by > 0 {
		wish.Grow = []int{by}
	}
	r.take(l, makePlan(l.observation, wish), ref.Config)
	return r, nil
}

// take shows a plan.
func (r *Rehearsal) take(l *look, p plan, config nodegroups.Config) {
	for _, d := range slices.Concat(p.Grow, p.Remove) {
		if d.err != nil && r.Why == nil {
			r.Why = d.err
		}
	}
	if !p.Patch {
		return
	}
	r.Sends, r.Size = true, p.Count
	r.Parameters = map[string]any{config.Parameters.Size: p.Count}
	if p.List != nil {
		r.Parameters[config.Parameters.Removal] = p.List
	}
	if config.TokenSource == nodegroups.TokenMinted && p.Makes {
		r.Parameters[config.Parameters.Token] = minted
		for _, name := range []string{clusterCAParameter, apiServerParameter} {
			if value, there := l.detail.Parameters[name]; there && value == "" {
				r.Parameters[name] = "(the cluster's)"
			}
		}
	}
	v := newView(l.observation)
	named := indexSet{}
	for _, m := range p.Victims {
		named.add(m.Index)
		r.Named = append(r.Named, RehearsedMember{Index: strconv.Itoa(m.Index), ServerID: m.ServerID})
	}
	r.New = firstFree(p.Count, v.excluded.union(named)).minus(v.living).names()
}
