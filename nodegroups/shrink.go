package nodegroups

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"k8s.io/klog/v2"
)

// Shrink withdraws the order of by members that have never been made. It never removes a server. ErrNotMissing if fewer
// than by are missing in shards that may be written to: then nothing is ordered. The minimum size is not looked at, since
// no machine goes.
func (m *Manager) Shrink(ctx context.Context, group string, by int) error {
	if by <= 0 {
		return fmt.Errorf("shrinking node group %q by %d: %w", group, by, ErrInvalidDelta)
	}
	ctx, cancel := m.writeContext(ctx)
	defer cancel()
	m.rebuild()
	g, err := m.writable(group)
	if err != nil {
		return err
	}
	parts, missing := splitShrink(g, by)
	if missing < by {
		return fmt.Errorf("shrinking node group %q by %d with %d missing: %w", group, by, missing, ErrNotMissing)
	}
	defer m.rebuild()
	errs := make([]error, len(parts))
	var wait sync.WaitGroup
	for i, p := range parts {
		wait.Go(func() {
			if err := m.stacks.Shrink(ctx, p.Stack.ID, p.By); err != nil {
				errs[i] = fmt.Errorf("withdrawing %d members of stack %q: %w", p.By, p.Stack.Name, err)
				return
			}
			klog.FromContext(ctx).Info("Withdrew the order of members that were never made", "stack", p.Stack.Name, "by", p.By)
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("node group %q: %w", group, err)
	}
	return nil
}

// splitShrink takes most from the shards where most are missing, so that few stacks are written to. It returns at most by,
// and how many members are missing in all shards that may be written to.
func splitShrink(g *Group, by int) (parts []Placement, missing int) {
	for _, s := range g.Stacks {
		if s.Blocked != nil {
			continue
		}
		n := 0
		for i := range s.Members {
			if s.Members[i].missing() {
				n++
			}
		}
		if missing += n; n > 0 {
			parts = append(parts, Placement{Stack: s, By: n})
		}
	}
	slices.SortStableFunc(parts, func(a, b Placement) int { return cmp.Compare(b.By, a.By) })
	for i := range parts {
		parts[i].By = min(parts[i].By, by)
		by -= parts[i].By
	}
	return slices.DeleteFunc(parts, func(p Placement) bool { return p.By == 0 }), missing
}
