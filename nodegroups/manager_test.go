package nodegroups_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testingclock "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

var errCloud = errors.New("the cloud says no")

// newManager returns a refreshed Manager over a fake cloud.
func newManager(t require.TestingT, opts nodegroups.ManagerOptions, stacks ...*nodegroups.Stack) (*nodegroups.Manager, *fake.Stacks, *fake.Reports) {
	cloud, reports := fake.NewStacks(stacks...), &fake.Reports{}
	m := nodegroups.NewManager(cloud, reports, opts)
	require.NoError(t, m.Refresh(context.Background()))
	return m, cloud, reports
}

// orders returns what the cloud was asked to write, sorted.
func orders(cloud *fake.Stacks) []string {
	out := []string{}
	for _, call := range cloud.Calls() {
		if call.Method == "Refresh" {
			continue
		}
		name := call.StackID
		for _, n := range []string{"a", "b", "c"} {
			if fake.UUID(n) == call.StackID {
				name = n
			}
		}
		if call.Method == "Remove" {
			slices.Sort(call.IDs)
			out = append(out, fmt.Sprint(call.Method, " ", name, " ", len(call.IDs)))
		} else {
			out = append(out, fmt.Sprint(call.Method, " ", name, " ", call.By))
		}
	}
	slices.Sort(out)
	return out
}

func TestManagerBeginsEmpty(t *testing.T) {
	m := nodegroups.NewManager(fake.NewStacks(fake.Stack("a", 1)), nil, nodegroups.ManagerOptions{})
	assert.Empty(t, m.Snapshot().Groups())
	assert.ErrorIs(t, m.Grow(context.Background(), "b", 1), nodegroups.ErrUnknownGroup)
	require.NoError(t, m.Refresh(context.Background()))
	assert.Len(t, m.Snapshot().Groups(), 1)
}

func TestManagerRefreshReportsEveryProblemEachTime(t *testing.T) {
	m, cloud, reports := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 1, fake.BlockedBy(nodegroups.ReasonUnsafeTemplate)))
	cloud.SetProblems(nodegroups.Problem{Reason: nodegroups.ReasonStackNotFound, Message: "x"})
	require.NoError(t, m.Refresh(context.Background()))
	assert.Equal(t, []string{nodegroups.ReasonUnsafeTemplate, nodegroups.ReasonStackNotFound, nodegroups.ReasonUnsafeTemplate}, reports.Reasons())
	assert.Len(t, m.Snapshot().Problems(), 2)
}

func TestManagerRefreshKeepsWhatIsKnownWhenTheCloudIsDown(t *testing.T) {
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 3))
	cloud.Fail("Refresh", "", errCloud)
	assert.ErrorIs(t, m.Refresh(context.Background()), errCloud)
	assert.Equal(t, 3, m.Snapshot().Group("a").Target)
}

func TestManagerRefreshKeepsTheSnapshotIfNothingChanged(t *testing.T) {
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 3))
	before := m.Snapshot()
	require.NoError(t, m.Refresh(context.Background()))
	assert.Same(t, before, m.Snapshot())
	cloud.Delete("a")
	require.NoError(t, m.Refresh(context.Background()))
	assert.Nil(t, m.Snapshot().Group("a"))
}

func TestManagerGrow(t *testing.T) {
	in := fake.InGroup("workers", 0, 40)
	full := nodegroups.ManagerOptions{Placement: nodegroups.PlacementOptions{MaxMembersPerStack: 8}}
	blocked := fake.BlockedBy(nodegroups.ReasonStackState)
	tests := map[string]struct {
		opts     nodegroups.ManagerOptions
		stacks   []*nodegroups.Stack
		prepare  func(*fake.Stacks)
		by       int
		want     error
		orders   []string
		target   int
		reported []string
	}{
		"one stack":       {stacks: []*nodegroups.Stack{fake.Stack("a", 2, in)}, by: 3, orders: []string{"Grow a 3"}, target: 5},
		"the smaller one": {stacks: []*nodegroups.Stack{fake.Stack("a", 9, in), fake.Stack("b", 2, in)}, by: 1, orders: []string{"Grow b 1"}, target: 12},
		"several": {
			stacks: []*nodegroups.Stack{fake.Stack("a", 2, in), fake.Stack("b", 2, in)}, by: 30,
			orders: []string{"Grow a 15", "Grow b 15"}, target: 34,
		},
		"up to the maximum": {stacks: []*nodegroups.Stack{fake.Stack("a", 2, in)}, by: 38, orders: []string{"Grow a 38"}, target: 40},
		"above the maximum": {stacks: []*nodegroups.Stack{fake.Stack("a", 2, in)}, by: 39, want: nodegroups.ErrAboveMax, target: 2},
		"nothing":           {stacks: []*nodegroups.Stack{fake.Stack("a", 2, in)}, by: 0, want: nodegroups.ErrInvalidDelta, target: 2},
		"less":              {stacks: []*nodegroups.Stack{fake.Stack("a", 2, in)}, by: -1, want: nodegroups.ErrInvalidDelta, target: 2},
		"blocked": {
			stacks: []*nodegroups.Stack{fake.Stack("a", 2, in, blocked)}, by: 1,
			want: *fake.Stack("a", 2, in, blocked).Blocked, target: 2,
		},
		"a blocked shard is passed over": {
			stacks: []*nodegroups.Stack{fake.Stack("a", 2, in, blocked), fake.Stack("b", 9, in)}, by: 1, orders: []string{"Grow b 1"}, target: 12,
		},
		"refused": {
			stacks:  []*nodegroups.Stack{fake.Stack("a", 2, in)},
			prepare: func(c *fake.Stacks) { c.Fail("Grow", "", errCloud) }, by: 1, want: errCloud, orders: []string{"Grow a 1"}, target: 2,
		},
		"refused by one shard: the other takes it": {
			stacks:  []*nodegroups.Stack{fake.Stack("a", 2, in), fake.Stack("b", 9, in)},
			prepare: func(c *fake.Stacks) { c.Fail("Grow", "a", errCloud) }, by: 1, orders: []string{"Grow a 1", "Grow b 1"}, target: 12,
		},
		"nobody knows whether it was taken: never order it again": {
			stacks: []*nodegroups.Stack{fake.Stack("a", 2, in), fake.Stack("b", 9, in)},
			prepare: func(c *fake.Stacks) {
				c.Fail("Grow", "a", fmt.Errorf("no answer: %w", nodegroups.ErrOutcomeUnknown))
			},
			by: 1, want: nodegroups.ErrOutcomeUnknown, orders: []string{"Grow a 1"}, target: 11,
		},
		"refused by all shards": {
			stacks:  []*nodegroups.Stack{fake.Stack("a", 2, in), fake.Stack("b", 9, in)},
			prepare: func(c *fake.Stacks) { c.Fail("Grow", "", errCloud) }, by: 1, want: errCloud,
			orders: []string{"Grow a 1", "Grow b 1"}, target: 11,
		},
		"only a part has room": {
			opts: full, stacks: []*nodegroups.Stack{fake.Stack("a", 6, in), fake.Stack("b", 7, in)}, by: 5,
			orders: []string{"Grow a 2", "Grow b 1"}, target: 16, reported: []string{nodegroups.ReasonTooManyResources},
		},
		"no room": {
			opts: full, stacks: []*nodegroups.Stack{fake.Stack("a", 8, in)}, by: 5,
			want: nodegroups.Problem{Reason: nodegroups.ReasonTooManyResources}, target: 8,
		},
		"a part is refused and has no room elsewhere": {
			opts: full, stacks: []*nodegroups.Stack{fake.Stack("a", 6, in), fake.Stack("b", 6, in)},
			prepare: func(c *fake.Stacks) { c.Fail("Grow", "b", errCloud) }, by: 4,
			orders: []string{"Grow a 2", "Grow b 2"}, target: 14, reported: []string{nodegroups.ReasonPartialGrowth},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m, cloud, reports := newManager(t, test.opts, test.stacks...)
			if test.prepare != nil {
				test.prepare(cloud)
			}
			before := len(reports.All())
			err := m.Grow(context.Background(), "workers", test.by)
			var wanted, got nodegroups.Problem
			switch {
			case test.want == nil:
				assert.NoError(t, err)
			case errors.As(test.want, &wanted):
				require.ErrorAs(t, err, &got)
				assert.Equal(t, wanted.Reason, got.Reason)
			default:
				assert.ErrorIs(t, err, test.want)
			}
			assert.Equal(t, append([]string{}, test.orders...), orders(cloud))
			assert.Equal(t, test.target, m.Snapshot().Group("workers").Target, "visible at once")
			assert.Equal(t, append([]string{}, test.reported...), reasons(reports.All()[before:]))
		})
	}
}

// The second of two growths at the same time must see the first: together they may not pass the maximum.
func TestManagerGrowthsOfOneGroupAreCheckedAgainstTheLiveTarget(t *testing.T) {
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 2, fake.InGroup("a", 0, 10)))
	var refused atomic.Int32
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if errors.Is(m.Grow(context.Background(), "a", 3), nodegroups.ErrAboveMax) {
				refused.Add(1)
			}
		})
	}
	wait.Wait()
	assert.EqualValues(t, 6, refused.Load())
	assert.Equal(t, []string{"Grow a 3", "Grow a 3"}, orders(cloud))
	assert.Equal(t, 8, m.Snapshot().Group("a").Target)
}

func TestManagerGrowWaitsForItsTurnNoLongerThanItsContext(t *testing.T) {
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 2), fake.Stack("b", 2))
	inside, leave := make(chan struct{}), make(chan struct{})
	cloud.Before = func(_ context.Context, call fake.Call) error {
		if call.StackID == fake.UUID("a") {
			close(inside)
			<-leave
		}
		return nil
	}
	first := make(chan error)
	go func() { first <- m.Grow(context.Background(), "a", 1) }()
	<-inside
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, m.Grow(ctx, "a", 1), context.Canceled)
	assert.NoError(t, m.Grow(context.Background(), "b", 1), "other groups don't wait")
	assert.Equal(t, 2, m.Snapshot().Group("a").Target, "and snapshots are there meanwhile")
	close(leave)
	assert.NoError(t, <-first)
}

func TestManagerOrdersHaveADeadline(t *testing.T) {
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{WriteTimeout: time.Nanosecond}, fake.Stack("a", 2, func(s *nodegroups.Stack) {
		s.Target++
		s.Members = append(s.Members, nodegroups.Member{StackID: s.ID, State: nodegroups.Creating, Placeholder: "placeholder-x-0"})
	}))
	cloud.Before = func(ctx context.Context, _ fake.Call) error {
		<-ctx.Done()
		return ctx.Err()
	}
	assert.ErrorIs(t, m.Grow(context.Background(), "a", 1), context.DeadlineExceeded)
	assert.ErrorIs(t, m.Remove(context.Background(), "a", []string{fake.ServerID("a", 0)}, false), context.DeadlineExceeded)
	assert.ErrorIs(t, m.Shrink(context.Background(), "a", 1), context.DeadlineExceeded)
}

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
		"of another group":      {stacks: append(two, fake.Stack("c", 1)), ids: ids("c", 0), want: nodegroups.ErrUnknownMember, target: 6},
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

func TestManagerShrink(t *testing.T) {
	in := fake.InGroup("workers", 3, 20)
	missing := func(n int) func(*nodegroups.Stack) {
		return func(s *nodegroups.Stack) {
			s.Target += n
			for k := range n {
				s.Members = append(s.Members, nodegroups.Member{
					StackID: s.ID, State: nodegroups.Creating, Placeholder: nodegroups.PlaceholderID(s.ID, k),
				})
			}
		}
	}
	stacks := []*nodegroups.Stack{
		fake.Stack("a", 1, in, missing(1)), fake.Stack("b", 1, in, missing(3)),
		fake.Stack("c", 1, in, missing(4), fake.BlockedBy(nodegroups.ReasonStackState)),
	}
	tests := map[string]struct {
		group  string
		by     int
		want   error
		orders []string
		target int
	}{
		"from one stack":   {"workers", 3, nil, []string{"Shrink b 3"}, 8},
		"from both":        {"workers", 4, nil, []string{"Shrink a 1", "Shrink b 3"}, 7},
		"more than there":  {"workers", 5, nodegroups.ErrNotMissing, nil, 11},
		"nothing":          {"workers", 0, nodegroups.ErrInvalidDelta, nil, 11},
		"unknown":          {"x", 1, nodegroups.ErrUnknownGroup, nil, 11},
		"refused by cloud": {"workers", 3, errCloud, []string{"Shrink b 3"}, 11},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, stacks...)
			if errors.Is(test.want, errCloud) {
				cloud.Fail("Shrink", "b", errCloud)
			}
			err := m.Shrink(context.Background(), test.group, test.by)
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

// Any sequence of orders leaves the group within its limits, and the target is what the members say.
func TestManagerStaysWithinLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := fake.InGroup("workers", 2, 12)
		m, cloud, _ := newManager(t, nodegroups.ManagerOptions{}, fake.Stack("a", 2, in), fake.Stack("b", 2, in))
		ctx := context.Background()
		t.Repeat(map[string]func(*rapid.T){
			"grow": func(t *rapid.T) { _ = m.Grow(ctx, "workers", rapid.IntRange(1, 5).Draw(t, "by")) },
			"remove": func(t *rapid.T) {
				var victims []string
				for _, member := range m.Snapshot().Group("workers").Members {
					if rapid.Bool().Draw(t, "victim") {
						victims = append(victims, member.ID())
					}
				}
				before := m.Snapshot().Group("workers").Target
				if err := m.Remove(ctx, "workers", victims, false); err != nil {
					require.ErrorIs(t, err, nodegroups.ErrBelowMin)
					require.Equal(t, before, m.Snapshot().Group("workers").Target)
				}
			},
			"deliver": func(*rapid.T) { cloud.Deliver("a"); cloud.Settle("b") },
			"fail": func(t *rapid.T) {
				err := rapid.SampledFrom([]error{nil, errCloud}).Draw(t, "error")
				cloud.Fail("Grow", rapid.SampledFrom([]string{"a", "b"}).Draw(t, "stack"), err)
			},
			"": func(t *rapid.T) {
				require.NoError(t, m.Refresh(ctx))
				g := m.Snapshot().Group("workers")
				require.Equal(t, g.Target, len(g.Members)-g.Count(nodegroups.Deleting))
				require.GreaterOrEqual(t, g.Target, 2)
				require.LessOrEqual(t, g.Target, 12)
			},
		})
	})
}
