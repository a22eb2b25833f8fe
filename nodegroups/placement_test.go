package nodegroups_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func busy(s *nodegroups.Stack)        { s.Busy = true }
func failedStack(s *nodegroups.Stack) { s.Failed = true }

func TestPlace(t *testing.T) {
	blocked := fake.BlockedBy(nodegroups.ReasonStackState)
	type stacks []*nodegroups.Stack
	tests := map[string]struct {
		stacks   stacks
		by, max  int
		want     string // shares in the order of the shards
		unplaced int
	}{
		"one stack takes all":             {stacks{fake.Stack("a", 50)}, 7, 0, "[7]", 0},
		"one node goes to one stack":      {stacks{fake.Stack("a", 9), fake.Stack("b", 8), fake.Stack("c", 9)}, 1, 0, "[0 1 0]", 0},
		"equal stacks: the first":         {stacks{fake.Stack("a", 8), fake.Stack("b", 8)}, 1, 0, "[1 0]", 0},
		"idle before busy":                {stacks{fake.Stack("a", 5, busy), fake.Stack("b", 8)}, 1, 0, "[0 1]", 0},
		"small and busy before huge":      {stacks{fake.Stack("a", 5, busy), fake.Stack("b", 80)}, 1, 0, "[1 0]", 0},
		"sound before failed":             {stacks{fake.Stack("a", 1, failedStack), fake.Stack("b", 200)}, 3, 0, "[0 3]", 0},
		"failed if there is nothing else": {stacks{fake.Stack("a", 1, failedStack), fake.Stack("b", 1, blocked)}, 3, 0, "[3 0]", 0},
		"few nodes stay together":         {stacks{fake.Stack("a", 6), fake.Stack("b", 6), fake.Stack("c", 6)}, 3, 0, "[3 0 0]", 0},
		"many nodes go everywhere":        {stacks{fake.Stack("a", 6), fake.Stack("b", 6), fake.Stack("c", 6)}, 60, 0, "[20 20 20]", 0},
		"an empty stack takes most":       {stacks{fake.Stack("a", 20), fake.Stack("b", 0)}, 30, 0, "[0 30]", 0},
		"blocked ones get nothing":        {stacks{fake.Stack("a", 1, blocked), fake.Stack("b", 50)}, 2, 0, "[0 2]", 0},
		"unknown ones get nothing":        {stacks{fake.Stack("a", 0, fake.OfUnknownSize), fake.Stack("b", 50)}, 2, 0, "[0 2]", 0},
		"a full one gets its room":        {stacks{fake.Stack("a", 8), fake.Stack("b", 10)}, 5, 12, "[4 1]", 0},
		"a full one gets nothing":         {stacks{fake.Stack("a", 12), fake.Stack("b", 13)}, 5, 12, "[0 0]", 5},
		"no room for all":                 {stacks{fake.Stack("a", 10), fake.Stack("b", 11)}, 5, 12, "[2 1]", 2},
		"all blocked":                     {stacks{fake.Stack("a", 1, blocked)}, 2, 0, "[0]", 2},
		"no stacks":                       {nil, 2, 0, "[]", 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			placements, unplaced := nodegroups.Place(test.stacks, test.by, nodegroups.PlacementOptions{MaxMembersPerStack: test.max})
			assert.Equal(t, test.want, fmt.Sprint(shares(test.stacks, placements)))
			assert.Equal(t, test.unplaced, unplaced)
		})
	}
}

func shares(stacks []*nodegroups.Stack, placements []nodegroups.Placement) []int {
	out := make([]int, len(stacks))
	for _, p := range placements {
		for i, s := range stacks {
			if s == p.Stack {
				out[i] += p.By
			}
		}
	}
	return out
}

// Members that are being deleted are resources of the stack until they are gone.
func TestPlaceCountsDeletingMembersAsRoomTaken(t *testing.T) {
	s := fake.Stack("a", 10, func(s *nodegroups.Stack) {
		s.Members[0].State = nodegroups.Deleting
		s.Target--
	})
	_, unplaced := nodegroups.Place([]*nodegroups.Stack{s}, 3, nodegroups.PlacementOptions{MaxMembersPerStack: 12})
	assert.Equal(t, 1, unplaced)
}

// When Heat is told to take its time, the split follows.
func TestPlaceFollowsTheCosts(t *testing.T) {
	stacks := []*nodegroups.Stack{fake.Stack("a", 10), fake.Stack("b", 10)}
	quick, _ := nodegroups.Place(stacks, 10, nodegroups.PlacementOptions{PerMember: time.Hour, PerNew: time.Second})
	assert.Len(t, quick, 1, "a second walk is not worth it")
	slow, _ := nodegroups.Place(stacks, 10, nodegroups.PlacementOptions{PerMember: time.Second, PerNew: time.Hour})
	assert.Equal(t, []int{5, 5}, shares(stacks, slow))
}

func TestPlaceAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 30).Draw(t, "limit")
		n := rapid.IntRange(0, 8).Draw(t, "stacks")
		stacks, room := make([]*nodegroups.Stack, 0, n), 0
		for i := range n {
			s := fake.Stack(fmt.Sprint("s", i), rapid.IntRange(0, 30).Draw(t, "size"))
			s.Busy, s.Failed = rapid.Bool().Draw(t, "busy"), rapid.Bool().Draw(t, "failed")
			if rapid.IntRange(0, 4).Draw(t, "blocked") == 0 {
				fake.BlockedBy(nodegroups.ReasonStackState)(s)
			} else {
				room += max(0, limit-s.Target)
			}
			stacks = append(stacks, s)
		}
		by := rapid.IntRange(1, 60).Draw(t, "by")
		placements, unplaced := nodegroups.Place(stacks, by, nodegroups.PlacementOptions{MaxMembersPerStack: limit})
		placed := 0
		for _, p := range placements {
			require.Positive(t, p.By)
			require.Nil(t, p.Stack.Blocked)
			require.LessOrEqual(t, p.Stack.Target+p.By, limit)
			placed += p.By
		}
		require.Equal(t, by, placed+unplaced)
		require.Equal(t, min(by, room), placed, "everything that has room is placed")
	})
}
