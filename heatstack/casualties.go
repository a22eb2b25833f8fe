package heatstack

import (
	"context"
	"slices"
	"time"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// casualty is a server that was deleted before it had ever run. While a stack is being updated that mostly means that Nova could not
// start it (no valid host) and that Heat has deleted it in order to try once more, which it does up to five times, for a minute and a
// half in all (heat.conf, action_retry_limit; heat/engine/resource.py, create).
//
// Such a server is in ERROR for a second or two only, mostly between two refreshes. Lists of changes show it as DELETED, but
// Nova deletes its metadata and its fault with it (nova/db/main/api.py, instance_destroy). Heat's events still tell.
type casualty struct {
	id      string
	created time.Time
	// stackID and index are empty where the server had never been seen alive.
	stackID, index string
}

// casualtyOf says whether a deleted server was one; old is what was known of it, nil if nothing.
func (c *serverCache) casualtyOf(s, old *Server) (casualty, bool) {
	if s.Launched || old != nil && old.Launched {
		return casualty{}, false
	}
	dead := casualty{id: s.ID, created: s.Created, stackID: c.listed[s.ID]}
	if old != nil && old.stackID() != "" {
		dead.stackID, dead.index = old.stackID(), old.index()
	}
	return dead, true
}

// mourn notes casualties with the stacks whose members they may have been. It needs the lock.
func (c *Cloud) mourn(dead []casualty) {
	for _, d := range dead {
		for _, st := range c.stacks {
			if st.mayHaveLost(d) {
				st.casualties = append(st.casualties, d)
			}
		}
	}
}

// mayHaveLost says whether a server may have been started by the update that is running.
func (st *stackState) mayHaveLost(d casualty) bool {
	if !isBusy(st.row.Status) || st.mourned[d.id] || d.stackID != "" && d.stackID != st.row.ID {
		return false
	}
	if began, err := time.Parse(time.RFC3339, st.row.Updated); err == nil && d.created.Before(began) {
		return false
	}
	if st.readKey != st.row.key() {
		return true // it is not known yet how many members are missing
	}
	return slices.ContainsFunc(st.view.members, func(m nodegroups.Member) bool { return m.Placeholder != "" || m.ServerID == d.id })
}

// failureReader is a Heat that tells why servers could not be made. A Heat that is none shows such members as failed
// later, when the update has ended.
type failureReader interface {
	// ListFailures lists the servers of the stack whose making has failed, newest first, those that were tried again included.
	ListFailures(ctx context.Context, name, id string) ([]serverFailure, error)
}

// serverFailure is a server that Heat could not make.
type serverFailure struct {
	serverID, reason string
	// index is the member's, empty if it can't be told.
	index string
}

// unexplained: servers have died in the update that is running.
func (c *Cloud) unexplained(st *stackState) bool {
	_, tells := c.heat.(failureReader)
	return tells && len(st.casualties) > 0
}

// explainCasualties asks Heat whether servers that died were this stack's members, and why.
func (c *Cloud) explainCasualties(ctx context.Context, st *stackState) {
	c.mu.Lock()
	name, id, dead := st.row.Name, st.row.ID, st.casualties
	c.mu.Unlock()
	failures, err := c.heat.(failureReader).ListFailures(ctx, name, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		klog.FromContext(ctx).Error(err, "Why servers of a stack could not be started can't be read", "stack", name)
		return // asked again at the next refresh
	}
	st.casualties = nil
	if !isBusy(st.row.Status) {
		return
	}
	if st.mourned == nil {
		st.mourned = map[string]bool{}
	}
	for _, d := range dead {
		st.mourned[d.id] = true
		for _, f := range failures {
			if f.serverID != d.id {
				continue
			}
			index := f.index
			if d.index != "" {
				index = d.index
			}
			if st.faults == nil {
				st.faults = map[string]string{}
			}
			st.faults[index] = f.reason
			st.dirty = true
		}
	}
}
