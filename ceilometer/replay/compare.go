package replay

import (
	"math"
	"slices"
	"sync"
)

// Comparison is the policy with forecasts against the reactive one, on one trace and with one boot time.
type Comparison struct {
	Trace string
	// Boot is the boot time in minutes.
	Boot int
	// Reactive and Forecast are what the two policies did at the same target.
	Reactive, Forecast Result
	// Equal is the part of the time above target of the reactive policy at the node-hours of Forecast.
	Equal float64
}

// Reduction is by how much of it forecasts reduce the time above target at equal node-hours; at least -2. It is false if
// there is next to none of it on both sides.
func (c *Comparison) Reduction() (float64, bool) {
	v := c.Forecast.Violation()
	if v < negligible && c.Equal < negligible {
		return 0, false
	}
	if c.Equal == 0 {
		return worstReduction, true
	}
	return math.Max(1-v/c.Equal, worstReduction), true
}

const (
	// negligible is a part of the time above target that says nothing of a policy.
	negligible = .0005
	// worstReduction bounds what one trace can do to a mean.
	worstReduction = -2
)

// Compare plays one trace.
func Compare(trace string, loads []float64, s Setup, quantile float64) (Comparison, error) {
	foreseen, err := NewForeseen(loads, s, quantile)
	if err != nil {
		return Comparison{}, err
	}
	c := Comparison{Trace: trace, Boot: s.Boot}
	c.Forecast = Simulate(loads, s, foreseen, nil)
	c.Reactive = Simulate(loads, s, NewReactive(loads, s, s.Target), nil)
	c.Equal = NewBaseline(loads, s).Violation(c.Forecast.NodeHours)
	return c, nil
}

// BootTimes are those, in minutes, that forecasts are judged with.
func BootTimes() []int { return []int{3, 10} }

// CompareAll plays all traces with all boot times, two at a time. The setup's Boot is not used.
func CompareAll(traces []Trace, s Setup, quantile float64) ([]Comparison, error) {
	boots := BootTimes()
	all, errs := make([]Comparison, len(traces)*len(boots)), make([]error, len(traces)*len(boots))
	var wait sync.WaitGroup
	slots := make(chan struct{}, 2)
	for i := range all {
		t, s := traces[i/len(boots)], s
		s.Boot = boots[i%len(boots)]
		slots <- struct{}{}
		wait.Go(func() {
			all[i], errs[i] = Compare(t.Name, t.Loads, s, quantile)
			<-slots
		})
	}
	wait.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return nil, errs[i]
	}
	return all, nil
}

// Summary is what forecasts reach over several comparisons, in percent of the time above target of the reactive policy at equal
// node-hours: the mean of the reductions, the reduction of the sum, and the worst reduction.
type Summary struct{ Mean, Pooled, Worst float64 }

// Summarize makes the summary; all zero if there is nothing to compare.
func Summarize(all []Comparison) Summary {
	var s Summary
	var n, foreseen, equal float64
	for i := range all {
		foreseen += all[i].Forecast.Violation()
		equal += all[i].Equal
		r, ok := all[i].Reduction()
		if !ok {
			continue
		}
		s.Mean += r
		if n == 0 || r < s.Worst {
			s.Worst = r
		}
		n++
	}
	if n > 0 {
		s.Mean /= n
	}
	if equal > 0 {
		s.Pooled = 1 - foreseen/equal
	}
	return Summary{100 * s.Mean, 100 * s.Pooled, 100 * s.Worst}
}
