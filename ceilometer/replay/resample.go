package replay

import (
	"fmt"
	"slices"
	"time"
)

// maxDays bounds what one report reads: a mistyped year would make millions of buckets.
const maxDays = 3 * 366

// resample makes buckets, of at least that many minutes, of points, which are in order and differ in time.
func resample(points []point, least int) (t Trace, notes []string, err error) {
	first, last := points[0], points[len(points)-1]
	if days := last.at.Sub(first.at).Hours() / 24; days > maxDays {
		return t, nil, fmt.Errorf("line %d (%s) and line %d (%s) are %.0f days apart, more than %d; correct the timestamps, or split the file",
			first.line, first.at.Format(time.RFC3339), last.line, last.at.Format(time.RFC3339), days, maxDays)
	}
	interval := usualInterval(points)
	t.Bucket = widthFor(interval, least)
	bucket := time.Duration(t.Bucket) * time.Minute
	switch {
	case t.Bucket > least:
		notes = append(notes, fmt.Sprintf("there is a row each %v, so buckets are as wide; what happens within one is not known, and the time above target too good", interval))
	case interval > bucket:
		notes = append(notes, fmt.Sprintf("there is a row each %v, which is no even part of a day or above an hour; its load is held until the next", interval))
	}
	t.Begin = first.at.UTC().Truncate(bucket)
	n := int(last.at.Sub(t.Begin)/bucket) + 1
	t.Loads = make([]float64, n)
	counts := make([]float64, n)
	for _, p := range points {
		i := int(p.at.Sub(t.Begin) / bucket)
		t.Loads[i] += p.load
		counts[i]++
	}
	// hold is for how many buckets a row stands.
	hold := int((max(interval, bucket)*3/2 - 1) / bucket)
	filled, longest, run, longestAt := 0, 0, 0, 0
	for i := range t.Loads {
		if counts[i] > 0 {
			t.Loads[i] /= counts[i]
			run = 0
			continue
		}
		t.Loads[i] = t.Loads[i-1] // the first bucket has the first point
		if run++; run < hold {
			continue
		}
		filled++
		if run > longest {
			longest, longestAt = run, i-run+1
		}
	}
	if filled > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d buckets have no data and are filled with the last load; the longest gap is %v from %s",
			filled, n, time.Duration(longest)*bucket, t.Begin.Add(time.Duration(longestAt)*bucket).Format(time.RFC3339)))
	}
	return t, notes, nil
}

// widthFor is how many minutes wide the buckets are for rows that are so far apart: as far, if forecasts can do with that. Narrower ones
// would have to be made up of rows that come later, and a forecast that knows them looks better than it is.
func widthFor(interval time.Duration, least int) int {
	minutes := int(interval.Round(time.Minute) / time.Minute)
	if minutes > least && minutes <= 60 && 24*60%minutes == 0 {
		return minutes
	}
	return least
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
