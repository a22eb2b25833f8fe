package nodegroups

import "context"

// Floor is the least size that load, a schedule, a forecast or headroom wants of a node group. It works as the group's
// minimum: cluster-autoscaler grows the group to it (--enforce-node-group-min-size) and takes no node away below it.
type Floor struct {
	// Size is in members of the whole group. Snapshot.MinSize keeps it between the group's limits.
	Size int
	// Reason says in one line for people where the size comes from.
	Reason string
}

// Floors knows what load wants of node groups.
type Floors interface {
	// Update is told of all groups after each reading of the cloud and returns the floors by the groups' names; a group
	// without a floor is not among them. It is called by one goroutine at a time and has to return at once or, at most, after
	// a moment: cluster-autoscaler's loop waits for it. What takes longer goes on in the background and is told by a later
	// Update. Whatever goes wrong with telemetry is no floor, or a floor that is held for a while; there is no error.
	Update(ctx context.Context, groups []*Group) map[string]Floor
}

// Floor returns the floor of the node group with that name, and whether it has one. It costs one map look-up.
func (s *Snapshot) Floor(group string) (Floor, bool) {
	f, ok := s.floors[group]
	return f, ok
}

// MinSize returns the least size that cluster-autoscaler may leave g: the floor, kept between the minimum and the maximum
// of its annotations.
func (s *Snapshot) MinSize(g *Group) int {
	f, ok := s.floors[g.Name]
	if !ok {
		return g.MinSize
	}
	size := max(g.MinSize, min(f.Size, g.MaxSize))
	if all := g.Config.Options.ZeroOrMaxNodeScaling; all != nil && *all && size > g.MinSize {
		return g.MaxSize // such a group has no size between
	}
	return size
}

// withFloors returns the same snapshot with other floors.
func (s *Snapshot) withFloors(floors map[string]Floor) *Snapshot {
	changed := *s
	changed.floors = floors
	return &changed
}
