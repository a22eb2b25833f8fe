package collect

import (
	"math"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// group is what the snapshot, the floors and the Nodes say of a node group.
func (l *look) group(g *nodegroups.Group) status.NodeGroup {
	out := status.NodeGroup{
		Name: g.Name, MinSize: g.MinSize, MaxSize: g.MaxSize, TargetSize: g.Target,
		Blocked: problemOf(g.Blocked), GrowthBlocked: problemOf(g.GrowthBlocked),
		Zone: g.Zone, Annotations: g.Config.Given(), Floor: l.floor(g),
		Stacks: make([]status.Stack, 0, len(g.Stacks)), Members: make([]status.Member, 0, len(g.Members)),
	}
	if g.Flavor != nil {
		out.Flavor = g.Flavor.Name
	}
	names := map[string]string{}
	for _, s := range g.Stacks {
		names[s.ID] = s.Name
		out.Stacks = append(out.Stacks, stackOf(s))
	}
	if l.nodes != nil {
		out.Counts.Ready = new(int)
	}
	for _, m := range g.Members {
		member := l.member(m, names[m.StackID])
		if member.Ready != nil && *member.Ready && m.State != nodegroups.Deleting {
			*out.Counts.Ready++
		}
		count(&out.Counts, m.State)
		out.Members = append(out.Members, member)
	}
	l.addTemplate(&out, g)
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

func stackOf(s *nodegroups.Stack) status.Stack {
	out := status.Stack{
		ID: s.ID, Name: s.Name, Region: s.Region, Status: s.Status, Reason: s.Reason, Read: timeOf(s.Read),
		Blocked: problemOf(s.Blocked), GrowthBlocked: problemOf(s.GrowthBlocked),
	}
	if s.Known {
		target := s.Target
		out.TargetSize = &target
	}
	return out
}

func (l *look) member(m *nodegroups.Member, stack string) status.Member {
	out := status.Member{
		Stack: stack, Index: m.Index, Server: m.ServerID, ServerName: m.Name, ServerStatus: m.Status, State: m.State.String(),
		Flavor: m.Flavor, Zone: m.Zone, Created: timeOf(m.Created),
	}
	if out.Created != nil {
		age := l.now.Sub(m.Created).Seconds()
		out.AgeSeconds = &age
	}
	if node := l.nodes[m.ID()]; node != nil {
		ready := isReady(node)
		out.Node, out.Ready = node.Name, &ready
	}
	if f := m.Failure; f != nil {
		out.FailureClass, out.FailureCode, out.FailureMessage = status.ClassOther, f.Code, f.Message
		if f.Class == nodegroups.OutOfResources {
			out.FailureClass = status.ClassOutOfResources
		}
	}
	return out
}

func (l *look) addTemplate(out *status.NodeGroup, g *nodegroups.Group) {
	if l.template == nil {
		return
	}
	node, err := l.template(g)
	if err != nil {
		out.TemplateError = err.Error()
		return
	}
	out.Template = templateOf(node)
}

func templateOf(node *v1.Node) *status.Template {
	return &status.Template{
		Capacity: node.Status.Capacity, Allocatable: node.Status.Allocatable, Labels: node.Labels, Taints: node.Spec.Taints,
	}
}

// floor explains a node group's floor; nil if it has none.
func (l *look) floor(g *nodegroups.Group) *status.Floor {
	known, ok := l.snapshot.Floor(g.Name)
	if !ok {
		return nil
	}
	out := &status.Floor{Size: l.snapshot.MinSize(g), Reason: known.Reason}
	s, ok := l.states[g.Name]
	if !ok {
		return out
	}
	out.At = timeOf(s.At)
	out.Reactive, out.Schedule, out.ScheduleText = s.Reactive, s.Schedule, s.ScheduleText
	out.Forecast, out.ForecastShadow, out.Headroom, out.Start = s.Forecast, s.Shadow, s.Headroom, s.Start
	if s.Held {
		out.HeldUntil = timeOf(s.HeldUntil)
	}
	for i := range s.Signals {
		out.Signals = append(out.Signals, l.signal(&s.Signals[i]))
	}
	return out
}

func (l *look) signal(s *ceilometer.SignalState) status.Signal {
	out := status.Signal{Metric: s.Metric, Source: s.Source, Wanted: s.Wanted, Opinion: s.Opinion}
	if !s.At.IsZero() && s.Machines > 0 && !math.IsNaN(s.Value) && !math.IsInf(s.Value, 0) { // JSON has no word for those, and Why says it
		value, machines, age := s.Value, s.Machines, l.now.Sub(s.At).Seconds()
		out.Value, out.Machines, out.AgeSeconds = &value, &machines, &age
	}
	if s.Target > 0 {
		target := s.Target
		out.Target = &target
	}
	if !s.Opinion {
		out.HeldUntil = timeOf(s.HeldUntil)
		if s.Err != nil {
			out.Why = s.Err.Error()
		}
	}
	return out
}
