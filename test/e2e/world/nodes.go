package world

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Nodes lists the world's nodes.
func (w *World) Nodes(ctx context.Context) ([]v1.Node, error) {
	list, err := w.base.Cluster.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: worldLabel + "=" + w.Name})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// IsReady says whether a node is Ready.
func IsReady(node *v1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(c v1.NodeCondition) bool {
		return c.Type == v1.NodeReady && c.Status == v1.ConditionTrue
	})
}

// ServerOf is the id of the server that a node runs on.
func ServerOf(node *v1.Node) string { return strings.TrimPrefix(node.Spec.ProviderID, "openstack:///") }

// WaitForSize waits until everybody agrees that the group has n members: Heat's parameter, a stack at rest, servers that
// are active, nodes that are ready. It returns the servers by index.
func (g *Group) WaitForSize(ctx context.Context, timeout time.Duration, n int) (map[string]Server, error) {
	var servers map[string]Server
	err := g.world.Until(ctx, timeout, fmt.Sprintf("%d members of %s", n, g.Name), func(ctx context.Context) error {
		stack, err := g.Stack(ctx)
		if err != nil {
			return err
		}
		if servers, err = g.Servers(ctx); err != nil {
			return err
		}
		ready, err := g.readyNodes(ctx, servers)
		if err != nil {
			return err
		}
		settled := strings.HasSuffix(stack.Status, "_COMPLETE")
		if settled && stack.Count() == n && len(servers) == n && ready == n {
			return nil
		}
		return fmt.Errorf("stack %s, node_count %d, nodes_to_remove %q, %d servers, %d ready nodes: %s",
			stack.Status, stack.Count(), stack.Parameters["nodes_to_remove"], len(servers), ready, stack.Reason)
	})
	return servers, err
}

// readyNodes counts the ready nodes on these servers.
func (g *Group) readyNodes(ctx context.Context, servers map[string]Server) (int, error) {
	nodes, err := g.world.Nodes(ctx)
	if err != nil {
		return 0, err
	}
	ours := map[string]bool{}
	for _, server := range servers {
		ours[server.ID] = true
	}
	ready := 0
	for _, node := range nodes {
		if ours[ServerOf(&node)] && IsReady(&node) {
			ready++
		}
	}
	return ready, nil
}
