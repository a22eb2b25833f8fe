package cloudprovider

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	testclock "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// floorsFunc is a function as nodegroups.Floors.
type floorsFunc func() map[string]nodegroups.Floor

func (f floorsFunc) Update(context.Context, []*nodegroups.Group) map[string]nodegroups.Floor {
	return f()
}

// newFloorRig is newRig with floors.
func newFloorRig(t *testing.T, floors nodegroups.Floors, stacks ...*nodegroups.Stack) *rig {
	t.Helper()
	r := newRig(t, nil, stacks...)
	r.groups = nodegroups.NewManager(r.cloud, r.reports, nodegroups.ManagerOptions{Floors: floors})
	require.NoError(t, r.Refresh())
	return r
}

func TestMinSizeIsTheFloor(t *testing.T) {
	floor := func(size int) floorsFunc {
		return func() map[string]nodegroups.Floor {
			return map[string]nodegroups.Floor{"a": {Size: size, Reason: "load"}}
		}
	}
	growthBlocked := func(s *nodegroups.Stack) {
		s.GrowthBlocked = &nodegroups.Problem{Reason: nodegroups.ReasonUnsafeBootstrap, Severity: nodegroups.Blocking, Group: "a", Message: "unsafe"}
	}
	for name, test := range map[string]struct {
		floor, want int
		change      func(*nodegroups.Stack)
	}{
		"between the limits":                   {5, 5, nil},
		"below the minimum":                    {0, 1, nil},
		"above the maximum":                    {50, 9, nil},
		"blocked: frozen at its size":          {5, 3, fake.BlockedBy(nodegroups.ReasonStackFailed)},
		"blocked, floor below its size":        {2, 3, fake.BlockedBy(nodegroups.ReasonStackFailed)},
		"growth blocked: nothing to grow to":   {5, 3, growthBlocked},
		"growth blocked, floor below its size": {2, 2, growthBlocked},
	} {
		t.Run(name, func(t *testing.T) {
			changes := []func(*nodegroups.Stack){fake.InGroup("a", 1, 9)}
			if test.change != nil {
				changes = append(changes, test.change)
			}
			r := newFloorRig(t, floor(test.floor), fake.Stack("a", 3, changes...))
			require.Equal(t, test.want, r.nodeGroup(t, "a").MinSize())
			require.Equal(t, 3, r.size(t, "a"), "a floor is no size")
			require.Contains(t, r.nodeGroup(t, "a").Debug(), ": load")
		})
	}
}

func TestAPanicInFloorsEndsNothing(t *testing.T) {
	clock, observer := testclock.NewFakePassiveClock(time.Now()), &observed{}
	broken := false
	floors := GuardFloors(floorsFunc(func() map[string]nodegroups.Floor {
		if broken {
			panic("a bug")
		}
		return map[string]nodegroups.Floor{"a": {Size: 5}}
	}), observer, 20*time.Minute, clock)
	r := newFloorRig(t, floors, fake.Stack("a", 3, fake.InGroup("a", 1, 9)))
	g := r.nodeGroup(t, "a")
	require.Equal(t, 5, g.MinSize())

	broken = true
	require.NoError(t, r.Refresh(), "an error would abort the loop for pods that pend")
	require.Equal(t, []string{"Floors.Update"}, observer.panics)
	require.Equal(t, 5, g.MinSize(), "the last floors hold")
	clock.SetTime(clock.Now().Add(20*time.Minute + time.Second))
	require.NoError(t, r.Refresh())
	require.Equal(t, 1, g.MinSize(), "not for ever")

	broken = false
	require.NoError(t, r.Refresh())
	require.Equal(t, 5, g.MinSize())
	require.Empty(t, r.observed.panics, "nothing reached the provider's own guard")
}
