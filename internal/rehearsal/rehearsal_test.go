package rehearsal_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/rehearsal"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// stacks plans as Heat's stacks do, without a cloud.
type stacks struct {
	snapshot *nodegroups.Snapshot
	why      error
}

func (s *stacks) Rehearse(_ context.Context, id string, by int, remove []nodegroups.Member) (*heatstack.Rehearsal, error) {
	for _, g := range s.snapshot.Groups() {
		stack := g.Stack(id)
		if stack == nil {
			continue
		}
		r := &heatstack.Rehearsal{Stack: stack.Name, Status: stack.Status, Was: stack.Target, Size: stack.Target + by - len(remove), Sends: s.why == nil, Why: s.why}
		r.Parameters = map[string]any{"node_count": r.Size, "bootstrap_token": "******"}
		for _, m := range remove {
			r.Named = append(r.Named, heatstack.RehearsedMember{Index: m.Index, ServerID: m.ServerID})
		}
		return r, nil
	}
	return nil, errors.New("no such stack")
}

func world(t *testing.T, shards ...*nodegroups.Stack) (rehearsal.World, *stacks) {
	t.Helper()
	groups, problems := nodegroups.Merge(shards, nodegroups.NewSnapshot(nil, nil))
	snapshot := nodegroups.NewSnapshot(groups, problems)
	s := &stacks{snapshot: snapshot}
	w := rehearsal.World{Snapshot: snapshot, Stacks: s}
	for _, g := range groups {
		for _, m := range g.Members {
			w.Nodes = append(w.Nodes, v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-" + m.Name}, Spec: v1.NodeSpec{ProviderID: "openstack:///" + m.ServerID}})
		}
	}
	return w, s
}

func ask(t *testing.T, w rehearsal.World, size int, nodes ...string) *rehearsal.Answer {
	t.Helper()
	a, err := rehearsal.Rehearse(t.Context(), w, rehearsal.Request{Group: "workers", Size: size, Nodes: nodes})
	require.NoError(t, err)
	return a
}

func shard(name string, size int) *nodegroups.Stack {
	return nodegroupstest.Stack(name, size, func(s *nodegroups.Stack) { s.Config.Name = "workers" })
}

func TestGrowthIsSplitOverShards(t *testing.T) {
	w, _ := world(t, shard("a", 3), shard("b", 3))
	a := ask(t, w, 10)
	assert.True(t, a.Possible)
	assert.Equal(t, 2, a.Updates)
	require.Len(t, a.Stacks, 2)
	assert.Equal(t, 10, a.Stacks[0].Size+a.Stacks[1].Size)
	var b strings.Builder
	require.NoError(t, a.Write(&b))
	assert.Contains(t, b.String(), `PATCH parameters: {"bootstrap_token":"******","node_count":5}`)
	assert.Contains(t, b.String(), "It would take 2 updates (PATCH). Nothing was sent.")
}

func TestGrowthAboveTheMaximumIsNotPossible(t *testing.T) {
	w, _ := world(t, shard("a", 3))
	a := ask(t, w, 11)
	assert.False(t, a.Possible)
	assert.Empty(t, a.Stacks)
	assert.Contains(t, a.Obstacles[0], "would order no more than 7")
}

func TestASmallerSizeNamesNobody(t *testing.T) {
	w, _ := world(t, shard("a", 3))
	w.Nodes[0].Spec.Taints = []v1.Taint{{Key: "DeletionCandidateOfClusterAutoscaler", Effect: v1.TaintEffectPreferNoSchedule}}
	w.Nodes[1].Annotations = map[string]string{"cluster-autoscaler.kubernetes.io/scale-down-disabled": "true"}
	a := ask(t, w, 1)
	assert.True(t, a.Possible)
	assert.Zero(t, a.Updates)
	require.Len(t, a.Candidates, 3)
	assert.True(t, a.Candidates[0].Removable)
	assert.False(t, a.Candidates[1].Removable)
	assert.Contains(t, a.Candidates[1].Why, "scale-down-disabled")
	assert.False(t, a.Candidates[2].Removable)
	assert.Contains(t, a.Notes[0], "Nobody is named")
}

func TestNodesThatAreNamed(t *testing.T) {
	w, _ := world(t, shard("a", 3), shard("b", 1))
	a := ask(t, w, 2, "node-a-1", "b-0")
	require.Len(t, a.Stacks, 2)
	assert.Equal(t, []rehearsal.Named{{Node: "node-a-1", Index: "1", Server: nodegroupstest.ServerID("a", 1)}}, a.Stacks[0].Named)
	assert.Equal(t, "node-b-0", a.Stacks[1].Named[0].Node)
	assert.Equal(t, 2, a.Updates)

	for _, wrong := range [][]string{{"node-a-1"}, {"node-a-1", "stranger"}} {
		_, err := rehearsal.Rehearse(t.Context(), w, rehearsal.Request{Group: "workers", Size: 2, Nodes: wrong})
		require.Error(t, err)
	}
}

func TestANodeThatIsNamedTwiceIsOne(t *testing.T) {
	w, _ := world(t, shard("a", 3), shard("b", 1))
	for _, twice := range [][]string{{"node-a-1", "node-a-1"}, {"node-a-1", "a-1"}, {nodegroupstest.ServerID("a", 1), "node-a-1"}} {
		_, err := rehearsal.Rehearse(t.Context(), w, rehearsal.Request{Group: "workers", Size: 2, Nodes: twice})
		require.ErrorContains(t, err, "are the same member of node group workers", "%v", twice)
	}
}

func TestWhatAStackSaysIsAnObstacle(t *testing.T) {
	w, s := world(t, shard("a", 3))
	s.why = errors.New("the stack is busy")
	a := ask(t, w, 4)
	assert.False(t, a.Possible)
	assert.Equal(t, []string{"stack a: the stack is busy"}, a.Obstacles)
	assert.Zero(t, a.Updates)
}

func TestBelowTheMinimum(t *testing.T) {
	w, _ := world(t, nodegroupstest.Stack("workers", 3, func(s *nodegroups.Stack) { s.Config.MinSize = 2 }))
	assert.False(t, ask(t, w, 1).Possible)
	assert.Empty(t, ask(t, w, 3).Stacks)
	_, err := rehearsal.Rehearse(t.Context(), w, rehearsal.Request{Group: "other", Size: 1})
	require.ErrorContains(t, err, "there are: workers")
	_, err = rehearsal.Rehearse(t.Context(), w, rehearsal.Request{Group: "workers", Size: -1})
	require.Error(t, err)
}
