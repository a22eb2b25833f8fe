package check

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// checkTelemetry reads and judges load once, as the autoscaler does in every loop.
func checkTelemetry(ctx context.Context, w *World, f *findings) {
	var groups []*nodegroups.Group
	for _, g := range w.Snapshot.Groups() {
		if g.Config.Load.Given() {
			groups = append(groups, g)
		}
	}
	if len(groups) == 0 {
		f.skip("load", "", "no node group has annotations about load")
		return
	}
	if w.sourceErr != nil {
		f.skip("Prometheus", "", "%v", w.sourceErr)
	}
	noted := newNotes()
	sources := map[string]ceilometer.Source{}
	for kind, source := range w.Setup.Sources {
		sources[kind] = noted.of(source)
	}
	var problems []nodegroups.Problem
	floors := ceilometer.NewFloors(ceilometer.Options{
		Sources: sources, Defaults: w.Setup.Defaults, Clock: w.Clock, Timeout: w.Timeout, Wait: w.Timeout * 9 / 10,
		// One process, one reading: what it says of forecasts, which need a history, does not count.
		Reporter: nodegroups.ReporterFunc(func(p nodegroups.Problem) {
			if p.Reason == nodegroups.ReasonBadLoadPolicy && p.Key != string(nodegroups.KeyForecast) {
				problems = append(problems, p)
			}
		}),
	})
	floors.Update(ctx, groups)
	for _, p := range problems {
		f.fail(thingOf(p)+", "+p.Key, p.Remedy, "%s", p.Message)
	}
	for _, state := range floors.States() {
		for i := range state.Signals {
			w.checkSignal(state.Group, &state.Signals[i], noted, f)
		}
		if len(state.Signals) == 0 {
			f.ok("node group "+state.Group, "no metric; schedule or headroom want %d now", state.Floor)
		}
	}
}

func (w *World) checkSignal(group string, s *ceilometer.SignalState, noted *notes, f *findings) {
	thing := fmt.Sprintf("node group %s, %s from %s", group, s.Metric, s.Source)
	detail := noted.detail(w, group, s)
	switch {
	case s.Opinion && s.At.IsZero():
		f.ok(thing, "the node group is empty; its load is known to be nothing")
	case s.Opinion:
		f.ok(thing, "%.4g per machine over %d machines, newest point %s old%s", s.Value, s.Machines, s.Age.Round(time.Second), detail)
	case errors.Is(s.Err, ceilometer.ErrNoData) && s.Machines == 0:
		f.warn(thing, "wait for two polls after the first machine has come; else see docs/how-to/set-up-telemetry.md", "%v", s.Err)
	case errors.Is(s.Err, ceilometer.ErrStale):
		f.fail(thing, "see whether Ceilometer's agents and Gnocchi's metricd run; compare load-max-age with the polling interval", "%v%s", s.Err, detail)
	default:
		f.fail(thing, "see docs/how-to/set-up-telemetry.md; until then the size is held, and then everything is as without load", "%v%s", s.Err, detail)
	}
}

// notes keep what the sources answered, for what floors don't tell.
type notes struct {
	mu      sync.Mutex
	samples map[[2]string]ceilometer.Sample // by group and metric
	sources []ceilometer.Source
}

func newNotes() *notes { return &notes{samples: map[[2]string]ceilometer.Sample{}} }

func (n *notes) of(source ceilometer.Source) ceilometer.Source {
	n.sources = append(n.sources, source)
	return noting{source, n}
}

type noting struct {
	ceilometer.Source
	notes *notes
}

// Read implements ceilometer.Source.
func (n noting) Read(ctx context.Context, request ceilometer.Request) (map[string]ceilometer.Sample, error) {
	samples, err := n.Source.Read(ctx, request)
	n.notes.mu.Lock()
	defer n.notes.mu.Unlock()
	for group, s := range samples {
		n.notes.samples[[2]string{group, request.Metric.Name}] = s
	}
	return samples, err
}

// intervals is a source that finds polling intervals. gnocchi.Source is one.
type intervals interface {
	PollingInterval(metric string, granularity time.Duration) (time.Duration, bool)
}

// detail says how wide the points are and how often they come.
func (n *notes) detail(_ *World, group string, s *ceilometer.SignalState) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	sample, ok := n.samples[[2]string{group, s.Metric}]
	if !ok || sample.Granularity <= 0 {
		return ""
	}
	text := ", points of " + sample.Granularity.String()
	for _, source := range n.sources {
		if finder, ok := source.(intervals); ok {
			if interval, found := finder.PollingInterval(s.Metric, sample.Granularity); found {
				text += ", polled every " + interval.String()
			}
		}
	}
	return text
}
