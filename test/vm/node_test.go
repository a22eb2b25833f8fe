//go:build vm

package vm_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/vm"
)

// TestNode is TestVirtualMachine on this machine's kernel: what it leaves out is the boot and cloud-init, so that the time of
// the joining itself is seen.
func TestNode(t *testing.T) {
	s := newScene(t, "node", honest)
	group, err := s.CreateGroup(t.Context(), world.GroupSpec{Name: "kubelet", Max: 1})
	require.NoError(t, err)
	ready := s.lifeOfANode(t, group, nodeTimeout)
	fmt.Printf("bench join_s %.1f s\n", ready.Sub(<-s.active).Seconds())
}

// honest starts a node that is who it should be.
func honest(group *process.Group, server machines.Server, name, dir string) (*process.Process, error) {
	return host.Node(group, server, name, dir, vm.SharedDisk...)
}
