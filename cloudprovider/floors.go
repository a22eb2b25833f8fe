package cloudprovider

import (
	"context"
	"runtime/debug"
	"time"

	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// guardedFloors is Floors whose panics end nothing.
type guardedFloors struct {
	floors   nodegroups.Floors
	observer Observer
	hold     time.Duration
	clock    clock.PassiveClock

	last map[string]nodegroups.Floor
	good time.Time // when last was told
}

// GuardFloors returns floors that can't do harm by a bug: a panic of theirs is logged with its stack and counted, the floors
// that were told last hold for the time of hold, and after that there are none. Core's loop goes on as without load signals.
// A nil clock is the real one.
func GuardFloors(floors nodegroups.Floors, observer Observer, hold time.Duration, c clock.PassiveClock) nodegroups.Floors {
	if c == nil {
		c = clock.RealClock{}
	}
	return &guardedFloors{floors: floors, observer: observer, hold: hold, clock: c}
}

// Update implements nodegroups.Floors.
func (g *guardedFloors) Update(ctx context.Context, groups []*nodegroups.Group) (floors map[string]nodegroups.Floor) {
	const entry = "Floors.Update"
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		floors = nil
		if g.clock.Since(g.good) <= g.hold {
			floors = g.last
		}
		err := &PanicError{Entry: entry, Value: v}
		klog.FromContext(ctx).Error(err, "Recovered from a panic", "entry", entry, "floorsKept", len(floors), "stack", string(debug.Stack()))
		g.observer.Panicked(entry)
	}()
	floors = g.floors.Update(ctx, groups)
	g.last, g.good = floors, g.clock.Now()
	return floors
}
