package collect

import (
	"context"
	"errors"
	"fmt"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Groups is what carries orders out; *nodegroups.Manager does.
type Groups interface {
	Refresh(ctx context.Context) error
	Snapshot() *nodegroups.Snapshot
	Reading() nodegroups.Reading
	Grow(ctx context.Context, group string, by int) error
	Remove(ctx context.Context, group string, ids []string, force bool) error
	Retire(ctx context.Context, group string, ids []string, force bool) error
	Shrink(ctx context.Context, group string, by int) error
	Replace(ctx context.Context, group, serverID string) error
}

// Orders are Groups whose orders are written down in a Book. In a dry run they are not: Book.Decided is told of them.
type Orders struct {
	Groups
	book *Book
}

// Watch returns groups with every order written down.
func (b *Book) Watch(groups Groups) *Orders { return &Orders{groups, b} }

// Grow orders more members.
func (o *Orders) Grow(ctx context.Context, group string, by int) error {
	before := o.Snapshot()
	err := o.Groups.Grow(ctx, group, by)
	d := status.Decision{Kind: status.DecisionGrow, Group: group, Count: by, Reason: "cluster-autoscaler orders " + members(by)}
	if g := before.Group(group); g != nil {
		if least := before.MinSize(g); g.Target < least {
			d.Reason += fmt.Sprintf(": the node group is below its least size, %d", least)
		}
	}
	o.finish(&d, before, err)
	return err
}

// Remove orders that members go that are no nodes, or need no farewell.
func (o *Orders) Remove(ctx context.Context, group string, ids []string, force bool) error {
	before := o.Snapshot()
	err := o.Groups.Remove(ctx, group, ids, force)
	o.removed(before, group, ids, "cluster-autoscaler removes "+what(before, ids), err)
	return err
}

// Retire orders that nodes go.
func (o *Orders) Retire(ctx context.Context, group string, ids []string, force bool) error {
	before := o.Snapshot()
	err := o.Groups.Retire(ctx, group, ids, force)
	o.removed(before, group, ids, "cluster-autoscaler removes nodes that it does not need, or that are not ready", err)
	return err
}

func (o *Orders) removed(before *nodegroups.Snapshot, group string, ids []string, reason string, err error) {
	d := status.Decision{Kind: status.DecisionRemove, Group: group, Count: len(ids), Servers: ids, Reason: reason}
	if len(ids) == 1 {
		d.Node = o.book.nodeOf(before, ids[0])
	}
	o.finish(&d, before, err)
}

// Shrink withdraws orders.
func (o *Orders) Shrink(ctx context.Context, group string, by int) error {
	before := o.Snapshot()
	err := o.Groups.Shrink(ctx, group, by)
	d := status.Decision{Kind: status.DecisionShrink, Group: group, Count: by, Reason: "cluster-autoscaler withdraws " + members(by) + " that never came"}
	o.finish(&d, before, err)
	return err
}

// finish writes an order down with how it ended.
func (o *Orders) finish(d *status.Decision, before *nodegroups.Snapshot, err error) {
	if o.book.program.DryRun && err == nil {
		return
	}
	d.Result = status.ResultOK
	if err != nil {
		d.Result = status.ResultFailed
		d.Reason += "; it failed: " + err.Error()
		var p nodegroups.Problem
		if errors.As(err, &p) {
			d.Code = p.Reason
		}
	}
	d.From, d.To = targetOf(before, d.Group), targetOf(o.Snapshot(), d.Group)
	o.book.note(*d)
}

func targetOf(s *nodegroups.Snapshot, group string) *int {
	if g := s.Group(group); g != nil {
		size := g.Target // a pointer into g would keep all its members as long as the decision is kept
		return &size
	}
	return nil
}

// what says in what state the members are that are removed without being nodes.
func what(s *nodegroups.Snapshot, ids []string) string {
	failed, lost := 0, 0
	for _, id := range ids {
		switch _, m := s.ByServer(id); {
		case m == nil:
		case m.State == nodegroups.Failed:
			failed++
		case m.State == nodegroups.Lost:
			lost++
		}
	}
	switch {
	case failed == len(ids):
		return members(failed) + " that could not be made"
	case lost == len(ids):
		return members(lost) + " whose servers are gone"
	}
	return members(len(ids)) + " that have not become nodes in time"
}

func members(n int) string {
	if n == 1 {
		return "1 member"
	}
	return fmt.Sprintf("%d members", n)
}
