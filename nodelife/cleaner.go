package nodelife

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// How many servers may be gone at once without an order of ours before it is taken for a wrong view of the cloud: other
// credentials, another database behind the API. Of a few, because single machines do get deleted by hand.
const (
	goneAtLeast = 2
	goneShare   = 0.2
)

// cleaner deletes Nodes whose server is gone, which the cloud controller manager's node lifecycle controller does where
// there is one. It does no harm beside it.
//
// A server that the credentials in force can't see looks exactly like one that is gone. So a Node is deleted only if
//   - its server was seen as a member of one of our groups, in the region and project that the credentials are for now;
//   - Nova itself says that there is no such server, twice, some time apart, and does find another server that is there;
//   - the kubelet has stopped reporting that the Node is Ready;
//   - not many other servers have vanished at the same time without having been seen being deleted.
type cleaner struct {
	life *Life
	// missing is since when Nova says of a server that there is none.
	missing map[string]time.Time
}

// corpse is a Node whose server seems to be gone.
type corpse struct {
	node   *v1.Node
	server string
	membership
	since time.Time
}

// clean looks for Nodes without a server and deletes those for which everything is proved.
func (c *cleaner) clean(ctx context.Context, s *sight) {
	cloud := c.life.opts.Cloud()
	if !s.current || cloud == "" {
		clear(c.missing) // the two answers have to come while everything else is in order
		return
	}
	corpses, marked := c.find(ctx, s, cloud)
	unexplained := 0
	due := corpses[:0]
	for _, d := range corpses {
		if !d.left {
			unexplained++
		}
		if !nodegroups.IsReady(d.node) && s.now.Sub(d.since) >= c.life.opts.GoneAfter {
			due = append(due, d)
		}
	}
	isDoubtful := float64(unexplained) > max(goneAtLeast, goneShare*float64(marked))
	if isDoubtful {
		c.life.opts.Reporter.Report(nodegroups.Problem{
			Reason: nodegroups.ReasonManyServersGone, Severity: nodegroups.Warning, Key: "cloud", Value: cloud,
			Message: fmt.Sprintf("%d of %d servers seem to be gone at once, and nobody saw them being deleted; their Nodes are kept", unexplained, marked),
			Remedy:  "check that the credentials see the right project; if the servers are gone indeed, delete their Nodes by kubectl",
		})
	}
	checked := false
	for _, d := range due {
		if isDoubtful && !d.left {
			continue
		}
		if !checked && !c.seesOthers(ctx, s) {
			return
		}
		checked = true
		c.bury(ctx, d)
	}
}

// find asks Nova for the servers of our Nodes that are not Ready, or that were seen being deleted or lost, since a Node is Ready for a
// while after its server has gone. marked is how many of our Nodes there are.
func (c *cleaner) find(ctx context.Context, s *sight, cloud string) (corpses []corpse, marked int) {
	asked := map[string]bool{}
	for _, node := range s.nodes {
		id, _, err := nodegroups.ParseProviderID(node.Spec.ProviderID)
		if err != nil {
			continue
		}
		was, known := c.life.marks.of(node, id)
		if !known || was.cloud != cloud {
			continue
		}
		marked++
		_, m := s.snapshot.ByServer(id)
		isLeaving := was.left || m != nil && m.State == nodegroups.Lost || !c.missing[id].IsZero()
		if m != nil && m.State != nodegroups.Deleting && m.State != nodegroups.Lost || nodegroups.IsReady(node) && !isLeaving {
			continue
		}
		asked[id] = true
		if c.isMissing(ctx, id, s.now) {
			corpses = append(corpses, corpse{node, id, was, c.missing[id]})
		}
	}
	for id := range c.missing {
		if !asked[id] {
			delete(c.missing, id)
		}
	}
	return corpses, marked
}

// isMissing asks Nova whether a server is gone. Every answer but a clear one begins the proof anew.
func (c *cleaner) isMissing(ctx context.Context, id string, now time.Time) bool {
	server, err := c.life.machines.Server(ctx, id)
	switch {
	case errors.Is(err, nodegroups.ErrNoServer), err == nil && server.Status == nodegroups.ServerDeleted:
		if c.missing[id].IsZero() {
			c.missing[id] = now
		}
		return true
	case err != nil:
		klog.FromContext(ctx).V(2).Info("Whether a server is gone can't be told", "server", id, "err", err)
	}
	delete(c.missing, id)
	return false
}

// seesOthers says whether Nova finds a server that should be there. If no member runs there is nothing to try it with.
func (c *cleaner) seesOthers(ctx context.Context, s *sight) bool {
	for _, g := range s.snapshot.Groups() {
		for _, m := range g.Members {
			if m.State != nodegroups.Running || m.Status != nodegroups.ServerActive {
				continue
			}
			_, err := c.life.machines.Server(ctx, m.ServerID)
			if err != nil {
				klog.FromContext(ctx).Info("Nodes without a server are kept: Nova does not find a server that runs", "server", m.ServerID, "err", err)
			}
			return err == nil
		}
	}
	return true
}

// bury deletes a Node, if it still is what it was.
func (c *cleaner) bury(ctx context.Context, d corpse) {
	logger := klog.FromContext(ctx).WithValues("node", d.node.Name, "server", d.server, "nodeGroup", d.group)
	if c.life.opts.DryRun {
		c.tell(d, "its server does not exist any more; without the dry run the Node would be deleted")
		return
	}
	node, err := c.life.cluster.fresh(ctx, d.node.Name)
	switch {
	case apierrors.IsNotFound(err):
		return // somebody else has done it
	case err != nil:
		logger.Error(err, "The Node of a server that is gone can't be read; it is tried again")
		return
	case node.UID != d.node.UID, node.Spec.ProviderID != d.node.Spec.ProviderID, nodegroups.IsReady(node):
		return
	}
	switch err := c.life.cluster.remove(ctx, node); {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return // gone, or it has changed: the next look decides
	case err != nil:
		logger.Error(err, "The Node of a server that is gone can't be deleted; it is tried again")
		return
	}
	logger.Info("Deleted the Node of a server that is gone")
	c.life.opts.Observer.NodeDeleted(d.group)
	c.tell(d, "its server does not exist any more, so the Node was deleted")
}

// tell reports a Node without a server.
func (c *cleaner) tell(d corpse, message string) {
	c.life.opts.Reporter.Report(nodegroups.Problem{
		Reason: nodegroups.ReasonNodeDeleted, Severity: nodegroups.Warning, Group: d.group, Node: d.node.Name, Key: "server", Value: d.server,
		Message: message, Remedy: "nothing",
	})
}
