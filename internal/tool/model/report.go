package model

import (
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
)

// FromStatus turns a node group of a status report into one of the tool's. Its problems are in the report.
func FromStatus(g *status.NodeGroup) NodeGroup {
	out := NodeGroup{
		Name: g.Name, MinSize: &g.MinSize, MaxSize: &g.MaxSize, TargetSize: &g.TargetSize, ReadyNodes: g.Counts.Ready,
		Flavor: g.Flavor, Zone: g.Zone, Annotations: g.Annotations, TemplateError: g.TemplateError,
		Blocked: (*Problem)(g.Blocked), GrowthBlocked: (*Problem)(g.GrowthBlocked), Template: (*Template)(g.Template),
	}
	if g.Floor != nil {
		out.Floor = &Floor{Size: g.Floor.Size, Reason: g.Floor.Reason}
	}
	if g.BackOff != nil {
		out.Core = &Core{ScaleUp: ScaleUpBackOff, BackoffCode: g.BackOff.Code, BackoffMessage: g.BackOff.Message}
	}
	for i := range g.Stacks {
		s := &g.Stacks[i]
		out.Stacks = append(out.Stacks, Stack{
			ID: s.ID, Name: s.Name, Status: s.Status, Reason: s.Reason, TargetSize: s.TargetSize, Blocked: (*Problem)(s.Blocked),
		})
	}
	for i := range g.Members {
		m := &g.Members[i]
		out.Members = append(out.Members, Member{
			Stack: m.Stack, Index: m.Index, Server: m.Server, ServerName: m.ServerName, ServerStatus: m.ServerStatus, State: m.State, Created: m.Created,
			Zone: m.Zone, Node: m.Node, Ready: m.Ready, FailureCode: m.FailureCode, FailureMessage: m.FailureMessage,
		})
	}
	return out
}
