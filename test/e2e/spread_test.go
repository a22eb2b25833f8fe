package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// quietLoops are for how many loops of the autoscaler something is watched that must stay as it is: twice as many as it needs to remove
// a node.
const quietLoops = 10

// TestSpread: after a floor has added nodes no pod moves by itself. What a rollout does then depends on the topology spread constraint of
// docs/how-to/spread-load.md where requests say something else than load: the scheduler prefers the node with the smaller requests, and its
// own default constraint is too weak to change that. Of two workloads that differ in nothing else, the one with the constraint has a pod
// on each node afterwards, and the one without has all of them where they were. The autoscaler keeps nodes and pods as they are then.
func TestSpread(t *testing.T) {
	t.Parallel()
	s := newScene(t, "spread")
	const even, plain, idle, replicas = "even", "plain", "idle", 3
	annotations := world.LoadAnnotations(60, loadInterval)
	annotations["load-hold"] = world.Held
	group := s.group(world.GroupSpec{Name: "busy", Min: 1, Max: 5, Annotations: annotations})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	s.size(group, 1)
	s.deploy(world.Workload{Name: even, Replicas: replicas, CPU: "10m", Memory: "8Mi", Spread: true})
	s.deploy(world.Workload{Name: plain, Replicas: replicas, CPU: "10m", Memory: "8Mi"})
	s.runs(even, replicas)
	s.runs(plain, replicas)
	telemetry, err := s.StartTelemetry(t.Context(), world.TelemetryOptions{Interval: loadInterval})
	require.NoError(t, err)
	telemetry.Work(group, 170) // 57 percent of each of three
	s.size(group, 3)

	before := s.places("")
	require.Len(t, nodesOf(before), 1, "there was one node when they were placed")
	s.throughLoops(quietLoops, "nothing moves by itself", func(context.Context) error { return s.unmoved(before) })

	// Pods that ask for much and do little: by requests the new nodes are nearly full, and the busy one is nearly empty.
	s.deploy(world.Workload{Name: idle, Replicas: 2, CPU: "800m", Memory: "1400Mi"})
	s.runs(idle, 2)
	require.Len(t, nodesOf(s.places(idle)), 2, "a new node has room for one of them, the old one for none")
	for _, workload := range []string{even, plain} {
		require.NoError(t, s.Restart(t.Context(), workload))
		s.until("new pods of "+workload, func(context.Context) error {
			for pod := range s.places(workload) {
				if _, old := before[pod]; old {
					return fmt.Errorf("%s is an old one", pod)
				}
			}
			return nil
		})
		s.runs(workload, replicas)
	}
	shares := func(workload string) []int { return slices.Sorted(maps.Values(nodesOf(s.places(workload)))) }
	require.Equal(t, []int{1, 1, 1}, shares(even), "with the constraint: %v", s.places(""))
	require.Equal(t, []int{replicas}, shares(plain), "without it, the constraint would have shown nothing: %v", s.places(""))

	after := s.places("")
	s.throughLoops(quietLoops, "the autoscaler leaves nodes and pods alone", func(ctx context.Context) error {
		if err := s.unmoved(after); err != nil {
			return err
		}
		servers, err := group.Servers(ctx)
		if err == nil && len(servers) != 3 {
			err = fmt.Errorf("%d servers", len(servers))
		}
		return err
	})
	s.noWrongRemoval()
}

// throughLoops checks that something stays true while the autoscaler goes through n loops.
func (s *scene) throughLoops(n int, what string, check func(context.Context) error) {
	s.t.Helper()
	end := s.loops() + n
	var broken error
	s.until(fmt.Sprintf("%d loops of the autoscaler, while %s", n, what), func(ctx context.Context) error {
		broken = check(ctx)
		if left := end - s.loops(); broken == nil && left > 0 {
			return fmt.Errorf("%d are left", left)
		}
		return nil // what is broken is told at once
	})
	require.NoError(s.t, broken, what)
}

// unmoved is an error unless all pods are where they were.
func (s *scene) unmoved(before map[string]string) error {
	if now := s.places(""); !maps.Equal(now, before) {
		return fmt.Errorf("pods are on %v, they were on %v", now, before)
	}
	return nil
}

// places are the nodes of a workload's pods, by the pods' names; of all pods for an empty name.
func (s *scene) places(workload string) map[string]string {
	s.t.Helper()
	pods, err := s.Pods(s.t.Context(), workload)
	require.NoError(s.t, err)
	places := map[string]string{}
	for _, pod := range pods {
		places[pod.Name] = pod.Spec.NodeName
	}
	return places
}

// nodesOf counts pods by their node.
func nodesOf(places map[string]string) map[string]int {
	counts := map[string]int{}
	for _, node := range places {
		counts[node]++
	}
	return counts
}
