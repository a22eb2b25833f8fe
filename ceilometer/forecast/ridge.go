package forecast

import "math"

// ridge foresees by a linear regression, learnt while it runs, from how the load has just moved to how far the peak ahead is
// above the present level. It forgets slowly.
type ridge struct {
	first, last int
	seasonal    bool
	// levels are means of the load, from a quick one to a slow one.
	levels [3]float64
	known  bool
	// moments are the sums of products of features, targets those of features and what came.
	moments []float64
	targets []float64
	n       float64
	weights []float64
	// asked are the features of the last buckets, a ring, with the level from which the peak was foreseen behind them. The peak comes
	// later.
	asked   [][]float64
	scratch []float64
	solved  int
}

const (
	ridgeFeatures       = 5
	ridgeSeasonFeatures = 5
	// ridgeForget is what is left of the weight of a bucket after the next one.
	ridgeForget = .9995
	// ridgeEvery is how many buckets the weights are used before they are made anew.
	ridgeEvery = 3
)

// ridgeLevels are the weights of the newest load in the levels.
var ridgeLevels = [...]float64{.5, .15, .02}

func newRidge(first, last int, seasonal bool) *ridge {
	n := ridgeFeatures
	if seasonal {
		n += ridgeSeasonFeatures
	}
	r := &ridge{
		first: first, last: last, seasonal: seasonal,
		moments: make([]float64, n*n), targets: make([]float64, n), scratch: make([]float64, n*n+n), asked: make([][]float64, last+1),
	}
	for i := range r.asked {
		r.asked[i] = make([]float64, n+1)
		r.asked[i][0] = math.NaN()
	}
	return r
}

func (r *ridge) observe(h *history) {
	asked := r.asked[h.now%len(r.asked)]
	x := h.at(h.now)
	if math.IsNaN(x) {
		asked[0] = math.NaN()
		return
	}
	// After a gap the old levels say nothing.
	fresh := !r.known || math.IsNaN(h.at(h.now-1))
	for i, alpha := range ridgeLevels {
		if fresh {
			r.levels[i] = x
		} else {
			r.levels[i] += alpha * (x - r.levels[i])
		}
	}
	r.known = true
	r.features(h, x, asked)
	r.learn(h)
}

// features writes what is known of the newest bucket to f, and behind it the level.
func (r *ridge) features(h *history, x float64, f []float64) {
	e := r.levels
	f[0], f[1], f[2], f[3], f[4] = 1, x-e[0], e[0]-e[1], e[1]-e[2], e[0]
	if r.seasonal {
		week := 7 * h.perDay
		hour := max(1, h.perDay/24)
		f[5] = known(r.increase(h, h.perDay))
		f[6] = known(r.increase(h, week))
		f[7] = known(r.increase(h, hour))
		f[8] = known(e[0] - h.smooth(h.now-h.perDay))
		f[9] = known(e[0] - h.smooth(h.now-week))
	}
	f[len(f)-1] = e[0]
}

// increase is how far the load rose, lag buckets ago, from the bucket that corresponds to now to the peak of those ahead.
func (r *ridge) increase(h *history, lag int) float64 {
	return h.smoothPeak(h.now-lag+r.first, h.now-lag+r.last) - h.smooth(h.now-lag)
}

// known is x, or no increase and no difference where there is no history.
func known(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return x
}

// learn adds what came of the buckets whose whole horizon has passed.
func (r *ridge) learn(h *history) {
	peak := h.peak(h.now-r.last+r.first, h.now)
	then := r.asked[(h.now+1)%len(r.asked)] // that of now - last
	n := len(r.targets)
	if h.now < r.last || math.IsNaN(peak) || math.IsNaN(then[0]) {
		return
	}
	rise := peak - then[n]
	for i := range n {
		for j := 0; j <= i; j++ {
			r.moments[i*n+j] = ridgeForget*r.moments[i*n+j] + then[i]*then[j]
		}
		r.targets[i] = ridgeForget*r.targets[i] + then[i]*rise
	}
	r.n = ridgeForget*r.n + 1
	if r.weights == nil || h.now-r.solved >= ridgeEvery {
		r.solve()
		r.solved = h.now
	}
}

// solve makes the weights. Each moment is made a bit larger, so that features that say the same, or nothing yet, keep small weights.
func (r *ridge) solve() {
	n := len(r.targets)
	a, b := r.scratch[:n*n], r.scratch[n*n:]
	copy(a, r.moments)
	copy(b, r.targets)
	for i := range n {
		a[i*n+i] += 1e-3*a[i*n+i] + 1e-3*r.n + 1
	}
	if !cholesky(a, b) {
		return
	}
	if r.weights == nil {
		r.weights = make([]float64, n)
	}
	copy(r.weights, b)
}

func (r *ridge) predict(h *history) float64 {
	if r.weights == nil {
		return math.NaN()
	}
	f := r.asked[h.now%len(r.asked)]
	level := r.levels[0]
	sum := level
	for i, w := range r.weights {
		sum += w * f[i]
	}
	return min(max(sum, .5*level), 2.5*level+1)
}

// cholesky solves a x = b for a positive definite a, of which the lower half is read, and leaves x in b. It returns false if a is not
// positive definite.
func cholesky(a, b []float64) bool {
	n := len(b)
	for i := range n {
		for j := 0; j <= i; j++ {
			sum := a[i*n+j]
			for k := range j {
				sum -= a[i*n+k] * a[j*n+k]
			}
			if i != j {
				a[i*n+j] = sum / a[j*n+j]
				continue
			}
			if !(sum > 0) {
				return false
			}
			a[i*n+i] = math.Sqrt(sum)
		}
	}
	for i := range n {
		for k := range i {
			b[i] -= a[i*n+k] * b[k] //nolint:gosec // G602: k is below i, and i below n
		}
		b[i] /= a[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			b[i] -= a[k*n+i] * b[k]
		}
		b[i] /= a[i*n+i]
	}
	return true
}
