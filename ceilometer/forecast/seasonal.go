package forecast

import "math"

// seasonal foresees that the load of other days at the same time comes back, in proportion to what today is like by now.
type seasonal struct{ first, last int }

// seasonDays are the days back that are looked at.
var seasonDays = [...]int{1, 2, 3, 7}

// likeness is how many of the newest buckets tell what today is like.
const likeness = 4

func (s *seasonal) observe(*history) {}

func (s *seasonal) predict(h *history) float64 {
	peak := math.NaN()
	for i := s.first; i <= s.last; i++ {
		if p := profile(h, h.now+i); !(p <= peak) {
			peak = p
		}
	}
	var today, usual float64
	for i := range likeness {
		x, p := h.at(h.now-i), profile(h, h.now-i)
		if math.IsNaN(x) || math.IsNaN(p) {
			continue
		}
		today += x
		usual += p
	}
	if usual <= 0 {
		return peak
	}
	return peak * min(max(today/usual, 1./3), 3)
}

// profile is what the load usually is at the time of day of bucket i.
func profile(h *history, i int) float64 {
	var sum, days float64
	for _, d := range seasonDays {
		if x := h.smooth(i - d*h.perDay); !math.IsNaN(x) {
			sum += x
			days++
		}
	}
	return sum / days // NaN without any
}
