package heatstack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// phase is what a stack's status means for writing to it.
type phase int

const (
	// phaseAtRest: the last update was carried out.
	phaseAtRest phase = iota + 1
	// phaseUnfinished: nothing is running, and the last update may not have been carried out: it failed, or another action
	// such as a check has overwritten how it ended.
	phaseUnfinished
	// phaseOwnUpdate: our last update is running.
	phaseOwnUpdate
	// phaseForeignUpdate: an update of somebody else is running, or the stack is being created.
	phaseForeignUpdate
	// phaseMoving: another action is running; it has to end first.
	phaseMoving
	// phaseClosed: the stack is being deleted, is gone or suspended.
	phaseClosed
)

// phaseOf reads Heat's ACTION_STATUS.
func phaseOf(status string, own bool) phase {
	action, outcome, _ := strings.Cut(status, "_")
	if action == "DELETE" || action == "SUSPEND" {
		return phaseClosed
	}
	switch outcome {
	case "COMPLETE":
		if action == "CREATE" || action == "UPDATE" || action == "ROLLBACK" {
			return phaseAtRest
		}
		return phaseUnfinished
	case "FAILED":
		return phaseUnfinished
	case "IN_PROGRESS":
		switch {
		case action == "UPDATE" && own:
			return phaseOwnUpdate
		case action == "UPDATE", action == "CREATE":
			return phaseForeignUpdate
		}
		return phaseMoving
	}
	return phaseClosed
}

// view is an observation understood: which indices Heat intends to have and which members live.
type view struct {
	observation
	phase phase
	// rows by index; listed is the set of their indices, living those that are not being deleted.
	rows           map[int]MemberRow
	listed, living indexSet
	// excluded are the indices Heat would not use if it were told nothing new; intended are the ones it would.
	excluded, intended indexSet
	// known are the excluded indices that Heat has written down.
	known indexSet
	// strays live although the last update was carried out and Heat does not intend to have them. The next update of any kind removes them.
	strays indexSet
	// doubt says why the members can't be trusted right now, nil if they can.
	doubt error
}

func newView(o observation) *view {
	v := &view{observation: o, phase: phaseOf(o.Status, o.Own), rows: map[int]MemberRow{}, listed: indexSet{}, living: indexSet{}}
	if !o.Members {
		return v
	}
	for _, row := range o.Rows {
		i, ok := parseIndex(row.Index)
		if !ok {
			v.doubt = fmt.Errorf("member %q of the resource group is not a number", row.Index)
			continue
		}
		// While a member is being replaced Heat may list it twice: the living row is the one that counts.
		if known, twice := v.rows[i]; !twice || isBeingDeleted(known.Status) {
			v.rows[i] = row
		}
		v.listed[i] = true
		if !isBeingDeleted(row.Status) {
			v.living[i] = true
		}
	}
	v.understand()
	return v
}

// understand finds the indices Heat intends to have, exactly as Heat computes them: see GroupState.
func (v *view) understand() {
	removed := indexSet{}
	for _, name := range v.Group.Removed {
		if i, ok := parseIndex(name); ok {
			removed[i] = true
		}
	}
	named := v.resolve(v.List).minus(removed)
	// In mode update an index that is blacklisted and not in the list comes back at the next update. It is never left to
	// that: a list that we send holds them all, and the survivors are those of this more careful reading.
	v.excluded, v.known = removed.union(named), removed
	v.intended = firstFree(v.Count, v.excluded)
	v.dropStale(removed, named)
	v.doubtServerIDs(removed)
	if v.phase == phaseAtRest {
		v.strays = v.living.minus(v.intended)
	}
}

// resolve finds the listed members that entries of a removal list name: by index, or by reference id, which is the server
// for a group of servers and the stack's ARN for a group of stacks. Heat ignores every other entry.
func (v *view) resolve(entries []string) indexSet {
	out := indexSet{}
	for _, entry := range entries {
		if i, ok := parseIndex(entry); ok {
			if v.listed[i] {
				out[i] = true
			}
			continue
		}
		for i, row := range v.rows {
			byServer := !v.Nested && row.ServerID != "" && entry == row.ServerID
			byStack := v.Nested && row.StackID != "" && strings.HasSuffix(entry, "/"+row.StackID)
			if byServer || byStack {
				out[i] = true
			}
		}
	}
	return out
}

// doubtServerIDs notices a member of a group of stacks that the list names by its server. Heat takes that name if the member's
// template has an output OS::stack_id that is the server, as Magnum's has, and ignores it otherwise. An update that was carried out
// has settled it: Heat has written the index down, or ignored the name. One that was not may have taken the member into account or not,
// so that nobody can say which members the count is for.
func (v *view) doubtServerIDs(removed indexSet) {
	if !v.Nested || v.phase != phaseUnfinished || v.doubt != nil {
		return
	}
	for _, i := range v.living.sorted() {
		if id := v.rows[i].ServerID; id != "" && !removed[i] && slices.Contains(v.List, id) {
			v.doubt = problemError(nodegroups.ReasonForeignUpdate,
				fmt.Sprintf("the last update of the stack, which was not carried out, names member %d by its server %s, and whether Heat knows it by that name can't be seen", i, id),
				"update the stack once, with the size that it shall have and the members' indices in its removal parameter")
			return
		}
	}
}

// dropStale forgets names in the parameter that mean nobody: members that were made after the list was written. Heat
// would remove them at the next update of any kind. A name is stale if Heat, were it not there, would keep every living
// member; otherwise the count has been lowered for it and it is somebody's order that is not carried out yet.
func (v *view) dropStale(removed, named indexSet) {
	if v.OwnList || named.both(v.living) == 0 {
		return
	}
	without := removed.union(named.minus(v.living))
	if firstFree(v.Count, without).containsAll(v.living) {
		v.excluded = without
		v.intended = firstFree(v.Count, without)
	}
}

// unhealthy is a living server that the next update would replace: Heat always replaces a member in CHECK_FAILED
// (heat/engine/resource.py, _needs_update).
func (v *view) unhealthy(going indexSet) error {
	for _, i := range v.living.minus(going).sorted() {
		row := v.rows[i]
		if row.Status == "CHECK_FAILED" && row.ServerID != "" && !v.Dead[row.ServerID] {
			return problemError(nodegroups.ReasonUnhealthyMember,
				fmt.Sprintf("member %s is CHECK_FAILED while its server %s lives; any update of the stack would replace it", row.Index, row.ServerID),
				"run \"openstack stack check\" until it is CHECK_COMPLETE, or remove this node")
		}
	}
	return nil
}

// straying is the problem of living members that an update would remove although it does not name them.
func (v *view) straying(named indexSet) error {
	rest := v.strays.minus(named).sorted()
	if len(rest) == 0 {
		return nil
	}
	return problemError(nodegroups.ReasonStrayMember,
		fmt.Sprintf("members %v live although Heat does not want them any more; any update of the stack would remove them", rest),
		"drain their nodes, then run \"openstack stack update --existing\"")
}

// isBeingDeleted tells a member on its way out from one that lives. DELETE_FAILED belongs to it: Heat gave it up.
func isBeingDeleted(status string) bool { return strings.HasPrefix(status, "DELETE_") }
