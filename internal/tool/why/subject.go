package why

import (
	"context"
	"fmt"
	"strings"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cluster"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/sight"
)

// Kinds that an argument may name, with kubectl's short forms.
const (
	kindPod   = "pod"
	kindNode  = "node"
	kindGroup = "group"
)

var kinds = map[string]string{
	"pod": kindPod, "pods": kindPod, "po": kindPod, "node": kindNode, "nodes": kindNode, "no": kindNode,
	"group": kindGroup, "groups": kindGroup, "nodegroup": kindGroup, "ng": kindGroup,
}

// question is an argument, understood as far as it can be without asking.
type question struct {
	// kind is empty if it is to be guessed.
	kind, namespace, name string
}

// parse reads NAME, KIND/NAME or pod/NAMESPACE/NAME. namespace is that of pods without one.
func parse(argument, namespace string) (question, error) {
	parts := strings.Split(argument, "/")
	for _, part := range parts {
		if part == "" {
			return question{}, cli.Usagef("%q: a part of it is empty; write NAME, pod/NAMESPACE/NAME, node/NAME or group/NAME", argument)
		}
	}
	if len(parts) == 1 {
		return question{namespace: namespace, name: argument}, nil
	}
	kind, ok := kinds[strings.ToLower(parts[0])]
	switch {
	case !ok:
		return question{}, cli.Usagef("%q: there is no kind %q; write pod/NAMESPACE/NAME, node/NAME or group/NAME", argument, parts[0])
	case len(parts) == 2:
		return question{kind: kind, namespace: namespace, name: parts[1]}, nil
	case len(parts) == 3 && kind == kindPod:
		return question{kind: kind, namespace: parts[1], name: parts[2]}, nil
	}
	return question{}, cli.Usagef("%q: too many parts; write pod/NAMESPACE/NAME, node/NAME or group/NAME", argument)
}

// subject is what a question is about: one of three.
type subject struct {
	pod   *v1.Pod
	node  *v1.Node
	group *model.NodeGroup
}

// find looks for what a question may be about.
func (q *question) find(ctx context.Context, s *sight.Sight, reader *cluster.Reader) (subject, error) {
	var found subject
	var podErr error
	if q.kind == "" || q.kind == kindPod {
		found.pod, podErr = reader.Pod(ctx, q.namespace, q.name)
		if podErr != nil && (q.kind == kindPod || !apierrors.IsForbidden(podErr)) {
			return found, podErr
		}
		if podErr != nil {
			found.pod = nil
		}
	}
	if q.kind == "" || q.kind == kindNode {
		for i := range s.Nodes {
			if s.Nodes[i].Name == q.name {
				found.node = &s.Nodes[i]
			}
		}
	}
	if q.kind == "" || q.kind == kindGroup {
		found.group = s.Group(q.name)
	}
	return found, q.judge(&found, s, podErr)
}

// judge says what is wrong unless exactly one thing was found.
func (q *question) judge(found *subject, s *sight.Sight, podErr error) error {
	var names []string
	if found.pod != nil {
		names = append(names, fmt.Sprintf("pod/%s/%s", q.namespace, q.name))
	}
	if found.node != nil {
		names = append(names, "node/"+q.name)
	}
	if found.group != nil {
		names = append(names, "group/"+q.name)
	}
	switch {
	case len(names) == 1:
		return nil
	case len(names) > 1:
		return cli.Usagef("%q may be more than one thing: write %s", q.name, strings.Join(names, " or "))
	case podErr != nil:
		return podErr
	case q.kind == kindGroup:
		return s.NoGroup(q.name)
	case q.kind == kindPod:
		return fmt.Errorf("there is no pod %q in namespace %q; name another one by -n or as pod/NAMESPACE/NAME", q.name, q.namespace)
	case !s.NodesKnown:
		return fmt.Errorf("nodes may not be listed, so that %q is not found; see the warnings", q.name)
	case q.kind == kindNode:
		return fmt.Errorf("there is no node %q", q.name)
	}
	return fmt.Errorf("there is no pod %q in namespace %q, no node and no node group of that name; a pod of another namespace is pod/NAMESPACE/NAME", q.name, q.namespace)
}
