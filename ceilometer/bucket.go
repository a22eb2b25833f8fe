package ceilometer

import "time"

// bucket gathers the mean of a period of time.
type bucket struct {
	width time.Duration
	end   time.Time
	sum   float64
	n     int
	// at is the end of the newest point, told that of the newest bucket that was told.
	at, told time.Time
}

// add adds a point that ends at at, and tells the mean of the bucket that is over with it, if one is.
func (b *bucket) add(at time.Time, load float64, tell func(end time.Time, mean float64)) {
	if !at.After(b.at) {
		return // the same point again
	}
	b.at = at
	// A point that ends with a bucket belongs to it.
	if is := at.Add(b.width - 1).Truncate(b.width); is.After(b.end) {
		b.close(tell)
		b.end = is
	}
	b.sum += load
	b.n++
	if at.Equal(b.end) {
		b.close(tell) // nothing more can come: the next point would be minutes of foresight lost
	}
}

func (b *bucket) close(tell func(end time.Time, mean float64)) {
	if b.n > 0 {
		b.told = b.end
		tell(b.end, b.sum/float64(b.n))
	}
	b.sum, b.n = 0, 0
}

// bucketFor is the width of buckets for points of that width: ForecastBucket, or theirs if they are wider. Else most buckets would
// have no point.
func bucketFor(granularity time.Duration) time.Duration { return max(ForecastBucket, granularity) }
