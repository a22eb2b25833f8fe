package gnocchi

import (
	"math"
	"slices"
	"time"
)

const (
	// steady is by how much two rates in a row may differ, relative to the larger one, for the growth of the mean between them to
	// tell the number of polls.
	steady = 0.1
	// enough is how many pairs of steady periods, of all machines together, an interval is believed for.
	enough = 3
	// near is how close a measured interval has to be to one that people configure to be taken for it.
	near = 0.06
)

// usual are intervals that people write into polling.yaml, in seconds.
var usual = []float64{1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 40, 45, 60, 90, 120, 150, 180, 240, 300, 360, 450, 600, 900, 1200, 1800, 3600}

// findInterval finds the polling interval from rates and cumulative means, if it was asked for both. Without a machine that is steadily
// busy it stays what it was.
//
// While the load is steady a meter's mean grows from one period to the next by (n+m)/2 x rate:mean, n and m being the
// numbers of polls in the two. So the sum of growth/rate over periods in a row is the number of polls in them. The
// median over machines does without those that miss polls.
func (s *Source) findInterval(r *reading, a *answer) {
	if !r.withMeans {
		return
	}
	pairs := 0
	var found []float64
	for _, one := range a.series {
		created := time.Time{}
		if m := r.machines[one.machine]; m != nil {
			created = m.Created
		}
		if interval, n := one.interval(created, r.Now); n > 0 {
			pairs += n
			found = append(found, interval)
		}
	}
	key := intervalKey{r.meter.name, r.granularity}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.intervals[key]
	switch {
	case pairs >= enough:
		slices.Sort(found)
		r.interval = tidy(found[len(found)/2])
	case old.interval == 0:
		return // the next reading tries again
	default:
		r.interval = old.interval // all are idle now; ask again in an hour
	}
	s.intervals[key] = foundInterval{r.interval, r.Now}
}

// interval is what one meter says of the polling interval, in seconds, and how many pairs of periods say so. The newest period is left
// out, because it may lack polls that are on their way, and the one in which the machine began.
func (one *series) interval(created, now time.Time) (interval float64, pairs int) {
	means := make(map[time.Time]float64, len(one.means))
	for i := range one.means {
		means[one.means[i].at] = one.means[i].value
	}
	elapsed, polls := 0.0, 0.0
	for i := 1; i < len(one.values)-1; i++ {
		last, this := one.values[i-1], one.values[i]
		growth := means[this.at] - means[last.at]
		_, known := means[last.at]
		switch {
		case !known || last.at.Before(created) || this.end().After(now),
			!(last.value > 0 && this.value > 0 && growth > 0),
			math.Abs(this.value-last.value) > steady*max(this.value, last.value):
			continue
		}
		elapsed += this.at.Sub(last.at).Seconds()
		polls += growth / this.value
		pairs++
	}
	if pairs == 0 || polls <= 0 {
		return 0, 0
	}
	return elapsed / polls, pairs
}

// tidy takes a measured interval for the configured one if it is close to a usual one.
func tidy(measured float64) time.Duration {
	for _, one := range usual {
		if math.Abs(measured-one) <= near*one {
			return time.Duration(one * float64(time.Second))
		}
	}
	return time.Duration(measured * float64(time.Second)).Round(time.Millisecond)
}

// known is the polling interval that was given or found for a metric, 0 if neither.
func (s *Source) known(name string, given, granularity time.Duration) time.Duration {
	if given > 0 {
		return given
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.intervals[intervalKey{name, granularity}].interval
}
