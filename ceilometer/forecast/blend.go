package forecast

import "math"

// expert foresees the peak load of the horizon.
type expert interface {
	// observe is called once for each bucket, after it has been added; also for those that are missing.
	observe(h *history)
	// predict returns the peak foreseen from the newest bucket; NaN for no opinion.
	predict(h *history) float64
}

// member is an expert in the blend, with its record.
type member struct {
	expert
	residuals *residuals
	// asked are its predictions of the last buckets, a ring.
	asked []prediction
	// loss is the decayed mean of the pinball losses of its upper bounds, weight what that mean is made of.
	loss, weight float64
}

type prediction struct{ mean, scale, upper float64 }

// blendSharpness is how much less is believed in an expert whose loss is larger than the best one's.
const blendSharpness = 20

// pinball is the loss of an upper bound: missing a load costs q, and keeping too much 1-q, per unit of load.
func pinball(q, actual, upper float64) float64 {
	if actual > upper {
		return q * (actual - upper)
	}
	return (1 - q) * (upper - actual)
}

// settle tells a member what came of what it foresaw at one bucket.
func (m *member) settle(p prediction, actual, q, decay float64) {
	if math.IsNaN(p.mean) {
		return
	}
	m.residuals.add(actual, p.mean, p.scale)
	if !math.IsNaN(p.upper) {
		m.loss = decay*m.loss + pinball(q, actual, p.upper)
		m.weight = decay*m.weight + 1
	}
}

// predict makes the member's prediction and its upper bound.
func (m *member) predict(h *history, q float64) prediction {
	p := prediction{mean: m.expert.predict(h)}
	p.scale = m.residuals.scale(p.mean)
	p.upper = p.mean + p.scale*m.residuals.quantile(q)
	return p
}

// blend is the weighted mean of the upper bounds; NaN if nobody has one and a record.
func blend(members []*member, at int) float64 {
	best := math.Inf(1)
	for _, m := range members {
		if m.weight > 0 {
			best = math.Min(best, m.loss/m.weight)
		}
	}
	var sum, weights float64
	for _, m := range members {
		upper := m.asked[at%len(m.asked)].upper
		if math.IsNaN(upper) || m.weight == 0 {
			continue
		}
		w := 1.
		if best > 0 {
			w = math.Exp(-blendSharpness * (m.loss/m.weight/best - 1))
		} else if m.loss > 0 {
			w = 0
		}
		sum += w * upper
		weights += w
	}
	return sum / weights
}
