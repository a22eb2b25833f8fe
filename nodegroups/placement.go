package nodegroups

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// PlacementOptions say how a growth is split over shards; the zero value takes the defaults.
type PlacementOptions struct {
	// MaxMembersPerStack is how many members a stack may have; a growth never takes one above it. Default
	// DefaultMaxMembersPerStack.
	MaxMembersPerStack int
	// PerMember is the time Heat takes to visit one existing member before it makes the first new one, PerNew the time
	// it takes to begin each new one. Defaults DefaultPerMember and DefaultPerNew. Only their ratio matters.
	PerMember, PerNew time.Duration
}

// Defaults of PlacementOptions.
const (
	// DefaultMaxMembersPerStack leaves room for a stack's other resources below Heat's limit of 1000 resources in a tree
	// of stacks (heat.conf, max_resources_per_stack). Where a member is made of several resources it must be lower.
	DefaultMaxMembersPerStack = 900
	// DefaultPerMember and DefaultPerNew were measured with one heat-engine worker on OpenStack Zed: from 80 to 81 members
	// the new server is started after 72 to 88 s, from 11 to 40 the last one after 33 s.
	DefaultPerMember = 1100 * time.Millisecond
	DefaultPerNew    = 750 * time.Millisecond
)

const (
	// crowding is by how much of its own walk a further stack delays all others of the same growth, since they share
	// Heat's engines: ten stacks of 8 took 35 s together and 11 s alone.
	crowding = 0.3
	// busyFactor: an update that runs has to be superseded; what it has begun is finished first, then the walk begins anew.
	busyFactor = 2.0
	// failedPenalty comes before a stack whose last update failed: what was wrong there, such as a zone without a free
	// host, is likely to be wrong still. It is longer than any walk that is worth waiting for.
	failedPenalty = time.Hour
)

func (o PlacementOptions) withDefaults() PlacementOptions {
	o.MaxMembersPerStack = cmp.Or(o.MaxMembersPerStack, DefaultMaxMembersPerStack)
	o.PerMember = cmp.Or(o.PerMember, DefaultPerMember)
	o.PerNew = cmp.Or(o.PerNew, DefaultPerNew)
	return o
}

// Placement is a part of a growth: By more members for this stack.
type Placement struct {
	Stack *Stack
	By    int
}

// Place splits a growth of that many members over the shards so that the last new server is started soonest: small stacks before large
// ones, idle ones before busy ones, several at once if that is worth a further walk of Heat through a stack. Blocked
// shards, and those that must not grow, get nothing, full ones no more than they have room for. It returns what goes where, in the order of the shards,
// and how many members found no room.
func Place(shards []*Stack, by int, opts PlacementOptions) (placements []Placement, unplaced int) {
	opts = opts.withDefaults()
	sites := make([]site, 0, len(shards))
	for _, s := range shards {
		if room := opts.room(s); s.Blocked == nil && s.GrowthBlocked == nil && s.Known && room > 0 {
			sites = append(sites, opts.site(s, room))
		}
	}
	slices.SortStableFunc(sites, func(a, b site) int { return cmp.Compare(a.delay, b.delay) })
	best, bestEnd := []int(nil), time.Duration(math.MaxInt64)
	placed, room := 0, 0
	for n := 1; n <= len(sites); n++ {
		room += sites[n-1].room
		wanted := min(by, room)
		if wanted < by && n < len(sites) {
			continue // too little room in so few
		}
		if shares, end := fill(sites[:n], wanted, opts.PerNew); end < bestEnd {
			best, bestEnd, placed = shares, end, wanted
		}
	}
	for i, share := range best {
		if share > 0 {
			placements = append(placements, Placement{Stack: sites[i].stack, By: share})
		}
	}
	slices.SortStableFunc(placements, func(a, b Placement) int {
		return cmp.Compare(slices.Index(shards, a.Stack), slices.Index(shards, b.Stack))
	})
	return placements, by - placed
}

// site is a shard that may grow.
type site struct {
	stack *Stack
	walk  time.Duration // Heat's way through the stack
	delay time.Duration // until its first new server is started
	room  int
}

// room is how many more members the stack may have. Members that are being deleted are still resources.
func (o PlacementOptions) room(s *Stack) int {
	return o.MaxMembersPerStack - max(s.Target, len(s.Members))
}

// site says how long Heat takes until it makes the stack's first new member.
func (o PlacementOptions) site(s *Stack, room int) site {
	walk := time.Duration(max(s.Target, len(s.Members))) * o.PerMember
	out := site{stack: s, walk: walk, delay: walk, room: room}
	switch {
	case s.Failed:
		out.delay = failedPenalty + walk
	case s.Busy:
		out.delay = time.Duration(float64(walk)*busyFactor) + o.PerMember
	}
	return out
}

// fill gives each new member to the site where it is started soonest, which is optimal for these sites. It returns the
// shares and when the last server is started; sites without a share don't count.
func fill(sites []site, by int, perNew time.Duration) (shares []int, end time.Duration) {
	shares = make([]int, len(sites))
	for range by {
		best, soonest := -1, time.Duration(math.MaxInt64)
		for i, s := range sites {
			if at := s.delay + time.Duration(shares[i]+1)*perNew; shares[i] < s.room && at < soonest {
				best, soonest = i, at
			}
		}
		shares[best]++
		end = max(end, soonest)
	}
	var walks, longest time.Duration
	for i, s := range sites {
		if shares[i] > 0 {
			walks, longest = walks+s.walk, max(longest, s.walk)
		}
	}
	return shares, end + time.Duration(crowding*float64(walks-longest))
}
