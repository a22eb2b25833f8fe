package nodegroups

// Group is a node group: one stack, or several stacks (its shards) that carry the same node-group name.
// Values are immutable once handed out; ask for a new Snapshot to see what has changed.
type Group struct {
	// Name is unique in a snapshot.
	Name string
	// Config is the shards' configuration, merged: what one shard gives and the others do not holds for all.
	// Config.Parameters are those of the first shard; every Stack keeps its own.
	Config Config
	// MinSize and MaxSize bound Target in what cluster-autoscaler may order.
	MinSize, MaxSize int
	// Target is the number of members ordered, over all shards. It includes failed and lost members, not deleting ones.
	Target int
	// Members are those of all shards, shard by shard. They point into the Stacks.
	Members []*Member
	// Stacks are the shards, sorted by name; at least one.
	Stacks []*Stack
	// Flavor is what new members get; nil if it is not known. Of shards that differ, the smallest one, so that the
	// template node never promises room that a new node might not have.
	Flavor *Flavor
	// BootVolumeGiB is the size of a new member's boot volume in GiB, 0 if it boots from the flavor's disk.
	BootVolumeGiB int
	// Zone is the availability zone of new members, empty if it is unknown or if the shards are in different zones.
	Zone string
	// Region is the OpenStack region, empty if unknown.
	Region string
	// Arch is the architecture of new members in Kubernetes' words, empty if unknown.
	Arch string
	// Blocked says why the whole group must not be written to; nil if at least one shard may be.
	Blocked *Problem
	// GrowthBlocked says why no shard may grow although some may shrink; nil if at least one may grow.
	GrowthBlocked *Problem

	// problems are those found while the group was merged.
	problems []Problem
	// stale: a shard of unknown size was replaced by what was last known of it, or left out.
	stale bool
}

// Stack returns the shard with this id, nil if there is none.
func (g *Group) Stack(id string) *Stack {
	for _, s := range g.Stacks {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// Count returns how many members are in the given state.
func (g *Group) Count(state State) int {
	n := 0
	for _, m := range g.Members {
		if m.State == state {
			n++
		}
	}
	return n
}

// counts says whether a member is part of its stack's target size.
func (m *Member) counts() bool { return m.State != Deleting }

// missing says whether a member has been ordered and never been made: what Stacks.Shrink can withdraw.
func (m *Member) missing() bool {
	return m.ServerID == "" && m.Index == "" && (m.State == Creating || m.State == Failed)
}
