package ceilometer

import (
	"context"
	"errors"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// evaluate makes the floor of one group out of what is known now, and tells of it.
func (f *Floors) evaluate(ctx context.Context, m *memory, now time.Time) {
	m.wake(now)
	g, p := m.group, &m.policy
	s := State{Group: g.Name, At: now, Applied: true, Min: g.MinSize, Max: g.MaxSize, Target: g.Target}
	m.react(ctx, f, &s, now)
	s.Schedule, s.ScheduleText = p.scheduled(now)
	m.foresee(&s, now)

	wanted := max(s.Min, s.Reactive, s.Schedule)
	if !s.Shadow {
		wanted = max(wanted, s.Forecast)
	}
	s.Headroom = p.spare(wanted)
	s.Start = m.start
	s.Floor = max(s.Min, min(max(wanted+s.Headroom, s.Start), s.Max))
	s.Reason = s.explain()

	before := m.state
	m.state = s
	if before.Floor != s.Floor || !before.Applied {
		f.opts.Observer.FloorChanged(ctx, Change{State: s, From: before.Floor, Had: before.Applied, To: s.Floor, Has: true})
	}
}

// react makes State.Reactive out of the signals.
//
// Those that have an opinion may raise the size. It falls only if none is waited for: a signal without an opinion is waited for
// until the policy's Hold after its last one; from then on it wants nothing.
func (m *memory) react(ctx context.Context, f *Floors, s *State, now time.Time) {
	p := &m.policy
	known, some := 0, false
	for i := range p.Signals {
		one := m.judge(ctx, f, i, now)
		s.Signals = append(s.Signals, one)
		switch {
		case one.Opinion:
			known, some = max(known, one.Wanted), true
		case now.Before(one.HeldUntil):
			s.Held = true
			if s.HeldUntil.Before(one.HeldUntil) {
				s.HeldUntil = one.HeldUntil
			}
		}
	}
	switch {
	case s.Held:
		m.known = time.Time{}
		m.want(now, max(known, m.reactive))
	case some:
		if m.known.IsZero() {
			m.known = now
		}
		m.want(now, known)
		if m.start > 0 && now.Sub(m.known) >= p.ScaleDownWindow {
			m.start = 0
		}
	default: // nothing is known, and nothing is waited for
		m.reactive, m.wants, m.start = 0, nil, 0
	}
	s.Reactive = m.reactive
}

func (m *memory) want(now time.Time, size int) {
	p := &m.policy
	if len(m.wants) == 0 {
		m.wants = wants{{now, m.reactive}} // a rise has to be wanted all through its window from the start
		if p.ScaleUpWindow == 0 {
			m.wants = nil
		}
	}
	m.wants = m.wants.add(now, size, max(p.ScaleUpWindow, p.ScaleDownWindow))
	m.reactive = m.wants.stabilize(now, m.reactive, p.ScaleUpWindow, p.ScaleDownWindow)
}

// judge returns what one signal says now.
func (m *memory) judge(ctx context.Context, f *Floors, signal int, now time.Time) SignalState {
	p, is := &m.policy, m.policy.Signals[signal]
	memory := m.signals[is.Metric.Name]
	s := SignalState{Metric: is.Metric.Name, Source: is.Metric.Source, Target: is.Target, Wanted: memory.wanted}
	if m.group.Target == 0 && len(m.subject.Machines) == 0 {
		// An empty group has no load. That is known, not missing.
		s.Opinion, s.Wanted = true, 0
		memory.wanted, memory.good = 0, now
		return s
	}
	sample, err := f.readings.sample(p.question(signal), m.group.Name)
	if len(m.subject.Machines) == 0 {
		err = ErrNoData // none of the members runs
	}
	if err == nil {
		s.Value, s.Machines, s.At, s.Age = sample.Load, sample.Machines, sample.At, now.Sub(sample.At)
		err = judge(&sample, &is.Metric, p, now)
	}
	if err != nil {
		last := memory.good
		if last.IsZero() {
			last = m.since
		}
		s.Err, s.HeldUntil = err, last.Add(p.Hold)
		m.complain(f, &s, now.Sub(last))
		return s
	}
	s.Opinion = true
	// Those that run and are too young to be measured bear a part of the load all the same.
	young := max(0, len(m.subject.Machines)-sample.Machines)
	if len(is.Steps) > 0 {
		s.Wanted = stepWith(sample.Load, is.Steps, sample.Machines, young)
	} else {
		s.Wanted = trackWith(sample.Load, is.Target, sample.Machines, young, memory.wanted, p.Tolerance)
	}
	memory.wanted, memory.good = s.Wanted, now
	m.learn(ctx, f, signal, &sample)
	return s
}

// complain reports a signal that has had no opinion for a while; a single point that is late is usual.
func (m *memory) complain(f *Floors, s *SignalState, silent time.Duration) {
	if silent < leastMaxAge {
		return
	}
	// The text is without times and values, so that the same trouble is the same problem; the State has them.
	message := "its load is not known"
	for _, kind := range []error{ErrNoData, ErrPartial, ErrAbsurd, ErrStale, ErrSource, ErrPending} {
		if errors.Is(s.Err, kind) {
			message += ": " + kind.Error()
			break
		}
	}
	f.opts.Reporter.Report(nodegroups.Problem{
		Reason: nodegroups.ReasonNoLoadSignal, Severity: nodegroups.Warning, Group: m.group.Name,
		Key: string(nodegroups.KeyLoadMetric), Value: s.Metric, Message: message,
		Remedy: "see the log for what telemetry answers, and that the servers carry metering.server_group; until then the floor is held and then the minimum size",
	})
}
