package heatstack

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// errOverlap: an update that names members must not overtake another one. Heat's convergence engine lets go of the running update's
// hold on the group when the next one comes, and may then carry that one out twice: by the worker that had the hold, and by one that
// has waited for it since, with what it knew of the group before. That one finds the named member gone, so does not exclude its index,
// makes it again and deletes the highest member instead (seen on Zed; heat/engine/resources/openstack/heat/resource_group.py,
// _get_new_blacklist_entries; heat/engine/resource.py repeats for seconds what finds its resource held). Members that have not been made
// can't wait for the end of the running update, which may be waiting for them; only until no worker can come late for the one before.
var errOverlap = errors.New("an update of the stack is running, or Heat may still be busy with the one before; it could take this for another member's removal")

// overtakes tells whether an update that is sent now may be carried out twice.
func (v *view) overtakes() bool {
	return v.phase == phaseOwnUpdate || v.Restless || v.phase == phaseUnfinished && v.isAtWork()
}

// isAtWork tells whether Heat still does something with a member. It may do so after the update has ended, if that was cancelled: what
// had been begun is finished all the same.
func (v *view) isAtWork() bool {
	for _, row := range v.rows {
		if strings.HasSuffix(row.Status, "_IN_PROGRESS") {
			return true
		}
	}
	return false
}

// sameTwice tells whether an update that names these members and sets one of these sizes may be carried out once more without harm:
// a worker of Heat's that does not find them any more excludes only what Heat has written down by now, and must want the same
// members all the same. That is so if the named ones are the highest. Even a member that has not been made must not take another's
// place: by the time it may have been, and Heat, which remembers that it was named, would remove it at the next update of any kind.
// The same holds for a growth that overtakes a removal which Heat has not written down yet.
//
// While a worker may still come late for the update before, nobody is named at all: that worker wants the members which that update
// wanted, made or not, and would make the named ones again.
func (v *view) sameTwice(named indexSet, counts ...int) bool {
	switch {
	case !v.overtakes():
		return true
	case v.Restless && len(named) > 0:
		return false
	}
	for _, count := range counts {
		if !firstFree(count, v.known).containsAll(firstFree(count, v.excluded.union(named))) {
			return false
		}
	}
	return true
}

// total is the growth that is wanted.
func total(growth []int) int {
	sum := 0
	for _, by := range growth {
		sum += max(by, 0)
	}
	return sum
}

// name decides on members that have to go, and returns the indices of those to name.
func (v *view) name(members []nodegroups.Member, decisions []decision) indexSet {
	named := indexSet{}
	for i, member := range members {
		index, d := v.find(member)
		decisions[i] = d
		if d.verdict == verdictSend {
			named[index] = true
		}
	}
	return named
}

// find looks a member up in Heat's listing, the only authority on which index a server has.
func (v *view) find(m nodegroups.Member) (int, decision) {
	if m.ServerID == "" {
		return v.findUnmade(m)
	}
	for _, row := range v.Rows {
		i, ok := parseIndex(row.Index)
		if !ok || row.ServerID != m.ServerID {
			continue
		}
		if other := v.rows[i]; other.ServerID != m.ServerID {
			// Two rows of one name while a member is being replaced: to name it would take the new server too.
			if isBeingDeleted(row.Status) {
				return i, decision{verdict: verdictDone}
			}
			return i, decision{verdictWait, fmt.Errorf("member %d is being replaced", i)}
		}
		return i, v.judge(i, row)
	}
	if m.State == nodegroups.Failed {
		return v.findRetried(m)
	}
	return 0, decision{verdict: verdictDone}
}

// findRetried looks up a member whose server has failed and is listed no more. For a while Heat makes another server in its
// place, and another, each with a new id (action_retry_limit): it is still the same member that was never made, and to
// call it gone would leave it in the size, and its caller waiting for it. A member that was made after all is none that
// has failed.
func (v *view) findRetried(m nodegroups.Member) (int, decision) {
	i, ok := parseIndex(m.Index)
	if !ok {
		return 0, decision{verdict: verdictDone}
	}
	row, listed := v.rows[i]
	switch {
	case !listed, isMade(row.Status):
		return i, decision{verdict: verdictDone}
	}
	return i, v.judge(i, row)
}

// findUnmade looks up a member that had no server when the caller last looked.
func (v *view) findUnmade(m nodegroups.Member) (int, decision) {
	i, ok := parseIndex(m.Index)
	if !ok {
		return 0, decision{verdictRefuse, fmt.Errorf("member %q has neither a server nor an index", m.ID())}
	}
	row, listed := v.rows[i]
	switch {
	case !listed:
		return i, decision{verdict: verdictDone}
	case m.State == nodegroups.Failed:
		return v.findRetried(m)
	case row.ServerID != "":
		return i, decision{verdictRefuse, fmt.Errorf("member %d has got the server %s meanwhile", i, row.ServerID)}
	}
	return i, v.judge(i, row)
}

// judge decides on a member that is listed. Of one that is being deleted although Heat intends to have its index, only the
// server goes: Heat tries to make it once more, and removes the member only if it is told to.
func (v *view) judge(i int, row MemberRow) decision {
	ordered := v.excluded[i] || isBeingDeleted(row.Status) && !v.intended[i]
	switch {
	case !ordered && v.overtakes() && isMade(row.Status):
		return decision{verdictWait, errOverlap}
	case !ordered:
		return decision{verdict: verdictSend}
	case v.phase == phaseOwnUpdate, row.Status == "DELETE_COMPLETE", row.Status == "DELETE_IN_PROGRESS":
		return decision{verdict: verdictDone}
	}
	// Its deletion was ordered and has failed, or never began: once more.
	return decision{verdict: verdictSend}
}

// isMade tells a member that has been made from one that never was. In between, Heat deletes the server of a failed try.
func isMade(status string) bool {
	return strings.HasSuffix(status, "_COMPLETE") && status != "INIT_COMPLETE" && !isBeingDeleted(status)
}
