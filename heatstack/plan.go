package heatstack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// makePlan decides what one update of a stack may be, given what Heat shows and what is wanted. It is pure: it calls
// nobody and remembers nothing, and every rule that keeps the wrong server alive is in it or in newView.
//
// Its argument is short. Heat makes members of the first count indices that are not excluded (intended). To name a victim
// excludes it and to lower the count by the number of intended victims takes nothing else away: what remains is intended
// without the victims. A replacement leaves the count as it is by one, so that it takes one new index more. So the plan is right exactly if the excluded indices are known exactly, and it waits or refuses
// where they are not.
func makePlan(o observation, w wishes) plan {
	v := newView(o)
	p := plan{
		Grow:    make([]decision, len(w.Grow)),
		Shrink:  make([]decision, len(w.Shrink)),
		Remove:  make([]decision, len(w.Remove)),
		Replace: make([]decision, len(w.Replace)),
	}
	switch {
	case v.phase == phaseClosed:
		p.all(decision{verdictRefuse, problemError(nodegroups.ReasonStackState,
			fmt.Sprintf("the stack is in %s", o.Status), "it is left alone in this state")})
		return p
	case v.phase == phaseMoving, o.Unconfirmed:
		p.all(decision{verdictWait, busyError(o.Status)})
		return p
	case v.phase == phaseForeignUpdate:
		// A removal would be guessing. Growth may go if the size is known that it is added to: more members never take one away,
		// whatever the other update is about.
		p.all(decision{verdictWait, busyError(o.Status)})
		switch {
		case len(w.Grow) == 0, o.Hidden:
		case v.harmless():
			p.growBlindly(o, w)
		case !o.Members:
			p.NeedMembers = true
		}
		return p
	case !o.Members && needsMembers(v, w):
		p.NeedMembers = true
		p.all(decision{verdict: verdictWait})
		return p
	case !o.Members:
		p.growBlindly(o, w)
		return p
	case v.doubt != nil:
		p.all(decision{verdictWait, v.doubt})
		return p
	}
	p.decide(v, w)
	return p
}

// needsMembers tells whether the size alone is not enough to plan with. A growth in good order does with it.
func needsMembers(v *view, w wishes) bool {
	if len(w.Remove) > 0 || len(w.Replace) > 0 || len(w.Shrink) > 0 || w.Retry || !v.Append || v.phase == phaseUnfinished {
		return true
	}
	// Somebody else's list may be stale. Ours may name a member that Heat has not written down yet: see sameTwice.
	return len(v.List) > 0 && (!v.OwnList || v.phase == phaseOwnUpdate)
}

// harmless tells whether the list in the parameter can take nobody at the next update, because Heat has already written
// down all it names. A name that is not a member yet would take the member as soon as it is made.
func (v *view) harmless() bool {
	if len(v.List) == 0 || v.OwnList {
		return true
	}
	if !v.Members {
		return false
	}
	for _, name := range v.List {
		if !slices.Contains(v.Group.Removed, name) {
			return false
		}
	}
	return true
}

// growBlindly plans growth from the size alone and leaves the removal list as it is.
func (p *plan) growBlindly(o observation, w wishes) {
	by := p.admitGrowth(o.Count, w)
	if by > 0 {
		p.Patch, p.Makes, p.Count = true, true, o.Count+by
	}
}

// admitGrowth decides on the wishes to grow in a stack of base members, and returns by how many it may.
func (p *plan) admitGrowth(base int, w wishes) int {
	total := 0
	for i, by := range w.Grow {
		switch {
		case by <= 0:
			p.Grow[i] = decision{verdictRefuse, fmt.Errorf("growth by %d", by)}
		case w.Max > 0 && base+total+by > w.Max:
			p.Grow[i] = decision{verdictRefuse, fmt.Errorf("%d more would be above the maximum size %d: the stack has been resized to %d meanwhile", by, w.Max, base)}
		default:
			p.Grow[i] = decision{verdict: verdictSend}
			total += by
		}
	}
	return total
}

// lists are the decisions on all wishes but Retry.
func (p *plan) lists() [][]decision { return [][]decision{p.Grow, p.Shrink, p.Remove, p.Replace} }

// all gives every wish the same decision.
func (p *plan) all(d decision) {
	for _, list := range p.lists() {
		for i := range list {
			list[i] = d
		}
	}
	p.Retry = d
}

// decide plans with the members known.
func (p *plan) decide(v *view, w wishes) {
	named := v.name(w.Remove, p.Remove)
	replaced := v.name(w.Replace, p.Replace).minus(named)
	named = named.union(replaced)
	if err := v.straying(named); err != nil {
		p.all(decision{verdictWait, err})
		return
	}
	if remains := len(v.intended.minus(named)) + replaced.both(v.intended); len(named) > 0 && !v.sameTwice(named, remains, remains+total(w.Grow)) {
		// Growth need not wait for that.
		p.waitUnsent(errOverlap)
		named, replaced = indexSet{}, indexSet{}
	}
	if err := v.unhealthy(named); err != nil {
		p.refuseUnsent(err)
		return
	}
	s := sizing{view: v, intended: v.intended.minus(named), named: named}
	for i, by := range w.Shrink {
		if smaller, err := s.shrink(by); err != nil {
			p.Shrink[i] = decision{verdictRefuse, err}
		} else {
			s = smaller
			p.Shrink[i] = decision{verdict: verdictSend}
		}
	}
	// A replacement of a member that Heat does not intend to have, because its deletion has failed, only names it again.
	stays := len(s.intended) + replaced.both(v.intended)
	count := stays + p.admitGrowth(stays, w)
	if w.Retry {
		p.Retry = decision{verdict: verdictSend}
	}
	if !p.sends() {
		return
	}
	if !v.sameTwice(s.named, count) {
		p.waitUnsent(errOverlap)
		p.Retry.verdict = verdictWait
		return
	}
	excluded := v.excluded.union(s.named)
	after := firstFree(count, excluded)
	keep := v.living.minus(s.named).minus(v.living.minus(v.intended))
	if !after.containsAll(keep) {
		// Cannot happen: intended without the victims is what remains. If it does, nothing is sent.
		p.refuseUnsent(fmt.Errorf("internal error: size %d without %v would remove members %v that nobody named",
			count, excluded.sorted(), keep.minus(after).sorted()))
		return
	}
	p.Patch, p.Count, p.List = true, count, v.list(s.named)
	p.Makes = !v.made().containsAll(after)
	for _, i := range s.named.sorted() {
		p.Victims = append(p.Victims, victim{Index: i, ServerID: v.rows[i].ServerID, Replaced: replaced[i]})
	}
	for _, i := range keep.sorted() {
		if row := v.rows[i]; row.ServerID != "" && strings.HasSuffix(row.Status, "_COMPLETE") {
			p.Keep = append(p.Keep, victim{Index: i, ServerID: row.ServerID})
		}
	}
}

// made are the members that Heat is through with: no update makes a server for them. All others it may make, or make again.
func (v *view) made() indexSet {
	made := indexSet{}
	for i := range v.living {
		if row := v.rows[i]; row.ServerID != "" && strings.HasSuffix(row.Status, "_COMPLETE") {
			made[i] = true
		}
	}
	return made
}

// list is the removal list to send, nil if the one in the parameter will do.
func (v *view) list(named indexSet) []string {
	if v.Append {
		if len(named) == 0 && (v.OwnList || len(v.List) == 0) {
			return nil
		}
		// Somebody else's list is replaced even by a growth: it may name an index that the growth is about to make. What Heat has written
		// down stays excluded without being named. Orders that it has not seen yet are repeated, and those whose members are still there:
		// such a member may get a server yet, which must not be taken for one that stays.
		return v.excluded.within(v.listed).union(named).names()
	}
	list := v.excluded.union(named).names()
	if len(list) == 0 && len(v.List) == 0 {
		return nil
	}
	return list
}

// refuseUnsent turns every decision to send into a refusal, and what has not been decided as well.
func (p *plan) refuseUnsent(err error) {
	d := decision{verdictRefuse, err}
	for _, list := range p.lists() {
		for i := range list {
			if list[i].verdict == verdictSend || list[i].verdict == verdictWait && list[i].err == nil {
				list[i] = d
			}
		}
	}
	p.Retry = d
	p.Patch = false
}

// waitUnsent turns every decision to send into waiting.
func (p *plan) waitUnsent(err error) {
	for _, list := range p.lists() {
		for i := range list {
			if list[i].verdict == verdictSend {
				list[i] = decision{verdictWait, err}
			}
		}
	}
}

// sends tells whether anything was decided to be sent.
func (p *plan) sends() bool {
	for _, list := range append(p.lists(), []decision{p.Retry}) {
		for _, d := range list {
			if d.verdict == verdictSend {
				return true
			}
		}
	}
	return false
}

// busyError says that another action has to end first.
func busyError(status string) error {
	return problemError(nodegroups.ReasonForeignUpdate, "the stack is in "+status+" by somebody else's hand, or by ours before a restart",
		"nothing: it is tried again when the stack is at rest")
}
