package heatstack

import (
	"context"
	"time"

	"k8s.io/klog/v2"
)

// readServers lists the servers that changed, or all of them when that is due.
func (c *Cloud) readServers(ctx context.Context) error {
	asked := c.opts.Clock.Now()
	c.mu.Lock()
	since, full := c.since, c.since.IsZero() || !asked.Before(c.nextFull)
	c.mu.Unlock()
	ask := since
	if full {
		ask = time.Time{}
	}
	servers, at, err := c.nova.ListServers(ctx, ask)
	if err != nil {
		return err
	}
	c.learnFaults(ctx, servers)
	next := at.Add(-listOverlap)
	if at.IsZero() {
		next = asked.Add(-listOverlapOwnClock)
	}
	if !full {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.since = next
		touched := map[string]bool{}
		dead := c.servers.apply(servers, touched)
		c.touch(touched)
		c.mourn(dead)
		return nil
	}
	return c.takeFullList(ctx, servers, since, next)
}

// learnFaults completes servers of ours that could not be started. Nova's lists do not show the fault of a server that never got
// a host, only the server's own GET does (measured on Zed), and without it a lack of hosts would pass for any other failure.
// Those that are left over, or that can't be read, stay without: Heat tells in the end.
func (c *Cloud) learnFaults(ctx context.Context, servers []Server) {
	asked := 0
	for i := range servers {
		s := &servers[i]
		if s.Status != novaError || s.Fault != "" || s.Launched {
			continue
		}
		c.mu.Lock()
		known, ours := c.servers.byID[s.ID], c.stacks[s.stackID()] != nil || c.servers.listed[s.ID] != ""
		c.mu.Unlock()
		switch {
		case known != nil && known.Fault != "":
			s.Fault = known.Fault
		case ours && asked < verifiedPerRefresh:
			asked++
			if whole, err := c.nova.GetServer(ctx, s.ID); err == nil {
				s.Fault = whole.Fault
			}
		}
	}
}

// takeFullList takes in all servers. A member that was known and is not in the list was either deleted while nobody looked, which a list
// of changes tells, or the list has a hole; so it is asked for before it is given up.
func (c *Cloud) takeFullList(ctx context.Context, servers []Server, since, next time.Time) error {
	touched := map[string]bool{}
	c.mu.Lock()
	missing := c.servers.replace(servers, touched)
	c.mu.Unlock()
	if len(missing) > verifiedPerRefresh && !since.IsZero() {
		changed, _, err := c.nova.ListServers(ctx, since)
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.servers.apply(changed, touched)
		missing = c.servers.known(missing)
		c.mu.Unlock()
	}
	again := len(missing) > verifiedPerRefresh
	for _, id := range missing[:min(len(missing), verifiedPerRefresh)] {
		server, err := c.nova.GetServer(ctx, id)
		c.mu.Lock()
		switch {
		case isNotFound(err):
			c.servers.drop(id, touched)
		case err != nil:
			klog.FromContext(ctx).Error(err, "A server is missing in Nova's list and can't be read", "server", id)
			again = true
		default:
			c.servers.put(server, touched)
		}
		c.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = next
	c.nextFull = c.refreshedAfter(fullListInterval)
	if again {
		c.nextFull = c.opts.Clock.Now()
	}
	c.touch(touched)
	return nil
}

// known returns those of ids that are still in the cache.
func (c *serverCache) known(ids []string) []string {
	var left []string
	for _, id := range ids {
		if c.byID[id] != nil {
			left = append(left, id)
		}
	}
	return left
}

// touch marks stacks whose servers have changed. It needs the lock.
func (c *Cloud) touch(stackIDs map[string]bool) {
	for id := range stackIDs {
		if st := c.stacks[id]; st != nil {
			st.dirty = true
		}
	}
}
