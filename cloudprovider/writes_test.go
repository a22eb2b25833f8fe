package cloudprovider

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func TestIncreaseSize(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	g := r.nodeGroup(t, "a")
	require.NoError(t, g.IncreaseSize(3))
	require.Equal(t, 4, r.size(t, "a"))
	require.Equal(t, []string{"Grow 3"}, r.orders())
	require.Error(t, g.IncreaseSize(0))
	require.Error(t, g.IncreaseSize(-1))
	require.ErrorIs(t, g.IncreaseSize(100), nodegroups.ErrAboveMax)
	refused := errors.New("heat says no")
	r.cloud.Fail("Grow", "", refused)
	require.ErrorIs(t, g.IncreaseSize(1), refused)
	require.Equal(t, 4, r.size(t, "a"))
}

func TestDeleteNodesNamesExactlyTheseMembers(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 4), fake.Stack("b", 2))
	g := r.nodeGroup(t, "a")
	nodes := []*v1.Node{
		nodeOf("a", 1, threeSlashes+fake.ServerID("a", 1)),
		nodeOf("a", 3, "openstack://R/"+fake.ServerID("a", 3)),
	}
	require.NoError(t, g.DeleteNodes(nodes))
	require.Equal(t, []string{"Remove [" + fake.ServerID("a", 1) + " " + fake.ServerID("a", 3) + "]"}, r.orders())
	require.Equal(t, 2, r.size(t, "a"))

	for range 5 {
		require.NoError(t, g.DeleteNodes(nodes), "core says it again in every loop")
	}
	r.cloud.Settle("a")
	require.NoError(t, r.Refresh())
	require.NoError(t, g.DeleteNodes(nodes), "also when they are gone")
	require.Len(t, r.orders(), 1, "and it costs nothing")

	foreign := append([]*v1.Node{nodeOf("b", 0, threeSlashes+fake.ServerID("b", 0))}, nodeOf("a", 0, threeSlashes+fake.ServerID("a", 0)))
	require.ErrorContains(t, g.DeleteNodes(foreign), `member of node group "b"`)
	require.ErrorIs(t, g.DeleteNodes([]*v1.Node{nodeOf("x", 0, "aws:///1")}), nodegroups.ErrForeign)
	require.ErrorIs(t, g.DeleteNodes([]*v1.Node{nodeOf("z", 0, threeSlashes+fake.ServerID("z", 0))}), nodegroups.ErrUnknownMember)
	require.Len(t, r.orders(), 1, "nothing is removed on a mistaken order")
}

func TestTheMinimumHoldsUnlessForced(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 2, fake.InGroup("a", 2, 10)))
	g := r.nodeGroup(t, "a")
	nodes := []*v1.Node{nodeOf("a", 1, threeSlashes+fake.ServerID("a", 1))}
	require.ErrorIs(t, g.DeleteNodes(nodes), nodegroups.ErrBelowMin)
	require.NoError(t, g.ForceDeleteNodes(nodes))
	require.Equal(t, 1, r.size(t, "a"))
}

func TestFailedMembersAreRemovedByTheNamesCoreMakesUp(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1, fake.InGroup("a", 1, 10)))
	g := r.nodeGroup(t, "a")
	require.NoError(t, g.IncreaseSize(2))
	r.cloud.FailPlaceholders("a", nodegroups.Failure{Class: nodegroups.OutOfResources, Code: nodegroups.CodeQuotaExceeded, Message: "Quota exceeded"})
	require.NoError(t, r.Refresh())
	placeholders := []string{nodegroups.PlaceholderID(fake.UUID("a"), 0), nodegroups.PlaceholderID(fake.UUID("a"), 1)}
	var nodes []*v1.Node
	for _, id := range placeholders {
		nodes = append(nodes, fakeNode(id, cloudprovider.FakeNodeCreateError))
		group, err := r.NodeGroupForNode(nodes[len(nodes)-1])
		require.NoError(t, err)
		require.True(t, group == g)
	}
	require.NoError(t, g.DeleteNodes(nodes))
	require.Equal(t, 1, r.size(t, "a"))
	require.NoError(t, g.DeleteNodes(nodes))
}

func TestWritesAreBounded(t *testing.T) {
	r := newRig(t, func(o *Options) { o.WriteTimeout, o.CleanupTimeout = 2*time.Hour, time.Hour },
		fake.Stack("a", 3, in(2, nodegroups.Failed)))
	var bounds []time.Duration
	r.cloud.Before = func(ctx context.Context, _ fake.Call) error {
		deadline, ok := ctx.Deadline()
		require.True(t, ok)
		bounds = append(bounds, time.Until(deadline).Round(time.Minute))
		return errors.New("enough")
	}
	g := r.nodeGroup(t, "a")
	require.Error(t, g.DeleteNodes([]*v1.Node{fakeNode(threeSlashes+fake.ServerID("a", 2), cloudprovider.FakeNodeCreateError)}))
	require.Len(t, bounds, 1)
	require.LessOrEqual(t, bounds[0], time.Hour, "core removes failed members in its main loop")
}

func TestDecreaseTargetSizeWithdrawsWhatHasNeverCome(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 2))
	g := r.nodeGroup(t, "a")
	require.NoError(t, g.IncreaseSize(3))
	require.NoError(t, g.DecreaseTargetSize(-2))
	require.Equal(t, []string{"Grow 3", "Shrink 2"}, r.orders())
	require.Equal(t, 3, r.size(t, "a"))
	require.Error(t, g.DecreaseTargetSize(0))
	require.Error(t, g.DecreaseTargetSize(1))
	require.Empty(t, r.reports.All())
}

func TestDecreaseTargetSizeTakesTheDeadNext(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 3, in(1, nodegroups.Lost), in(2, nodegroups.Failed)))
	require.NoError(t, r.nodeGroup(t, "a").DecreaseTargetSize(-2))
	require.Equal(t, []string{"Remove [" + fake.ServerID("a", 1) + " " + fake.ServerID("a", 2) + "]"}, r.orders())
	require.Equal(t, 1, r.size(t, "a"))
}

func TestWhatCannotBeWithdrawnDoesNotStopTheLoop(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 4, in(3, nodegroups.Failed)))
	g := r.nodeGroup(t, "a")
	r.cloud.Fail("Remove", "", errors.New("heat is busy"))
	require.NoError(t, g.DecreaseTargetSize(-2), "an error would abort the loop for all groups, in every loop")
	require.Equal(t, 2, r.size(t, "a"), "so that core does not order it again")
	reports := r.reports.All()
	require.Equal(t, nodegroups.ReasonSizeMismatch, reports[len(reports)-1].Reason)
	require.Contains(t, reports[len(reports)-1].Message, "heat is busy")
	require.Len(t, r.instances(t, "a"), 4, "no server is touched")
	require.Equal(t, 2, r.size(t, "a"))

	r.cloud.Fail("Remove", "", nil)
	r.cloud.Change("a", in(3, nodegroups.Running))
	require.NoError(t, r.Refresh())
	require.Equal(t, 4, r.size(t, "a"), "as soon as anything changes, the group's own size is told again")
}

func TestADryRunDecidesAndCounts(t *testing.T) {
	r := newRig(t, func(o *Options) { o.DryRun = true }, fake.Stack("a", 3, in(2, nodegroups.Failed)))
	g := r.nodeGroup(t, "a")
	require.NoError(t, g.IncreaseSize(2))
	require.NoError(t, g.DeleteNodes([]*v1.Node{nodeOf("a", 0, threeSlashes+fake.ServerID("a", 0))}))
	before := r.size(t, "a")
	require.NoError(t, g.DecreaseTargetSize(-1))
	require.Equal(t, []string{"a grow 2", "a remove 1", "a shrink 1"}, r.observed.decisions)
	require.Less(t, r.size(t, "a"), before, "core is not asked to correct the same size for ever")
}
