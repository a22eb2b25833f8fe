package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// TestNestedMembers: groups whose members are nested stacks grow and shrink like any other.
func TestNestedMembers(t *testing.T) {
	t.Parallel()
	s := newScene(t, "nested")
	group := s.group(world.GroupSpec{Name: "workers", Max: 3, Nested: true})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	s.deploy(world.Workload{Name: "first", Replicas: 1, CPU: "600m"})
	s.runs("first", 1)
	s.size(group, 1)
	s.deploy(world.Workload{Name: "second", Replicas: 1, CPU: "600m"})
	s.runs("second", 1)
	members := s.size(group, 2)
	// The first one goes: Heat alone would take the highest index.
	require.NoError(t, s.Undeploy(t.Context(), "first"))
	left := s.size(group, 1)
	require.Equal(t, members["1"].ID, left["1"].ID)
	s.noWrongRemoval()
}
