package nodegroups

// PlacementOptions say how a growth is split over shards; the zero value takes the defaults.
type PlacementOptions struct {
	// MaxMembersPerStack is how many members a stack may have; a growth never takes one above it.
	MaxMembersPerStack int
}
