package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	certificates "k8s.io/api/certificates/v1"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// serverWord begins the message of an approval, so that it tells later for which machine it was. It must not be changed.
const serverWord = "server "

// decideJoining decides whether a machine with a token of ours is the one that it says it is. What costs nothing comes first.
func (q *inquiry) decideJoining(ctx context.Context, r *request) *verdict {
	if v := r.checkShape(); v != nil {
		return v
	}
	group, err := q.group(ctx, r.asker)
	switch {
	case errors.Is(err, ErrOtherInstance):
		return notOurs
	case err != nil:
		return failed(ReasonAPI, "the token can't be looked up", err)
	case group == "":
		return denied(ReasonUnknownToken, fmt.Sprintf("token %s is revoked, has expired or was not minted by the autoscaler", r.asker),
			"a new machine of the node group gets a new token")
	}
	v := q.decideMachine(ctx, r, group)
	v.group = group
	return v
}

// decideMachine decides whether the node may be a machine that was just made for this group.
func (q *inquiry) decideMachine(ctx context.Context, r *request, group string) *verdict {
	node, err := q.node(ctx, r.node)
	switch {
	case err != nil:
		return failed(ReasonAPI, "the Node can't be looked up", err)
	case node != nil && nodegroups.IsReady(node):
		return denied(ReasonNodeExists, "a Node of this name is there and Ready", "nothing, if the node is well; else see who holds the token")
	}
	machines, err := q.machines(ctx, r.node)
	if err != nil {
		return failed(ReasonCloud, "the server can't be looked up", err)
	}
	if node != nil {
		return nodeInTheWay(node, machines)
	}
	switch len(machines) {
	case 0:
		const message = "the project has no server of this host name"
		const remedy = "a node must be called like its server's host name (kubelet --hostname-override)"
		if q.age(r) > listingTolerance {
			return left(ReasonNoSuchServer, message, remedy)
		}
		return waiting(ReasonNoSuchServer, message, remedy)
	case 1:
		return q.judge(r, &machines[0], group)
	}
	return waiting(ReasonAmbiguousName, fmt.Sprintf("the project has %d servers of this host name", len(machines)),
		"rename or delete those that are not the node group's")
}

// judge decides about the only machine that the name can mean.
func (q *inquiry) judge(r *request, m *nodegroups.Machine, group string) *verdict {
	now := q.clock.Now()
	asked := r.object.CreationTimestamp.Time
	limit := q.provisionTime(group)
	server := serverWord + m.ServerID
	switch {
	case m.Leaving:
		return denied(ReasonServerLeaving, server+" is being deleted", "nothing: another machine takes its place if it is needed")
	case asked.Before(m.Created.Add(-askTolerance)):
		return denied(ReasonAskedTooEarly, fmt.Sprintf("the request is older than %s of %s", server, m.Created.UTC().Format(time.RFC3339)),
			"see who else has the token, and whether the clocks are right")
	case m.Group == "" && now.Sub(m.Created) < listingTolerance:
		return waiting(ReasonNotYetAMember, server+" is in none of the node groups' stacks yet", "nothing, if it was just made")
	case m.Group == "":
		return denied(ReasonNotAMember, server+" is in none of the node groups' stacks", "let the machine join with a token of its own")
	case m.Group != group:
		return denied(ReasonWrongNodeGroup, fmt.Sprintf("%s is in node group %q and the token is for %q", server, m.Group, group),
			"see who else has the token")
	case m.Named:
		return waiting(ReasonServerLeaving, fmt.Sprintf("the removal of %s, member %s of stack %s, has been ordered and not been carried out", server, m.Index, m.Stack),
			"nothing: another machine takes its place if it is needed")
	case !m.Building && !m.Active:
		return waiting(ReasonServerState, fmt.Sprintf("%s is %s", server, m.Status), "only a server that is BUILD or ACTIVE may join")
	case m.Active && now.Sub(m.Since()) > limit+askTolerance:
		return denied(ReasonServerTooOld, fmt.Sprintf("%s has been there since %s, longer than %s", server, m.Since().UTC().Format(time.RFC3339), limit),
			"remove the member, or raise the group's autoscaling-options-maxnodeprovisiontime")
	}
	other, same := q.approvals(r, m)
	switch {
	case other != "":
		return secondKey(m.ServerID, other)
	case same >= approvalsMost:
		return left(ReasonTooMany, fmt.Sprintf("%d requests were approved for server %s already", same, m.ServerID),
			"see why its kubelet can't keep its certificate; approve by hand, or remove the member")
	}
	return &verdict{
		decision: Approved, reason: ReasonNewMember, server: m.ServerID,
		message: fmt.Sprintf("%s (%s) is member %s of stack %s, node group %q, and is no node yet", server, m.Status, m.Index, m.Stack, m.Group),
	}
}

func secondKey(server, other string) *verdict {
	return left(ReasonSecondKey, fmt.Sprintf("another key was approved for server %s (%s)", server, other),
		"two machines may claim to be this one, or its kubelet was started anew before it had its certificate: remove the member, or look at "+
			"the machine and approve the request by hand")
}

// approvals names a request with another key that was approved, by whomever, for the machine that this node is now, and counts
// those with the same key. What we approved ourselves is in the ledger too, which outlives these objects.
func (q *inquiry) approvals(r *request, m *nodegroups.Machine) (other string, same int) {
	all, err := q.requests.ByIndex(byNode, r.node)
	if err != nil {
		return err.Error(), 0 // only if the index did not exist
	}
	for _, o := range all {
		csr, ok := o.(*certificates.CertificateSigningRequest)
		if !ok || csr.UID == r.object.UID || csr.Spec.SignerName != certificates.KubeAPIServerClientKubeletSignerName {
			continue
		}
		approval := condition(csr, certificates.CertificateApproved)
		switch {
		case approval == nil || isOfEarlierMachine(csr, approval, m):
		case parseRequest(csr).key != r.key:
			return csr.Name, 0
		default:
			same++
		}
	}
	return "", same
}

// isOfEarlierMachine says whether an approval was for an earlier machine of the same name. Ours name the server; of others
// only the time is known.
func isOfEarlierMachine(csr *certificates.CertificateSigningRequest, approval *certificates.CertificateSigningRequestCondition, m *nodegroups.Machine) bool {
	if approval.Reason == ReasonNewMember && strings.HasPrefix(approval.Message, serverWord) {
		return !strings.HasPrefix(approval.Message, serverWord+m.ServerID)
	}
	at := approval.LastUpdateTime.Time
	if at.IsZero() {
		at = csr.CreationTimestamp.Time
	}
	return at.Before(m.Created.Add(-askTolerance))
}

// nodeInTheWay decides while there is a Node of that name that is not Ready.
func nodeInTheWay(node *v1.Node, machines []nodegroups.Machine) *verdict {
	id, err := nodegroups.ServerIDFromNode(node)
	if err == nil {
		for i := range machines {
			if machines[i].ServerID == id {
				return denied(ReasonNodeExists, fmt.Sprintf("server %s has joined already", id),
					"remove the member if the machine has lost its certificate; else see who holds the token")
			}
		}
	}
	return waiting(ReasonStaleNode, fmt.Sprintf("a Node of this name is left from another machine (provider ID %q)", node.Spec.ProviderID),
		"delete the Node if that machine is gone")
}

// age is how old a request is.
func (a *Approver) age(r *request) time.Duration {
	return a.clock.Since(r.object.CreationTimestamp.Time)
}
