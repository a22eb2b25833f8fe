package nodegroupstest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

var errTest = errors.New("test")

func only(t *testing.T, cloud *fake.Stacks) *nodegroups.Stack {
	t.Helper()
	stacks, _ := cloud.List()
	require.Len(t, stacks, 1)
	return stacks[0]
}

func states(s *nodegroups.Stack) []string {
	out := make([]string, 0, len(s.Members))
	for _, m := range s.Members {
		out = append(out, m.Index+" "+m.State.String())
	}
	return out
}

func TestLifeOfAStack(t *testing.T) {
	ctx := context.Background()
	cloud := fake.NewStacks(fake.Stack("a", 2))
	before := only(t, cloud)
	id := before.ID

	require.NoError(t, cloud.Grow(ctx, id, 2))
	s := only(t, cloud)
	assert.Equal(t, 4, s.Target)
	assert.True(t, s.Busy)
	assert.Equal(t, []string{"0 running", "1 running", " creating", " creating"}, states(s))
	assert.Len(t, before.Members, 2, "what was handed out stays as it was")

	require.NoError(t, cloud.Shrink(ctx, id, 1))
	assert.Error(t, cloud.Shrink(ctx, id, 2))
	cloud.Deliver("a")
	s = only(t, cloud)
	assert.Equal(t, []string{"0 running", "1 running", "2 running"}, states(s))
	assert.False(t, s.Busy)

	require.NoError(t, cloud.Remove(ctx, id, []nodegroups.Member{s.Members[1], s.Members[2]}))
	require.NoError(t, cloud.Remove(ctx, id, []nodegroups.Member{s.Members[1]}), "idempotent")
	assert.Equal(t, []string{"0 running", "1 deleting", "2 deleting"}, states(only(t, cloud)))
	assert.Equal(t, 1, only(t, cloud).Target)
	cloud.Settle("a")
	require.NoError(t, cloud.Grow(ctx, id, 1))
	cloud.Deliver("a")
	assert.Equal(t, []string{"0 running", "3 running"}, states(only(t, cloud)), "indices are never used again")
	assert.Equal(t, fake.ServerID("a", 3), only(t, cloud).Members[1].ServerID)

	require.NoError(t, cloud.Grow(ctx, id, 1))
	cloud.FailPlaceholders("a", nodegroups.Failure{Class: nodegroups.OutOfResources, Message: "none left"})
	s = only(t, cloud)
	assert.Equal(t, []string{"0 running", "3 running", " failed"}, states(s))
	assert.Equal(t, "none left", s.Members[2].Failure.Message)
	assert.True(t, s.Failed)
	require.NoError(t, cloud.Grow(ctx, id, 1))
	assert.Equal(t, []string{"0 running", "3 running", " failed", " creating"}, states(only(t, cloud)))
	require.NoError(t, cloud.Remove(ctx, id, only(t, cloud).Members[2:3]))
	cloud.Settle("a")
	assert.Equal(t, []string{"0 running", "3 running", " creating"}, states(only(t, cloud)))
}

func TestFailuresAndCalls(t *testing.T) {
	ctx := context.Background()
	cloud := fake.NewStacks(fake.Stack("a", 2), fake.Stack("b", 2))
	a, b := fake.UUID("a"), fake.UUID("b")
	cloud.Fail("Grow", "a", errTest)
	assert.ErrorIs(t, cloud.Grow(ctx, a, 1), errTest)
	assert.NoError(t, cloud.Grow(ctx, b, 1))
	cloud.Fail("Grow", "a", nil)
	assert.NoError(t, cloud.Grow(ctx, a, 1))
	cloud.Fail("Refresh", "", errTest)
	assert.ErrorIs(t, cloud.Refresh(ctx), errTest)
	assert.ErrorIs(t, cloud.Grow(ctx, "x", 1), fake.ErrNoStack)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	assert.ErrorIs(t, cloud.Grow(ended, a, 1), context.Canceled)
	assert.Equal(t, []fake.Call{
		{Method: "Grow", StackID: a, By: 1}, {Method: "Grow", StackID: b, By: 1}, {Method: "Grow", StackID: a, By: 1},
		{Method: "Refresh"}, {Method: "Grow", StackID: "x", By: 1}, {Method: "Grow", StackID: a, By: 1},
	}, cloud.Calls())
}

func TestBefore(t *testing.T) {
	cloud := fake.NewStacks(fake.Stack("a", 2))
	cloud.Before = func(_ context.Context, call fake.Call) error {
		cloud.Change("a", func(s *nodegroups.Stack) { s.Target = 7 }) // no lock is held
		return errTest
	}
	assert.ErrorIs(t, cloud.Grow(context.Background(), fake.UUID("a"), 1), errTest)
	assert.Equal(t, 7, only(t, cloud).Target)
	cloud.Delete("a")
	cloud.Change("a", func(*nodegroups.Stack) { t.Error("there is no such stack") })
	stacks, problems := cloud.List()
	assert.Empty(t, stacks)
	assert.Empty(t, problems)
}
