package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// What runs in TestDescheduler: three full nodes, each with seven pods and an agent. An eighth would not fit, whether the agent is there or
// not. Two of them have to go, until a node is no longer too full.
const (
	web, webPods         = "web", 18
	webLeast             = 16 // by its budget
	guarded, guardedPods = "guarded", 3
	agent, agentCPU      = "agent", "50m"
	podCPU               = "113m"
	tooMany              = 2
	fullNodes            = 3
	wantedNodes          = 5
)

// TestDescheduler: the real descheduler, with the rights and the policy of deploy/kubernetes/descheduler.yaml, spreads the pods of full
// nodes over those that a floor has added, within the limits of the policy and of budgets, and then leaves everything alone. The
// autoscaler takes none of the nodes while the floor holds them, and gets them back afterwards.
func TestDescheduler(t *testing.T) {
	t.Parallel()
	require.NoError(t, base.Cluster.ApplyRules(t.Context(), base.DeschedulerManifest()))
	requireEvictionOnly(t)
	s := &spreading{scene: newScene(t, "descheduler")}
	s.begin()
	s.rise()
	s.tooYoung()
	s.dryRun()
	s.spread()
	s.rest()
	s.fall()
	s.noWrongRemoval()
	s.requireRights()
}

// requireEvictionOnly checks that the descheduler's account may evict pods, and may not delete or change them.
func requireEvictionOnly(t *testing.T) {
	t.Helper()
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

// requireChartPolicy checks that the Helm chart's descheduler has the same policy.
func requireChartPolicy(t *testing.T, policy map[string]any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(base.Root, "deploy", "chart", "cluster-autoscaler-openstack", "values.yaml"))
	require.NoError(t, err)
	var values struct {
		Descheduler struct{ Policy map[string]any }
	}
	require.NoError(t, yaml.Unmarshal(text, &values))
	require.NotEmpty(t, values.Descheduler.Policy)
	require.Equal(t, values.Descheduler.Policy, policy)
}

// spreading is a scene with a group that has a load, and a descheduler.
type spreading struct {
	*scene
	group       *world.Group
	telemetry   *world.Telemetry
	descheduler *world.Descheduler
}

// begin fills three nodes.
func (s *spreading) begin() {
	s.t.Helper()
	ctx, t := s.t.Context(), s.t
	var err error
	s.descheduler, err = s.Descheduler(ctx)
	require.NoError(t, err)
	requireChartPolicy(t, s.descheduler.Policy)
	s.descheduler.Confine()
	annotations := world.LoadAnnotations(60, loadInterval)
	annotations["load-hold"] = world.Held
	s.group = s.scene.group(world.GroupSpec{Name: "busy", Max: wantedNodes, Annotations: annotations})
	require.NoError(t, s.StartAutoscaler(ctx))
	require.NoError(t, s.DeployOnEachNode(ctx, agent, agentCPU))
	// The descheduler takes Burstable pods before Guaranteed ones. So it asks for the guarded ones first, in every run, however fast those of
	// web are replaced: what their budget refuses does not depend on time.
	s.deploy(world.Workload{Name: web, Replicas: webPods, CPU: podCPU, Memory: "1Mi", Guaranteed: true})
	s.deploy(world.Workload{Name: guarded, Replicas: guardedPods, CPU: podCPU})
	s.size(s.group, fullNodes)
	s.runs(web, webPods)
	s.runs(guarded, guardedPods)
	s.runs(agent, fullNodes)
	require.NoError(t, s.Protect(ctx, web, webLeast))
	require.NoError(t, s.Protect(ctx, guarded, guardedPods))
	require.NoError(t, s.WaitForBudget(ctx, stepTimeout, web, webPods-webLeast))
	require.NoError(t, s.WaitForBudget(ctx, stepTimeout, guarded, 0))
	for node, percent := range s.used() {
		require.Greater(t, percent, s.threshold("targetThresholds"), "%s is to be full", node)
	}
}

// rise lets the load add two nodes, which stay empty: nothing moves by itself.
func (s *spreading) rise() {
	s.t.Helper()
	var err error
	s.telemetry, err = s.StartTelemetry(s.t.Context(), world.TelemetryOptions{Interval: loadInterval})
	require.NoError(s.t, err)
	s.telemetry.Work(s.group, 290) // 97 percent of each of three, 58 of each of five
	s.size(s.group, wantedNodes)
	s.runs(agent, wantedNodes)
	before := s.places("")
	s.throughLoops(quietLoops, "nothing moves by itself", func(context.Context) error { return s.unmoved(before) })
	empty := 0
	for _, percent := range s.used() {
		if percent < s.threshold("thresholds") {
			empty++
		}
	}
	require.Equal(s.t, wantedNodes-fullNodes, empty, "the new nodes are empty: %v", s.used())
}

// tooYoung: with the policy as it is shipped, pods that have just been placed stay.
func (s *spreading) tooYoung() {
	s.t.Helper()
	before := s.places("")
	s.keepYoung()
	run := s.deschedule()
	require.Equal(s.t, wantedNodes-fullNodes, run.Low, "nodes that could take pods; its log:\n%s", run.Log)
	require.Equal(s.t, fullNodes, run.High, "nodes that could do with fewer; its log:\n%s", run.Log)
	require.Empty(s.t, run.Evicted, "pods are younger than minPodAge")
	require.Equal(s.t, fullNodes, strings.Count(run.Log, "No removable pods on node"), run.Log)
	require.NoError(s.t, s.unmoved(before))
}

// keepYoung raises minPodAge where this test has taken so long that pods have reached it.
func (s *spreading) keepYoung() {
	s.t.Helper()
	shipped, err := time.ParseDuration(fmt.Sprint(s.descheduler.Argument("DefaultEvictor", "minPodAge")))
	require.NoError(s.t, err)
	pods, err := s.Pods(s.t.Context(), "")
	require.NoError(s.t, err)
	for _, pod := range pods {
		if age := time.Since(pod.CreationTimestamp.Time); age > shipped/2 {
			s.descheduler.SetArgument("DefaultEvictor", "minPodAge", (age + shipped).String())
			return
		}
	}
}

// shortAge is a minPodAge that does not make the test wait. All else is as it is shipped.
const shortAge = "5s"

// dryRun: with --dry-run it says what it would do, and does nothing.
func (s *spreading) dryRun() {
	s.t.Helper()
	require.NotEmpty(s.t, s.descheduler.Argument("DefaultEvictor", "minPodAge"))
	s.descheduler.SetArgument("DefaultEvictor", "minPodAge", shortAge)
	before := s.places("")
	// A dry run of 0.36 plays with a copy of the cluster, and may look before that is complete (kubeClientSandbox). It asks no budget for
	// leave, so that only the policy limits it.
	total := s.limit("maxNoOfPodsToEvictTotal")
	require.Less(s.t, total, tooMany*fullNodes, "there should be more to do than it may do at once")
	s.until("a dry run that has seen all pods", func(context.Context) error {
		run := s.deschedule("--dry-run")
		require.LessOrEqual(s.t, len(run.Evicted), total, run.Log)
		if len(run.Evicted) < total || !run.AtLimit {
			return fmt.Errorf("it has seen %d full nodes, and would evict %v", run.High, run.Evicted)
		}
		return nil
	})
	require.NoError(s.t, s.unmoved(before))
}

// mostRuns are far more than it needs for six pods, of which two may go at once.
const mostRuns = 15

// spread runs the descheduler until no node is too full. It keeps to the policy's limits and to the budgets.
func (s *spreading) spread() {
	s.t.Helper()
	ctx, t := s.t.Context(), s.t
	perNode, total := s.limit("maxNoOfPodsToEvictPerNode"), s.limit("maxNoOfPodsToEvictTotal")
	protected := s.identities(agent, guarded)
	available, err := s.WatchAvailability(ctx, web)
	require.NoError(t, err)
	defer available.Stop()
	old := s.used()
	maps.DeleteFunc(old, func(_ string, percent float64) bool { return percent <= s.threshold("targetThresholds") })
	moved, refused, runs := 0, map[string]bool{}, 0
	for ; s.highest() > s.threshold("targetThresholds"); runs++ {
		require.Less(t, runs, mostRuns, "the nodes should be spread by now: %v", s.used())
		placed := s.places("")
		run := s.deschedule()
		require.LessOrEqual(t, len(run.Evicted), total, run.Log)
		for node, n := range nodesOf(run.Evicted) {
			require.LessOrEqual(t, n, perNode, run.Log)
			require.Contains(t, old, node, "only full nodes give pods away")
		}
		for pod, node := range run.Evicted {
			require.Equal(t, placed[pod], node, pod)
		}
		moved += len(run.Evicted)
		for _, pod := range run.Refused {
			refused[pod] = true
		}
		s.runs(web, webPods)
	}
	require.GreaterOrEqual(t, available.Stop(), webLeast, "ready pods of %s, which its budget protects", web)
	require.Equal(t, protected, s.identities(agent, guarded), "pods of a DaemonSet and those whose budget allows nothing stay")
	for pod := range s.places(guarded) {
		require.Contains(t, refused, pod, "the descheduler is to have asked for %s first, and its budget to have kept it", pod)
	}
	used := s.used()
	t.Logf("%d pods were moved in %d runs of the descheduler, %d were kept by budgets; used in percent: %v", moved, runs, len(refused), used)
	require.Len(t, used, wantedNodes)
	for node, percent := range used {
		require.Greater(t, percent, s.threshold("thresholds"), "%s has got its share: %v", node, used)
	}
	require.Equal(t, tooMany*fullNodes, moved, "no more than had to: %v", used)
}

// rest: the descheduler has nothing more to do, and the autoscaler keeps all nodes while the floor wants them, though it would empty those
// that have been added otherwise.
func (s *spreading) rest() {
	s.t.Helper()
	before, used := s.places(""), s.used()
	require.Less(s.t, slices.Min(slices.Collect(maps.Values(used))), 50.0, "below --scale-down-utilization-threshold: %v", used)
	s.throughLoops(quietLoops, "the descheduler and the autoscaler leave nodes and pods alone", func(ctx context.Context) error {
		s.evictsNothing()
		if err := s.unmoved(before); err != nil {
			return err
		}
		servers, err := s.group.Servers(ctx)
		if err == nil && len(servers) != wantedNodes {
			err = fmt.Errorf("%d servers", len(servers))
		}
		return err
	})
	require.Equal(s.t, used, s.used())
}

// fall: load and traffic go, and with them the floor. The autoscaler packs what is left onto two nodes while the descheduler looks again
// and again; neither undoes what the other has done.
func (s *spreading) fall() {
	s.t.Helper()
	ctx, t := s.t.Context(), s.t
	const left, leftNodes = 5, 2
	require.NoError(t, s.ChangeProtection(ctx, web, left-1))
	require.NoError(t, s.ChangeProtection(ctx, guarded, guardedPods-1))
	require.NoError(t, s.Scale(ctx, web, left))
	s.telemetry.Work(s.group, 20)
	s.until(fmt.Sprintf("%d servers, while the descheduler looks", leftNodes), func(ctx context.Context) error {
		s.evictsNothing()
		servers, err := s.group.Servers(ctx)
		if err == nil && len(servers) != leftNodes {
			err = fmt.Errorf("%d servers, used in percent: %v", len(servers), s.used())
		}
		return err
	})
	s.size(s.group, leftNodes)
	s.runs(web, left)
	s.runs(guarded, guardedPods)
	before := s.places("")
	s.throughLoops(quietLoops, "the packed nodes are left alone", func(ctx context.Context) error {
		s.evictsNothing()
		return s.unmoved(before)
	})
	s.size(s.group, leftNodes)
}

// deschedule runs the descheduler once.
func (s *spreading) deschedule(flags ...string) *world.Descheduling {
	s.t.Helper()
	run, err := s.descheduler.Run(s.t.Context(), flags...)
	require.NoError(s.t, err)
	require.NotContains(s.t, run.Log, "is forbidden", "its rights should be enough")
	return run
}

// evictsNothing runs the descheduler once, and it finds nothing to do.
func (s *spreading) evictsNothing() {
	s.t.Helper()
	run := s.deschedule()
	require.Empty(s.t, run.Evicted, run.Log)
	require.Empty(s.t, run.Refused, run.Log)
}

// threshold is one of the policy's for processors, in percent.
func (s *spreading) threshold(name string) float64 {
	s.t.Helper()
	thresholds, _ := s.descheduler.Argument("LowNodeUtilization", name).(map[string]any)
	percent, ok := thresholds["cpu"].(float64)
	require.True(s.t, ok, "%s: %v", name, thresholds)
	return percent
}

// limit is one of the policy's.
func (s *spreading) limit(name string) int {
	s.t.Helper()
	limit, ok := s.descheduler.Policy[name].(float64)
	require.True(s.t, ok, name)
	return int(limit)
}

// used is what pods ask for of each node's processors, in percent.
func (s *spreading) used() map[string]float64 {
	s.t.Helper()
	nodes, err := s.Nodes(s.t.Context())
	require.NoError(s.t, err)
	pods, err := s.Pods(s.t.Context(), "")
	require.NoError(s.t, err)
	used := map[string]float64{}
	for _, node := range nodes {
		sum := resource.Quantity{}
		for _, pod := range pods {
			if pod.Spec.NodeName == node.Name {
				sum.Add(pod.Spec.Containers[0].Resources.Requests[v1.ResourceCPU])
			}
		}
		used[node.Name] = 100 * sum.AsApproximateFloat64() / node.Status.Allocatable.Cpu().AsApproximateFloat64()
	}
	return used
}

// highest is what is used of the fullest node.
func (s *spreading) highest() float64 {
	s.t.Helper()
	highest := 0.0
	for _, percent := range s.used() {
		highest = max(highest, percent)
	}
	return highest
}

// identities are the ids of the pods of workloads.
func (s *spreading) identities(workloads ...string) map[types.UID]string {
	s.t.Helper()
	ids := map[types.UID]string{}
	for _, workload := range workloads {
		pods, err := s.Pods(s.t.Context(), workload)
		require.NoError(s.t, err)
		require.NotEmpty(s.t, pods, workload)
		for _, pod := range pods {
			ids[pod.UID] = pod.Name
		}
	}
	return ids
}
