package e2e_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// TestNodeIsDeletedWithoutCloudController: a node that nobody needs is drained, its machine shut down as the annotation asks,
// its member removed; and then its Node object is deleted, though no cloud controller manager runs.
func TestNodeIsDeletedWithoutCloudController(t *testing.T) {
	t.Parallel()
	s := newSceneWith(t, "undertaker", world.Options{NoCloudController: true})
	group := s.group(world.GroupSpec{Name: "workers", Max: 2, Annotations: map[string]string{"graceful-shutdown-time": "30s"}})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	s.deploy(world.Workload{Name: "app", Replicas: 1, CPU: "600m"})
	s.runs("app", 1)
	server := s.size(group, 1)["0"]
	require.NoError(t, s.Undeploy(t.Context(), "app"))
	s.until("the Node to be gone", func(ctx context.Context) error {
		nodes, err := s.Nodes(ctx)
		if err == nil && len(nodes) > 0 {
			err = fmt.Errorf("%d nodes, the first is ready: %t", len(nodes), world.IsReady(&nodes[0]))
		}
		return err
	})
	dead, _ := s.sim.Server(server.ID)
	require.Equal(t, "DELETED", dead.Status)
	require.Equal(t, []string{"create", "stop"}, dead.Actions, "its machine was shut down first")
	s.until("it to be counted", func(ctx context.Context) error {
		deleted, err := s.Autoscaler.Samples(ctx, "cluster_autoscaler_openstack_nodes_deleted_total", nil, "node_group")
		if err == nil && deleted[group.Name] != 1 {
			err = fmt.Errorf("%v", deleted)
		}
		return err
	})
	s.noWrongRemoval()
}

// TestBrokenMachineIsReplaced: a server goes to ERROR after it has run, its host being dead. The member is replaced, the size
// stays, and the other node is left alone.
func TestBrokenMachineIsReplaced(t *testing.T) {
	t.Parallel()
	s := newSceneWith(t, "repair", world.Options{NoCloudController: true})
	group := s.group(world.GroupSpec{Name: "workers", Min: 2, Max: 2})
	require.NoError(t, s.StartAutoscaler(t.Context(), "--auto-repair-after=1s", "--enforce-node-group-min-size"))
	before := s.size(group, 2)
	s.sim.BreakServer(before["0"].ID, "the host has died")
	s.until("another member in its place", func(ctx context.Context) error {
		servers, err := group.Servers(ctx)
		if _, broken := servers["0"]; err == nil && (broken || len(servers) != 2) {
			err = fmt.Errorf("the servers are %v", servers)
		}
		return err
	})
	after := s.size(group, 2)
	require.Equal(t, before["1"].ID, after["1"].ID)
	s.until("the Node of the broken server to be gone", func(ctx context.Context) error {
		nodes, err := s.Nodes(ctx)
		if err == nil && len(nodes) != 2 {
			err = fmt.Errorf("%d nodes", len(nodes))
		}
		return err
	})
	s.until("an Event", func(ctx context.Context) error {
		return s.eventAbout(ctx, "MemberReplaced", []string{before["0"].ID, group.Name})
	})
	replaced, err := s.Autoscaler.Samples(t.Context(), "cluster_autoscaler_openstack_repairs_total", nil, "reason")
	require.NoError(t, err)
	require.Equal(t, map[string]float64{"Error": 1}, replaced)
	s.noWrongRemoval()
}
