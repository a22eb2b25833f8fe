package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var start = time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)

func newForecaster(t testing.TB, o Options) *Forecaster {
	t.Helper()
	f, err := New(o)
	require.NoError(t, err)
	return f
}

// end is the end of bucket i.
func end(i int) time.Time { return start.Add(time.Duration(i+1) * DefaultBucket) }

// wave is a load that comes back every day.
func wave(i int) float64 { return 10 + 7*math.Sin(2*math.Pi*float64(i)/288) }

func TestHorizon(t *testing.T) {
	for boot, want := range map[time.Duration][2]int{0: {1, 2}, 3 * time.Minute: {1, 3}, 10 * time.Minute: {2, 4}, time.Hour: {12, 14}} {
		first, last := Options{BootTime: boot}.withDefaults().horizon()
		assert.Equal(t, want, [2]int{first, last}, boot)
	}
	first, last := Options{Bucket: time.Hour, BootTime: 10 * time.Minute, Quantile: .85}.horizon()
	assert.Equal(t, [2]int{1, 2}, [2]int{first, last})
}

func TestBadOptionsAreNamed(t *testing.T) {
	for text, o := range map[string]Options{
		"bucket 7m0s": {Bucket: 7 * time.Minute}, "bucket 1s": {Bucket: time.Second}, "boot time -1s": {BootTime: -time.Second},
		"boot time 7h": {BootTime: 7 * time.Hour}, "quantile 1.2": {Quantile: 1.2}, "quantile NaN": {Quantile: math.NaN()},
	} {
		_, err := New(o)
		assert.ErrorContains(t, err, text)
	}
}

func TestTooLittleHistory(t *testing.T) {
	f := newForecaster(t, Options{BootTime: 10 * time.Minute})
	for i := range 24 {
		f.Observe(end(i), 5)
		_, ok := f.Upper()
		require.False(t, ok, "bucket %d", i)
	}
	for i := 24; i < 80; i++ {
		f.Observe(end(i), 5)
	}
	upper, ok := f.Upper()
	assert.True(t, ok)
	assert.InDelta(t, 5, upper, 1e-6, "a flat load has a narrow interval")
	assert.Equal(t, end(79), f.End())
}

func TestADailyWaveIsForeseen(t *testing.T) {
	f := newForecaster(t, Options{BootTime: 10 * time.Minute})
	for i := range 5 * 288 {
		f.Observe(end(i), wave(i))
		if i < 4*288 {
			continue
		}
		upper, ok := f.Upper()
		require.True(t, ok)
		peak := math.Max(math.Max(wave(i+2), wave(i+3)), wave(i+4))
		require.InDelta(t, peak, upper, .6, "bucket %d, load %v", i, wave(i))
	}
}

func TestTheIntervalCoversWhatItSays(t *testing.T) {
	for _, q := range []float64{.7, .85, .95} {
		r := rand.New(rand.NewPCG(1, 2))
		f := newForecaster(t, Options{BootTime: 3 * time.Minute, Quantile: q})
		loads, uppers := make([]float64, 10*288), make([]float64, 10*288)
		for i := range loads {
			loads[i] = math.Max(0, wave(i)+1.5*r.NormFloat64())
			f.Observe(end(i), loads[i])
			uppers[i], _ = f.Upper()
		}
		held, n := 0., 0.
		for i := 2 * 288; i+3 < len(loads); i++ {
			n++
			if max(loads[i+1], loads[i+2], loads[i+3]) <= uppers[i] {
				held++
			}
		}
		assert.InDelta(t, q, held/n, .04, "quantile %v", q)
	}
}

func TestAGapDoesNotPoison(t *testing.T) {
	f := newForecaster(t, Options{BootTime: 10 * time.Minute})
	for i := range 6 * 288 {
		if i > 4*288 && i < 4*288+100 {
			continue
		}
		f.Observe(end(i), wave(i))
		f.Observe(end(i), 999)           // told again
		f.Observe(end(i-3), 999)         // too late
		f.Observe(end(i+1), math.NaN())  // no load
		f.Observe(end(i+1), -3)          // no load
		f.Observe(end(i+1), math.Inf(1)) // no load
		upper, ok := f.Upper()
		if i >= 4*288 {
			require.True(t, ok, "bucket %d", i)
			require.InDelta(t, wave(i+3), upper, 1.5, "bucket %d", i)
		}
	}
	f.Observe(end(60*288), 5)
	_, ok := f.Upper()
	assert.False(t, ok, "after a gap that is longer than the history all begins anew")
}

func TestBadForecastsAreNotTrusted(t *testing.T) {
	f := newForecaster(t, Options{BootTime: 10 * time.Minute})
	load, i := 5., 0
	for ; i < 600; i++ {
		f.Observe(end(i), load)
	}
	_, ok := f.Upper()
	require.True(t, ok)
	lost := false
	for ; i < 660; i++ {
		load *= 1.5 // more than anything that was ever seen
		f.Observe(end(i), load)
		_, ok = f.Upper()
		lost = lost || !ok
	}
	assert.True(t, lost, "a load that outruns each forecast takes the trust away")
}

func TestAJumpIsFollowedAtOnce(t *testing.T) {
	f := newForecaster(t, Options{BootTime: 10 * time.Minute})
	for i := range 600 {
		f.Observe(end(i), 5)
	}
	f.Observe(end(600), 9)
	upper, _ := f.Upper()
	assert.InDelta(t, 9*surcharge, upper, 1e-9)
}

func BenchmarkObserve(b *testing.B) {
	f := newForecaster(b, Options{BootTime: 10 * time.Minute})
	i := 0
	for b.Loop() {
		f.Observe(end(i), wave(i))
		f.Upper()
		i++
	}
}
