package nodegroups

// SetLimits replaces the minimum and maximum size, whatever the annotations say: the flag --nodes=min:max:name does.
// Problems that ParseConfig found with the annotated limits do not matter any more after that: see WithoutLimits.
func (c *Config) SetLimits(minSize, maxSize int) {
	c.MinSize, c.MinSet = minSize, true
	c.MaxSize, c.MaxSet = maxSize, true
}

// DefaultParameterNames are the stack parameters that are read and written unless annotations name others.
func DefaultParameterNames() ParameterNames {
	return ParameterNames{
		Size: "node_count", Removal: "nodes_to_remove", Flavor: "flavor",
		BootVolumeGiB: "boot_volume_size", Zone: "availability_zone",
	}
}
