package heatstack

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// memberSources is everything from which the members of one stack are told.
type memberSources struct {
	stackID string
	// status and reason are Heat's words for the stack.
	status, reason string
	// size is the size parameter, pending the growth that it does not show yet.
	size, pending int
	// removal are the indices that the removal parameter holds since an update was last carried out.
	removal map[string]bool
	// listing is Heat's list of members; listed says that there is one, current that the stack has not moved since.
	listing         []MemberRow
	listed, current bool
	// servers are those whose metadata name the stack; server looks any server up, nil if there is none.
	servers map[string]*Server
	server  func(id string) *Server
	// lost are servers that Heat lists and Nova has confirmed not to have.
	lost map[string]bool
	// faults are why members could not be started in the update that is running, by index.
	faults map[string]string
	// removing are servers whose removal we ordered.
	removing map[string]bool
}

// memberView is what was found.
type memberView struct {
	// members as a Stack shows them.
	members []nodegroups.Member
	// live are the servers of the members.
	live []Server
	// agrees says that the servers found are as many as ordered and that all of them have an index.
	agrees bool
	// unverified are ids that Heat lists and that are not known to Nova's list.
	unverified []string
}

// slot is one member while it is being told from its sources.
type slot struct {
	index    string
	serverID string
	row      *MemberRow // nil if Heat's current list does not have it
	server   *Server    // nil if there is none or it is not known
	// superseded: Heat has put another server in this member's place.
	superseded bool
}

// tellMembers joins Heat's list, the servers' metadata and what we have ordered ourselves. It only computes.
func tellMembers(in *memberSources) memberView {
	slots := in.slots()
	sortSlots(slots)
	var view memberView
	counted, serving, indexed := 0, 0, true
	missing := []nodegroups.Member{}
	for _, s := range slots {
		m := nodegroups.Member{StackID: in.stackID, Index: s.index, ServerID: s.serverID}
		m.State, m.Failure = in.state(s)
		if s.server != nil {
			m.Name, m.Flavor, m.Zone, m.Created = s.server.Name, s.server.Flavor.Name, s.server.Zone, s.server.Created
			m.Status, m.Launched = s.server.Status, s.server.Launched
			view.live = append(view.live, *s.server)
		} else if s.serverID != "" && !in.lost[s.serverID] {
			view.unverified = append(view.unverified, s.serverID)
		}
		if m.State == nodegroups.Deleting {
			if s.server != nil {
				view.members = append(view.members, m)
			}
			continue // without a server there is nothing left to see
		}
		counted++
		if s.server == nil && m.State == nodegroups.Failed {
			m.ServerID = "" // its server was taken away again
		}
		if m.ServerID == "" {
			missing = append(missing, m)
			continue
		}
		serving++
		indexed = indexed && m.Index != ""
		view.members = append(view.members, m)
	}
	unseen := in.unseenFaults(slots)
	for n := counted; n < in.size+in.pending; n++ {
		m := nodegroups.Member{StackID: in.stackID, State: nodegroups.Creating}
		switch {
		case n >= in.size: // not ordered from Heat yet
		case hasFailed(in.status):
			m.State, m.Failure = nodegroups.Failed, classify(in.reason)
		case len(unseen) > 0:
			m.Index, m.State, m.Failure = unseen[0], nodegroups.Failed, classify(in.faults[unseen[0]])
			unseen = unseen[1:]
		}
		missing = append(missing, m)
	}
	for k := range missing {
		missing[k].Placeholder = nodegroups.PlaceholderID(in.stackID, k)
	}
	view.members = append(view.members, missing...)
	view.agrees = indexed && serving == in.size
	return view
}

// unseenFaults are the indices of members that could not be started and that no source shows at this moment.
func (in *memberSources) unseenFaults(slots []*slot) []string {
	unseen := maps.Clone(in.faults)
	for _, s := range slots {
		delete(unseen, s.index)
	}
	return slices.SortedFunc(maps.Keys(unseen), compareIndices)
}

// slots collects the members.
func (in *memberSources) slots() []*slot {
	var slots []*slot
	byIndex := map[string]*slot{}
	known := map[string]bool{}
	add := func(s *slot) {
		slots = append(slots, s)
		if s.index != "" && byIndex[s.index] == nil {
			byIndex[s.index] = s
		}
		if s.serverID != "" {
			known[s.serverID] = true
		}
	}
	// Heat's list is trusted while the stack is at rest. During an update it is out of date at once: it is left to the
	// metadata then, and where there are none it still tells the index of a server.
	trusted := in.current && (isSettled(in.status) || len(in.servers) == 0)
	if in.listed && (trusted || len(in.servers) == 0) {
		for i := range in.listing {
			row := &in.listing[i]
			s := &slot{index: row.Index, serverID: row.ServerID, row: row}
			if row.ServerID != "" {
				s.server = in.server(row.ServerID)
			}
			if !trusted {
				s.row = nil
				if s.server == nil {
					continue
				}
			}
			add(s)
		}
	}
	// The newest server first: of several with one index it is the one that Heat holds now.
	for _, server := range newestFirst(in.servers) {
		if known[server.ID] {
			continue
		}
		if in.current && hasCompleted(in.status) {
			continue // its metadata were copied from a member: Heat does not know it
		}
		index := server.index()
		switch held := byIndex[index]; {
		case index != "" && held != nil && held.server == nil:
			held.serverID, held.server = server.ID, server // started since Heat was asked
			known[server.ID] = true
		default:
			add(&slot{index: index, serverID: server.ID, server: server, superseded: index != "" && held != nil})
		}
	}
	return slots
}

// state says where a member is in its life.
func (in *memberSources) state(s *slot) (nodegroups.State, *nodegroups.Failure) {
	rowStatus, rowReason := "", ""
	if s.row != nil {
		rowStatus, rowReason = s.row.Status, s.row.Reason
	}
	switch {
	case s.superseded, in.removing[s.serverID], strings.HasPrefix(rowStatus, "DELETE_"):
		return nodegroups.Deleting, nil
	case in.removal[s.index] && !isCarriedOut(in.status):
		// Ordered by somebody, maybe not by us. Once the update is carried out an index that is still alive was not taken: Heat
		// ignores names that it does not know, and a list may be left over from long ago.
		return nodegroups.Deleting, nil
	case in.faults[s.index] != "" && isBusy(in.status) && (s.server == nil || !s.server.Launched):
		// It is being tried again; cluster-autoscaler shall not wait for that.
		return nodegroups.Failed, classify(in.faults[s.index])
	case s.server == nil:
		return in.stateWithoutServer(s, rowStatus, rowReason)
	case s.server.Status == novaError && !s.server.Launched:
		// Also when it is on its way out: nobody has ordered its removal, so Heat is about to try again.
		return nodegroups.Failed, classify(s.server.Fault, rowReason, reasonIfFailed(in.status, in.reason))
	case s.server.leaving():
		return nodegroups.Deleting, nil
	case s.server.Status == novaBuild && !s.server.Launched:
		return nodegroups.Creating, nil
	}
	return nodegroups.Running, nil
}

// stateWithoutServer is the state of a member that Heat lists and Nova does not.
func (in *memberSources) stateWithoutServer(s *slot, rowStatus, rowReason string) (nodegroups.State, *nodegroups.Failure) {
	switch {
	case s.serverID == "" && (hasFailed(rowStatus) || hasFailed(in.status)), rowStatus == "CREATE_FAILED":
		return nodegroups.Failed, classify(rowReason, reasonIfFailed(in.status, in.reason))
	case s.serverID == "" || isBusy(rowStatus):
		return nodegroups.Creating, nil
	case in.lost[s.serverID]:
		return nodegroups.Lost, nil
	}
	return nodegroups.Running, nil // not confirmed to be gone
}

func reasonIfFailed(status, reason string) string {
	if hasFailed(status) {
		return reason
	}
	return ""
}

func newestFirst(servers map[string]*Server) []*Server {
	sorted := make([]*Server, 0, len(servers))
	for _, s := range servers {
		sorted = append(sorted, s)
	}
	slices.SortFunc(sorted, func(a, b *Server) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return sorted
}

// sortSlots sorts by index as a number, then by server.
func sortSlots(slots []*slot) {
	slices.SortFunc(slots, func(a, b *slot) int {
		return cmp.Or(compareIndices(a.index, b.index), cmp.Compare(a.serverID, b.serverID))
	})
}

// compareIndices orders numbers by value, before everything else; no index comes last.
func compareIndices(a, b string) int {
	x, errA := strconv.Atoi(a)
	y, errB := strconv.Atoi(b)
	switch {
	case errA == nil && errB == nil:
		return cmp.Compare(x, y)
	case errA == nil:
		return -1
	case errB == nil:
		return 1
	case (a == "") != (b == ""):
		return len(b) - len(a)
	}
	return cmp.Compare(a, b)
}
