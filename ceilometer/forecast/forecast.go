package forecast

import (
	"math"
	"time"
)

// Forecaster foresees the load of one node group. It is not safe for concurrent use.
type Forecaster struct {
	options     Options
	first, last int
	end         time.Time
	history     *history
	members     []*member
	// uppers are the blended upper bounds of the last buckets, a ring.
	uppers []float64
	upper  float64
	trust  *trust
	decay  float64
}

// New makes a Forecaster that knows nothing yet. Options that are out of range are an error.
func New(options Options) (*Forecaster, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	f := &Forecaster{options: options.withDefaults()}
	f.reset()
	return f, nil
}

func (f *Forecaster) reset() {
	o := f.options
	f.first, f.last = o.horizon()
	perDay := o.buckets(day)
	f.history = newHistory(7*perDay+max(f.last, likeness)+2, perDay)
	f.uppers = make([]float64, f.last+1)
	for i := range f.uppers {
		f.uppers[i] = math.NaN()
	}
	f.upper = math.NaN()
	f.trust = newTrust(o.buckets(trustFor))
	f.decay = math.Pow(.5, 1/float64(o.buckets(lossHalfLife)))
	f.members = nil
	for _, e := range []expert{
		&persistence{alpha: .4},
		&seasonal{f.first, f.last},
		newRidge(f.first, f.last, false),
		newRidge(f.first, f.last, true),
	} {
		m := &member{expert: e, residuals: newResiduals(max(2*minResiduals, o.buckets(residualsFor))), asked: make([]prediction, f.last+1)}
		f.members = append(f.members, m)
	}
}

const (
	// residualsFor is how long errors are remembered.
	residualsFor = 2 * day
	// lossHalfLife is how fast the record of an expert fades.
	lossHalfLife = 6 * time.Hour
	// trustFor is how long the blend's own record is judged.
	trustFor = 6 * time.Hour
)

// Observe tells the load of the bucket that ends at end, in machines that are fully used; buckets come in the order of time. A
// bucket that was told before, and a load that is negative or not a number, is ignored; one that is left out is missing.
func (f *Forecaster) Observe(end time.Time, load float64) {
	if math.IsNaN(load) || math.IsInf(load, 0) || load < 0 {
		return
	}
	if !f.end.IsZero() {
		passed := int(math.Round(float64(end.Sub(f.end)) / float64(f.options.Bucket)))
		if passed < 1 {
			return
		}
		if passed > len(f.history.loads) {
			f.reset()
			passed = 1
		}
		for range passed - 1 {
			f.step(math.NaN())
		}
	}
	f.end = end
	f.step(load)
}

// step goes on by one bucket.
func (f *Forecaster) step(load float64) {
	h := f.history
	h.add(load)
	now := h.now
	actual := h.peak(now-f.last+f.first, now)
	settled := now >= f.last && !math.IsNaN(actual)
	for _, m := range f.members {
		m.observe(h)
		if settled {
			m.settle(m.asked[(now+1)%len(m.asked)], actual, f.options.Quantile, f.decay)
		}
		p := prediction{math.NaN(), math.NaN(), math.NaN()}
		if !math.IsNaN(load) {
			p = m.predict(h, f.options.Quantile)
		}
		m.asked[now%len(m.asked)] = p
	}
	if settled {
		if then := f.uppers[(now+1)%len(f.uppers)]; !math.IsNaN(then) {
			f.trust.add(actual <= then*(1+near))
		}
	}
	f.upper = blend(f.members, now)
	f.upper = f.atLeast(f.upper, load)
	f.uppers[now%len(f.uppers)] = f.upper
}

const (
	// surprise is how far a load has to be above the upper bound that was foreseen for it to be a surprise, and surcharge how much is
	// added to the load then.
	surprise  = 1.1
	surcharge = 1.1
)

// atLeast raises the upper bound to the load that was just measured, which may well stay: experts follow a jump late. A load far above
// what was foreseen for it is a jump that nobody knows the end of, and a bucket's mean is below what a jump within it leads to; so more
// is expected then.
func (f *Forecaster) atLeast(upper, load float64) float64 {
	if math.IsNaN(upper) || math.IsNaN(load) {
		return math.NaN()
	}
	foreseen := f.uppers[(f.history.now+1)%len(f.uppers)]
	if load > surprise*foreseen {
		load *= surcharge
	}
	return math.Max(upper, load)
}

// End is the end of the newest bucket; the zero time if there is none.
func (f *Forecaster) End() time.Time { return f.end }

// Upper returns the load, in fully used machines, that will not be exceeded when machines ordered now begin to work, with the
// probability Options.Quantile; at least the newest load. It is false, and the load is of no meaning, while there is too little
// history, and when recent forecasts were bad: when the load of the last six hours was within the bound much less often than
// Options.Quantile. It knows no clock: whoever asks has to compare End with the present time.
func (f *Forecaster) Upper() (load float64, ok bool) {
	if math.IsNaN(f.upper) || f.trust.coverage() < f.options.Quantile-trustMargin {
		return 0, false
	}
	return f.upper, true
}
