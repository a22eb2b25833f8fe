package replay

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the table of docs/explanation/forecast.md anew")

const (
	page       = "../../docs/explanation/forecast.md"
	tableBegin = "<!-- table: go test ./ceilometer/replay -update -->\n"
	tableEnd   = "<!-- end of table -->\n"
)

// The figures that the documentation promises, over all public traces and both boot times, and its table.
func TestForecastsReduceTheTimeAboveTarget(t *testing.T) {
	traces, err := ReadShipped("testdata")
	require.NoError(t, err)
	require.Len(t, traces, 10)
	all, err := CompareAll(traces, DefaultSetup(), .85)
	require.NoError(t, err)
	s := Summarize(all)
	assert.GreaterOrEqual(t, s.Mean, 50.)
	assert.GreaterOrEqual(t, s.Pooled, 60.)
	assert.GreaterOrEqual(t, s.Worst, -5.)

	var table strings.Builder
	table.WriteString("| trace | boot, minutes | reactive at its target, % | node-hours | reactive at equal node-hours, % | with forecasts, % | reduced by, % |\n|---|---|---|---|---|---|---|\n")
	for i := range all {
		c := &all[i]
		r, _ := c.Reduction()
		fmt.Fprintf(&table, "| %s | %d | %.2f | x%.2f | %.2f | %.2f | %.0f |\n", c.Trace, c.Boot, 100*c.Reactive.Violation(),
			c.Forecast.NodeHours/c.Reactive.NodeHours, 100*c.Equal, 100*c.Forecast.Violation(), 100*r)
	}
	fmt.Fprintf(&table, "\nMean %.0f %%, pooled %.0f %%, worst %.0f %%.\n", s.Mean, s.Pooled, s.Worst)
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), tableBegin)
	require.True(t, ok)
	written, after, ok := strings.Cut(rest, tableEnd)
	require.True(t, ok)
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(before+tableBegin+table.String()+tableEnd+after), 0o600))
		return
	}
	if runtime.GOARCH == "amd64" { // others round in other places
		assert.Equal(t, table.String(), written, "run: go test ./ceilometer/replay -update")
	}
}
