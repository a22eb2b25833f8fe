package collect

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// listNodes lists all Nodes from memory; false if they are not watched.
func (b *Book) listNodes() ([]*v1.Node, bool) {
	lister := b.nodes.Load()
	if lister == nil {
		return nil, false
	}
	list, err := (*lister).List(labels.Everything())
	return list, err == nil
}

// byMember finds the Nodes of members, by the members' ids; nil if Nodes are not known.
func (b *Book) byMember(s *nodegroups.Snapshot) map[string]*v1.Node {
	list, ok := b.listNodes()
	if !ok {
		return nil
	}
	out := make(map[string]*v1.Node, len(list))
	for _, node := range list {
		if _, m := s.ByNode(node); m != nil {
			out[m.ID()] = node
		}
	}
	return out
}

// nodeOf is the name of one member's Node, empty if it has none.
func (b *Book) nodeOf(s *nodegroups.Snapshot, id string) string {
	list, _ := b.listNodes()
	for _, node := range list {
		if _, m := s.ByNode(node); m != nil && m.ID() == id {
			return node.Name
		}
	}
	return ""
}
