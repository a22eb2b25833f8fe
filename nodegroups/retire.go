package nodegroups

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Stopper shuts machines down.
type Stopper interface {
	// Stop shuts the member's machine down and returns when it is off, when atMost has passed, or when that can't be done.
	// Why it could not be done is the Stopper's to tell: the member is removed in any case, unless ctx has ended.
	Stop(ctx context.Context, member Member, atMost time.Duration)
}

// Retire is Remove for members that are nodes: where the group's configuration says so, each one's machine is shut down
// before its removal is ordered, all of them at the same time. Until then they count as members, but not as ones that
// others may remove. Each removal goes out as soon as its machine is off.
//
// ctx has to leave time for that, besides the time for the orders.
func (m *Manager) Retire(ctx context.Context, group string, ids []string, force bool) error {
	g := m.Snapshot().Group(group)
	if g == nil || m.opts.Stopper == nil || g.Config.ShutdownTime() <= 0 {
		return m.Remove(ctx, group, ids, force)
	}
	byStack, done, err := m.admitRemoval(group, ids, force)
	if err != nil {
		return err
	}
	defer done()
	var mu sync.Mutex
	var errs []error
	var wait sync.WaitGroup
	for _, v := range singly(byStack) {
		wait.Go(func() {
			if err := m.retireFrom(ctx, v, g.Config.ShutdownTime()); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("node group %q: %w", group, err)
	}
	return nil
}

// singly splits members that can be shut down from each other, so that none waits for another one.
func singly(byStack []victims) []victims {
	var out []victims
	for _, v := range byStack {
		rest := victims{stack: v.stack, missing: v.missing}
		for _, member := range v.members {
			if member.State == Running && member.ServerID != "" {
				out = append(out, victims{stack: v.stack, members: []Member{member}})
			} else {
				rest.members = append(rest.members, member)
			}
		}
		if len(rest.members) > 0 || rest.missing > 0 {
			out = append(out, rest)
		}
	}
	return out
}

// retireFrom shuts down what runs, and removes.
func (m *Manager) retireFrom(ctx context.Context, v victims, atMost time.Duration) error {
	if v.stack.Blocked != nil {
		return *v.stack.Blocked
	}
	for _, member := range v.members {
		if member.State == Running && member.ServerID != "" {
			m.opts.Stopper.Stop(ctx, member, atMost)
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("removing members of stack %q after their machines were shut down: %w", v.stack.Name, err)
	}
	ctx, cancel := m.writeContext(ctx)
	defer cancel()
	return m.removeFrom(ctx, v)
}
