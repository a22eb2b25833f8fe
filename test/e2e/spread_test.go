package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// untouched is for how long something is watched that must stay as it is: longer than the autoscaler needs to remove a node.
const untouched = 8 * time.Second

// TestSpread: after a floor has added nodes no pod moves by itself; a rollout with the topology spread constraint of
// docs/how-to/spread-load.md brings pods to them, and the autoscaler keeps nodes and pods as they are. The scheduler's own default would
// spread these pods as well: what the constraint adds is not shown here.
func TestSpread(t *testing.T) {
	t.Parallel()
	s := newScene(t, "spread")
	const web, replicas = "web", 4
	group := s.group(world.GroupSpec{Name: "busy", Min: 1, Max: 5, Annotations: world.LoadAnnotations(60, loadInterval)})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	s.size(group, 1)
	s.deploy(world.Workload{Name: web, Replicas: replicas, CPU: "100m", Spread: true})
	s.runs(web, replicas)
	telemetry, err := s.StartTelemetry(t.Context(), world.TelemetryOptions{Interval: loadInterval})
	require.NoError(t, err)
	telemetry.Work(group, 170) // 57 percent of each of three
	s.size(group, 3)

	before := s.places(web)
	require.Len(t, nodesOf(before), 1, "there was one node when they were placed")
	s.throughout(untouched, "nothing moves by itself", func(context.Context) error {
		if now := s.places(web); !maps.Equal(now, before) {
			return fmt.Errorf("%v were %v", now, before)
		}
		return nil
	})
	require.NoError(t, s.Restart(t.Context(), web))
	s.until("new pods on all nodes", func(ctx context.Context) error {
		after := s.places(web)
		counts := nodesOf(after)
		if shares := slices.Sorted(maps.Values(counts)); !slices.Equal(shares, []int{1, 1, 2}) {
			return fmt.Errorf("%v", counts)
		}
		for pod := range after {
			if _, old := before[pod]; old {
				return fmt.Errorf("%s is an old one", pod)
			}
		}
		return s.WaitForRunning(ctx, stepTimeout, web, replicas)
	})
	after := s.places(web)
	s.throughout(untouched, "the autoscaler leaves nodes and pods alone", func(ctx context.Context) error {
		if now := s.places(web); !maps.Equal(now, after) {
			return fmt.Errorf("%v were %v", now, after)
		}
		servers, err := group.Servers(ctx)
		if err == nil && len(servers) != 3 {
			err = fmt.Errorf("%d servers", len(servers))
		}
		return err
	})
	s.noWrongRemoval()
}

// places are the nodes of a workload's pods, by the pods' names.
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

// TestDeschedulerManifest: the API server takes what deploy/kubernetes has for the descheduler, whose account may evict pods and not
// delete them.
func TestDeschedulerManifest(t *testing.T) {
	t.Parallel()
	require.NoError(t, base.Cluster.ApplyRules(t.Context(), filepath.Join(base.Root, "deploy", "kubernetes", "descheduler.yaml")))
	for _, right := range []struct {
		verb, subresource string
		has               bool
	}{{"list", "", true}, {"watch", "", true}, {"create", "eviction", true}, {"delete", "", false}, {"create", "", false}, {"patch", "", false}} {
		review, err := base.Cluster.Client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{
				User: "system:serviceaccount:kube-system:descheduler",
				ResourceAttributes: &authorizationv1.ResourceAttributes{
					Namespace: v1.NamespaceDefault, Verb: right.verb, Resource: "pods", Subresource: right.subresource,
				},
			},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
		require.Equal(t, right.has, review.Status.Allowed, "%s %s", right.verb, right.subresource)
	}
}
