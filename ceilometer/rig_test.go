package ceilometer_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	testclock "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

var midnight = time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)

// telemetry is a source whose answers the test sets.
type telemetry struct {
	mu       sync.Mutex
	samples  map[string]ceilometer.Sample // by metric/group, else by group
	err      error
	block    chan struct{}
	requests []ceilometer.Request
	past     []ceilometer.Point
	pastErr  error
}

func (s *telemetry) Read(ctx context.Context, r ceilometer.Request) (map[string]ceilometer.Sample, error) {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	block := s.block
	s.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(s.err, errPanic) {
		panic("a mistake in a source")
	}
	out := map[string]ceilometer.Sample{}
	for _, g := range r.Groups {
		for _, key := range []string{r.Metric.Name + "/" + g.Group, g.Group} {
			if sample, ok := s.samples[key]; ok {
				out[g.Group] = sample
				break
			}
		}
	}
	return out, s.err
}

func (s *telemetry) History(context.Context, ceilometer.Request) (map[string][]ceilometer.Point, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(s.pastErr, errPanic) {
		panic("a mistake in a source")
	}
	return map[string][]ceilometer.Point{"workers": s.past}, s.pastErr
}

func (s *telemetry) set(change func(*telemetry)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// watcher is an Observer that remembers.
type watcher struct {
	mu       sync.Mutex
	changes  []ceilometer.Change
	readings []ceilometer.Reading
}

func (w *watcher) FloorChanged(_ context.Context, c ceilometer.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes = append(w.changes, c)
}

func (w *watcher) ReadingDone(_ context.Context, r ceilometer.Reading) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.readings = append(w.readings, r)
}

// rig is one node group, "workers", with its telemetry.
type rig struct {
	t       testing.TB
	clock   *testclock.FakeClock
	source  *telemetry
	watcher *watcher
	reports *fake.Reports
	options ceilometer.Options
	floors  *ceilometer.Floors
	group   *nodegroups.Group
}

func newRig(t testing.TB, size, minSize, maxSize int, tags ...string) *rig {
	r := &rig{
		t: t, clock: testclock.NewFakeClock(midnight), source: &telemetry{samples: map[string]ceilometer.Sample{}},
		watcher: &watcher{}, reports: &fake.Reports{},
	}
	r.options = ceilometer.Options{
		Sources: map[string]ceilometer.Source{ceilometer.SourceGnocchi: r.source}, Observer: r.watcher, Reporter: r.reports, Clock: r.clock,
	}
	r.group = groupOf(t, "workers", size, minSize, maxSize, tags...)
	r.restart()
	return r
}

func (r *rig) restart() { r.floors = ceilometer.NewFloors(r.options) }

func groupOf(t testing.TB, name string, size, minSize, maxSize int, tags ...string) *nodegroups.Group {
	config, problems := nodegroups.ParseConfig(name, tags, "")
	require.Empty(t, problems)
	config.SetLimits(minSize, maxSize)
	groups, problems := nodegroups.Merge([]*nodegroups.Stack{fake.Stack(name, size, func(s *nodegroups.Stack) { s.Config = config })}, nil)
	require.Empty(t, problems)
	return groups[0]
}

// load makes the telemetry's newest point one of now.
func (r *rig) load(load float64, machines int) {
	r.sample(ceilometer.Sample{Load: load, Machines: machines, At: r.clock.Now(), Granularity: time.Minute})
}

func (r *rig) sample(s ceilometer.Sample) {
	r.source.set(func(source *telemetry) { source.err, source.samples["workers"] = nil, s })
}

// update lets a loop of the autoscaler pass, and returns the floor; -1 if there is none.
func (r *rig) update() int {
	floor, ok := r.floors.Update(context.Background(), []*nodegroups.Group{r.group})["workers"]
	if !ok {
		return -1
	}
	return floor.Size
}

// after lets time pass in loops of 30 s with fresh points of that load, and returns the last floor.
func (r *rig) after(d time.Duration, load float64, machines int) int {
	floor := -1
	for end := r.clock.Now().Add(d); r.clock.Now().Before(end); {
		r.clock.Step(30 * time.Second)
		r.load(load, machines)
		floor = r.update()
	}
	return floor
}

func (r *rig) state() ceilometer.State {
	s, ok := r.floors.State("workers")
	require.True(r.t, ok)
	return s
}
