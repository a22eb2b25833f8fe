package nodegroups_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
		if call.Method == "Remove" || call.Method == "Replace" {
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
