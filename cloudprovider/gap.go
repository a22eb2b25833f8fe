package cloudprovider

import "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"

// gap is a part of a group's target size that core knows to be empty and that could not be withdrawn in the cloud. Core
// is told of a size without it: otherwise core would order the correction again in every loop, and do nothing else in a
// loop that corrects a size. It holds until anything about the group's members changes.
type gap struct {
	by    int
	shape shape
}

// shape is what a gap depends on.
type shape struct{ target, creating, running, failed, lost int }

func shapeOf(g *nodegroups.Group) shape {
	s := shape{target: g.Target}
	for _, m := range g.Members {
		switch m.State {
		case nodegroups.Creating:
			s.creating++
		case nodegroups.Running:
			s.running++
		case nodegroups.Failed:
			s.failed++
		case nodegroups.Lost:
			s.lost++
		case nodegroups.Deleting: // not part of the target
		}
	}
	return s
}

// of returns the gap in g, and forgets it when g has changed.
func (p *gap) of(g *nodegroups.Group) int {
	if p.by == 0 {
		return 0
	}
	if p.shape != shapeOf(g) {
		*p = gap{}
	}
	return p.by
}

// widen adds to the gap in g.
func (p *gap) widen(g *nodegroups.Group, by int) {
	*p = gap{by: p.of(g) + by, shape: shapeOf(g)}
}
