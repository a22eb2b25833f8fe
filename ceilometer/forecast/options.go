package forecast

import (
	"fmt"
	"math"
	"time"
)

// Defaults of Options.
const (
	DefaultBucket   = 5 * time.Minute
	DefaultQuantile = .85
	// DefaultDelay is how long after its end a bucket is usually known: telemetry is polled and written late.
	DefaultDelay = time.Minute
)

const day = 24 * time.Hour

// Options say what is foreseen. The zero value of each field stands for its default.
type Options struct {
	// Bucket is the width of the buckets of time, DefaultBucket by default; at most an hour, and an even part of a day.
	Bucket time.Duration
	// BootTime is how long a machine takes from being ordered to working, 0 by default; at most 6 hours.
	BootTime time.Duration
	// Quantile is the part of all times in which the load is to be within the upper bound, DefaultQuantile by default; from .5 to .99.
	Quantile float64
}

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	o = o.withDefaults()
	switch {
	case o.Bucket < time.Minute || o.Bucket > time.Hour || day%o.Bucket != 0:
		return fmt.Errorf("forecast: the bucket %v is not between 1m and 1h or does not divide a day; use 5m", o.Bucket)
	case o.BootTime < 0 || o.BootTime > 6*time.Hour:
		return fmt.Errorf("forecast: the boot time %v is not between 0 and 6h", o.BootTime)
	case math.IsNaN(o.Quantile) || o.Quantile < .5 || o.Quantile > .99:
		return fmt.Errorf("forecast: the quantile %v is not between 0.5 and 0.99; use 0.85", o.Quantile)
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Bucket == 0 {
		o.Bucket = DefaultBucket
	}
	if o.Quantile == 0 {
		o.Quantile = DefaultQuantile
	}
	return o
}

// horizon is the first and the last bucket, counted from the newest one that is known, in which a machine that is ordered before the
// next bucket is known begins to work. It is counted from the middle of buckets, since their means stand for their middles.
func (o Options) horizon() (first, last int) {
	bucket := float64(o.Bucket)
	known := bucket/2 + float64(DefaultDelay+o.BootTime)
	return max(1, int(math.Floor(known/bucket))), int(math.Ceil((known + bucket) / bucket))
}

// buckets is how many buckets d takes, at least one.
func (o Options) buckets(d time.Duration) int { return max(1, int(d/o.Bucket)) }
