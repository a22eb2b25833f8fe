package ceilometer

import (
	"fmt"
	"strings"
)

// explain says in one line what the floor is made of.
func (s *State) explain() string {
	var parts []string
	for i := range s.Signals {
		parts = append(parts, s.Signals[i].explain())
	}
	if s.Held {
		parts = append(parts, fmt.Sprintf("not below %d until %s at most", s.Reactive, s.HeldUntil.UTC().Format("15:04:05Z")))
	}
	if s.Start > 0 {
		parts = append(parts, fmt.Sprintf("size %d of the start is kept", s.Start))
	}
	if s.Schedule > 0 {
		parts = append(parts, fmt.Sprintf("schedule %q wants %d", s.ScheduleText, s.Schedule))
	}
	if s.Forecast > 0 {
		word := "forecast"
		if s.Shadow {
			word = "forecast (not applied)"
		}
		parts = append(parts, fmt.Sprintf("%s wants %d", word, s.Forecast))
	}
	if s.Headroom > 0 {
		parts = append(parts, fmt.Sprintf("headroom %d", s.Headroom))
	}
	limit := ""
	switch {
	case s.Min == s.Max:
		limit = ", the only size"
	case s.Floor == s.Max:
		limit = ", the maximum"
	case s.Floor == s.Min:
		limit = ", the minimum"
	}
	text := fmt.Sprintf("floor %d%s", s.Floor, limit)
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, "; ")
	}
	return text
}

func (s *SignalState) explain() string {
	switch {
	case s.Err != nil && s.Wanted > 0:
		return fmt.Sprintf("%s has no opinion (%v), last wanted %d", s.Metric, s.Err, s.Wanted)
	case s.Err != nil:
		return fmt.Sprintf("%s has no opinion (%v)", s.Metric, s.Err)
	case s.Machines == 0:
		return s.Metric + " has no machines to measure"
	case s.Target > 0:
		return fmt.Sprintf("%s %.4g on %d machines, target %.4g, wants %d", s.Metric, s.Value, s.Machines, s.Target, s.Wanted)
	}
	return fmt.Sprintf("%s %.4g on %d machines wants %d", s.Metric, s.Value, s.Machines, s.Wanted)
}
