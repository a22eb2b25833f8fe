package nodegroups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"k8s.io/klog/v2"
)

// growRounds is how often a growth is split anew when a shard refuses its part: once, among the shards that are left.
const growRounds = 2

// Grow orders by more members, split over the group's shards. It returns when the cloud has confirmed the orders.
// An error means that nothing was ordered: a Problem if the group is blocked or full, ErrAboveMax, ErrUnknownGroup,
// ErrInvalidDelta or what the cloud said. If only a part could be ordered that is reported and no error: the target size
// tells. Growths of one group go one after the other, so that the maximum is checked against the live target.
func (m *Manager) Grow(ctx context.Context, group string, by int) error {
	if by <= 0 {
		return fmt.Errorf("growing node group %q by %d: %w", group, by, ErrInvalidDelta)
	}
	ctx, cancel := m.writeContext(ctx)
	defer cancel()
	done, err := m.takeTurn(ctx, group)
	if err != nil {
		return err
	}
	defer done()
	m.rebuild()
	g, err := m.writable(group)
	if err != nil {
		return err
	}
	if g.GrowthBlocked != nil {
		return *g.GrowthBlocked
	}
	if g.Target+by > g.MaxSize {
		return fmt.Errorf("growing node group %q from %d by %d: %w, %d", group, g.Target, by, ErrAboveMax, g.MaxSize)
	}
	ordered, shards := 0, g.Stacks
	var errs []error
	for range growRounds {
		placements, unplaced := Place(shards, by-ordered, m.opts.Placement)
		if len(placements) == 0 {
			break
		}
		n, refused, err := m.growShards(ctx, placements)
		ordered += n
		errs = append(errs, err)
		if len(refused) == 0 || unplaced > 0 || ctx.Err() != nil || unknownOutcome(err) {
			break // never order again what may have been ordered already
		}
		// What the refusing shards should have got may find room in those that took their part, which have grown by it,
		// or in others.
		m.rebuild()
		if g = m.Snapshot().Group(group); g == nil {
			break
		}
		shards = slices.DeleteFunc(slices.Clone(g.Stacks), func(s *Stack) bool { return slices.Contains(refused, s.ID) })
	}
	m.rebuild()
	return m.grown(ctx, group, by, ordered, errors.Join(errs...))
}

// unknownOutcome says whether an order may have been taken although it was answered with an error.
func unknownOutcome(err error) bool {
	return errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// takeTurn waits until no other growth of the group is under way. The caller calls done afterwards.
func (m *Manager) takeTurn(ctx context.Context, group string) (done func(), err error) {
	m.admitting.Lock()
	turn := m.growing[group]
	if turn == nil {
		turn = make(chan struct{}, 1)
		m.growing[group] = turn
	}
	m.admitting.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("growing node group %q: waiting for another growth: %w", group, ctx.Err())
	}
}

// growShards orders all placements at once. It returns how many members were ordered, the ids of the stacks that
// refused, and what they said.
func (m *Manager) growShards(ctx context.Context, placements []Placement) (ordered int, refused []string, err error) {
	errs := make([]error, len(placements))
	var wait sync.WaitGroup
	for i, p := range placements {
		wait.Go(func() {
			errs[i] = m.stacks.Grow(ctx, p.Stack.ID, p.By)
		})
	}
	wait.Wait()
	for i, p := range placements {
		if errs[i] == nil {
			ordered += p.By
			klog.FromContext(ctx).Info("Ordered members", "stack", p.Stack.Name, "by", p.By, "target", p.Stack.Target+p.By)
			continue
		}
		refused = append(refused, p.Stack.ID)
		errs[i] = fmt.Errorf("growing stack %q by %d: %w", p.Stack.Name, p.By, errs[i])
	}
	return ordered, refused, errors.Join(errs...)
}

// grown says how a growth ended.
func (m *Manager) grown(ctx context.Context, group string, by, ordered int, err error) error {
	switch {
	case ordered == by:
		if err != nil {
			klog.FromContext(ctx).Info("Ordered everything after a stack had refused", "nodeGroup", group, "by", by, "reason", err)
		}
		return nil
	case ordered == 0 && err != nil:
		return fmt.Errorf("node group %q: %w", group, err)
	case ordered == 0:
		return m.fullProblem(group, by, 0)
	case err == nil:
		m.reporter.Report(m.fullProblem(group, by, ordered))
	default:
		m.reporter.Report(Problem{
			Reason: ReasonPartialGrowth, Severity: Warning, Group: group,
			Message: fmt.Sprintf("only %d of %d members could be ordered: %v", ordered, by, err),
			Remedy:  "see the reason given by the cloud; cluster-autoscaler orders the rest again if it is still needed",
		})
	}
	return nil
}

// fullProblem says that the stacks have no room for by members.
func (m *Manager) fullProblem(group string, by, ordered int) Problem {
	return Problem{
		Reason: ReasonTooManyResources, Severity: Warning, Group: group,
		Message: fmt.Sprintf("only %d of %d members could be ordered: no stack of the node group has room for more than %d members",
			ordered, by, m.opts.Placement.withDefaults().MaxMembersPerStack),
		Remedy: "add another stack with the same node-group name, or raise max_resources_per_stack in heat.conf and the limit here",
	}
}
