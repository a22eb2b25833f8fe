package forecast

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// play tells an expert loads, and returns what it foresees then.
func play(e expert, n int, load func(i int) float64) float64 {
	h := newHistory(7*288+10, 288)
	for i := range n {
		h.add(load(i))
		e.observe(h)
	}
	return e.predict(h)
}

func TestPersistence(t *testing.T) {
	assert.InDelta(t, 7, play(&persistence{alpha: .4}, 50, func(int) float64 { return 7 }), 1e-9)
	assert.InDelta(t, 10*.4, play(&persistence{alpha: .4}, 50, func(i int) float64 { return map[bool]float64{true: 10}[i == 49] }), 1e-9)
	assert.True(t, math.IsNaN(play(&persistence{alpha: .4}, 0, nil)))
	afterGap := func(i int) float64 { return []float64{100, 100, math.NaN(), 3}[i] }
	assert.InDelta(t, 3, play(&persistence{alpha: .4}, 4, afterGap), 1e-9)
}

func TestSeasonal(t *testing.T) {
	n := 3 * 288
	assert.InDelta(t, wave(n+2), play(&seasonal{1, 3}, n, wave), .01)
	twice := func(i int) float64 {
		if i >= n-likeness {
			return 2 * wave(i)
		}
		return wave(i)
	}
	assert.InDelta(t, 2*wave(n+2), play(&seasonal{1, 3}, n, twice), .3, "a day that is twice as busy stays so")
	assert.True(t, math.IsNaN(play(&seasonal{1, 3}, 200, wave)), "no day before")
	assert.Zero(t, play(&seasonal{1, 3}, n, func(int) float64 { return 0 }))
}

func TestRidge(t *testing.T) {
	flat := play(newRidge(1, 3, false), 600, func(int) float64 { return 4 })
	assert.InDelta(t, 4, flat, .01)
	for _, seasonal := range []bool{false, true} {
		got := play(newRidge(2, 4, seasonal), 6*288, wave)
		n := 6*288 - 1
		assert.InDelta(t, max(wave(n+2), wave(n+3), wave(n+4)), got, .15)
	}
	assert.True(t, math.IsNaN(play(newRidge(1, 3, true), 3, wave)))
	// Every hour there is a peak: only the season says so in time.
	hourly := func(i int) float64 {
		if i%12 == 0 {
			return 10
		}
		return 2
	}
	assert.Greater(t, play(newRidge(2, 4, true), 1000*12+9, hourly), 5.5) // smoothed, the peak is 6; the newest bucket is 8 of its hour, the peak 4 ahead
	assert.Less(t, play(newRidge(2, 4, true), 1000*12+6, hourly), 4.)
}

func TestCholesky(t *testing.T) {
	b := []float64{10, 9}
	assert.True(t, cholesky([]float64{4, 0, 2, 3}, b)) // 4x+2y=10, 2x+3y=9
	assert.InDeltaSlice(t, []float64{1.5, 2}, b, 1e-12)
	assert.False(t, cholesky([]float64{1, 0, 2, 1}, []float64{1, 1}), "not positive definite")
}

func TestResiduals(t *testing.T) {
	r := newResiduals(100)
	for i := range minResiduals {
		assert.True(t, math.IsNaN(r.quantile(.5)), "%d", i)
		r.add(5+float64(i), 5, 1)
	}
	assert.InDelta(t, 11.5, r.quantile(.5), 1e-9)
	for i := range 100 {
		r.add(float64(i), 0, 1) // the older ones are forgotten
	}
	assert.InDelta(t, 85, r.quantile(.85), 1)
	assert.Len(t, r.sorted, 100)
	assert.InDelta(t, 99, r.quantile(1), 1e-9)
}

func TestBlendBelievesTheBest(t *testing.T) {
	with := func(loss, upper float64) *member {
		return &member{loss: loss, weight: 1, asked: []prediction{{upper: upper}}}
	}
	assert.InDelta(t, 3, blend([]*member{with(1, 3), with(2, 9)}, 0), 1e-6)
	assert.InDelta(t, 6, blend([]*member{with(1, 3), with(1, 9)}, 0), 1e-6)
	assert.InDelta(t, 3, blend([]*member{with(0, 3), with(1, 9)}, 0), 1e-6)
	assert.True(t, math.IsNaN(blend([]*member{{asked: []prediction{{upper: 3}}}}, 0)), "nobody has a record")
}
