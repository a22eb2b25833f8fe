package nodegroups

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
)

// ManagerOptions are a Manager's settings; the zero value takes the defaults.
type ManagerOptions struct {
	// WriteTimeout bounds one order to the cloud, in addition to the caller's context. Default DefaultWriteTimeout.
	WriteTimeout time.Duration
	// Placement says how a growth is split over the shards of a group.
	Placement PlacementOptions
	// Stopper shuts machines down before Retire removes them; nil for not at all.
	Stopper Stopper
	// Floors says what load wants of the groups; nil for nothing.
	Floors Floors
	// Clock tells the time. Default: the real one.
	Clock clock.PassiveClock
}

const (
	// DefaultWriteTimeout leaves room for what a writer may have to wait for: another update that is being accepted, a
	// read back, and a re-plan if the order was lost. cluster-autoscaler's loop waits for it in a scale-up.
	DefaultWriteTimeout = 3 * time.Minute
	// goneMemory is how long ids of members that have gone are remembered. cluster-autoscaler may ask once more for the
	// removal of a node that it saw in an older list; its own cache of instances lives for 2 minutes.
	goneMemory = 30 * time.Minute
)

// Manager holds the node groups: it keeps the current Snapshot and carries out orders. It is safe for concurrent use and
// holds no lock while the cloud is being asked.
type Manager struct {
	stacks   Stacks
	reporter Reporter
	opts     ManagerOptions

	snapshot atomic.Pointer[Snapshot]
	reading  atomic.Pointer[Reading]

	// rebuilding serializes rebuilds; wanted and built coalesce them, so that a hundred removals that end at once cost
	// two. It guards built and gone.
	rebuilding sync.Mutex
	wanted     atomic.Uint64
	built      uint64
	gone       map[string]departure

	// admitting guards what is under way. It is held for memory work only.
	admitting sync.Mutex
	removing  map[string]map[string]int // group -> member id -> number of removals under way
	growing   map[string]chan struct{}  // group -> holds a token while a growth is under way
}

// departure says from which group a member has gone, and when.
type departure struct {
	group string
	at    time.Time
}

// NewManager returns a Manager with an empty snapshot. A nil reporter drops all reports.
func NewManager(stacks Stacks, reporter Reporter, opts ManagerOptions) *Manager {
	if reporter == nil {
		reporter = ReporterFunc(func(Problem) {})
	}
	if opts.WriteTimeout <= 0 {
		opts.WriteTimeout = DefaultWriteTimeout
	}
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	m := &Manager{
		stacks: stacks, reporter: reporter, opts: opts,
		gone:     map[string]departure{},
		removing: map[string]map[string]int{},
		growing:  map[string]chan struct{}{},
	}
	m.snapshot.Store(NewSnapshot(nil, nil))
	m.reading.Store(&Reading{})
	return m
}

// Snapshot returns the newest snapshot; never nil. It costs one atomic load.
func (m *Manager) Snapshot() *Snapshot { return m.snapshot.Load() }

// Refresh reads what changed in the cloud, builds a new snapshot and reports its problems. On an error the groups stay
// as they were known before. It must not be called twice at the same time.
func (m *Manager) Refresh(ctx context.Context) error {
	err := m.stacks.Refresh(ctx)
	m.rebuild()
	m.noteReading(err)
	if err == nil {
		m.updateFloors(ctx)
	}
	for _, p := range m.Snapshot().Problems() {
		m.reporter.Report(p)
	}
	if err != nil {
		return fmt.Errorf("refreshing node groups: %w", err)
	}
	return nil
}

// rebuild makes a new snapshot that holds at least everything the stacks knew when it was called.
func (m *Manager) rebuild() {
	ticket := m.wanted.Add(1)
	m.rebuilding.Lock()
	defer m.rebuilding.Unlock()
	if m.built >= ticket {
		return // a rebuild that began after this call has done it already
	}
	covered := m.wanted.Load()
	stacks, problems := m.stacks.List()
	before := m.snapshot.Load()
	groups, found := Merge(stacks, before)
	m.built = covered
	if all := uniqueProblems(append(found, problems...)); !slices.Equal(before.groups, groups) || !slices.Equal(before.problems, all) {
		after := NewSnapshot(groups, all).withFloors(before.floors)
		m.noteDepartures(before, after)
		m.snapshot.Store(after)
	}
}

// updateFloors asks what load wants of the groups, and makes it known. No lock is held over the question.
func (m *Manager) updateFloors(ctx context.Context) {
	if m.opts.Floors == nil {
		return
	}
	floors := m.opts.Floors.Update(ctx, m.Snapshot().Groups())
	m.rebuilding.Lock()
	defer m.rebuilding.Unlock()
	if before := m.snapshot.Load(); !maps.Equal(before.floors, floors) {
		m.snapshot.Store(before.withFloors(floors))
	}
}

// noteDepartures remembers the members that are in before and not in after any more.
func (m *Manager) noteDepartures(before, after *Snapshot) {
	now := m.opts.Clock.Now()
	for id, d := range m.gone {
		if now.Sub(d.at) > goneMemory {
			delete(m.gone, id)
		}
	}
	for id, e := range before.byID {
		if e.group == after.byName[e.group.Name] {
			continue // the very same group: nobody has gone
		}
		if _, there := after.byID[id]; !there {
			m.gone[id] = departure{e.group.Name, now}
		}
	}
}

// hasGone says whether the group lately had a member with this id.
func (m *Manager) hasGone(group, id string) bool {
	m.rebuilding.Lock()
	defer m.rebuilding.Unlock()
	d, ok := m.gone[id]
	return ok && d.group == group
}

// writable returns a group of the current snapshot if it may be written to.
func (m *Manager) writable(name string) (*Group, error) {
	g := m.Snapshot().Group(name)
	if g == nil {
		return nil, fmt.Errorf("node group %q: %w", name, ErrUnknownGroup)
	}
	if g.Blocked != nil {
		return nil, *g.Blocked
	}
	return g, nil
}

// writeContext bounds one order.
func (m *Manager) writeContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, m.opts.WriteTimeout)
}
