package replay

import (
	"math"
	"slices"
)

// Trace is a history of load, one value per bucket.
type Trace struct {
	Name  string
	Loads []float64
}

// FullMachines is how many machines carry, at the target, the 99.9th percentile of a scaled trace.
const FullMachines = 20

// The setup that forecasts are judged in.
const (
	// fullLoad is what the 99.9th percentile of a trace is scaled to, in fully used machines: 20 machines at 60 %.
	fullLoad  = 12
	bucket    = 5
	notJudged = 2 * 24 * 60
)

// DefaultSetup is the setup that forecasts are judged in, without a boot time.
func DefaultSetup() Setup {
	return Setup{Bucket: bucket, Target: .6, Min: 1, Max: math.MaxInt32, Start: FullMachines, Skip: notJudged}
}

// Scale makes a trace of any unit one of fully used machines: its 99.9th percentile becomes full.
func Scale(loads []float64, full float64) []float64 {
	top := percentile(loads, .999)
	scaled := make([]float64, len(loads))
	if top <= 0 {
		return scaled
	}
	for i, x := range loads {
		scaled[i] = x * full / top
	}
	return scaled
}

// percentile is the value that the part q of all is not above.
func percentile(loads []float64, q float64) float64 {
	if len(loads) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(loads))
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
