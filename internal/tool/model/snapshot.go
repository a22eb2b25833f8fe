package model

import (
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// FromSnapshot turns what the provider's own reading has found into node groups, and the problems that belong to none of them.
// Floors that the snapshot has are taken over; a group that may have one which the snapshot does not have is FloorUnknown.
func FromSnapshot(snapshot *nodegroups.Snapshot, memoryOverheadPercent float64) (groups []NodeGroup, others []Problem) {
	at := map[string]int{}
	for i, g := range snapshot.Groups() {
		at[g.Name] = i
		groups = append(groups, fromGroup(snapshot, g, memoryOverheadPercent))
	}
	for _, p := range snapshot.Problems() {
		if i, ok := at[p.Group]; ok {
			groups[i].Problems = append(groups[i].Problems, *fromProblem(&p))
			continue
		}
		others = append(others, *fromProblem(&p))
	}
	return groups, others
}

func fromGroup(snapshot *nodegroups.Snapshot, g *nodegroups.Group, overhead float64) NodeGroup {
	out := NodeGroup{
		Name: g.Name, MinSize: &g.MinSize, MaxSize: &g.MaxSize, TargetSize: &g.Target, Zone: g.Zone, Annotations: g.Config.Given(),
		Blocked: fromProblem(g.Blocked), GrowthBlocked: fromProblem(g.GrowthBlocked),
	}
	if g.Flavor != nil {
		out.Flavor = g.Flavor.Name
	}
	names := map[string]string{}
	for _, s := range g.Stacks {
		names[s.ID] = s.Name
		stack := Stack{ID: s.ID, Name: s.Name, Status: s.Status, Reason: s.Reason, Blocked: fromProblem(s.Blocked)}
		if s.Known {
			stack.TargetSize = &s.Target
		}
		out.Stacks = append(out.Stacks, stack)
	}
	for _, m := range g.Members {
		out.Members = append(out.Members, fromMember(m, names[m.StackID]))
	}
	if f, ok := snapshot.Floor(g.Name); ok {
		out.Floor = &Floor{Size: snapshot.MinSize(g), Reason: f.Reason}
	} else {
		out.FloorUnknown = g.Config.Load.Given()
	}
	node, err := nodegroups.TemplateNode(g, nodegroups.TemplateOptions{MemoryOverheadPercent: overhead})
	if err != nil {
		out.TemplateError = err.Error()
		return out
	}
	out.Template = &Template{
		Capacity: node.Status.Capacity, Allocatable: node.Status.Allocatable, Labels: node.Labels, Taints: node.Spec.Taints,
	}
	return out
}

func fromMember(m *nodegroups.Member, stack string) Member {
	out := Member{
		Stack: stack, Index: m.Index, Server: m.ServerID, ServerName: m.Name, ServerStatus: m.Status, State: m.State.String(), Zone: m.Zone,
		Created: timeOf(m.Created),
	}
	if m.Failure != nil {
		out.FailureCode, out.FailureMessage = m.Failure.Code, m.Failure.Message
	}
	return out
}

func fromProblem(p *nodegroups.Problem) *Problem {
	if p == nil {
		return nil
	}
	return &Problem{
		Code: p.Reason, Blocking: p.Severity == nodegroups.Blocking, Group: p.Group, Stack: p.Stack, Node: p.Node,
		Key: p.Key, Value: p.Value, Message: p.Message, Remedy: p.Remedy,
	}
}

// timeOf is nil for the zero time.
func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
