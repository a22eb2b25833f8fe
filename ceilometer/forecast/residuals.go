package forecast

import (
	"math"
	"slices"
)

// residuals are the newest errors of an expert, each in proportion to how large errors were to be expected.
type residuals struct {
	ring   []float64
	next   int
	sorted []float64
	// short and long are means of the errors' sizes: how restless the last hour and the last days have been.
	short, long, shortWeight, longWeight float64
}

// minResiduals is how many errors have to be known before they make an interval.
const minResiduals = 24

const (
	// shortAlpha and longAlpha are the weights of the newest error in the means.
	shortAlpha = .05
	longAlpha  = .002
	// maxRestless bounds what a sudden change does to the interval: it is one event, not hours of unrest.
	maxRestless = 2
)

func newResiduals(size int) *residuals {
	return &residuals{ring: make([]float64, 0, size), sorted: make([]float64, 0, size)}
}

// scale is how large errors are to be expected of a prediction: larger loads have larger errors, and so have restless times.
func (r *residuals) scale(prediction float64) float64 {
	restless := 1.
	if r.long > 0 {
		restless = min(.5+.5*(r.short/r.shortWeight)/(r.long/r.longWeight), maxRestless)
	}
	return math.Sqrt(math.Max(prediction, 0)+.3) * restless
}

// add tells what came of a prediction that was made with that scale.
func (r *residuals) add(actual, prediction, scale float64) {
	e := (actual - prediction) / scale
	size := math.Abs(actual-prediction) / math.Sqrt(math.Max(prediction, 0)+.3)
	r.short += shortAlpha * (size - r.short)
	r.shortWeight += shortAlpha * (1 - r.shortWeight)
	r.long += longAlpha * (size - r.long)
	r.longWeight += longAlpha * (1 - r.longWeight)
	if len(r.ring) < cap(r.ring) {
		r.ring = append(r.ring, e)
	} else {
		i, _ := slices.BinarySearch(r.sorted, r.ring[r.next])
		r.sorted = slices.Delete(r.sorted, i, i+1)
		r.ring[r.next] = e
		r.next = (r.next + 1) % len(r.ring)
	}
	i, _ := slices.BinarySearch(r.sorted, e)
	r.sorted = slices.Insert(r.sorted, i, e)
}

// quantile is the residual that the part q of all stays below; NaN while there are too few.
func (r *residuals) quantile(q float64) float64 {
	n := len(r.sorted)
	if n < minResiduals {
		return math.NaN()
	}
	at := q * float64(n-1)
	i := int(at)
	if i+1 >= n {
		return r.sorted[n-1]
	}
	return r.sorted[i] + (at-float64(i))*(r.sorted[i+1]-r.sorted[i])
}
