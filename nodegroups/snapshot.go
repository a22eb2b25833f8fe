package nodegroups

import (
	"cmp"
	"slices"

	v1 "k8s.io/api/core/v1"
)

// Snapshot is everything that is known of all node groups at one moment. It is immutable and safe for concurrent use;
// every question is answered from memory.
type Snapshot struct {
	groups   []*Group
	byName   map[string]*Group
	byID     map[string]entry
	problems []Problem
	floors   map[string]Floor
}

// entry is where a member id leads.
type entry struct {
	group  *Group
	member *Member
}

// NewSnapshot indexes groups. Of two groups with one name, or two members with one id, the first one is found.
// problems are sorted and freed of repetitions.
func NewSnapshot(groups []*Group, problems []Problem) *Snapshot {
	s := &Snapshot{
		groups:   slices.Clone(groups),
		byName:   make(map[string]*Group, len(groups)),
		problems: uniqueProblems(problems),
	}
	slices.SortStableFunc(s.groups, func(a, b *Group) int { return cmp.Compare(a.Name, b.Name) })
	members := 0
	for _, g := range s.groups {
		if _, ok := s.byName[g.Name]; !ok {
			s.byName[g.Name] = g
		}
		members += len(g.Members)
	}
	s.byID = make(map[string]entry, members)
	for _, g := range s.groups {
		for _, m := range g.Members {
			s.index(m.ServerID, g, m)
			s.index(m.Placeholder, g, m)
		}
	}
	return s
}

func (s *Snapshot) index(id string, g *Group, m *Member) {
	if id == "" {
		return
	}
	if _, ok := s.byID[id]; !ok {
		s.byID[id] = entry{g, m}
	}
}

// Groups returns the node groups sorted by name. The slice is shared: do not change it.
func (s *Snapshot) Groups() []*Group { return s.groups }

// Group returns the node group of that name, nil if there is none.
func (s *Snapshot) Group(name string) *Group { return s.byName[name] }

// ByServer finds a member by its server's UUID (lower case, as Nova writes it) or by its placeholder's name.
// Both results are nil if nothing is found. It costs one map look-up.
func (s *Snapshot) ByServer(id string) (*Group, *Member) {
	e := s.byID[id]
	return e.group, e.member
}

// ByNode finds the member that a Kubernetes node is, by its provider id or else by its system UUID.
// Both results are nil for a node that belongs to no node group; that is not an error.
func (s *Snapshot) ByNode(node *v1.Node) (*Group, *Member) {
	// The usual forms are found without parsing: cluster-autoscaler asks this several times per node and loop.
	if id := node.Spec.ProviderID; id != "" {
		if e, ok := s.byID[trimProviderID(id)]; ok {
			return e.group, e.member
		}
	}
	for _, id := range candidateIDs(node) {
		if e, ok := s.byID[id]; ok {
			return e.group, e.member
		}
	}
	return nil, nil
}

// Problems returns what an operator has to know or mend, each once, sorted by group, stack and reason. The slice is
// shared: do not change it.
func (s *Snapshot) Problems() []Problem { return s.problems }

// uniqueProblems returns a sorted copy without repetitions.
func uniqueProblems(problems []Problem) []Problem {
	out := slices.Clone(problems)
	slices.SortFunc(out, compareProblems)
	return slices.Compact(out)
}

// compareProblems orders problems by where they are and what they are, totally: equal means ==.
func compareProblems(a, b Problem) int {
	return cmp.Or(
		cmp.Compare(a.Group, b.Group), cmp.Compare(a.Stack, b.Stack), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Reason, b.Reason),
		cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Severity, b.Severity),
		cmp.Compare(a.Message, b.Message), cmp.Compare(a.Remedy, b.Remedy),
	)
}
