package ceilometer

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

const (
	// mostPercent is the greatest load in percent that is believed. A hypervisor's own work for a machine and jitter of the polls
	// bring it above 100; more is a wrong polling interval or a counter that was reset.
	mostPercent = 200
	// ahead is how far a point may be in the future, since clocks differ.
	ahead = time.Minute
)

// judge says why a sample is not to be believed now; nil if it is.
func judge(s *Sample, m *Metric, p *Policy, now time.Time) error {
	granularity := cmp.Or(s.Granularity, p.Granularity, unknownGranularity)
	age := now.Sub(s.At)
	most := p.MaxAge
	if most == 0 {
		most = max(leastMaxAge, maxAgePoints*max(granularity, p.PollingInterval))
	}
	switch {
	case s.Err != nil:
		return s.Err
	case math.IsNaN(s.Load) || math.IsInf(s.Load, 0) || s.Load < 0:
		return fmt.Errorf("%w: a load of %v", ErrAbsurd, s.Load)
	case isPercent(m) && s.Load > mostPercent:
		return fmt.Errorf("%w: a load of %.4g %%", ErrAbsurd, s.Load)
	case s.Machines <= 0:
		return fmt.Errorf("%w: a load of %d machines", ErrAbsurd, s.Machines)
	case s.At.IsZero():
		return fmt.Errorf("%w: a load without a time", ErrAbsurd)
	case -age > granularity+ahead:
		return fmt.Errorf("%w: a point that is %s in the future", ErrAbsurd, (-age).Round(time.Second))
	case age > most:
		return fmt.Errorf("%w: the newest point is %s old, more than %s", ErrStale, age.Round(time.Second), most)
	}
	return nil
}
