package events

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

// Reasons of notices about floors.
const (
	ReasonFloorRaised  = "FloorRaised"  // a node group gets a floor above its minimum, or a higher one
	ReasonFloorLowered = "FloorLowered" // its floor falls
	ReasonFloorGone    = "FloorGone"    // no annotation about load is left: the minimum size is all that holds
)

// FloorChanged explains a change of a floor as a log line and an Event; it belongs to ceilometer.Observer.
func (r *Reporter) FloorChanged(_ context.Context, change ceilometer.Change) {
	s := &change.State
	n := Notice{Group: s.Group}
	before := change.From
	if !change.Had {
		before = s.Min
	}
	switch {
	case !change.Has:
		n.Reason = ReasonFloorGone
	case change.To > before:
		n.Reason = ReasonFloorRaised
	case change.To < before:
		n.Reason = ReasonFloorLowered
	default:
		// Load begins to have a say and wants no more than the minimum: nothing that anybody would see.
		r.logger.V(2).Info("The node group has a floor now", "nodeGroup", s.Group, "floor", change.To, "why", s.Reason)
		return
	}
	n.Message = fmt.Sprintf("%s (the floor was %d%s)", s.Reason, before, ages(s))
	signals := make([]string, 0, len(s.Signals))
	for i := range s.Signals {
		signals = append(signals, signalText(&s.Signals[i]))
	}
	values := []any{"floor", change.To, "before", before, "min", s.Min, "max", s.Max, "targetSize", s.Target}
	for _, part := range []struct {
		name  string
		value any
		told  bool
	}{
		{"signals", strings.Join(signals, "; "), len(signals) > 0},
		{"reactive", s.Reactive, s.Reactive > 0},
		{"schedule", s.ScheduleText, s.ScheduleText != ""},
		{"forecast", s.Forecast, s.Forecast > 0},
		{"headroom", s.Headroom, s.Headroom > 0},
		{"heldUntil", s.HeldUntil, s.Held},
	} {
		if part.told {
			values = append(values, part.name, part.value)
		}
	}
	r.Notify(n, values...)
}

// ages is how old what is known of the signals is.
func ages(s *ceilometer.State) string {
	var text string
	for i := range s.Signals {
		if one := &s.Signals[i]; !one.At.IsZero() {
			text += fmt.Sprintf("; %s is of %s ago", one.Metric, max(one.Age, 0).Round(time.Second))
		}
	}
	return text
}

// ReadingDone notes in the log that a reading failed; what follows from it is a problem of the node groups. It belongs to
// ceilometer.Observer.
func (r *Reporter) ReadingDone(_ context.Context, reading ceilometer.Reading) {
	if reading.Err != nil {
		r.logger.V(2).Info("Load could not be read", "source", reading.Source, "metric", reading.Metric, "nodeGroups", reading.Groups,
			"took", reading.Duration, "err", reading.Err)
		return
	}
	r.logger.V(4).Info("Load was read", "source", reading.Source, "metric", reading.Metric, "nodeGroups", reading.Groups, "took", reading.Duration)
}

// signalText is what is known of a signal, and what it wants.
func signalText(s *ceilometer.SignalState) string {
	text := s.Metric
	if !s.At.IsZero() {
		text += fmt.Sprintf(" %.4g over %d members, %s old", s.Value, s.Machines, s.Age.Round(time.Second))
	}
	if s.Target > 0 {
		text += fmt.Sprintf(", target %.4g", s.Target)
	}
	if s.Opinion {
		return text + fmt.Sprintf(", wants %d", s.Wanted)
	}
	return text + fmt.Sprintf(", no opinion (%v), last wanted %d", s.Err, s.Wanted)
}

// Floors is a ceilometer.Observer that tells several.
func Floors(observers ...ceilometer.Observer) ceilometer.Observer { return floorTee(observers) }

type floorTee []ceilometer.Observer

// FloorChanged implements ceilometer.Observer.
func (t floorTee) FloorChanged(ctx context.Context, change ceilometer.Change) {
	for _, o := range t {
		o.FloorChanged(ctx, change)
	}
}

// ReadingDone implements ceilometer.Observer.
func (t floorTee) ReadingDone(ctx context.Context, reading ceilometer.Reading) {
	for _, o := range t {
		o.ReadingDone(ctx, reading)
	}
}
