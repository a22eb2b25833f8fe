package nodelife

import (
	"time"

	v1 "k8s.io/api/core/v1"
)

// arrivals notes how long new machines take to become Ready nodes: from the making of the server, by Nova's clock, to the node's first
// Ready, by the kubelet's. Only of a machine that was seen before it had a node is it known that this Ready is the first.
type arrivals struct {
	life *Life
	// awaited are the servers that were seen without a node.
	awaited map[string]bool
}

func (a *arrivals) look(s *sight) {
	still := map[string]bool{}
	for _, g := range s.snapshot.Groups() {
		for _, m := range g.Members {
			if m.ServerID == "" || m.Created.IsZero() {
				continue
			}
			node, isAwaited := s.byServer[m.ServerID], a.awaited[m.ServerID]
			since, isReady := readySince(node)
			switch {
			case isAwaited && isReady:
				a.life.opts.Observer.NodeReady(g.Name, max(0, since.Sub(m.Created)))
			case isAwaited, node == nil && s.now.Sub(m.Created) < a.life.repair.provisionTime(g):
				still[m.ServerID] = true
			}
		}
	}
	a.awaited = still
}

// readySince is when a node became Ready, false if it is not, or if there is none.
func readySince(node *v1.Node) (time.Time, bool) {
	if node == nil {
		return time.Time{}, false
	}
	for i := range node.Status.Conditions {
		if c := &node.Status.Conditions[i]; c.Type == v1.NodeReady {
			return c.LastTransitionTime.Time, c.Status == v1.ConditionTrue
		}
	}
	return time.Time{}, false
}
