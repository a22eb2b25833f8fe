package replay

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unannounced makes 36 days of a flat load with jumps that nothing announces: so many a day, of that many buckets at most (0: until the next
// one), and that high at most.
func unannounced(perDay float64, longest int, high, noise float64) []float64 {
	r := rand.New(rand.NewPCG(1, 7)) //nolint:gosec // G404: a history that is the same each time
	loads := make([]float64, 36*288)
	level, left := 1., 0
	for i := range loads {
		if left--; longest > 0 && left < 0 {
			level = 1
		}
		if r.Float64() < perDay/288 {
			level, left = 1+high*r.Float64(), r.IntN(longest+1)
		}
		loads[i] = max(0, level*(1+noise*r.NormFloat64()))
	}
	return Scale(loads, fullLoad)
}

// Forecasts can't gain where nothing announces what comes, and must not lose. Histories of a few days say nothing of that: a dozen of jumps
// decide on them.
func TestForecastsDoNotLoseWhereNothingIsAnnounced(t *testing.T) {
	s := DefaultSetup()
	s.Boot = 10
	for name, loads := range map[string][]float64{
		"jumps":      unannounced(3, 30, 1.5, .03),
		"rare jumps": unannounced(1, 6, .4, .005),
		"steps":      unannounced(6, 0, 4, .03),
	} {
		c, err := Compare(name, loads, s, .85)
		require.NoError(t, err)
		reduction, ok := c.Reduction()
		require.True(t, ok, name)
		assert.Greater(t, reduction, -.05, name)
	}
}
