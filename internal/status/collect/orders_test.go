package collect

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func TestOrdersAreWrittenDownWithSizesAndReasons(t *testing.T) {
	r := newRig(t, nodegroupstest.Stack("a", 3))
	first := nodegroupstest.ServerID("a", 0)
	r.watchNodes(t, first)

	require.NoError(t, r.orders.Grow(t.Context(), "a", 2))
	d := r.newest(t)
	require.Equal(t, []any{status.DecisionGrow, "a", 2, 3, 5, status.ResultOK}, []any{d.Kind, d.Group, d.Count, *d.From, *d.To, d.Result})
	require.Equal(t, "cluster-autoscaler orders 2 members", d.Reason)

	require.NoError(t, r.orders.Retire(t.Context(), "a", []string{first}, false))
	d = r.newest(t)
	require.Equal(t, []any{status.DecisionRemove, 1, 5, 4, "node-" + first}, []any{d.Kind, d.Count, *d.From, *d.To, d.Node})
	require.Equal(t, []string{first}, d.Servers)

	require.NoError(t, r.orders.Shrink(t.Context(), "a", 1))
	d = r.newest(t)
	require.Equal(t, []any{status.DecisionShrink, 1, 4, 3}, []any{d.Kind, d.Count, *d.From, *d.To})
}

func TestAnOrderThatFailsSaysHow(t *testing.T) {
	r := newRig(t, nodegroupstest.Stack("a", 3))
	r.stacks.Fail("Grow", "", errors.New("Heat says no"))
	require.Error(t, r.orders.Grow(t.Context(), "a", 1))
	d := r.newest(t)
	require.Equal(t, status.ResultFailed, d.Result)
	require.Contains(t, d.Reason, "Heat says no")
	require.Equal(t, 3, *d.To, "nothing was ordered")

	blocked := newRig(t, nodegroupstest.Stack("b", 1, nodegroupstest.BlockedBy(nodegroups.ReasonStackFailed)))
	require.Error(t, blocked.orders.Grow(t.Context(), "b", 1))
	require.Equal(t, nodegroups.ReasonStackFailed, blocked.newest(t).Code)

	require.Error(t, r.orders.Remove(t.Context(), "no such group", []string{"x"}, false))
	d = r.newest(t)
	require.Nil(t, d.From)
	require.Nil(t, d.To)
}

func TestWhyMembersAreRemoved(t *testing.T) {
	states := func(state nodegroups.State) func(*nodegroups.Stack) {
		return func(s *nodegroups.Stack) {
			for i := range s.Members {
				s.Members[i].State = state
			}
		}
	}
	for name, test := range map[string]struct {
		state  nodegroups.State
		reason string
	}{
		"failed": {nodegroups.Failed, "2 members that could not be made"},
		"lost":   {nodegroups.Lost, "2 members whose servers are gone"},
		"late":   {nodegroups.Running, "2 members that have not become nodes in time"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nodegroupstest.Stack("a", 2, states(test.state)))
			require.NoError(t, r.orders.Remove(t.Context(), "a", []string{nodegroupstest.ServerID("a", 0), nodegroupstest.ServerID("a", 1)}, true))
			require.Contains(t, r.newest(t).Reason, test.reason)
		})
	}
}

func TestADryRunSaysWhatItWouldHaveDone(t *testing.T) {
	r := newRigOf(t, Program{DryRun: true}, nodegroupstest.Stack("a", 3))
	require.NoError(t, r.orders.Grow(t.Context(), "a", 2))
	require.Empty(t, r.Status().Decisions, "the provider tells it by Decided")
	for range 5 {
		r.Decided("a", status.DecisionGrow, 2)
	}
	all := r.Status().Decisions
	require.Len(t, all, 1, "the same in every loop is one line")
	require.Equal(t, 4, all[0].Repeated)
	require.Equal(t, status.ResultDryRun, all[0].Result)
	require.True(t, r.Status().DryRun)
}
