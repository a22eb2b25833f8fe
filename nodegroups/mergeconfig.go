package nodegroups

import (
	"cmp"
	"fmt"
)

// mergeConfigs joins the shards' configurations: what one gives and the others don't holds for the group. What two give
// differently is a problem, and the first shard's value is shown.
func mergeConfigs(name string, shards []*Stack) (Config, []Problem) {
	if len(shards) == 1 {
		config := shards[0].Config
		return config, problemsOf(name, shards[0].Name, config.limitsProblem())
	}
	merged := Config{Name: name, Parameters: shards[0].Config.Parameters}
	var problems []Problem
	for i := range annotations {
		a := &annotations[i]
		if a.ofStack {
			continue
		}
		var giver *Stack
		for _, s := range shards {
			value, given := a.get(&s.Config)
			if !given {
				continue
			}
			if giver == nil {
				giver = s
				// The text comes from a value that was read once. Should it not be readable, it is left out.
				_ = a.set(&merged, value)
				continue
			}
			if first, _ := a.get(&giver.Config); first != value {
				problems = append(problems, conflict(name, a, giver.Name, first, s.Name, value))
				break
			}
		}
	}
	return merged, append(problems, problemsOf(name, "", merged.limitsProblem())...)
}

func conflict(group string, a *annotation, firstStack, first, stack, value string) Problem {
	return Problem{
		Reason: ReasonConflictingStacks, Severity: Blocking, Group: group, Stack: stack, Key: string(a.key), Value: value,
		Message: fmt.Sprintf("the stacks of the node group disagree: stack %q has %q", firstStack, first),
		Remedy:  "give all stacks of the node group the same value, or only one of them any",
	}
}

func problemsOf(group, stack string, p *Problem) []Problem {
	if p == nil {
		return nil
	}
	p.Group, p.Stack = group, stack
	return []Problem{*p}
}

// smallestShard returns the shard with the least hardware, of those whose flavor is known. The template node is made of
// it, so that it never promises pods room that a new node might not have.
func smallestShard(shards []*Stack) *Stack {
	best := shards[0]
	for _, s := range shards[1:] {
		if s.Flavor != nil && (best.Flavor == nil || compareHardware(s, best) < 0) {
			best = s
		}
	}
	return best
}

func compareHardware(a, b *Stack) int {
	return cmp.Or(
		cmp.Compare(a.Flavor.RAMMiB, b.Flavor.RAMMiB), cmp.Compare(a.Flavor.VCPUs, b.Flavor.VCPUs),
		cmp.Compare(rootDiskGiB(a.Flavor, a.BootVolumeGiB), rootDiskGiB(b.Flavor, b.BootVolumeGiB)),
	)
}

// hardwareProblem warns of shards that make nodes of different sizes; nil if they don't, or if the annotations say what
// a node has anyway.
func hardwareProblem(name string, given CapacityOverrides, smallest *Stack, shards []*Stack) *Problem {
	if smallest.Flavor == nil || given.CPU != nil && given.Memory != nil {
		return nil
	}
	for _, s := range shards {
		if s.Flavor == nil || compareHardware(s, smallest) == 0 {
			continue
		}
		return &Problem{
			Reason: ReasonConflictingStacks, Severity: Warning, Group: name, Stack: s.Name, Key: "flavor", Value: s.Flavor.Name,
			Message: fmt.Sprintf("the stacks of the node group make nodes of different sizes: stack %q has flavor %q, "+
				"and the smaller one is what is expected of a new node", smallest.Name, smallest.Flavor.Name),
			Remedy: "use flavors of one size in all stacks of a node group, or make it several node groups",
		}
	}
	return nil
}
