// Package known puts what the provider's reading of the cloud has found into the words of a status report: for the program's own
// report and for the operator's tool, which reads the cloud by itself.
package known

import (
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Group is what a snapshot says of a node group. What needs more than that is not set: Nodes, ages, the template, what the floor is made of.
func Group(snapshot *nodegroups.Snapshot, g *nodegroups.Group) status.NodeGroup {
	out := status.NodeGroup{
		Name: g.Name, MinSize: g.MinSize, MaxSize: g.MaxSize, TargetSize: g.Target,
		Blocked: Problem(g.Blocked), GrowthBlocked: Problem(g.GrowthBlocked),
		Zone: g.Zone, Annotations: g.Config.Given(),
		Stacks: make([]status.Stack, 0, len(g.Stacks)), Members: make([]status.Member, 0, len(g.Members)),
	}
	if g.Flavor != nil {
		out.Flavor = g.Flavor.Name
	}
	if floor, ok := snapshot.Floor(g.Name); ok {
		out.Floor = &status.Floor{Size: snapshot.MinSize(g), Reason: floor.Reason}
	}
	names := map[string]string{}
	for _, s := range g.Stacks {
		names[s.ID] = s.Name
		out.Stacks = append(out.Stacks, stack(s))
	}
	for _, m := range g.Members {
		count(&out.Counts, m.State)
		out.Members = append(out.Members, member(m, names[m.StackID]))
	}
	return out
}

func count(c *status.Counts, state nodegroups.State) {
	switch state {
	case nodegroups.Creating:
		c.Creating++
	case nodegroups.Running:
		c.Running++
	case nodegroups.Deleting:
		c.Deleting++
	case nodegroups.Failed:
		c.Failed++
	case nodegroups.Lost:
		c.Lost++
	}
}

func stack(s *nodegroups.Stack) status.Stack {
	out := status.Stack{
		ID: s.ID, Name: s.Name, Region: s.Region, Status: s.Status, Reason: s.Reason, Read: Time(s.Read),
		Blocked: Problem(s.Blocked), GrowthBlocked: Problem(s.GrowthBlocked),
	}
	if s.Known {
		target := s.Target
		out.TargetSize = &target
	}
	return out
}

func member(m *nodegroups.Member, stack string) status.Member {
	out := status.Member{
		Stack: stack, Index: m.Index, Server: m.ServerID, ServerName: m.Name, ServerStatus: m.Status, State: m.State.String(),
		Flavor: m.Flavor, Zone: m.Zone, Created: Time(m.Created),
	}
	if f := m.Failure; f != nil {
		out.FailureClass, out.FailureCode, out.FailureMessage = status.ClassOther, f.Code, f.Message
		if f.Class == nodegroups.OutOfResources {
			out.FailureClass = status.ClassOutOfResources
		}
	}
	return out
}

// Template is a template node.
func Template(node *v1.Node) *status.Template {
	return &status.Template{
		Capacity: node.Status.Capacity, Allocatable: node.Status.Allocatable, Labels: node.Labels, Taints: node.Spec.Taints,
	}
}

// Problem is a problem, nil if there is none.
func Problem(p *nodegroups.Problem) *status.Problem {
	if p == nil {
		return nil
	}
	return &status.Problem{
		Code: p.Reason, Blocking: p.Severity == nodegroups.Blocking, Group: p.Group, Stack: p.Stack, Node: p.Node,
		Key: p.Key, Value: p.Value, Message: p.Message, Remedy: p.Remedy,
	}
}

// Time is nil for the zero time.
func Time(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
