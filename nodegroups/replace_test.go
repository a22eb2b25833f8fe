package nodegroups_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func TestManagerReplaceKeepsTheSize(t *testing.T) {
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 3, fake.InGroup("a", 3, 3)))
	require.NoError(t, m.Replace(context.Background(), "a", fake.ServerID("a", 1)), "at the minimum and at the maximum")
	calls := cloud.Calls()
	assert.Equal(t, fake.Call{Method: "Replace", StackID: fake.UUID("a"), IDs: ids("a", 1)}, calls[len(calls)-1])
	g := m.Snapshot().Group("a")
	assert.Equal(t, 3, g.Target)
	assert.Equal(t, 1, g.Count(nodegroups.Deleting))
	assert.ErrorIs(t, m.Replace(context.Background(), "a", fake.ServerID("a", 1)), nodegroups.ErrBeingRemoved)
	cloud.Deliver("a")
	require.NoError(t, m.Refresh(context.Background()))
	assert.NoError(t, m.Replace(context.Background(), "a", fake.ServerID("a", 1)), "it has gone")
	assert.Len(t, cloud.Calls(), len(calls)+1, "and nothing was ordered, only the refresh")
}

func TestManagerReplaceRefuses(t *testing.T) {
	with := func(state nodegroups.State) func(*nodegroups.Stack) {
		return func(s *nodegroups.Stack) {
			s.Members[0].State = state
			if state == nodegroups.Failed {
				s.Members[0].Failure = &nodegroups.Failure{}
			}
		}
	}
	blocked := fake.BlockedBy(nodegroups.ReasonStackState)
	for name, test := range map[string]struct {
		stack *nodegroups.Stack
		id    string
		want  error
	}{
		"what is unknown":       {fake.Stack("a", 1), fake.ServerID("x", 0), nodegroups.ErrUnknownMember},
		"what is being deleted": {fake.Stack("a", 1, with(nodegroups.Deleting)), fake.ServerID("a", 0), nodegroups.ErrBeingRemoved},
		"what was never made":   {fake.Stack("a", 1, with(nodegroups.Failed)), fake.ServerID("a", 0), nodegroups.ErrNoMachine},
		"what is lost":          {fake.Stack("a", 1, with(nodegroups.Lost)), fake.ServerID("a", 0), nodegroups.ErrNoMachine},
		"in a blocked group":    {fake.Stack("a", 1, blocked), fake.ServerID("a", 0), *fake.Stack("a", 1, blocked).Blocked},
	} {
		t.Run(name, func(t *testing.T) {
			m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, test.stack)
			assert.ErrorIs(t, m.Replace(context.Background(), "a", test.id), test.want)
			assert.Empty(t, orders(cloud))
		})
	}
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 1))
	assert.ErrorIs(t, m.Replace(context.Background(), "b", fake.ServerID("a", 0)), nodegroups.ErrUnknownGroup)
	cloud.Fail("Replace", "a", errCloud)
	assert.ErrorIs(t, m.Replace(context.Background(), "a", fake.ServerID("a", 0)), errCloud)
}

func TestManagerReplaceRefusesInABlockedShard(t *testing.T) {
	in, blocked := fake.InGroup("workers", 0, 9), fake.BlockedBy(nodegroups.ReasonStackState)
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 1, in, blocked), fake.Stack("b", 1, in))
	assert.ErrorIs(t, m.Replace(context.Background(), "workers", fake.ServerID("a", 0)), *fake.Stack("a", 1, in, blocked).Blocked)
	assert.NoError(t, m.Replace(context.Background(), "workers", fake.ServerID("b", 0)))
	assert.Equal(t, []string{"Replace b 1"}, orders(cloud))
}

func TestManagerReading(t *testing.T) {
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{})
	first := m.Reading()
	assert.False(t, first.At.IsZero())
	assert.NoError(t, first.Err)
	cloud.Fail("Refresh", "", errCloud)
	require.Error(t, m.Refresh(context.Background()))
	assert.Equal(t, first.At, m.Reading().At, "the last time that it worked")
	assert.ErrorIs(t, m.Reading().Err, errCloud)
	assert.Zero(t, nodegroups.NewManager(cloud, nil, nodegroups.ManagerOptions{}).Reading())
}
