package nodegroups

import (
	"fmt"
	"slices"
)

// SetLimits replaces the minimum and maximum size, whatever the annotations say: the flag --nodes=min:max:name does.
// What ParseConfig found wrong with the annotated limits does not matter any more after that: see WithoutLimits.
func (c *Config) SetLimits(minSize, maxSize int) {
	c.MinSize, c.MinSet = minSize, true
	c.MaxSize, c.MaxSet = maxSize, true
}

// WithoutLimits returns those of ParseConfig's problems that are still true after SetLimits.
func WithoutLimits(problems []Problem) []Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool {
		key, _ := CanonicalKey(p.Key)
		return key == KeyMinSize || key == KeyMaxSize
	})
}

// limitsProblem says what is wrong with the limits, nil if they can be used. Group and Stack are left to the caller.
func (c *Config) limitsProblem() *Problem {
	switch {
	case c.MinSize < 0 || c.MaxSize < 0:
		return &Problem{
			Reason: ReasonBadAnnotation, Severity: Blocking, Key: string(KeyMinSize), Value: formatInt(min(c.MinSize, c.MaxSize)),
			Message: "a size must not be negative", Remedy: "give sizes of 0 or more",
		}
	case c.MaxSize == 0 && !c.MaxSet:
		return &Problem{
			Reason: ReasonMissingLimit, Severity: Blocking, Key: string(KeyMaxSize),
			Message: "the node group has no maximum size",
			Remedy:  fmt.Sprintf("add the tag %s=N to its stack, or name the stack in --nodes=MIN:MAX:NAME", KeyMaxSize),
		}
	case c.MinSize > c.MaxSize:
		return &Problem{
			Reason: ReasonMinAboveMax, Severity: Blocking, Key: string(KeyMinSize), Value: formatInt(c.MinSize),
			Message: fmt.Sprintf("the minimum size is above the maximum size, %d", c.MaxSize),
			Remedy:  fmt.Sprintf("lower %s or raise %s", KeyMinSize, KeyMaxSize),
		}
	}
	return nil
}

// DefaultParameterNames are the stack parameters that are read and written unless annotations name others.
func DefaultParameterNames() ParameterNames {
	return ParameterNames{
		Size: "node_count", Removal: "nodes_to_remove", Flavor: "flavor",
		BootVolumeGiB: "boot_volume_size", Zone: "availability_zone", Token: "bootstrap_token",
	}
}
