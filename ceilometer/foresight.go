package ceilometer

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const (
	// seedWindow is how much of the past a forecast learns from: a week and a day.
	seedWindow = 8 * 24 * time.Hour
	// seedTime bounds the reading of it, seedTries the number of tries.
	seedTime  = 2 * time.Minute
	seedTries = 3
)

// foresight is what is remembered for the forecast of one signal.
type foresight struct {
	forecaster Forecaster
	// options are those that it was made with.
	options ForecastOptions
	bucket  bucket
	// made are what it has said lately, the newest last.
	made []foreseen
	// seed is what the past is read into; nil when it has been learnt or can't be.
	seed  *seed
	tries int
}

// foreseen is what a forecaster said.
type foreseen struct {
	// at is when it said it, end the end of the newest bucket that it knew.
	at, end time.Time
	// upper is in fully used machines, target the load of a machine to aim at, as a part of 1.
	upper, target float64
}

// size is how many machines bear the load. They are to be half of the tolerance above the target: a floor at the target itself would
// keep more than is kept without forecasts in all calm times, one at the end of the tolerance leaves nothing for an error.
func (f *foreseen) size(tolerance float64) int { return ceil(f.upper / (f.target * (1 + tolerance/2))) }

// current says whether it still counts. A forecaster knows no clock: it foresees the time after its newest bucket, whenever that was. So what is
// made of points that are too late, or of a past that ended long ago, does not count at all.
func (f *foreseen) current(now time.Time, bucket time.Duration) bool {
	counts := max(forecastWindow, bucket+forecastLate)
	return now.Sub(f.at) <= counts && now.Sub(f.end) <= counts+bucket
}

func (p *Policy) foresees() bool {
	return p.Forecast == nodegroups.ForecastOn || p.Forecast == nodegroups.ForecastShadow
}

// used returns a load of the whole group in fully used machines, and the target in the same unit. What is not in percent counts
// a machine at its target as fully used.
func (s *Signal) used(load float64, machines int) (used, target float64) {
	if isPercent(&s.Metric) && s.Target > 0 {
		return load * float64(machines) / 100, s.Target / 100
	}
	return load * float64(machines) / s.Target, 1
}

// learn tells the forecast of a good sample.
func (m *memory) learn(ctx context.Context, f *Floors, signal int, sample *Sample) {
	p, is := &m.policy, &m.policy.Signals[signal]
	s := m.signals[is.Metric.Name]
	if !p.foresees() || is.Target <= 0 {
		s.foresight = foresight{}
		return
	}
	options := ForecastOptions{Group: m.group.Name, Metric: is.Metric.Name, Bucket: bucketFor(sample.Granularity), BootTime: p.BootTime, Quantile: p.Quantile}
	if s.forecaster == nil || s.options != options {
		forecaster, err := f.opts.NewForecaster(options)
		if err != nil {
			f.opts.Reporter.Report(nodegroups.Problem{
				Reason: nodegroups.ReasonBadLoadPolicy, Severity: nodegroups.Warning, Group: m.group.Name, Key: string(nodegroups.KeyForecast),
				Value: string(p.Forecast), Message: err.Error(), Remedy: "correct the annotation that it names",
			})
			return
		}
		s.foresight = foresight{forecaster: forecaster, options: options, bucket: bucket{width: options.Bucket}}
		s.seed = f.newSeed(ctx, m, signal)
	}
	before := s.bucket.told
	if !s.sow(ctx, f, m, signal) {
		return
	}
	used, target := is.used(sample.Load, sample.Machines)
	s.bucket.add(sample.At, used, s.forecaster.Observe)
	if !s.bucket.told.After(before) {
		return // nothing new since the last one
	}
	if upper, ok := s.forecaster.Upper(); ok {
		s.made = append(s.made, foreseen{m.evaluated, s.bucket.told, upper, target})
	}
}

// foresee makes State.Forecast: the most that forecasts have wanted lately.
func (m *memory) foresee(s *State, now time.Time) {
	if !m.policy.foresees() {
		return
	}
	s.Shadow = m.policy.Forecast == nodegroups.ForecastShadow
	for i := range s.Signals {
		one := m.signals[s.Signals[i].Metric]
		one.made = slices.DeleteFunc(one.made, func(f foreseen) bool { return !f.current(now, one.options.Bucket) })
		for j := range one.made {
			made := &one.made[j]
			wanted := made.size(m.policy.Tolerance)
			s.Forecast = max(s.Forecast, wanted)
			s.Signals[i].Foresees, s.Signals[i].Foreseen, s.Signals[i].ForeseenWanted = true, made.upper, wanted
		}
	}
}

// seed is the past of one signal of one group, being read.
type seed struct {
	mu     sync.Mutex
	done   bool
	points []Point
	err    error
}

// newSeed begins to read the past; nil if the source has none that can be learnt from. The past is told in fully used machines,
// which only metrics in percent have a meaning for.
func (f *Floors) newSeed(ctx context.Context, m *memory, signal int) *seed {
	is := m.policy.Signals[signal]
	source, ok := f.opts.Sources[is.Metric.Source].(HistorySource)
	if !ok || !isPercent(&is.Metric) {
		return nil
	}
	q, s := m.policy.question(signal), &seed{}
	request := q.request(f.opts.Clock.Now(), []Subject{m.subject})
	request.Window = seedWindow
	go s.read(ctx, source, request)
	return s
}

// read goes on when the loop that has started it is over.
func (s *seed) read(ctx context.Context, source HistorySource, request Request) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), seedTime)
	defer cancel()
	points, err := historySafely(ctx, source, request)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done, s.points, s.err = true, points, err
}

// historySafely makes an error of a panic, as readSafely does.
func historySafely(ctx context.Context, source HistorySource, request Request) (points []Point, err error) {
	defer func() {
		if r := recover(); r != nil {
			points, err = nil, fmt.Errorf("the source has panicked: %v", r)
		}
	}()
	all, err := source.History(ctx, request)
	if err != nil {
		return nil, err
	}
	return all[request.Groups[0].Group], nil
}

// sow tells the forecast of the past once it is read; false while it is being read. A past that can't be read is tried again a few
// times and then done without.
func (s *signalMemory) sow(ctx context.Context, f *Floors, m *memory, signal int) bool {
	if s.seed == nil {
		return true
	}
	s.seed.mu.Lock()
	defer s.seed.mu.Unlock()
	if !s.seed.done {
		return false
	}
	if s.seed.err != nil && s.tries+1 < seedTries {
		s.tries++
		s.seed = f.newSeed(ctx, m, signal)
		return false
	}
	for _, p := range s.seed.points {
		s.bucket.add(p.At, p.Value, s.forecaster.Observe)
	}
	s.seed = nil
	return true
}
