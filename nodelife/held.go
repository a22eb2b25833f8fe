package nodelife

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Why a broken member is not replaced. These are values of a metric's label and must not be changed.
const (
	heldDisabled       = "Disabled"          // the annotation or the flag says so
	heldStoppedByUs    = "StoppedForRemoval" // we shut it down ourselves, to remove it
	heldStoppedByUser  = "StoppedByUser"     // somebody has ordered that it is off
	heldNoScaleDown    = "ScaleDownDisabled" // the Node's annotation protects it
	heldBlocked        = "Blocked"           // the group or the stack must not be written to
	heldCloud          = "CloudUnavailable"  // the cloud can't be read, or not all of it
	heldOutage         = "ManyNodesUnready"  // it is not the machine
	heldStackBusy      = "StackBusy"         // an update of its stack is running
	heldBackOff        = "BackOff"           // a replacement in this group has failed
	heldGroupAtOnce    = "GroupBudget"       // as many are under way in this group as may be
	heldGroupPerHour   = "GroupHourBudget"   // as many were replaced in this group as may be in an hour
	heldClusterAtOnce  = "ClusterBudget"     // the same for the cluster
	heldClusterPerHour = "ClusterHourBudget" //
)

// askAgainAfter is how long Nova's word on who stopped a server holds.
const askAgainAfter = 5 * time.Minute

// remedies say what an operator can do.
var remedies = map[string]string{
	heldStoppedByUs:    "nothing: cluster-autoscaler removes it as a node that is not ready",
	heldStoppedByUser:  "start the server, or remove its member, or delete the server if it is not wanted any more",
	heldNoScaleDown:    "take the annotation " + noScaleDownAnnotation + " from the Node if it may be replaced",
	heldBlocked:        "mend what the group's own Event names",
	heldCloud:          "see why the cloud can't be read; it is tried again with every reading",
	heldOutage:         "look for a cause outside of the machines: network, control plane, time",
	heldStackBusy:      "nothing: it is looked at again when the stack is at rest",
	heldBackOff:        "see why the last replacement did not become a node",
	heldGroupAtOnce:    "nothing: it is replaced when the others have been",
	heldGroupPerHour:   "find out why so many machines of the group break",
	heldClusterAtOnce:  "nothing: it is replaced when the others have been",
	heldClusterPerHour: "find out why so many machines break, or raise --auto-repairs-per-hour",
}

// restraint says why a member must not be replaced, as far as that is known without asking the cloud.
func (r *repair) restraint(c *illness, s *sight) string {
	enabled := r.life.opts.Repair
	if own := c.group.Config.Life.AutoRepair; own != nil {
		enabled = *own
	}
	stack := c.group.Stack(c.member.StackID)
	switch {
	case !enabled:
		return heldDisabled
	case c.node != nil && c.node.Annotations[StoppedAnnotation] != "":
		return heldStoppedByUs
	case c.node != nil && c.node.Annotations[noScaleDownAnnotation] == "true":
		return heldNoScaleDown
	case c.group.Blocked != nil || stack == nil || stack.Blocked != nil:
		return heldBlocked
	case !s.current:
		return heldCloud
	case r.outage:
		return heldOutage
	case stack.Busy && c.ailment != ailmentStuckInBuild: // who is stuck keeps the stack busy
		return heldStackBusy
	}
	return r.spent(c.group, s.now)
}

// confirm asks Nova afresh. held is why the member must not be replaced; isWell says that it is not ill after all.
func (r *repair) confirm(ctx context.Context, c *illness, now time.Time) (held string, isWell bool) {
	if c.stopped != "" && now.Before(c.askAgain) {
		return c.stopped, false
	}
	c.stopped = ""
	server, err := r.life.machines.Server(ctx, c.member.ServerID)
	if err != nil {
		// Gone, or nobody knows. A server that is gone is a lost member, which heatstack mends.
		klog.FromContext(ctx).V(2).Info("A broken member's server can't be read", "server", c.member.ServerID, "err", err)
		return heldCloud, errors.Is(err, nodegroups.ErrNoServer)
	}
	if server.TaskState != "" && c.ailment != ailmentStuckInBuild {
		return "", true // something is being done to it
	}
	m := *c.member
	m.Status, m.Launched = server.Status, server.Launched
	if m.Status == nodegroups.ServerBuild && !m.Launched {
		m.State = nodegroups.Creating
	} else {
		m.State = nodegroups.Running
	}
	if ailmentOf(&m, c.node) != c.ailment {
		return "", true
	}
	if server.Status != nodegroups.ServerShutOff {
		return "", false
	}
	user, err := r.life.machines.LastStop(ctx, server.ID)
	switch {
	case err != nil:
		klog.FromContext(ctx).Info("Who stopped a server can't be told", "server", server.ID, "err", err)
		c.stopped = heldCloud
	case user != "":
		klog.FromContext(ctx).Info("A server was stopped by somebody's order and is left alone", "server", server.ID, "user", user)
		c.stopped = heldStoppedByUser
	}
	c.askAgain = now.Add(askAgainAfter)
	return c.stopped, false
}

// tellHeld reports that a broken member is not replaced.
func (r *repair) tellHeld(c *illness, held string) {
	if held == heldDisabled {
		return // that was somebody's decision
	}
	p := c.problem(nodegroups.ReasonRepairHeldBack)
	p.Key, p.Value = "reason", held
	p.Message = fmt.Sprintf("server %s is broken (%s) and not replaced", c.member.ServerID, c.ailment)
	p.Remedy = remedies[held]
	r.report(p)
}

// problem begins a report about a member.
func (c *illness) problem(reason string) nodegroups.Problem {
	p := nodegroups.Problem{Reason: reason, Group: c.group.Name}
	if stack := c.group.Stack(c.member.StackID); stack != nil {
		p.Stack = stack.Name
	}
	if c.node != nil {
		p.Node = c.node.Name
	}
	return p
}
