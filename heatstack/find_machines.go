package heatstack

import (
	"context"
	"errors"
	"fmt"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// ErrNotReadYet: the node groups have not been read, so nobody can say what belongs to them.
var ErrNotReadYet = errors.New("the node groups have not been read yet")

// claim is where a server is said to belong: a hint, until Heat confirms it.
type claim struct {
	name, id, resourceGroup, index, nodeGroup string
}

// FindMachines returns the servers that Nova knows now by this host name, each with the node group of which Heat confirms it
// to be a member. A host name is a DNS name in lower case. It costs one call to Nova and, for each server that may be a member,
// one or two to Heat, however large the stacks are.
//
// What is known of the stacks, and what a server's metadata say, only tells where to look. An error means that something could
// not be read, and nothing else.
func (c *Cloud) FindMachines(ctx context.Context, hostName string) ([]nodegroups.Machine, error) {
	nova, ok := c.nova.(serverFinder)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	c.mu.Lock()
	ready := !c.nextFull.IsZero()
	c.mu.Unlock()
	if !ready {
		return nil, ErrNotReadYet
	}
	servers, err := nova.FindServers(ctx, hostName)
	if err != nil {
		return nil, err
	}
	machines := make([]nodegroups.Machine, 0, len(servers))
	for i := range servers {
		machine, err := c.proved(ctx, &servers[i])
		if err != nil {
			return nil, err
		}
		machines = append(machines, machine)
	}
	return machines, nil
}

// proved is a server as a machine, with the membership that Heat confirms.
func (c *Cloud) proved(ctx context.Context, s *foundServer) (nodegroups.Machine, error) {
	m := nodegroups.Machine{
		ServerID: s.ID, Name: s.Name, HostName: s.hostName, Status: s.Status,
		Building: s.Status == novaBuild, Active: s.Status == novaActive, Leaving: s.leaving(),
		Created: s.Created, Launched: s.launched, Addresses: s.addresses,
	}
	heat, ok := c.heat.(memberFinder)
	if !ok {
		return m, errors.ErrUnsupported
	}
	for _, at := range c.claims(&s.Server) {
		if at.resourceGroup == "" {
			return m, fmt.Errorf("stack %s: %w", at.name, ErrNotReadYet)
		}
		row, err := heat.FindMember(ctx, at.name, at.id, at.resourceGroup, at.index)
		switch {
		case isNotFound(err):
			continue // the stack has been deleted
		case err != nil:
			return m, err
		case row == nil || row.ServerID != s.ID:
			continue
		}
		m.Group, m.Stack, m.Index = at.nodeGroup, at.name, at.index
		m.Leaving = m.Leaving || isDeletion(row.Status)
		m.Named = c.isNamed(at)
		return m, nil
	}
	return m, nil
}

// isNamed tells whether a place is on the removal list of an update that has not been carried out.
func (c *Cloud) isNamed(at claim) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	st := c.stacks[at.id]
	return st != nil && !isCarriedOut(st.row.Status) && st.newRemovals()[at.index]
}

// claims are the places where a server may be a member: what its metadata say, and where it was last seen.
func (c *Cloud) claims(s *Server) []claim {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []claim
	add := func(stackID, index string) {
		st := c.stacks[stackID]
		if st == nil || !isCount(index) {
			return
		}
		at := claim{st.row.Name, st.row.ID, st.template.Group, index, st.config.Name}
		if len(all) == 0 || all[0] != at {
			all = append(all, at)
		}
	}
	add(s.stackID(), s.index())
	if id := c.servers.listed[s.ID]; id != "" {
		if st := c.stacks[id]; st != nil {
			for i := range st.listing {
				if st.listing[i].ServerID == s.ID {
					add(id, st.listing[i].Index)
				}
			}
		}
	}
	return all
}
