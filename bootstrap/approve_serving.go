package bootstrap

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// decideServing decides about a kubelet's serving certificate. Nodes that are not ours are left to whoever approves theirs.
//
// A node writes its own provider ID, so that it could call itself another server: therefore the server must have the node's
// name too, which the approval of its client certificate has proved.
func (q *inquiry) decideServing(ctx context.Context, r *request) *verdict {
	node, err := q.node(ctx, r.asker)
	switch {
	case err != nil:
		return failed(ReasonAPI, "the Node can't be looked up", err)
	case node == nil:
		return q.notOursYet(r)
	}
	id, err := nodegroups.ServerIDFromNode(node)
	if err != nil {
		return q.notOursYet(r)
	}
	group, _ := q.opts.Snapshot().ByServer(id)
	if group == nil {
		return q.notOursYet(r)
	}
	v := q.decideServingOf(ctx, r, id)
	v.group = group.Name
	return v
}

// notOursYet waits in silence: the Node, its provider ID or the member may be too new to be seen.
func (q *inquiry) notOursYet(r *request) *verdict {
	v := *notOurs
	v.reason, v.again = ReasonNoNode, q.age(r) < listingTolerance
	return &v
}

// decideServingOf decides about a node that says it is this server, a member of ours.
func (q *inquiry) decideServingOf(ctx context.Context, r *request, id string) *verdict {
	if v := r.checkShape(); v != nil {
		return v
	}
	machines, err := q.machines(ctx, r.asker)
	if err != nil {
		return failed(ReasonCloud, "the server can't be looked up", err)
	}
	var m *nodegroups.Machine
	for i := range machines {
		if machines[i].ServerID == id {
			m = &machines[i]
		}
	}
	switch {
	case m == nil:
		return left(ReasonOtherServer, fmt.Sprintf("the Node's provider ID is that of server %s, whose host name is another", id),
			"a node must be called like its server's host name (kubelet --hostname-override); else approve by hand")
	case m.Leaving:
		return denied(ReasonServerLeaving, fmt.Sprintf("server %s is being deleted", id), "nothing")
	case m.Group == "":
		return waiting(ReasonNotYetAMember, fmt.Sprintf("server %s is in none of the node groups' stacks", id), "approve by hand if it is right")
	case !m.Active:
		return waiting(ReasonServerState, fmt.Sprintf("server %s is %s", id, m.Status), "only a server that is ACTIVE gets a serving certificate")
	}
	if v := checkNames(r, m); v != nil {
		return v
	}
	return &verdict{
		decision: Approved, reason: ReasonServingMember, server: id,
		message: fmt.Sprintf("server %s is member %s of stack %s, node group %q, and has these names and addresses", id, m.Index, m.Stack, m.Group),
	}
}

// checkNames wants every name and address to be the machine's own.
func checkNames(r *request, m *nodegroups.Machine) *verdict {
	foreign := func(what string) *verdict {
		return denied(ReasonForeignNames, fmt.Sprintf("%.200s is not one of server %s", what, m.ServerID),
			"let the kubelet ask for its server's host name and addresses only (--node-ip, --hostname-override)")
	}
	for _, name := range r.x509.DNSNames {
		if name != m.HostName && name != m.Name {
			return foreign(fmt.Sprintf("the DNS name %q", name))
		}
	}
	own := make(map[netip.Addr]bool, len(m.Addresses))
	for _, a := range m.Addresses {
		own[a] = true
	}
	for _, ip := range r.x509.IPAddresses {
		addr, ok := netip.AddrFromSlice(ip)
		if !ok || !own[addr.Unmap()] {
			return foreign("the address " + ip.String())
		}
	}
	return nil
}
