package nodegroupstest

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Deliver makes running servers of all placeholders of the stack of that name, takes the deleting members away, and
// settles the stack: what happens when Heat completes an update.
func (c *Stacks) Deliver(name string) {
	c.Settle(name)
	c.Change(name, func(s *nodegroups.Stack) {
		for i := range s.Members {
			if s.Members[i].Placeholder == "" {
				continue
			}
			s.Members[i] = Member(s, c.next[s.ID])
			c.next[s.ID]++
		}
	})
}

// Settle takes the deleting members of the stack of that name away and ends its update. Placeholders stay.
func (c *Stacks) Settle(name string) {
	c.Change(name, func(s *nodegroups.Stack) {
		s.Members = slices.DeleteFunc(s.Members, func(m nodegroups.Member) bool { return m.State == nodegroups.Deleting })
		s.Busy, s.Failed, s.Status = false, false, "UPDATE_COMPLETE"
		refill(s)
	})
}

// FailPlaceholders makes failed members of all placeholders of the stack of that name, and fails the stack: what happens
// when Heat gives up.
func (c *Stacks) FailPlaceholders(name string, failure nodegroups.Failure) {
	c.Change(name, func(s *nodegroups.Stack) {
		s.Busy, s.Failed, s.Status, s.Reason = false, true, "UPDATE_FAILED", failure.Message
		for i := range s.Members {
			if s.Members[i].Placeholder != "" {
				s.Members[i].State, s.Members[i].Failure = nodegroups.Failed, &failure
			}
		}
	})
}

// refill makes the number of placeholders that the target asks for. Names stay as long as their member is missing.
func refill(s *nodegroups.Stack) {
	listed, failed := 0, map[string]nodegroups.Member{}
	s.Members = slices.DeleteFunc(s.Members, func(m nodegroups.Member) bool {
		if m.Placeholder == "" {
			if m.State != nodegroups.Deleting {
				listed++
			}
			return false
		}
		if m.State == nodegroups.Deleting {
			return false
		}
		failed[m.Placeholder] = m
		return true
	})
	for k := 0; listed < s.Target; k++ {
		m, ok := failed[nodegroups.PlaceholderID(s.ID, k)]
		if !ok {
			m = nodegroups.Member{
				StackID: s.ID, State: nodegroups.Creating, Placeholder: nodegroups.PlaceholderID(s.ID, k),
			}
		}
		s.Members = append(s.Members, m)
		listed++
	}
	slices.SortStableFunc(s.Members, func(a, b nodegroups.Member) int {
		return cmp.Or(compare(a.Placeholder, b.Placeholder), cmp.Compare(number(a.Index), number(b.Index)))
	})
}

// clone copies a stack with its members, so that what was handed out stays as it was.
func clone(s *nodegroups.Stack) *nodegroups.Stack {
	out := *s
	out.Members = slices.Clone(s.Members)
	return &out
}

func compare(a, b string) int { return cmp.Compare(a, b) }

func number(index string) int {
	i, err := strconv.Atoi(index)
	if err != nil {
		return -1
	}
	return i
}
