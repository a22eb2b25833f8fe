package replay

import (
	"cmp"
	"slices"
)

type spent struct{ hours, violation float64 }

// Baseline is what the reactive policy reaches at any number of node-hours, by
// other targets: the best for each in hindsight.
type Baseline []spent

// NewBaseline plays the loads with all targets.
func NewBaseline(loads []float64, s Setup) Baseline {
	all := make([]spent, 0, 131)
	for i := range 131 {
		target := .15 + .005*float64(i)
		r := Simulate(loads, s, NewReactive(loads, s, target), nil)
		all = append(all, spent{r.NodeHours, r.Violation()})
	}
	slices.SortFunc(all, func(a, b spent) int {
		return cmp.Or(cmp.Compare(a.hours, b.hours), cmp.Compare(a.violation, b.violation))
	})
	var b Baseline
	for _, p := range all {
		if len(b) == 0 || p.violation < b[len(b)-1].violation {
			b = append(b, p)
		}
	}
	return b
}

// Violation is what the reactive policy reaches with that many node-hours.
func (b Baseline) Violation(hours float64) float64 {
	i := slices.IndexFunc(b, func(p spent) bool { return p.hours >= hours })
	switch {
	case i < 0:
		return b[len(b)-1].violation
	case i == 0:
		return b[0].violation
	}
	low, high := b[i-1], b[i] //nolint:gosec // G602: the switch has left an i from 1
	return low.violation + (hours-low.hours)/(high.hours-low.hours)*(high.violation-low.violation)
}
