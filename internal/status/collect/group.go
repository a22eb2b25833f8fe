package collect

import (
	"math"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status/known"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// group is what the snapshot, the floors and the Nodes say of a node group.
func (l *look) group(g *nodegroups.Group) status.NodeGroup {
	out := known.Group(l.snapshot, g)
	if out.Floor != nil {
		l.explain(out.Floor, g)
	}
	if l.nodes != nil {
		out.Counts.Ready = new(int)
	}
	for i, m := range g.Members {
		member := &out.Members[i]
		l.addNode(member, m)
		if member.Ready != nil && *member.Ready && m.State != nodegroups.Deleting {
			*out.Counts.Ready++
		}
	}
	l.addTemplate(&out, g)
	return out
}

// addNode adds what the clock and the Nodes say of a member.
func (l *look) addNode(out *status.Member, m *nodegroups.Member) {
	if out.Created != nil {
		age := l.now.Sub(m.Created).Seconds()
		out.AgeSeconds = &age
	}
	if node := l.nodes[m.ID()]; node != nil {
		ready := nodegroups.IsReady(node)
		out.Node, out.Ready = node.Name, &ready
	}
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
	out.Template = known.Template(node)
}

// explain says what a node group's floor is made of, where that is known.
func (l *look) explain(out *status.Floor, g *nodegroups.Group) {
	s, ok := l.states[g.Name]
	if !ok {
		return
	}
	out.At = known.Time(s.At)
	out.Reactive, out.Schedule, out.ScheduleText = s.Reactive, s.Schedule, s.ScheduleText
	out.Forecast, out.ForecastShadow, out.Headroom, out.Start = s.Forecast, s.Shadow, s.Headroom, s.Start
	if s.Held {
		out.HeldUntil = known.Time(s.HeldUntil)
	}
	for i := range s.Signals {
		out.Signals = append(out.Signals, l.signal(&s.Signals[i]))
	}
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
		out.HeldUntil = known.Time(s.HeldUntil)
		if s.Err != nil {
			out.Why = s.Err.Error()
		}
	}
	return out
}
