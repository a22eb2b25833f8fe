package e2e_test

import (
	"context"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// drain has kubectl drain a node, as the how-tos say.
func drain(t *testing.T, node string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), base.Kubernetes(), "kubectl", "--kubeconfig="+base.Cluster.Kubeconfig,
		"drain", node, "--ignore-daemonsets", "--delete-emptydir-data")
	said, err := command.CombinedOutput()
	require.NoError(t, err, "%s", said)
}

// nodesOn are the nodes on these servers.
func (s *scene) nodesOn(servers map[string]world.Server) []v1.Node {
	s.t.Helper()
	all, err := s.Nodes(s.t.Context())
	require.NoError(s.t, err)
	var nodes []v1.Node
	for _, node := range all {
		for _, server := range servers {
			if world.ServerOf(&node) == server.ID {
				nodes = append(nodes, node)
			}
		}
	}
	return nodes
}

// TestMagnumShape: a stack as Magnum makes it, tagged as docs/how-to/migrate-from-magnum.md says, grows, loses exactly the node that is not
// needed, and keeps its master.
func TestMagnumShape(t *testing.T) {
	t.Parallel()
	s := newScene(t, "magnum")
	group := s.group(world.GroupSpec{Name: "worker", Max: 3, Magnum: true})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	for i, app := range []string{"first", "second"} {
		s.deploy(world.Workload{Name: app, Replicas: 1, CPU: "600m"})
		s.runs(app, 1)
		s.size(group, i+1)
	}
	members := s.size(group, 2)
	require.NoError(t, s.Undeploy(t.Context(), "first"))
	left := s.size(group, 1)
	require.Equal(t, members["1"].ID, left["1"].ID, "Heat alone would have taken the highest")
	s.noWrongRemoval()
	masters := 0
	for _, server := range s.sim.Servers() {
		if server.Name == group.Name+"-master-0" {
			masters++
		}
	}
	require.Equal(t, 1, masters)
}

// TestForeignNodesStay: nodes of the same project and cluster that are in no node group are left alone, empty and for long, while a group
// grows for the pods that are drained from them: how one comes from Rancher's machine pools and from Cluster API's machines.
func TestForeignNodesStay(t *testing.T) {
	t.Parallel()
	s := newScene(t, "foreign")
	pool := s.group(world.GroupSpec{Name: "pool", Max: 2})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	s.deploy(world.Workload{Name: "app", Replicas: 2, CPU: "600m"})
	s.runs("app", 2)
	machines := s.size(pool, 2)

	// From here on they are somebody else's.
	require.True(t, s.StopAutoscaler())
	s.sim.SetTags(pool.ID, "not-ours")
	workers := s.group(world.GroupSpec{Name: "workers", Max: 2})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	for i, node := range s.nodesOn(machines) {
		drain(t, node.Name)
		s.runs("app", 2)
		s.size(workers, i+1)
	}
	// They are empty now, far longer than a node of ours would be left.
	s.throughout(10*time.Second, "the foreign nodes to stay", func(ctx context.Context) error {
		servers, err := pool.Servers(ctx)
		if err == nil && len(servers) != len(machines) {
			err = fmt.Errorf("%d servers are left of %d", len(servers), len(machines))
		}
		return err
	})
	require.Len(t, s.nodesOn(machines), 2)
	s.size(workers, 2)
	s.noWrongRemoval()
}

// TestNodesAreReplacedByAnotherGroup plays docs/how-to/upgrade.md: another stack takes the place of one whose image is old.
func TestNodesAreReplacedByAnotherGroup(t *testing.T) {
	t.Parallel()
	s := newScene(t, "replace")
	spec := world.GroupSpec{Name: "old", Max: 3}
	old := s.group(spec)
	require.NoError(t, s.StartAutoscaler(t.Context()))
	s.deploy(world.Workload{Name: "app", Replicas: 2, CPU: "600m"})
	s.runs("app", 2)
	before := s.size(old, 2)

	fresh := s.group(world.GroupSpec{Name: "fresh", Max: 3})
	spec.Min, spec.Max = 0, 0
	require.NoError(t, old.Annotate(t.Context(), spec))
	s.until("the autoscaler to know the new maximum", func(ctx context.Context) error {
		sizes, err := s.Autoscaler.Samples(ctx, "cluster_autoscaler_openstack_node_group_max_size", nil, "node_group")
		if _, known := sizes[fresh.Name]; err == nil && (!known || sizes[old.Name] != 0) {
			err = fmt.Errorf("the maxima are %v", sizes)
		}
		return err
	})
	// A maximum below the size removes nothing by itself.
	s.throughLoops(quietLoops, "the old nodes stay", func(ctx context.Context) error {
		servers, err := old.Servers(ctx)
		if err == nil && len(servers) != 2 {
			err = fmt.Errorf("%d are left", len(servers))
		}
		return err
	})
	for i, node := range s.nodesOn(before) {
		drain(t, node.Name)
		s.runs("app", 2)
		s.size(fresh, i+1)
		s.size(old, 1-i)
	}
	require.NoError(t, old.Delete(t.Context()))
	s.runs("app", 2)
	s.noWrongRemoval()
}
