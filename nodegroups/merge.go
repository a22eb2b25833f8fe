package nodegroups

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Merge makes node groups out of stacks: stacks with one Config.Name are shards of one group. previous, which may be nil,
// is what was known before; it stands in for shards whose size is unknown now. The groups are sorted by name. Groups
// whose size was never known, and groups whose shards are in several projects, are not among them, but in the problems.
func Merge(stacks []*Stack, previous *Snapshot) ([]*Group, []Problem) {
	if previous == nil {
		previous = NewSnapshot(nil, nil)
	}
	shards := map[string][]*Stack{}
	seen := make(map[string]bool, len(stacks))
	for _, s := range stacks {
		if seen[s.ID] {
			continue // found twice, by its tags and by its name
		}
		seen[s.ID] = true
		shards[s.Config.Name] = append(shards[s.Config.Name], s)
	}
	groups := make([]*Group, 0, len(shards))
	var problems []Problem
	for _, name := range slices.Sorted(maps.Keys(shards)) {
		slices.SortFunc(shards[name], func(a, b *Stack) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
		})
		g, found := mergeGroup(name, shards[name], previous.Group(name))
		if g != nil {
			groups = append(groups, g)
		}
		problems = append(problems, found...)
	}
	return groups, problems
}

// mergeGroup makes one group of its shards, which are sorted. The group is nil if it can't be served at all.
func mergeGroup(name string, shards []*Stack, before *Group) (*Group, []Problem) {
	if before != nil && !before.stale && slices.Equal(before.Stacks, shards) {
		return before, before.problems // nothing has changed: the usual case
	}
	var problems []Problem
	for _, s := range shards {
		if s.Blocked != nil {
			problems = append(problems, *s.Blocked)
		}
	}
	if p := projectsProblem(name, shards); p != nil {
		return nil, append(problems, *p)
	}
	unknown := unknownProblem(name, shards)
	if unknown != nil {
		problems = append(problems, *unknown)
		if shards = lastGood(shards, before); len(shards) == 0 {
			return nil, problems
		}
	}
	g, found := newGroup(name, shards)
	if unknown != nil {
		g.Blocked, g.stale = unknown, true
	}
	g.problems = slices.Concat(problems, found)
	return g, g.problems
}

// newGroup makes a group of shards that are all known, and finds what they disagree about.
func newGroup(name string, shards []*Stack) (*Group, []Problem) {
	config, problems := mergeConfigs(name, shards)
	g := &Group{
		Name: name, Config: config, MinSize: config.MinSize, MaxSize: config.MaxSize, Stacks: shards,
		Region: shards[0].Region, Zone: common(shards, func(s *Stack) string { return s.Zone }),
		Arch: common(shards, func(s *Stack) string { return s.Arch }),
	}
	members := 0
	for _, s := range shards {
		g.Target += s.Target
		members += len(s.Members)
	}
	g.Members = make([]*Member, 0, members)
	for _, s := range shards {
		for i := range s.Members {
			g.Members = append(g.Members, &s.Members[i])
		}
	}
	smallest := smallestShard(shards)
	g.Flavor, g.BootVolumeGiB = smallest.Flavor, smallest.BootVolumeGiB
	if p := hardwareProblem(name, config.Capacity, smallest, shards); p != nil {
		problems = append(problems, *p)
	}
	g.Blocked = firstBlocking(problems)
	if bad := shardsProblem(config, shards); bad != nil {
		g.Blocked = bad
		problems = slices.DeleteFunc(problems, func(p Problem) bool { return p.Reason == ReasonMissingLimit })
	}
	g.GrowthBlocked = growthProblem(shards)
	return g, problems
}

// growthProblem returns why no shard may grow, nil if one may.
func growthProblem(shards []*Stack) *Problem {
	var first *Problem
	for _, s := range shards {
		switch {
		case s.Blocked != nil:
		case s.GrowthBlocked == nil:
			return nil
		case first == nil:
			first = s.GrowthBlocked
		}
	}
	return first
}

// shardsProblem returns the shard's problem that blocks the whole group: that of the first one if all are blocked, or if
// the maximum size is missing, that of a shard whose annotations could not be read, since it may have been in them.
func shardsProblem(config Config, shards []*Stack) *Problem {
	blocked := 0
	for _, s := range shards {
		if s.Blocked == nil {
			continue
		}
		blocked++
		p := config.limitsProblem()
		if p != nil && p.Reason == ReasonMissingLimit && slices.Contains(annotationReasons, s.Blocked.Reason) {
			return s.Blocked
		}
	}
	if blocked == len(shards) {
		return shards[0].Blocked
	}
	return nil
}

// annotationReasons are those for which ParseConfig leaves an annotation out.
var annotationReasons = []string{ReasonBadAnnotation, ReasonUnknownAnnotation, ReasonMisspeltTag}

func unknownSize(s *Stack) bool { return !s.Known }

// lastGood returns the shards with those of unknown size replaced by what was last known of them. A shard that was never
// known is left out if the group itself was known before; nothing is returned if it was not.
func lastGood(shards []*Stack, before *Group) []*Stack {
	if before == nil {
		return nil
	}
	out := make([]*Stack, 0, len(shards))
	for _, s := range shards {
		if !s.Known {
			s = before.Stack(s.ID)
		}
		if s != nil {
			out = append(out, s)
		}
	}
	return out
}

// unknownProblem reports the shards whose size is not known; nil if there are none.
func unknownProblem(name string, shards []*Stack) *Problem {
	i := slices.IndexFunc(shards, unknownSize)
	if i < 0 {
		return nil
	}
	if shards[i].Blocked != nil {
		return shards[i].Blocked // it knows better why
	}
	return &Problem{
		Reason: ReasonStackUnreadable, Severity: Blocking, Group: name, Stack: shards[i].Name,
		Message: "the stack's size is not known, so that the node group's size is not known either",
		Remedy:  "see the log for why the stack can't be read; it is tried again with every refresh",
	}
}

// projectsProblem reports a name that is used in several projects or regions; nil if it is not.
func projectsProblem(name string, shards []*Stack) *Problem {
	first := shards[0]
	for _, s := range shards[1:] {
		if s.Project == first.Project && s.Region == first.Region {
			continue
		}
		return &Problem{
			Reason: ReasonDuplicateGroup, Severity: Blocking, Group: name, Stack: s.Name, Key: string(KeyName), Value: name,
			Message: fmt.Sprintf("the name is taken by stack %q of project %q, this stack is in project %q; neither is served",
				first.Name, where(first), where(s)),
			Remedy: fmt.Sprintf("give one of them another name by the tag %s=NAME", KeyName),
		}
	}
	return nil
}

func where(s *Stack) string { return strings.TrimSuffix(s.Project+" "+s.Region, " ") }

// firstBlocking returns the first blocking problem, nil if there is none.
func firstBlocking(problems []Problem) *Problem {
	for _, p := range problems {
		if p.Severity == Blocking {
			return &p
		}
	}
	return nil
}

// common returns the value that all shards have, "" if they differ.
func common(shards []*Stack, value func(*Stack) string) string {
	first := value(shards[0])
	for _, s := range shards[1:] {
		if value(s) != first {
			return ""
		}
	}
	return first
}
