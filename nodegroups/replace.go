package nodegroups

import (
	"context"
	"fmt"

	"k8s.io/klog/v2"
)

// Replace orders that the member with this server is removed and another one made in its place: one update, so that the
// size stays what it is. A member that has gone is no error. ErrBeingRemoved if it is on its way out, also if it is only
// being shut down yet; ErrNoMachine if it has no server; ErrUnknownMember if the group has no such member; a Problem if
// the group or the stack must not be written to.
func (m *Manager) Replace(ctx context.Context, group, serverID string) error {
	ctx, cancel := m.writeContext(ctx)
	defer cancel()
	stack, member, err := m.admitReplacement(group, serverID)
	if err != nil || member == nil {
		return err
	}
	defer m.rebuild()
	if err := m.stacks.Replace(ctx, stack.ID, []Member{*member}); err != nil {
		return fmt.Errorf("node group %q: replacing member %s of stack %q: %w", group, member.Index, stack.Name, err)
	}
	klog.FromContext(ctx).Info("Ordered the replacement of a member", "stack", stack.Name, "member", member.Index, "server", serverID)
	return nil
}

// admitReplacement finds the member to replace; nil if it has gone.
func (m *Manager) admitReplacement(group, serverID string) (*Stack, *Member, error) {
	m.rebuild()
	m.admitting.Lock()
	defer m.admitting.Unlock()
	g, err := m.writable(group)
	if err != nil {
		return nil, nil, err
	}
	owner, member := m.Snapshot().ByServer(serverID)
	switch {
	case member == nil && m.hasGone(group, serverID):
		return nil, nil, nil
	case member == nil || owner.Name != group:
		return nil, nil, fmt.Errorf("node group %q: %q: %w", group, serverID, ErrUnknownMember)
	case member.State == Deleting || m.removing[group][serverID] > 0:
		return nil, nil, fmt.Errorf("node group %q: %q: %w", group, serverID, ErrBeingRemoved)
	case member.ServerID == "" || member.State != Running && member.State != Creating:
		return nil, nil, fmt.Errorf("node group %q: %q: %w", group, serverID, ErrNoMachine)
	}
	stack := g.Stack(member.StackID)
	if stack.Blocked != nil {
		return nil, nil, *stack.Blocked
	}
	return stack, member, nil
}
