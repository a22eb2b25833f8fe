package heatstack

import (
	"strconv"
	"strings"
	"time"
)

// casualty is a server that Nova could not start and that Heat has deleted again, to try once more: it does so up to five times, for a
// minute and a half in all (heat.conf, action_retry_limit). Such a server is in ERROR for a second or two only, mostly between
// two refreshes. But a list of changes still shows it as DELETED, with its fault and without its metadata.
type casualty struct {
	id, name string
	created  time.Time
	fault    string
	// stackID and index are empty where the server had never been seen alive.
	stackID, index string
}

// casualtyOf says whether a deleted server was one; old is what was known of it, nil if nothing.
func (c *serverCache) casualtyOf(s, old *Server) (casualty, bool) {
	if s.Fault == "" || s.Launched || old != nil && old.Launched {
		return casualty{}, false
	}
	dead := casualty{id: s.ID, name: s.Name, created: s.Created, fault: s.Fault}
	if old != nil {
		dead.stackID, dead.index = old.stackID(), old.index()
	}
	if dead.stackID == "" {
		dead.stackID = c.listed[s.ID]
	}
	return dead, true
}

// mourn notes the casualties of updates that are running with the stacks they belong to. It needs the lock.
func (c *Cloud) mourn(dead []casualty) {
	for _, d := range dead {
		for _, st := range c.stacks {
			if index, ok := st.claims(d); ok {
				if st.faults == nil {
					st.faults = map[string]string{}
				}
				st.faults[index] = d.fault
				st.dirty = true
			}
		}
	}
}

// claims says whether a casualty belongs to the update that is running, and which member it was.
func (st *stackState) claims(d casualty) (index string, ok bool) {
	if !isBusy(st.row.Status) || d.stackID != "" && d.stackID != st.row.ID {
		return "", false
	}
	if began, err := time.Parse(time.RFC3339, st.row.Updated); err == nil && d.created.Before(began) {
		return "", false
	}
	if d.stackID == "" {
		return st.indexByName(d.name)
	}
	if d.index != "" {
		return d.index, true
	}
	for _, row := range st.listing {
		if row.ServerID == d.id {
			return row.Index, true
		}
	}
	return "", false
}

// indexByName tells a member's index from its server's name, by the names of its siblings: after node-0 and node-1, node-7 is
// the member 7.
func (st *stackState) indexByName(name string) (index string, ok bool) {
	for _, m := range st.view.members {
		at := strings.LastIndex(m.Name, m.Index)
		if m.Index == "" || at < 0 {
			continue
		}
		rest, found := strings.CutPrefix(name, m.Name[:at])
		if !found {
			continue
		}
		rest, found = strings.CutSuffix(rest, m.Name[at+len(m.Index):])
		if _, err := strconv.ParseUint(rest, 10, 31); found && err == nil {
			return rest, true
		}
	}
	return "", false
}
