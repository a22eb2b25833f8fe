package nodegroups

import v1 "k8s.io/api/core/v1"

// IsReady says whether a node's kubelet reports that it is Ready.
func IsReady(node *v1.Node) bool {
	for i := range node.Status.Conditions {
		if c := &node.Status.Conditions[i]; c.Type == v1.NodeReady {
			return c.Status == v1.ConditionTrue
		}
	}
	return false
}
