//go:build vm

package vm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/vm"
)

// TestVirtualMachine: a pending pod makes the autoscaler order a server, whose user_data, out of the shipped template, is run
// by a real cloud-init in a virtual machine; the pod runs there, and the machine is switched off when it is not needed.
func TestVirtualMachine(t *testing.T) {
	s := newScene(t, "vm", host.VirtualMachine)
	group, err := s.CreateGroup(t.Context(), world.GroupSpec{Name: "kubelet", Max: 1})
	require.NoError(t, err)
	ready := s.lifeOfANode(t, group, bootTimeout)
	fmt.Printf("bench vm_ready_s %.1f s\n", ready.Sub(<-s.poweredOn).Seconds())
}

// TestVirtualMachineByKubeadm: the same with "kubeadm join", which takes the kubelet's configuration from the cluster.
func TestVirtualMachineByKubeadm(t *testing.T) {
	require.NoError(t, base.Cluster.AllowKubeadm(t.Context(), bootstrap.TokenGroup))
	s := newScene(t, "kubeadm", host.VirtualMachine)
	group, err := s.CreateGroup(t.Context(), world.GroupSpec{Name: "kubeadm", Max: 1, Parameters: map[string]any{"join_method": "kubeadm"}})
	require.NoError(t, err)
	ready := s.lifeOfANode(t, group, bootTimeout)
	fmt.Printf("bench vm_ready_kubeadm_s %.1f s\n", ready.Sub(<-s.poweredOn).Seconds())
}

// lifeOfANode lets a node come for a pod and go with it, and returns when the node was Ready. The image of the pod is one
// that nobody but the machine itself has.
func (s *scene) lifeOfANode(t *testing.T, group *world.Group, timeout time.Duration) time.Time {
	t.Helper()
	require.NoError(t, s.StartAutoscaler(t.Context(), "--max-node-provision-time="+timeout.String()))
	const app = "app"
	require.NoError(t, s.Deploy(t.Context(), world.Workload{Name: app, Replicas: 1, CPU: "600m", Image: vm.PodImage}))
	require.NoError(t, s.Until(t.Context(), timeout, "a ready node", func(ctx context.Context) error {
		nodes, err := s.Nodes(ctx)
		if err != nil {
			return err
		}
		if len(nodes) != 1 {
			return fmt.Errorf("%d nodes", len(nodes))
		}
		if !world.IsReady(&nodes[0]) {
			return fmt.Errorf("node %s: %+v", nodes[0].Name, nodes[0].Status.Conditions)
		}
		return nil
	}))
	ready := time.Now()
	servers, err := group.WaitForSize(t.Context(), timeout, 1)
	require.NoError(t, err)
	require.NoError(t, s.WaitForRunning(t.Context(), timeout, app, 1))
	t.Logf("server %v is a node, and the pod runs on it", servers)
	s.hearThePod(t, app, timeout)

	require.NoError(t, s.Undeploy(t.Context(), app))
	_, err = group.WaitForSize(t.Context(), timeout, 0)
	require.NoError(t, err)
	require.NoError(t, s.Until(t.Context(), timeout, "the machine to be switched off", func(context.Context) error {
		if s.Machines.Running() > 0 {
			return errors.New("it runs")
		}
		return nil
	}))
	return ready
}

// hearThePod reads what the pod has said. The API server fetches it from the kubelet, and trusts only a serving certificate that
// the cluster has signed for the node's name and address.
func (s *scene) hearThePod(t *testing.T, app string, timeout time.Duration) {
	t.Helper()
	require.NoError(t, s.Until(t.Context(), timeout, "the log of the pod", func(ctx context.Context) error {
		pods, err := s.Pods(ctx, app)
		if err != nil {
			return err
		}
		if len(pods) != 1 {
			return fmt.Errorf("%d pods", len(pods))
		}
		log, err := base.Cluster.Client.CoreV1().Pods(s.Name).GetLogs(pods[0].Name, &v1.PodLogOptions{}).DoRaw(ctx)
		if err != nil {
			return err
		}
		if want := "running in " + pods[0].Name; !strings.Contains(string(log), want) {
			return fmt.Errorf("the log is %q, without %q", log, want)
		}
		return nil
	}))
}
