package gnocchi

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"
)

const (
	// steady is by how much two rates in a row may differ, relative to the larger one, for the growth of the mean between them to
	// tell the number of polls.
	steady = 0.1
	// enough is how many pairs of steady periods, of all machines together, an interval is used for; plenty how many of one machine it
	// is trusted for: a few periods end between polls, and where one is no multiple of the other that counts.
	enough, plenty = 3, 8
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
	pairs, longest := 0, 0
	var found []estimate
	for _, one := range a.series {
		created := time.Time{}
		if m := r.machines[one.machine]; m != nil {
			created = m.Created
		}
		if interval, n := one.interval(created, r.Now); n > 0 {
			pairs, longest = pairs+n, max(longest, n)
			found = append(found, estimate{interval, n})
		}
	}
	key := intervalKey{r.meter.name, r.granularity}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.intervals[key]
	switch {
	case pairs >= enough:
		r.interval = tidy(weighted(found))
	case old.interval == 0:
		return // the next reading tries again
	default:
		r.interval = old.interval // nothing is steady now
	}
	s.intervals[key] = foundInterval{interval: r.interval, at: r.Now, sure: longest >= plenty || old.sure}
}

// gaps says after which points something is missing. Polls that are rarer than periods leave some empty, which is none: it
// happens again and again.
func (one *series) gaps() map[int]bool {
	least := time.Duration(math.MaxInt64)
	for i := 1; i < len(one.values); i++ {
		least = min(least, one.values[i].at.Sub(one.values[i-1].at))
	}
	gaps := map[int]bool{}
	longer := 0
	for i := 1; i < len(one.values); i++ {
		step := one.values[i].at.Sub(one.values[i-1].at)
		if step > least {
			longer++
			gaps[i-1] = true
		}
	}
	if longer > 1 {
		for i := range gaps {
			if one.values[i+1].at.Sub(one.values[i].at)-least <= least {
				delete(gaps, i)
			}
		}
	}
	return gaps
}

// weighted is the median of intervals, each as often as there are pairs that say so.
func weighted(found []estimate) float64 {
	slices.SortFunc(found, func(a, b estimate) int { return cmp.Compare(a.interval, b.interval) })
	all := 0
	for _, one := range found {
		all += one.pairs
	}
	seen := 0
	for _, one := range found {
		if seen += one.pairs; 2*seen >= all {
			return one.interval
		}
	}
	return 0
}

// estimate is what one meter says of the polling interval, in seconds, and how many pairs of periods say so.
type estimate struct {
	interval float64
	pairs    int
}

// sampleInterval finds the interval from some of the machines, by one more call. If they don't tell, all are asked for their means.
func (s *Source) sampleInterval(ctx context.Context, r *reading) error {
	some := *r
	some.ids = nil
	for i := 0; i < len(r.ids); i += len(r.ids) / sampled {
		some.ids = append(some.ids, r.ids[i])
	}
	answer, err := s.ask(ctx, &some)
	if err != nil {
		return err
	}
	s.findInterval(&some, answer)
	r.granularity, r.interval = some.granularity, some.interval
	r.withMeans = r.interval == 0
	return nil
}

// interval is what one meter says of the polling interval, in seconds, and how many pairs of periods say so. The newest period is left
// out, because it may lack polls that are on their way, and the oldest one, in which the machine may have begun.
func (one *series) interval(created, now time.Time) (interval float64, pairs int) {
	means := make(map[time.Time]float64, len(one.means))
	for i := range one.means {
		means[one.means[i].at] = one.means[i].value
	}
	elapsed, polls := 0.0, 0.0
	gaps := one.gaps()
	for i := 2; i < len(one.values)-1; i++ {
		last, this := one.values[i-1], one.values[i]
		growth := means[this.at] - means[last.at]
		_, known := means[last.at]
		switch {
		case !known || last.at.Before(created) || this.end().After(now),
			gaps[i-2], gaps[i-1], gaps[i], // polls are missing on both sides of a gap
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
