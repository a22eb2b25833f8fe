package collect

import (
	"maps"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// sample takes a point of every node group's history, if one is due.
func (b *Book) sample() {
	now := b.clock.Now()
	b.mu.Lock()
	since := now.Sub(b.sampled)
	if !b.sampled.IsZero() && since >= 0 && since < sampleEvery {
		b.mu.Unlock()
		return
	}
	b.sampled = now
	b.mu.Unlock()

	snapshot, states := b.snapshot(), b.floorStates()
	ready := b.countReady(snapshot)
	points := make(map[string]status.Point, len(snapshot.Groups()))
	for _, g := range snapshot.Groups() {
		p := status.Point{At: now, TargetSize: g.Target}
		if ready != nil {
			n := ready[g.Name]
			p.Ready = &n
		}
		if _, ok := snapshot.Floor(g.Name); ok {
			n := snapshot.MinSize(g)
			p.Floor = &n
		}
		if s, ok := states[g.Name]; ok {
			p.Load = loadOf(&s)
		}
		points[g.Name] = p
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.history, func(group string, _ *ring[status.Point]) bool { return snapshot.Group(group) == nil })
	maps.DeleteFunc(b.backOffs, func(group string, o status.BackOff) bool { return snapshot.Group(group) == nil || o.Until.Before(now) })
	for name, p := range points {
		if b.history[name] == nil {
			r := newRing[status.Point](status.MaxHistory)
			b.history[name] = &r
		}
		b.history[name].add(p)
	}
}

// loadOf is the load of the first signal, nil without an opinion.
func loadOf(s *ceilometer.State) *float64 {
	if len(s.Signals) == 0 || !s.Signals[0].Opinion || s.Signals[0].At.IsZero() {
		return nil
	}
	load := s.Signals[0].Value
	if s.Signals[0].Target > 0 {
		load /= s.Signals[0].Target
	}
	return &load
}

// floorStates are the explanations of floors by node groups.
func (b *Book) floorStates() map[string]ceilometer.State {
	states := b.states.Load()
	if states == nil {
		return nil
	}
	out := map[string]ceilometer.State{}
	for _, s := range (*states)() {
		out[s.Group] = s
	}
	return out
}

// countReady counts members that are Ready Nodes, by node group; nil if Nodes are not known.
func (b *Book) countReady(s *nodegroups.Snapshot) map[string]int {
	list, ok := b.listNodes()
	if !ok {
		return nil
	}
	out := map[string]int{}
	for _, node := range list {
		if g, m := s.ByNode(node); m != nil && m.State != nodegroups.Deleting && nodegroups.IsReady(node) {
			out[g.Name]++
		}
	}
	return out
}
