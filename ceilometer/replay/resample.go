package replay

import (
	"fmt"
	"slices"
	"time"
)

// maxDays bounds what one report reads: a mistyped year would make millions of buckets.
const maxDays = 3 * 366

// resample makes buckets of points, which are in order and differ in time.
func resample(points []point, bucket time.Duration) (loads []float64, notes []string, err error) {
	first, last := points[0], points[len(points)-1]
	if days := last.at.Sub(first.at).Hours() / 24; days > maxDays {
		return nil, nil, fmt.Errorf("line %d (%s) and line %d (%s) are %.0f days apart, more than %d; correct the timestamps, or split the file",
			first.line, first.at.Format(time.RFC3339), last.line, last.at.Format(time.RFC3339), days, maxDays)
	}
	interval := usualInterval(points)
	begin := first.at.Truncate(bucket)
	n := int(last.at.Sub(begin)/bucket) + 1
	sums, counts := make([]float64, n), make([]float64, n)
	add := func(at time.Time, load float64) {
		i := int(at.Sub(begin) / bucket)
		sums[i] += load
		counts[i]++
	}
	if interval > bucket {
		notes = append(notes, fmt.Sprintf("there is a row each %v; straight lines between them make buckets of %v", interval, bucket))
	}
	for i, p := range points {
		add(p.at, p.load)
		if interval <= bucket || i+1 == len(points) {
			continue
		}
		next := points[i+1]
		if apart := next.at.Sub(p.at); apart <= interval*3/2 {
			for at := p.at.Add(bucket); at.Before(next.at.Truncate(bucket)); at = at.Add(bucket) {
				add(at, p.load+(next.load-p.load)*float64(at.Sub(p.at))/float64(apart))
			}
		}
	}
	loads = make([]float64, n)
	filled, longest, run := 0, 0, 0
	var longestAt time.Time
	for i := range loads {
		if counts[i] > 0 {
			loads[i], run = sums[i]/counts[i], 0
			continue
		}
		loads[i] = loads[i-1] // the first bucket has the first point
		filled++
		run++
		if run > longest {
			longest, longestAt = run, begin.Add(time.Duration(i-run+1)*bucket)
		}
	}
	if filled > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d buckets have no data and are filled with the last load; the longest gap is %v from %s",
			filled, n, time.Duration(longest)*bucket, longestAt.Format(time.RFC3339)))
	}
	return loads, notes, nil
}

// usualInterval is the median time between two rows.
func usualInterval(points []point) time.Duration {
	apart := make([]time.Duration, 0, len(points)-1)
	for i := range points[1:] {
		apart = append(apart, points[i+1].at.Sub(points[i].at))
	}
	slices.Sort(apart)
	return apart[len(apart)/2]
}
