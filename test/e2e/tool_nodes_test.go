package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// explain asks once.
func (o *operator) explain(subject string) (*explanation, error) {
	r := o.run("why", subject, "-o", "json")
	if r.code != 0 {
		return nil, fmt.Errorf("exit code %d: %s", r.code, r.errs)
	}
	x := &explanation{}
	return x, json.Unmarshal([]byte(r.out), x)
}

// whyHas waits for a reason, wherever it stands.
func whyHas(o *operator, subject, code string) func(context.Context) error {
	return func(context.Context) error {
		x, err := o.explain(subject)
		if err == nil && !slices.Contains(x.codes(), code) {
			err = fmt.Errorf("it says %v: %+v", x.codes(), x.Reasons)
		}
		return err
	}
}

// said waits for a quotation.
func said(o *operator, subject, from, reason string) func(context.Context) error {
	return func(context.Context) error {
		x, err := o.explain(subject)
		if err != nil {
			return err
		}
		for _, e := range x.Said {
			if e.From == from && e.Reason == reason && e.Message != "" {
				return nil
			}
		}
		return fmt.Errorf("what was said: %+v", x.Said)
	}
}

// nodeOf is the node of a group's only member.
func (s *scene) nodeOf(group *world.Group, n int) string {
	s.t.Helper()
	servers := s.size(group, n)
	nodes, err := s.Nodes(s.t.Context())
	require.NoError(s.t, err)
	for i := range nodes {
		for _, server := range servers {
			if world.ServerOf(&nodes[i]) == server.ID {
				return nodes[i].Name
			}
		}
	}
	require.Fail(s.t, "no node of "+group.Name)
	return ""
}

// TestWhyNodes: the tool says why nodes stay, each for another reason that really is.
func TestWhyNodes(t *testing.T) {
	t.Parallel()
	s := newScene(t, "whynodes")
	least := s.group(world.GroupSpec{Name: "least", Min: 1, Max: 3, Labels: map[string]string{"pool": "least"}})
	floor := s.group(world.GroupSpec{Name: "floor", Max: 3, Labels: map[string]string{"pool": "floor"}, Annotations: map[string]string{
		"schedule": "0 0 * * */24h@UTC=1",
	}})
	work := s.group(world.GroupSpec{Name: "work", Max: 3, Labels: map[string]string{"pool": "work"}})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	o := s.operator("viewer", nil)

	o.why("node/"+s.nodeOf(least, 1), "MinimumSize", "is at its minimum size, 1")
	x := o.why("node/"+s.nodeOf(floor, 1), "Floor", "its floor is 1")
	require.Contains(t, x.Reasons[0].Text, "schedule", "%+v", x.Reasons)

	pool := map[string]string{"pool": "work"}
	s.deploy(world.Workload{Name: "web", Replicas: 1, CPU: "600m", NodeLabels: pool})
	node := s.nodeOf(work, 1)
	s.runs("web", 1)
	o.why(node, "Used", "of its cpu, and only nodes below 50% are removed")

	// Less work on it: then what forbids its eviction is what counts.
	s.deploy(world.Workload{Name: "small", Replicas: 1, CPU: "300m", NodeLabels: pool})
	s.runs("small", 1)
	require.NoError(t, s.Protect(t.Context(), "small", 1))
	require.NoError(t, s.Undeploy(t.Context(), "web"))
	o.why(node, "PodDisruptionBudget", "does not allow pod")

	ctx, client := t.Context(), base.Cluster.Client
	annotate := func(value string) {
		patch := fmt.Sprintf(`{"metadata":{"annotations":{"cluster-autoscaler.kubernetes.io/scale-down-disabled":%s}}}`, value)
		_, err := client.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		require.NoError(t, err)
	}
	annotate(`"true"`)
	o.why(node, "ScaleDownDisabledAnnotation", "its annotation")
	annotate("null")

	// A pod without a controller.
	require.NoError(t, s.Undeploy(t.Context(), "small"))
	require.NoError(t, client.PolicyV1().PodDisruptionBudgets(s.Name).Delete(ctx, "small", metav1.DeleteOptions{}))
	_, err := client.CoreV1().Pods(s.Name).Create(ctx, &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "lonely"},
		Spec:       v1.PodSpec{NodeName: node, Containers: []v1.Container{{Name: "app", Image: "registry.invalid/app:1"}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	o.why(node, "PodWithoutController", "pod whynodes/lonely has no controller")

	// A node that is none of ours.
	_, err = client.CoreV1().Nodes().Create(ctx, &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "whynodes-foreign", Labels: map[string]string{"world": s.Name}}, Spec: v1.NodeSpec{ProviderID: "aws:///eu-central-1a/i-1"},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	x = o.why("whynodes-foreign", "NotAMember", "is that of another cloud")
	require.Equal(t, "NotAMember", x.State)
}
