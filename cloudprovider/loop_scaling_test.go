package cloudprovider

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/autoscaler/cluster-autoscaler/config"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	cloudfake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

var everything = labels.Everything()

// quota is how a cloud refuses members for which there is no quota.
var quota = nodegroups.Failure{
	Class: nodegroups.OutOfResources, Code: nodegroups.CodeQuotaExceeded, Message: "Quota exceeded for cores: Requested 2, but already used 20 of 20 cores",
}

func TestLoopScalesUpFromZeroByTheTemplate(t *testing.T) {
	w := newWorld(t, nil, cloudfake.Stack("a", 0))
	w.addPods(t, 5, "1", "")
	require.NoError(t, w.loop())
	require.Equal(t, []string{"Grow 3"}, w.orders(), "two pods of one CPU fit on a node of two")
	require.NoError(t, w.loop())
	require.Len(t, w.orders(), 1, "the nodes that are to come are taken into account")
	w.cloud.Deliver("a")
	require.NoError(t, w.loop())
	require.Len(t, w.orders(), 1)
	for i := range 3 {
		w.addNode(t, cloudfake.ServerID("a", i), "a", i)
	}
	require.NoError(t, w.loop())
	require.Equal(t, 3, w.size(t, "a"))
	require.Len(t, w.orders(), 1)
}

func TestLoopBacksOffAFailedGroupAndTakesTheOther(t *testing.T) {
	big := func(s *nodegroups.Stack) { s.Flavor = cloudfake.Flavor("m1.large", 4, 8192, 20) }
	w := newWorld(t, nil, cloudfake.Stack("tight", 0), cloudfake.Stack("spare", 0, big))
	w.addPods(t, 2, "1", "")
	require.NoError(t, w.loop())
	require.Equal(t, 1, w.size(t, "tight"), "least waste")
	w.cloud.FailPlaceholders("tight", quota)
	require.NoError(t, w.loop())
	require.NoError(t, w.loop())
	require.Equal(t, 1, w.size(t, "spare"), "within two loops")
	require.Zero(t, w.size(t, "tight"), "the failed member is cleaned up")
	require.Equal(t, []string{"Grow 1", "Shrink 1", "Grow 1"}, w.normalized())
}

// normalized are the orders; the fake withdraws failed placeholders by Remove or by Shrink, which is the Manager's choice.
func (w *world) normalized() []string {
	orders := w.orders()
	for i, o := range orders {
		if len(o) > 6 && o[:6] == "Remove" {
			orders[i] = "Shrink 1"
		}
	}
	return orders
}

func TestLoopGoesOnWhenAGroupIsBroken(t *testing.T) {
	for name, broken := range map[string]*nodegroups.Stack{
		"without a template": cloudfake.Stack("bad", 0, func(s *nodegroups.Stack) { s.Flavor = nil }),
		"blocked":            cloudfake.Stack("bad", 2, cloudfake.BlockedBy(nodegroups.ReasonUnsafeTemplate)),
		"of unknown size":    cloudfake.Stack("bad", 0, cloudfake.OfUnknownSize),
		"full of failures": cloudfake.Stack("bad", 3, in(0, nodegroups.Failed), in(1, nodegroups.Lost), in(2, nodegroups.Failed),
			cloudfake.BlockedBy(nodegroups.ReasonStackFailed)),
		"with min above max": cloudfake.Stack("bad", 1, cloudfake.InGroup("bad", 5, 2)),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil, broken, cloudfake.Stack("good", 0))
			w.addPods(t, 2, "1", "good")
			require.NoError(t, w.loop())
			require.Equal(t, 1, w.size(t, "good"))
			require.Equal(t, []string{"Grow 1"}, w.orders(), "nothing is ordered of the broken group")
			// Long after, when core would correct sizes and remove what never registered.
			for range 3 {
				w.now = w.now.Add(20 * time.Minute)
				require.NoError(t, w.loop())
			}
			for _, c := range w.cloud.Calls() {
				require.NotEqual(t, broken.ID, c.StackID, "%v", c)
			}
			require.Empty(t, w.observed.panics)
		})
	}
}

func TestLoopIsAbortedWhenTheCloudCannotBeRead(t *testing.T) {
	w := newWorld(t, nil, cloudfake.Stack("a", 0))
	w.addPods(t, 1, "1", "")
	w.cloud.Fail("Refresh", "", errors.New("connection refused"))
	require.ErrorContains(t, w.loop(), "connection refused")
	require.Empty(t, w.orders(), "nothing is decided on stale data")
	w.cloud.Fail("Refresh", "", nil)
	require.NoError(t, w.loop())
	require.Equal(t, []string{"Grow 1"}, w.orders())
}

func TestLoopTakesTheCheaperGroupByPrice(t *testing.T) {
	for cheap, prices := range map[string]string{
		"a": "flavors: {fast: 0.1, slow: 0.5}",
		"b": "flavors: {fast: 0.5, slow: 0.1}",
	} {
		t.Run(cheap, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "prices.yaml")
			require.NoError(t, os.WriteFile(file, []byte(prices), 0o600))
			of := func(flavor string) func(*nodegroups.Stack) {
				return func(s *nodegroups.Stack) { s.Flavor = cloudfake.Flavor(flavor, 2, 4096, 20) }
			}
			w := newWorld(t, func(c *config.AutoscalingOptions, o *Options) { c.ExpanderNames, o.PriceFile = "price", file },
				cloudfake.Stack("a", 0, of("fast")), cloudfake.Stack("b", 0, of("slow")))
			w.addPods(t, 1, "1", "")
			require.NoError(t, w.loop())
			require.Equal(t, 1, w.size(t, cheap))
		})
	}
}

func TestLoopHonoursLabels(t *testing.T) {
	w := newWorld(t, nil, cloudfake.Stack("a", 0), cloudfake.Stack("b", 0))
	w.addPods(t, 3, "1", "b")
	require.NoError(t, w.loop())
	require.Equal(t, []int{0, 2}, []int{w.size(t, "a"), w.size(t, "b")})
}

func TestLoopEnforcesTheMinimum(t *testing.T) {
	w := newWorld(t, func(c *config.AutoscalingOptions, _ *Options) { c.EnforceNodeGroupMinSize = true },
		cloudfake.Stack("a", 1, cloudfake.InGroup("a", 3, 10)), cloudfake.Stack("b", 0))
	w.addNode(t, "a0", "a", 0)
	require.NoError(t, w.loop())
	require.Equal(t, []string{"Grow 2"}, w.orders())
	w.cloud.Change("b", cloudfake.InGroup("b", 1, 10))
	require.NoError(t, w.loop())
	require.Equal(t, 1, w.size(t, "b"), "a raised minimum acts in the same loop")
}

func TestLoopRemovesExactlyTheIdleNode(t *testing.T) {
	w := newWorld(t, nil, cloudfake.Stack("a", 2))
	w.addNode(t, "a0", "a", 0)
	w.addNode(t, "a1", "a", 1)
	w.addPods(t, 1, "1500m", "")
	pods := w.pods(t)
	pods[0].Spec.NodeName, pods[0].Status.Conditions = "a1", nil
	require.NoError(t, w.client.Tracker().Update(v1.SchemeGroupVersion.WithResource("pods"), &pods[0], "default"))
	w.eventually(t, func() bool {
		p, err := w.core.Informers.Core().V1().Pods().Lister().Pods("default").Get(pods[0].Name)
		return err == nil && p.Spec.NodeName == "a1"
	})
	require.NoError(t, w.loop())
	w.now = w.now.Add(2 * time.Minute)
	require.NoError(t, w.loop())
	w.eventually(t, func() bool { return len(w.orders()) > 0 })
	require.Equal(t, []string{"Remove [" + cloudfake.ServerID("a", 0) + "]"}, w.orders())
}

func TestLoopOfADryRunChoosesNodesAndTouchesNone(t *testing.T) {
	w := newWorld(t, func(_ *config.AutoscalingOptions, o *Options) { o.DryRun = true }, cloudfake.Stack("a", 2))
	w.addNode(t, "a0", "a", 0)
	w.addNode(t, "a1", "a", 1)
	require.NoError(t, w.loop())
	w.now = w.now.Add(2 * time.Minute)
	require.NoError(t, w.loop())
	require.ElementsMatch(t, []string{"a0", "a1"}, w.wouldRemove)
	require.Empty(t, w.orders())
	for _, action := range w.client.Actions() {
		require.NotEqual(t, "nodes update", action.GetResource().Resource+" "+action.GetVerb(), "no taint")
	}
}

func TestLoopCleansUpServersThatNeverJoin(t *testing.T) {
	// At the minimum afterwards: the other node, which nobody needs, would be removed beside it at a moment that is chance.
	w := newWorld(t, nil, cloudfake.Stack("a", 2, cloudfake.InGroup("a", 1, 10)))
	w.addNode(t, "a0", "a", 0)
	require.NoError(t, w.loop())
	require.Empty(t, w.orders())
	w.now = w.now.Add(16 * time.Minute)
	require.NoError(t, w.loop())
	require.Equal(t, []string{"Remove [" + cloudfake.ServerID("a", 1) + "]"}, w.orders())
}

func TestLoopDoesNotWaitForALostMember(t *testing.T) {
	w := newWorld(t, nil, cloudfake.Stack("a", 2, in(1, nodegroups.Lost)), cloudfake.Stack("b", 0))
	w.addNode(t, "a0", "a", 0)
	require.NoError(t, w.loop())
	w.cloud.Fail("Remove", "", errors.New("heat refuses"))
	for range 4 { // long after, core wants the size corrected, which fails
		w.now = w.now.Add(20 * time.Minute)
		require.NoError(t, w.loop(), "one group does not stop the loop")
	}
	require.Equal(t, 1, w.size(t, "a"))
	w.addPods(t, 1, "1", "b")
	require.NoError(t, w.loop())
	require.Equal(t, 1, w.size(t, "b"))
}
