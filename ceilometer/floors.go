package ceilometer

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Floors turns load into floors of node groups. It implements nodegroups.Floors and is safe for concurrent use.
type Floors struct {
	opts Options

	// updating serializes Update. It guards groups.
	updating sync.Mutex
	groups   map[string]*memory

	readings readings

	// states are what State answers, never changed after they are stored.
	states atomic.Pointer[map[string]State]
}

var _ nodegroups.Floors = (*Floors)(nil)

// NewFloors returns Floors that know nothing yet.
func NewFloors(opts Options) *Floors {
	if opts.Observer == nil {
		opts.Observer = nobody{}
	}
	if opts.Reporter == nil {
		opts.Reporter = nodegroups.ReporterFunc(func(nodegroups.Problem) {})
	}
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Timeout <= 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.Wait == 0 {
		opts.Wait = DefaultWait
	}
	if opts.Hold <= 0 {
		opts.Hold = DefaultHold
	}
	if opts.Defaults.Load.Hold == nil {
		opts.Defaults.Load.Hold = &opts.Hold
	}
	f := &Floors{opts: opts, groups: map[string]*memory{}}
	f.states.Store(&map[string]State{})
	return f
}

// State explains the present floor of a node group; false if no annotation gives it one. It is memory only.
func (f *Floors) State(group string) (State, bool) {
	s, ok := (*f.states.Load())[group]
	return s, ok
}

// States explains the present floors of all node groups that have one, sorted by the groups' names. It is memory only.
func (f *Floors) States() []State {
	states := *f.states.Load()
	out := make([]State, 0, len(states))
	for _, name := range slices.Sorted(maps.Keys(states)) {
		out = append(out, states[name])
	}
	return out
}

// Update implements nodegroups.Floors. It starts a reading of every metric that groups ask for, one call per metric for all
// groups with the same window and granularity, waits for the answers for at most Options.Wait (not for those that took longer last
// time), and returns the floors. A reading that takes longer goes on, its answer counts in a later Update, and the metric is not read a
// second time meanwhile.
func (f *Floors) Update(ctx context.Context, groups []*nodegroups.Group) map[string]nodegroups.Floor {
	f.updating.Lock()
	defer f.updating.Unlock()
	return f.update(ctx, groups)
}
