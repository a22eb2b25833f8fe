package replay

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// fixed wants sizes from a list, a minute each; the last one stays.
type fixed []int

func (f fixed) Want(minute, _ int) int { return f[min(minute, len(f)-1)] }

func flat(n int, load float64) []float64 {
	loads := make([]float64, n)
	for i := range loads {
		loads[i] = load
	}
	return loads
}

func TestSimulateByHand(t *testing.T) {
	s := Setup{Bucket: 5, Boot: 3, Target: .6, Min: 1, Max: 100, Start: 2}
	var ready, starting []int
	// 10 minutes of a load that 3 machines bear: 1.9 / 2 is above .66, 1.9 / 3 is not.
	r := Simulate(flat(2, 1.9), s, fixed{2, 3, 4, 3, 3, 3, 2}, func(_ int, _ float64, _, up, booting int) {
		ready, starting = append(ready, up), append(starting, booting)
	})
	assert.Equal(t, []int{2, 2, 2, 2, 3, 3, 2, 2, 2, 2}, ready, "ordered in minute 1, ready in minute 4")
	assert.Equal(t, []int{0, 1, 2, 1, 0, 0, 0, 0, 0, 0}, starting, "those that start go first")
	assert.Equal(t, 8, r.Above)
	assert.Equal(t, 10, r.Minutes)
	assert.Equal(t, 2, r.Started)
	assert.InDelta(t, float64(2+3+4+3+3+3+2+2+2+2)/60, r.NodeHours, 1e-9)
	s.Skip = 5
	assert.Equal(t, 5, Simulate(flat(2, 1.9), s, fixed{2}, nil).Minutes)
}

func TestReactive(t *testing.T) {
	s := Setup{Bucket: 5, Boot: 3, Target: .6, Min: 1, Max: 6, Start: 2}
	p := NewReactive([]float64{1.3, 1.4, 3.4, 9, .3, .3, .3, .3}, s, .6)
	assert.Equal(t, 2, p.Want(0, -1), "nothing is known")
	assert.Equal(t, 2, p.Want(6, 0), "within the tolerance")
	assert.Equal(t, 3, p.Want(11, 1))
	assert.Equal(t, 6, p.Want(16, 2))
	assert.Equal(t, 6, p.Want(21, 3), "the limit")
	for m := 26; m < 31; m++ {
		assert.Equal(t, 6, p.Want(m, 4), "the largest of the last ten minutes")
	}
	for m := 31; m < 40; m++ {
		p.Want(m, 5)
	}
	assert.Equal(t, 1, p.Want(40, 6))
}

func TestForeseenCountsForThreeBuckets(t *testing.T) {
	s := Setup{Bucket: 5, Boot: 3, Target: .6, Min: 1, Max: 6, Start: 1}
	p := &Foreseen{NewReactive(flat(9, .5), s, .6), []int{0, 9, 0, 0, 0, 0, 0, 0, 0}}
	for newest, want := range []int{1, 6, 6, 6, 1} {
		assert.Equal(t, want, p.Want(newest, newest))
	}
	assert.Equal(t, 16, Size(10, .6))
	_, err := NewForeseen(flat(9, 1), s, 2)
	assert.ErrorContains(t, err, "quantile")
}

func TestBaseline(t *testing.T) {
	b := Baseline{{10, .4}, {20, .2}}
	for hours, want := range map[float64]float64{5: .4, 10: .4, 15: .3, 20: .2, 99: .2} {
		assert.InDelta(t, want, b.Violation(hours), 1e-9, hours)
	}
	s := DefaultSetup()
	s.Boot, s.Skip = 3, 0
	made := NewBaseline([]float64{9, 11, 5, 12, 3, 2, 9, 10, 11, 12, 4, 3}, s)
	for i := range made[1:] {
		assert.Greater(t, made[i+1].hours, made[i].hours)
		assert.Less(t, made[i+1].violation, made[i].violation)
	}
}

func TestSummarize(t *testing.T) {
	of := func(above int, equal float64) Comparison {
		return Comparison{Forecast: Result{Minutes: 1000, Above: above}, Equal: equal}
	}
	s := Summarize([]Comparison{of(10, .04), of(20, .02), of(0, .0001), of(30, 0)})
	assert.InDelta(t, 100*(.75+0-2)/3, s.Mean, 1e-9, "one without anything to compare does not count")
	assert.InDelta(t, -200, s.Worst, 1e-9)
	assert.InDelta(t, 100*(1-.06/.0601), s.Pooled, 1e-9)
	assert.Equal(t, Summary{}, Summarize(nil))
}

func TestScale(t *testing.T) {
	loads := flat(10000, 5)
	loads[7] = 1000
	assert.InDelta(t, 12, Scale(loads, 12)[0], 1e-9, "one peak does not set the scale")
	assert.Zero(t, Scale(flat(3, 0), 12)[1])
}
