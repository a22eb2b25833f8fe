package autoscaler

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/config"
	"k8s.io/autoscaler/cluster-autoscaler/context"
	"k8s.io/autoscaler/cluster-autoscaler/observers/nodegroupchange"
	"k8s.io/autoscaler/cluster-autoscaler/processors/nodes"
	"k8s.io/autoscaler/cluster-autoscaler/simulator"
	testclock "k8s.io/utils/clock/testing"
)

// group is a node group of which only the id is asked.
type group struct {
	cloudprovider.NodeGroup
	id string
}

func (g group) Id() string { return g.id } //nolint:revive,staticcheck // the interface is cluster-autoscaler's

// groupsByNode is a cloud whose nodes are named after their group.
type groupsByNode struct{ cloudprovider.CloudProvider }

func (groupsByNode) NodeGroupForNode(node *v1.Node) (cloudprovider.NodeGroup, error) {
	switch node.Name {
	case "foreign":
		return nil, nil
	case "broken":
		return nil, errors.New("broken")
	}
	return group{id: node.Name}, nil
}

var _ nodegroupchange.NodeGroupChangeObserver = (*delays)(nil)

// delaysRig is delays with a clock, and nodes that core wants to remove: one of each group.
type delaysRig struct {
	*delays
	clock *testclock.FakePassiveClock
	ctx   *context.AutoscalingContext
}

func newDelaysRig(next nodes.ScaleDownSetProcessor) *delaysRig {
	c := testclock.NewFakePassiveClock(time.Now())
	return &delaysRig{
		delays: newDelays(next, c), clock: c,
		ctx: &context.AutoscalingContext{CloudProvider: groupsByNode{}, AutoscalingOptions: config.AutoscalingOptions{
			ScaleDownDelayAfterAdd: 10 * time.Minute, ScaleDownDelayAfterDelete: 0, ScaleDownDelayAfterFailure: 3 * time.Minute,
		}},
	}
}

// removable are the nodes that may go, of those with these names.
func (r *delaysRig) removable(t *testing.T, names ...string) []string {
	t.Helper()
	var candidates []simulator.NodeToBeRemoved
	for _, name := range names {
		candidates = append(candidates, simulator.NodeToBeRemoved{Node: &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}})
	}
	removed, stay := r.FilterUnremovableNodes(r.ctx, nodes.NewDefaultScaleDownContext(), candidates)
	require.Len(t, names, len(removed)+len(stay), "each node is in one list")
	var result []string
	for _, n := range removed {
		result = append(result, n.Node.Name)
	}
	return result
}

func TestDelaysKeepOnlyTheNodesOfTheGroupThatChanged(t *testing.T) {
	for name, test := range map[string]struct {
		change func(r *delaysRig, now time.Time)
		delay  time.Duration
	}{
		"grown":            {func(r *delaysRig, now time.Time) { r.RegisterScaleUp(group{id: "a"}, 2, now) }, 10 * time.Minute},
		"failed to shrink": {func(r *delaysRig, now time.Time) { r.RegisterFailedScaleDown(group{id: "a"}, "", now) }, 3 * time.Minute},
		"shrunk":           {func(r *delaysRig, now time.Time) { r.RegisterScaleDown(group{id: "a"}, "n", now, now) }, 0},
		"failed to grow":   {func(r *delaysRig, now time.Time) { r.RegisterFailedScaleUp(group{id: "a"}, "", "", "", "", now) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newDelaysRig(nodes.NewCompositeScaleDownSetProcessor(nil))
			require.Equal(t, []string{"a", "b"}, r.removable(t, "a", "b"))
			test.change(r, r.clock.Now())
			if test.delay > 0 {
				require.Equal(t, []string{"b"}, r.removable(t, "a", "b"))
				r.clock.SetTime(r.clock.Now().Add(test.delay - time.Second))
				require.Equal(t, []string{"b"}, r.removable(t, "a", "b"))
				r.clock.SetTime(r.clock.Now().Add(time.Second))
			}
			require.Equal(t, []string{"a", "b"}, r.removable(t, "a", "b"))
		})
	}
}

func TestDelaysLetNobodyGoWhoseGroupIsNotKnown(t *testing.T) {
	r := newDelaysRig(nodes.NewCompositeScaleDownSetProcessor(nil))
	require.Equal(t, []string{"a"}, r.removable(t, "foreign", "broken", "a"))
}

// oneAtATime lets the first node go.
type oneAtATime struct{ nodes.ScaleDownSetProcessor }

func (oneAtATime) FilterUnremovableNodes(_ *context.AutoscalingContext, _ *nodes.ScaleDownContext, candidates []simulator.NodeToBeRemoved,
) (removable []simulator.NodeToBeRemoved, unremovable []simulator.UnremovableNode) {
	for _, c := range candidates[1:] {
		unremovable = append(unremovable, simulator.UnremovableNode{Node: c.Node})
	}
	return candidates[:1], unremovable
}

// What is delayed must not use up what others allow.
func TestDelaysComeBeforeOtherLimits(t *testing.T) {
	r := newDelaysRig(oneAtATime{})
	r.RegisterScaleUp(group{id: "a"}, 1, r.clock.Now())
	require.Equal(t, []string{"b"}, r.removable(t, "a", "b", "c"))
}

// Core's loop asks while goroutines of removals tell; run with the race detector.
func TestDelaysMayBeToldWhileTheyAreAsked(t *testing.T) {
	r := newDelaysRig(nodes.NewCompositeScaleDownSetProcessor(nil))
	var telling sync.WaitGroup
	for i := range 8 {
		telling.Go(func() {
			for j := range 200 {
				g := group{id: fmt.Sprint("g", i, j)}
				r.RegisterScaleUp(g, 1, r.clock.Now())
				r.RegisterScaleDown(g, "", r.clock.Now(), r.clock.Now())
				r.RegisterFailedScaleDown(g, "", r.clock.Now())
			}
		})
	}
	for range 200 {
		r.removable(t, "a", "b")
	}
	telling.Wait()
}
