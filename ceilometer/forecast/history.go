package forecast

import "math"

// history is the load of the last buckets. A bucket that was never told is NaN.
type history struct {
	loads []float64
	// now is the number of the newest bucket; numbers grow by one with each bucket of time.
	now int
	// perDay is how many buckets a day has.
	perDay int
}

func newHistory(size, perDay int) *history {
	h := &history{loads: make([]float64, size), perDay: perDay, now: -1}
	for i := range h.loads {
		h.loads[i] = math.NaN()
	}
	return h
}

// add appends a bucket; NaN is one that is missing.
func (h *history) add(load float64) {
	h.now++
	h.loads[h.now%len(h.loads)] = load
}

// at is the load of bucket i, NaN if it is missing, too old, or yet to come.
func (h *history) at(i int) float64 {
	if i < 0 || i > h.now || i <= h.now-len(h.loads) {
		return math.NaN()
	}
	return h.loads[i%len(h.loads)]
}

// smooth is the load around bucket i, 1-2-1; NaN if bucket i is missing.
func (h *history) smooth(i int) float64 {
	sum, weight := 2*h.at(i), 2.
	for _, j := range [2]int{i - 1, i + 1} {
		if x := h.at(j); !math.IsNaN(x) {
			sum += x
			weight++
		}
	}
	return sum / weight
}

// peak is the highest load of the buckets from first to last; NaN if one of them is missing.
func (h *history) peak(first, last int) float64 {
	peak := math.Inf(-1)
	for i := first; i <= last; i++ {
		peak = math.Max(peak, h.at(i)) // NaN if one of them is
	}
	return peak
}

// smoothPeak is the same of the smoothed load.
func (h *history) smoothPeak(first, last int) float64 {
	peak := math.Inf(-1)
	for i := first; i <= last; i++ {
		peak = math.Max(peak, h.smooth(i))
	}
	return peak
}
