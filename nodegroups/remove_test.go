package nodegroups_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// ids returns the server ids of a stack's members with these indices.
func ids(stack string, indices ...int) []string {
	out := make([]string, 0, len(indices))
	for _, i := range indices {
		out = append(out, fake.ServerID(stack, i))
	}
	return out
}

func TestManagerRemove(t *testing.T) {
	in := fake.InGroup("workers", 2, 9)
	blocked := fake.BlockedBy(nodegroups.ReasonStackState)
	failing := func(s *nodegroups.Stack) {
		s.Members[0].State = nodegroups.Failed
		s.Members[0].Failure = &nodegroups.Failure{Class: nodegroups.OutOfResources, Code: nodegroups.CodeQuotaExceeded}
	}
	two := []*nodegroups.Stack{fake.Stack("a", 3, in), fake.Stack("b", 3, in)}
	tests := map[string]struct {
		stacks  []*nodegroups.Stack
		prepare func(*fake.Stacks)
		ids     []string
		force   bool
		want    error
		orders  []string
		target  int
	}{
		"one":                   {stacks: two, ids: ids("a", 1), orders: []string{"Remove a 1"}, target: 5},
		"nothing":               {stacks: two, target: 6},
		"of both shards":        {stacks: two, ids: slices.Concat(ids("a", 1, 2), ids("b", 0)), orders: []string{"Remove a 2", "Remove b 1"}, target: 3},
		"named twice":           {stacks: two, ids: ids("a", 1, 1), orders: []string{"Remove a 1"}, target: 5},
		"down to the minimum":   {stacks: two, ids: slices.Concat(ids("a", 0, 1, 2), ids("b", 0)), orders: []string{"Remove a 3", "Remove b 1"}, target: 2},
		"below the minimum":     {stacks: two, ids: slices.Concat(ids("a", 0, 1, 2), ids("b", 0, 1)), want: nodegroups.ErrBelowMin, target: 6},
		"below it by force":     {stacks: two, ids: slices.Concat(ids("a", 0, 1, 2), ids("b", 0, 1)), force: true, orders: []string{"Remove a 3", "Remove b 2"}, target: 1},
		"unknown":               {stacks: two, ids: slices.Concat(ids("a", 0), ids("x", 0)), want: nodegroups.ErrUnknownMember, target: 6},
		"of another group":      {stacks: slices.Concat(two, []*nodegroups.Stack{fake.Stack("c", 1)}), ids: ids("c", 0), want: nodegroups.ErrUnknownMember, target: 6},
		"failed at the minimum": {stacks: []*nodegroups.Stack{fake.Stack("a", 2, in, failing)}, ids: ids("a", 0), orders: []string{"Remove a 1"}, target: 1},
		"failed and a machine at the minimum": {
			stacks: []*nodegroups.Stack{fake.Stack("a", 3, in, failing)}, ids: ids("a", 0, 1), want: nodegroups.ErrBelowMin, target: 3,
		},
		"already going": {
			stacks: []*nodegroups.Stack{fake.Stack("a", 3, in, func(s *nodegroups.Stack) {
				s.Members[0].State, s.Target = nodegroups.Deleting, 2
			})}, ids: ids("a", 0), target: 2,
		},
		"a blocked group": {
			stacks: []*nodegroups.Stack{fake.Stack("a", 3, in, blocked)}, ids: ids("a", 0), want: *fake.Stack("a", 3, in, blocked).Blocked, target: 3,
		},
		"of a blocked shard": {
			stacks: []*nodegroups.Stack{fake.Stack("a", 3, in, blocked), fake.Stack("b", 3, in)}, ids: slices.Concat(ids("a", 0), ids("b", 0)),
			want: *fake.Stack("a", 3, in, blocked).Blocked, orders: []string{"Remove b 1"}, target: 5,
		},
		"refused by one": {
			stacks: two, prepare: func(c *fake.Stacks) { c.Fail("Remove", "a", errCloud) }, ids: slices.Concat(ids("a", 0), ids("b", 0)),
			want: errCloud, orders: []string{"Remove a 1", "Remove b 1"}, target: 5,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, test.stacks...)
			if test.prepare != nil {
				test.prepare(cloud)
			}
			err := m.Remove(context.Background(), "workers", test.ids, test.force)
			if test.want == nil {
				assert.NoError(t, err)
			} else {
				assert.ErrorIs(t, err, test.want)
			}
			assert.Equal(t, append([]string{}, test.orders...), orders(cloud))
			assert.Equal(t, test.target, m.Snapshot().Group("workers").Target)
		})
	}
}

func TestManagerRemoveNamesExactlyTheMembers(t *testing.T) {
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 5))
	require.NoError(t, m.Remove(context.Background(), "a", ids("a", 3, 1), false))
	calls := cloud.Calls()
	assert.Equal(t, ids("a", 3, 1), calls[len(calls)-1].IDs)
	_, member := m.Snapshot().ByServer(fake.ServerID("a", 3))
	assert.Equal(t, nodegroups.Deleting, member.State)
	assert.NoError(t, m.Remove(context.Background(), "a", ids("a", 3, 1), false), "cluster-autoscaler repeats itself")
	assert.Len(t, cloud.Calls(), len(calls))
}

func TestManagerRemoveOfAMemberThatHasGone(t *testing.T) {
	clock := testingclock.NewFakePassiveClock(fake.Epoch)
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{Clock: clock}, fake.Stack("a", 5), fake.Stack("b", 1))
	require.NoError(t, m.Remove(context.Background(), "a", ids("a", 3), false))
	cloud.Settle("a")
	require.NoError(t, m.Refresh(context.Background()))
	_, member := m.Snapshot().ByServer(fake.ServerID("a", 3))
	require.Nil(t, member)
	assert.NoError(t, m.Remove(context.Background(), "a", ids("a", 3), false))
	assert.ErrorIs(t, m.Remove(context.Background(), "b", ids("a", 3), false), nodegroups.ErrUnknownMember)
	clock.SetTime(fake.Epoch.Add(time.Hour))
	cloud.Put(fake.Stack("b", 2))
	require.NoError(t, m.Refresh(context.Background()))
	assert.ErrorIs(t, m.Remove(context.Background(), "a", ids("a", 3), false), nodegroups.ErrUnknownMember, "it is not remembered for ever")
}

// Many removals at the same time may not pass the minimum together, whatever the cloud has confirmed by then.
func TestManagerRemovalsAtTheSameTimeKeepTheMinimum(t *testing.T) {
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 9, fake.InGroup("a", 4, 9)))
	var arrived atomic.Int32
	all := make(chan struct{})
	cloud.Before = func(context.Context, fake.Call) error {
		if arrived.Add(1) == 5 {
			close(all)
		}
		<-all // none is confirmed before all that are admitted have been sent
		return nil
	}
	var refused atomic.Int32
	var wait sync.WaitGroup
	for i := range 9 {
		wait.Go(func() {
			if err := m.Remove(context.Background(), "a", ids("a", i), false); errors.Is(err, nodegroups.ErrBelowMin) {
				refused.Add(1)
			} else {
				assert.NoError(t, err)
			}
		})
	}
	wait.Wait()
	assert.EqualValues(t, 4, refused.Load())
	assert.Equal(t, 4, m.Snapshot().Group("a").Target)
}

// A removal that failed must not count as under way for ever.
func TestManagerRemoveThatFailedCanBeTriedAgain(t *testing.T) {
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 2, fake.InGroup("a", 1, 9)))
	cloud.Fail("Remove", "", errCloud)
	assert.ErrorIs(t, m.Remove(context.Background(), "a", ids("a", 0), false), errCloud)
	cloud.Fail("Remove", "", nil)
	assert.NoError(t, m.Remove(context.Background(), "a", ids("a", 1), false))
}

func TestManagerRemoveOfPlaceholdersWithdrawsTheOrder(t *testing.T) {
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 2))
	require.NoError(t, m.Grow(context.Background(), "a", 2))
	placeholder := nodegroups.PlaceholderID(fake.UUID("a"), 0)
	require.NoError(t, m.Remove(context.Background(), "a", append(ids("a", 1), placeholder), false))
	assert.Equal(t, []string{"Grow a 2", "Remove a 1", "Shrink a 1"}, orders(cloud))
	assert.Equal(t, 2, m.Snapshot().Group("a").Target)

	cloud.FailPlaceholders("a", nodegroups.Failure{Class: nodegroups.OutOfResources, Code: nodegroups.CodeNoValidHost, Message: "none"})
	require.NoError(t, m.Refresh(context.Background()))
	require.Equal(t, 1, m.Snapshot().Group("a").Count(nodegroups.Failed))
	cloud.Fail("Shrink", "a", errCloud)
	assert.ErrorIs(t, m.Remove(context.Background(), "a", []string{placeholder}, false), errCloud)
	cloud.Fail("Shrink", "a", nil)
	require.NoError(t, m.Remove(context.Background(), "a", []string{placeholder}, false))
	assert.Equal(t, 1, m.Snapshot().Group("a").Target)
}

// What Heat lists with an index and without a server can be named, so it is removed by name.
func TestManagerRemoveOfAFailedMemberWithAnIndex(t *testing.T) {
	placeholder := nodegroups.PlaceholderID(fake.UUID("a"), 0)
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 1, func(s *nodegroups.Stack) {
		s.Target++
		s.Members = append(s.Members, nodegroups.Member{StackID: s.ID, Index: "1", State: nodegroups.Failed,
			Failure: &nodegroups.Failure{Class: nodegroups.OtherFailure}, Placeholder: placeholder})
	}))
	require.NoError(t, m.Remove(context.Background(), "a", []string{placeholder}, false))
	assert.Equal(t, []string{"Remove a 1"}, orders(cloud))
	assert.Equal(t, 1, m.Snapshot().Group("a").Target)
}

// cluster-autoscaler may ask for a victim again before the first order has been answered: it goes once and counts once.
func TestManagerRemoveOfAVictimThatIsUnderWay(t *testing.T) {
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 3, fake.InGroup("a", 2, 9)))
	inside, leave := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	cloud.Before = func(context.Context, fake.Call) error {
		if calls.Add(1) == 1 {
			close(inside)
			<-leave
		}
		return nil
	}
	first := make(chan error)
	go func() { first <- m.Remove(context.Background(), "a", ids("a", 0), false) }()
	<-inside
	assert.NoError(t, m.Remove(context.Background(), "a", ids("a", 0), false))
	assert.ErrorIs(t, m.Remove(context.Background(), "a", ids("a", 1), false), nodegroups.ErrBelowMin)
	close(leave)
	assert.NoError(t, <-first)
	assert.Equal(t, 2, m.Snapshot().Group("a").Target)
}

// A placeholder is one order to withdraw, however often it is named while that is under way.
func TestManagerRemoveOfAPlaceholderThatIsUnderWay(t *testing.T) {
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 1))
	require.NoError(t, m.Grow(context.Background(), "a", 3))
	placeholder := nodegroups.PlaceholderID(fake.UUID("a"), 0)
	inside, leave := make(chan struct{}), make(chan struct{})
	cloud.Before = func(_ context.Context, call fake.Call) error {
		if call.Method == "Shrink" && len(orders(cloud)) == 2 {
			close(inside)
			<-leave
		}
		return nil
	}
	first := make(chan error)
	go func() { first <- m.Remove(context.Background(), "a", []string{placeholder}, false) }()
	<-inside
	assert.NoError(t, m.Remove(context.Background(), "a", []string{placeholder}, false))
	close(leave)
	assert.NoError(t, <-first)
	assert.Equal(t, []string{"Grow a 3", "Shrink a 1"}, orders(cloud))
	assert.Equal(t, 3, m.Snapshot().Group("a").Target)
}
