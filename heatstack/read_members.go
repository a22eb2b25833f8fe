package heatstack

import (
	"context"

	"k8s.io/klog/v2"
)

// unlisted says whether Heat's list of members is needed: when the servers do not tell, or do not agree with the size.
func (c *Cloud) unlisted(st *stackState) bool {
	if !st.read || !st.known || !isServed(st.row.Status) || st.template.Group == "" {
		return false
	}
	switch {
	case isBusy(st.row.Status):
		// Servers without metadata can't be told otherwise while they come. A stack that moved has been asked already.
		return !st.readNow && len(c.servers.byStack[st.row.ID]) == 0 && (st.size > 0 || len(st.listing) > 0)
	case !st.current():
		return hasFailed(st.row.Status) || !st.view.agrees
	default:
		return !st.view.agrees && !c.opts.Clock.Now().Before(st.relist)
	}
}

// listMembers reads Heat's list of members.
func (c *Cloud) listMembers(ctx context.Context, st *stackState) {
	c.mu.Lock()
	name, id, group, version, key := st.row.Name, st.row.ID, st.template.Group, st.version, st.row.key()
	if st.listedKey != key {
		st.relistIn = 0
	}
	st.relistIn = min(max(2*st.relistIn, relistFirst), relistMost)
	st.relist = c.opts.Clock.Now().Add(st.relistIn)
	c.mu.Unlock()
	rows, err := c.heat.ListMembers(ctx, name, id, group)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil {
			klog.FromContext(ctx).Error(err, "The members of a stack can't be listed", "stack", name)
		}
		return
	}
	if st.version != version {
		return // changed by a writer meanwhile
	}
	st.listing, st.listed, st.listedKey, st.dirty = rows, true, key, true
	c.servers.list(id, rows)
	for server := range st.lost {
		if c.servers.listed[server] != id {
			delete(st.lost, server)
		}
	}
}

// unverified: Heat lists servers in a stack at rest that Nova's list does not have.
func (c *Cloud) unverified(st *stackState) bool {
	return isSettled(st.row.Status) && st.current() && len(st.view.unverified) > 0
}

// verifyServers asks Nova for servers that only Heat knows. Only its answer that there is none counts.
func (c *Cloud) verifyServers(ctx context.Context, st *stackState) {
	c.mu.Lock()
	ids := st.view.unverified
	c.mu.Unlock()
	for _, id := range ids[:min(len(ids), verifiedPerRefresh)] {
		server, err := c.nova.GetServer(ctx, id)
		c.mu.Lock()
		switch {
		case isNotFound(err), err == nil && server.gone():
			if st.lost == nil {
				st.lost = map[string]bool{}
			}
			st.lost[id], st.dirty = true, true
		case err != nil:
			klog.FromContext(ctx).Error(err, "A server that Heat lists can't be read", "server", id)
		default:
			c.servers.put(server, map[string]bool{})
			st.dirty = true
		}
		c.mu.Unlock()
	}
}
