package forecast

import "math"

// persistence foresees that the load stays as it is: the mean of the last loads, the newest with the weight alpha.
type persistence struct {
	alpha, level float64
	known        bool
}

func (p *persistence) observe(h *history) {
	x := h.at(h.now)
	if math.IsNaN(x) {
		return
	}
	if !p.known || math.IsNaN(h.at(h.now-1)) {
		p.level, p.known = x, true // after a gap the old level says nothing
		return
	}
	p.level += p.alpha * (x - p.level)
}

func (p *persistence) predict(*history) float64 {
	if !p.known {
		return math.NaN()
	}
	return p.level
}
