package replay

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The figures that the documentation promises, over all public traces and both boot times.
func TestForecastsReduceTheTimeAboveTarget(t *testing.T) {
	traces, err := ReadShipped("testdata")
	require.NoError(t, err)
	require.Len(t, traces, 10)
	all, err := CompareAll(traces, DefaultSetup(), .85)
	require.NoError(t, err)
	for _, c := range all {
		r, _ := c.Reduction()
		t.Logf("%-32s boot %2d: %5.2f %% against %5.2f %%, reduced by %5.1f %%, node-hours x%.3f", c.Trace, c.Boot, 100*c.Forecast.Violation(), 100*c.Equal, 100*r, c.Forecast.NodeHours/c.Reactive.NodeHours)
	}
	s := Summarize(all)
	t.Logf("%+v", s)
	assert.GreaterOrEqual(t, s.Mean, 50.)
	assert.GreaterOrEqual(t, s.Pooled, 60.)
	assert.GreaterOrEqual(t, s.Worst, -5.)
}
