//go:build vm

package vm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	certificates "k8s.io/api/certificates/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/vm"
)

// TestWrongIdentity: machines of the same scale-up, with the token that lets an honest one in and a real kubelet, stay out if
// they ask for a certificate in a name that is not theirs.
func TestWrongIdentity(t *testing.T) {
	const (
		name   = "identity"
		honest = name + "-workers-0"
		nobody = name + "-workers-77"
		master = name + "-control-plane"
	)
	// By the member's index; the first one is honest.
	names := map[string]string{"1": honest, "2": nobody, "3": master}
	s := newScene(t, name, func(group *process.Group, server machines.Server, name, dir string) (*process.Process, error) {
		if other := names[server.Metadata["node_index"]]; other != "" {
			return host.Node(group, server, name, dir, "--hostname-override="+other)
		}
		return host.Node(group, server, name, dir)
	})
	// A node in namespaces has all of this machine's processors, however many: so nodes are filled by the number of pods.
	group, err := s.CreateGroup(t.Context(), world.GroupSpec{Name: "workers", Max: 4, Annotations: map[string]string{
		"capacity.cluster-autoscaler.kubernetes.io/maxPods": "1",
	}})
	require.NoError(t, err)
	require.NoError(t, s.StartAutoscaler(t.Context()))
	require.NoError(t, s.Deploy(t.Context(), world.Workload{Name: "app", Replicas: 1, CPU: "100m", Image: vm.PodImage}))
	_, err = group.WaitForSize(t.Context(), nodeTimeout, 1)
	require.NoError(t, err)
	before := s.onlyNode(t)
	require.Equal(t, honest, before.Name)

	require.NoError(t, s.Scale(t.Context(), "app", 4))
	for _, other := range names {
		require.NoError(t, s.Until(t.Context(), nodeTimeout, "a verdict on who says to be "+other, func(ctx context.Context) error {
			return s.refused(ctx, other)
		}))
	}
	after := s.onlyNode(t)
	assert.Equal(t, before.UID, after.UID)
	assert.Equal(t, before.Spec.ProviderID, after.Spec.ProviderID)
	assert.True(t, world.IsReady(after), "the honest node is not disturbed")

	// Nobody changes his mind while the impostors go on asking.
	require.NoError(t, s.Throughout(t.Context(), 10*time.Second, "no certificate for anybody else", func(ctx context.Context) error {
		requests, err := s.Requests(ctx)
		if err != nil {
			return err
		}
		approved := 0
		for _, request := range requests {
			if request.Spec.SignerName == certificates.KubeAPIServerClientKubeletSignerName && world.IsApproved(&request) {
				approved++
			}
		}
		if approved != 1 {
			return fmt.Errorf("%d client certificates were approved, and there is one honest machine", approved)
		}
		return nil
	}))
	s.onlyNode(t)
}

// onlyNode is the world's node, of which there must be exactly one.
func (s *scene) onlyNode(t *testing.T) *v1.Node {
	t.Helper()
	// Not only those with the world's label: an impostor's could lack it.
	list, err := base.Cluster.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	return &list.Items[0]
}

var (
	errNotAsked   = errors.New("nobody has asked")
	errNotDecided = errors.New("nobody has decided")
)

// refused says whether a request for a certificate in this name has been looked at and not been approved: it was denied, or the
// autoscaler's log says why it waits (there is one Event for all requests by one token for one reason). A request that was approved is the honest machine's own, and passed over.
func (s *scene) refused(ctx context.Context, node string) error {
	requests, err := s.Requests(ctx)
	if err != nil {
		return err
	}
	log, err := s.Autoscaler.WholeLog()
	if err != nil {
		return err
	}
	missing := errNotAsked
	for _, request := range requests {
		if world.NodeOf(&request) != node || world.IsApproved(&request) {
			continue
		}
		if world.IsDenied(&request) {
			return nil
		}
		missing = fmt.Errorf("%w about %s", errNotDecided, request.Name)
		if strings.Contains(log, `csr="`+request.Name+`"`) {
			return nil
		}
	}
	return missing
}
