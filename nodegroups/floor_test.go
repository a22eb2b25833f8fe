package nodegroups_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// floorsOf answers what the test wants, and notes which groups it was told of.
type floorsOf struct {
	answer map[string]nodegroups.Floor
	told   [][]string
}

func (f *floorsOf) Update(_ context.Context, groups []*nodegroups.Group) map[string]nodegroups.Floor {
	names := []string{}
	for _, g := range groups {
		names = append(names, g.Name)
	}
	f.told = append(f.told, names)
	return f.answer
}

// minSize is the live minimum of a group.
func minSize(m *nodegroups.Manager, group string) int {
	s := m.Snapshot()
	return s.MinSize(s.Group(group))
}

func TestAFloorIsKeptBetweenTheAnnotatedLimits(t *testing.T) {
	for name, test := range map[string]struct{ floor, want int }{
		"below the minimum": {0, 2}, "negative": {-7, 2}, "at the minimum": {2, 2}, "between": {5, 5}, "at the maximum": {9, 9}, "above the maximum": {1000, 9},
	} {
		t.Run(name, func(t *testing.T) {
			floors := &floorsOf{answer: map[string]nodegroups.Floor{"a": {Size: test.floor, Reason: "cpu 85 %"}, "gone": {Size: 3}}}
			m, _, _ := newManager(t, nodegroups.ManagerOptions{Floors: floors}, fake.Stack("a", 3, fake.InGroup("a", 2, 9)), fake.Stack("b", 1, fake.InGroup("b", 1, 9)))
			assert.Equal(t, [][]string{{"a", "b"}}, floors.told, "all groups, once a reading")
			assert.Equal(t, test.want, minSize(m, "a"))
			assert.Equal(t, 1, minSize(m, "b"), "no floor is the annotated minimum")
			floor, ok := m.Snapshot().Floor("a")
			assert.True(t, ok)
			assert.Equal(t, nodegroups.Floor{Size: test.floor, Reason: "cpu 85 %"}, floor, "as it was told, for people")
			_, ok = m.Snapshot().Floor("b")
			assert.False(t, ok)
		})
	}
}

func TestAGroupThatIsAllOrNothingHasAFloorOfAll(t *testing.T) {
	yes := true
	for floor, want := range map[int]int{0: 0, 1: 9, 9: 9} {
		floors := &floorsOf{answer: map[string]nodegroups.Floor{"a": {Size: floor}}}
		m, _, _ := newManager(t, nodegroups.ManagerOptions{Floors: floors}, fake.Stack("a", 0, fake.InGroup("a", 0, 9), func(s *nodegroups.Stack) {
			s.Config.Options.ZeroOrMaxNodeScaling = &yes
		}))
		assert.Equal(t, want, minSize(m, "a"), "floor %d", floor)
	}
}

func TestTheLiveMinimumIsWithinTheLimitsWhateverTheFloor(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		low := rapid.IntRange(0, 20).Draw(rt, "min")
		high := rapid.IntRange(low, 40).Draw(rt, "max")
		floors := &floorsOf{answer: map[string]nodegroups.Floor{"a": {Size: rapid.Int().Draw(rt, "floor")}}}
		m, _, _ := newManager(rt, nodegroups.ManagerOptions{Floors: floors}, fake.Stack("a", 1, fake.InGroup("a", low, high)))
		require.GreaterOrEqual(rt, minSize(m, "a"), low)
		require.LessOrEqual(rt, minSize(m, "a"), high)
	})
}

func TestFloorsFollowEachGoodReadingAndOutliveAFailedOne(t *testing.T) {
	floors := &floorsOf{answer: map[string]nodegroups.Floor{"a": {Size: 5}}}
	m, cloud, _ := newManager(t, nodegroups.ManagerOptions{Floors: floors}, fake.Stack("a", 3))
	require.Equal(t, 5, minSize(m, "a"))

	cloud.Fail("Refresh", "", errCloud)
	floors.answer = nil
	require.ErrorIs(t, m.Refresh(context.Background()), errCloud)
	require.Len(t, floors.told, 1, "nobody is asked what load wants of groups that may be quite different by now")
	require.Equal(t, 5, minSize(m, "a"))

	cloud.Fail("Refresh", "", nil)
	floors.answer = map[string]nodegroups.Floor{"a": {Size: 4}}
	require.NoError(t, m.Refresh(context.Background()))
	require.Equal(t, 4, minSize(m, "a"))
	floors.answer = nil
	require.NoError(t, m.Refresh(context.Background()))
	require.Zero(t, minSize(m, "a"), "no floor any more")
}

func TestAFloorHoldsWhileTheGroupChanges(t *testing.T) {
	floors := &floorsOf{answer: map[string]nodegroups.Floor{"a": {Size: 5}}}
	m, _, _ := newManager(t, nodegroups.ManagerOptions{Floors: floors}, fake.Stack("a", 3))
	before := m.Snapshot()
	require.NoError(t, m.Grow(context.Background(), "a", 2))
	require.NotSame(t, before, m.Snapshot(), "an order makes a new snapshot between two readings")
	require.Equal(t, 5, minSize(m, "a"))
	before = m.Snapshot()
	require.NoError(t, m.Refresh(context.Background()))
	require.Same(t, before, m.Snapshot(), "floors that stay the same make none")
}
