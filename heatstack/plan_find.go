package heatstack

import (
	"fmt"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

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
	return 0, decision{verdict: verdictDone}
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
	case row.ServerID != "":
		return i, decision{verdictRefuse, fmt.Errorf("member %d has got the server %s meanwhile", i, row.ServerID)}
	}
	return i, v.judge(i, row)
}

// judge decides on a member that is listed.
func (v *view) judge(i int, row MemberRow) decision {
	ordered := isBeingDeleted(row.Status) || v.excluded[i]
	switch {
	case !ordered:
		return decision{verdict: verdictSend}
	case v.phase == phaseOwnUpdate, row.Status == "DELETE_COMPLETE", row.Status == "DELETE_IN_PROGRESS":
		return decision{verdict: verdictDone}
	}
	// Its deletion was ordered and has failed, or never began: once more.
	return decision{verdict: verdictSend}
}
