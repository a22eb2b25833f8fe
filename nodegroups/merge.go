package nodegroups

// Merge makes node groups out of stacks.
func Merge(stacks []*Stack, previous *Snapshot) ([]*Group, []Problem) {
	return nil, nil
}
