package heatstack

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// modelWriter does with a plan what the real writer does, without any of its waiting.
type modelWriter struct {
	group   *modelGroup
	ours    *modelOrder
	allowed map[string]bool // servers that may go: named by us, or taken by a human's own update
}

type modelOrder struct {
	count    int
	list     []string
	listOurs bool
}

func (w *modelWriter) observe(members bool) observation {
	m := w.group
	o := observation{Status: m.status, Count: m.shownCount, List: m.shownList, Append: m.appendMode}
	if w.ours != nil {
		o.OwnList = w.ours.listOurs && sameEntries(w.ours.list, o.List)
		o.Own = w.ours.count == o.Count && sameEntries(w.ours.list, o.List)
	}
	if members {
		o.Members, o.Rows, o.Dead = true, m.listing(), map[string]bool{}
		o.Group.Removed = m.removed.names()
	}
	return o
}

// try plans and sends. During a classic engine's update nothing can be sent.
func (w *modelWriter) try(t *rapid.T, wish wishes) plan {
	o := w.observe(false)
	p := makePlan(o, wish)
	if p.NeedMembers {
		o = w.observe(true)
		p = makePlan(o, wish)
		require.False(t, p.NeedMembers)
	}
	if !p.Patch {
		return p
	}
	named, replaced, grown, shrunk := 0, map[int]bool{}, 0, 0
	for _, v := range p.Victims {
		if v.Replaced {
			replaced[v.Index] = true
		} else {
			named++
		}
	}
	for i, d := range p.Grow {
		if d.verdict == verdictSend {
			grown += wish.Grow[i]
		}
	}
	for i, d := range p.Shrink {
		if d.verdict == verdictSend {
			shrunk += wish.Shrink[i]
		}
	}
	require.GreaterOrEqual(t, p.Count, o.Count-named-shrunk+grown, "the count fell by more than the members named")
	require.LessOrEqual(t, p.Count, o.Count+grown, "the count rose by more than was asked for")
	if len(wish.Remove)+len(wish.Shrink) == 0 {
		require.Equal(t, o.Count+grown, p.Count, "a replacement changes no size")
	}
	for _, member := range wish.Remove {
		if i, ok := parseIndex(member.Index); ok && p.Remove != nil {
			require.False(t, replaced[i] && w.group.rows[i] != nil && w.group.rows[i].server == member.ServerID, "who is to be removed is not replaced")
		}
	}
	if !w.group.patch(p.Count, p.List) {
		return p
	}
	for _, v := range p.Victims {
		if v.ServerID != "" {
			w.allowed[v.ServerID] = true
		}
	}
	if p.List == nil {
		listOurs := len(o.List) == 0 || o.OwnList
		w.ours = &modelOrder{count: p.Count, list: o.List, listOurs: listOurs}
	} else {
		w.ours = &modelOrder{count: p.Count, list: p.List, listOurs: true}
	}
	return p
}

func (w *modelWriter) check(t *rapid.T) {
	for _, server := range w.group.killed {
		require.True(t, w.allowed[server], "%s was removed and nobody had named it", server)
	}
}

// member draws a member to remove, sometimes one that has gone since.
func (w *modelWriter) members(t *rapid.T) []nodegroups.Member {
	var out []nodegroups.Member
	for _, i := range w.group.indices() {
		if row := w.group.rows[i]; rapid.IntRange(0, 2).Draw(t, "victim") == 0 {
			out = append(out, nodegroups.Member{Index: strconv.Itoa(i), ServerID: row.server})
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "replaced") == 0 {
		out = append(out, nodegroups.Member{Index: strconv.Itoa(rapid.IntRange(0, 8).Draw(t, "index")), ServerID: "another"})
	}
	return out
}

// humanPatch is an update by somebody else, about which nothing is known but what it does.
func (w *modelWriter) humanPatch(t *rapid.T) {
	count := rapid.IntRange(0, 8).Draw(t, "humanCount")
	if rapid.Bool().Draw(t, "keepCount") {
		count = w.group.count
	}
	var list []string
	if rapid.Bool().Draw(t, "humanList") {
		list = []string{}
		for range rapid.IntRange(0, 3).Draw(t, "names") {
			list = append(list, strconv.Itoa(rapid.IntRange(0, 10).Draw(t, "name")))
		}
	}
	if !w.group.patch(count, list) {
		return
	}
	for _, server := range w.group.doomed(count, w.group.list) {
		w.allowed[server] = true
	}
}

func TestPlanNeverRemovesASurvivor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &modelWriter{group: newModelGroup(t), allowed: map[string]bool{}}
		humans := rapid.Bool().Draw(t, "humans")
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.IntRange(0, 12).Draw(t, "what") {
			case 11:
				w.try(t, wishes{Replace: w.members(t)})
			case 12:
				w.try(t, wishes{Replace: w.members(t), Remove: w.members(t), Grow: []int{rapid.IntRange(1, 2).Draw(t, "by")}})
			case 0, 1:
				w.try(t, wishes{Grow: []int{rapid.IntRange(1, 3).Draw(t, "by")}})
			case 2, 3:
				w.try(t, wishes{Remove: w.members(t)})
			case 4:
				w.try(t, wishes{Grow: []int{1, 1}, Remove: w.members(t), Shrink: []int{1}})
			case 5:
				w.try(t, wishes{Shrink: []int{rapid.IntRange(1, 3).Draw(t, "by")}})
			case 6:
				w.try(t, wishes{Retry: true})
			case 7:
				if humans {
					w.humanPatch(t)
				} else {
					w.group.run(t, true)
				}
			case 8:
				w.group.check(t)
			case 9:
				w.ours = nil // the autoscaler restarts
			default:
				for range rapid.IntRange(1, 8).Draw(t, "progress") {
					if w.group.busy() {
						w.group.advance(t, true)
					}
				}
			}
			w.check(t)
		}
		w.settle(t)
	})
}

// settle lets the cloud work again, retries what failed, and expects the group to have the size that its parameter says.
func (w *modelWriter) settle(t *rapid.T) {
	for range 4 {
		w.group.heal()
		w.group.run(t, false)
		w.check(t)
		if w.group.status == "UPDATE_COMPLETE" {
			break
		}
		p := w.try(t, wishes{Retry: true})
		require.Equal(t, verdictSend, p.Retry.verdict, "the group is stuck: %v", p.Retry.err)
	}
	require.Equal(t, "UPDATE_COMPLETE", w.group.status)
	require.Len(t, w.group.alive(), w.group.count)

	// And from here every removal works, exactly.
	before := w.group.alive()
	if len(before) == 0 {
		return
	}
	server := rapid.SampledFrom(before).Draw(t, "last")
	p := w.try(t, wishes{Remove: []nodegroups.Member{{ServerID: server}}})
	require.Equal(t, verdictSend, p.Remove[0].verdict, "%v", p.Remove[0].err)
	w.group.run(t, false)
	w.check(t)
	want := slices.DeleteFunc(slices.Clone(before), func(s string) bool { return s == server })
	require.ElementsMatch(t, want, w.group.alive())
}
