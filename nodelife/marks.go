package nodelife

import (
	"context"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// marksPerLook bounds the writes of one look: after an upgrade no Node has its marks yet.
const marksPerLook = 20

// membership is in which cloud, node group and stack a server was seen as a member. left says that it was seen being deleted,
// or that its stack has gone, so that nobody wonders that it is gone.
type membership struct {
	cloud, group, stack string
	left                bool
}

// marks remembers which servers were members, on the Nodes themselves and, for Nodes that could not be written, here.
type marks struct {
	life    *Life
	members map[string]membership // by server
}

// update takes in a look and writes what Nodes lack.
func (k *marks) update(ctx context.Context, s *sight) {
	seen := make(map[string]bool, len(s.nodes))
	for _, node := range s.nodes {
		if id, _, err := nodegroups.ParseProviderID(node.Spec.ProviderID); err == nil {
			seen[id] = true
		}
	}
	stacks := map[string]bool{}
	for _, g := range s.snapshot.Groups() {
		for _, stack := range g.Stacks {
			stacks[stack.ID] = true
		}
	}
	for id, was := range k.members {
		switch _, m := s.snapshot.ByServer(id); {
		case m == nil && !seen[id]:
			delete(k.members, id)
		case m == nil && s.current && !stacks[was.stack]:
			was.left = true
			k.members[id] = was
		}
	}
	writes := 0
	for _, g := range s.snapshot.Groups() {
		for _, m := range g.Members {
			if m.ServerID == "" {
				continue
			}
			known := k.members[m.ServerID]
			stack := g.Stack(m.StackID)
			now := membership{
				cloud: CloudName(stack.Region, stack.Project), group: g.Name, stack: stack.ID,
				left: known.left || m.State == nodegroups.Deleting,
			}
			k.members[m.ServerID] = now
			node := s.byServer[m.ServerID]
			if node == nil || now.left || writes == marksPerLook || k.life.opts.DryRun {
				continue
			}
			if missing := missingMarks(node, now); len(missing) > 0 {
				writes++
				k.write(ctx, node, missing)
			}
		}
	}
}

// missingMarks are the annotations in which a Node differs from what is known of it.
func missingMarks(node *v1.Node, m membership) map[string]*string {
	out := map[string]*string{}
	for key, want := range map[string]string{CloudAnnotation: m.cloud, NodeGroupAnnotation: m.group} {
		if want != "" && node.Annotations[key] != want {
			out[key] = &want
		}
	}
	if _, stopped := node.Annotations[StoppedAnnotation]; stopped && nodegroups.IsReady(node) && !isBeingRemoved(node) {
		out[StoppedAnnotation] = nil // somebody has started it again
	}
	return out
}

func (k *marks) write(ctx context.Context, node *v1.Node, annotations map[string]*string) {
	err := k.life.cluster.annotate(ctx, node, annotations)
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		klog.FromContext(ctx).Error(err, "A node's marks can't be written; it is tried again")
	}
}

// of returns what is known of the server of a node that may not be a member any more; false if it never was one.
func (k *marks) of(node *v1.Node, serverID string) (membership, bool) {
	if m, ok := k.members[serverID]; ok {
		return m, true
	}
	cloud := node.Annotations[CloudAnnotation]
	return membership{cloud: cloud, group: node.Annotations[NodeGroupAnnotation]}, cloud != ""
}
