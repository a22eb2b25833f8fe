package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// TestPodDisruptionBudget: a node that could be emptied stays as long as a budget forbids it.
func TestPodDisruptionBudget(t *testing.T) {
	t.Parallel()
	s := newScene(t, "budget")
	group := s.group(world.GroupSpec{Name: "workers", Max: 3})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	// Room for one filler and one pod of the web on each node, so that both nodes get one of each.
	s.deploy(world.Workload{Name: "filler", Replicas: 2, CPU: "500m"})
	before := s.size(group, 2)
	s.runs("filler", 2)
	s.deploy(world.Workload{Name: "web", Replicas: 2, CPU: "300m"})
	s.runs("web", 2)
	require.NoError(t, s.Protect(t.Context(), "web", 2))
	pods, err := s.Pods(t.Context(), "web")
	require.NoError(t, err)
	require.NotEqual(t, pods[0].Spec.NodeName, pods[1].Spec.NodeName)

	require.NoError(t, s.Undeploy(t.Context(), "filler"))
	// The autoscaler must have wanted to.
	s.until("the budget to be what keeps a node", func(context.Context) error {
		if strings.Contains(s.Autoscaler.Log(), "cannot be removed: not enough pod disruption budget") {
			return nil
		}
		return errors.New("its log does not say so")
	})
	s.throughout(10*time.Second, "the budget protects both pods", func(ctx context.Context) error {
		servers, err := group.Servers(ctx)
		if err == nil && len(servers) != len(before) {
			err = fmt.Errorf("%d servers instead of %d", len(servers), len(before))
		}
		if err != nil {
			return err
		}
		return samePods(ctx, s, pods)
	})

	// One pod may be moved: both fit on one node.
	require.NoError(t, s.ChangeProtection(t.Context(), "web", 1))
	after := s.size(group, 1)
	s.runs("web", 2)
	for index, server := range after {
		require.Equal(t, before[index].ID, server.ID)
	}
	s.noWrongRemoval()
}

func samePods(ctx context.Context, s *scene, before []v1.Pod) error {
	now, err := s.Pods(ctx, "web")
	if err != nil {
		return err
	}
	uids := map[string]bool{}
	for _, pod := range now {
		uids[string(pod.UID)] = true
	}
	for _, pod := range before {
		if !uids[string(pod.UID)] {
			return fmt.Errorf("pod %s is gone", pod.Name)
		}
	}
	return nil
}
