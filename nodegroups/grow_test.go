package nodegroups_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

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
		"a shard ran out of time: it may have taken it": {
			stacks:  []*nodegroups.Stack{fake.Stack("a", 2, in), fake.Stack("b", 9, in)},
			prepare: func(c *fake.Stacks) { c.Fail("Grow", "a", context.DeadlineExceeded) },
			by:      1, want: context.DeadlineExceeded, orders: []string{"Grow a 1"}, target: 11,
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
