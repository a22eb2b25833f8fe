package replay

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// coarse is a trace as somebody has it who kept the mean of so many minutes only.
func coarse(t *testing.T, fine *Trace, minutes int) Trace {
	t.Helper()
	var text strings.Builder
	n := minutes / fine.Bucket
	for i := 0; i+n <= len(fine.Loads); i += n {
		sum := 0.
		for _, load := range fine.Loads[i : i+n] {
			sum += load
		}
		fmt.Fprintf(&text, "%d,%.6f\n", fine.Begin.Unix()+int64(i*fine.Bucket*60), sum/float64(n))
	}
	made, _, err := ReadCSV(strings.NewReader(text.String()), fine.Bucket)
	require.NoError(t, err)
	made.Name = fmt.Sprintf("%s by %d min", fine.Name, minutes)
	return made
}

// A report of rows that are far apart must not promise more than one of the whole history does.
func TestRowsFarApartDoNotMakeForecastsBetter(t *testing.T) {
	all, err := ReadShipped("testdata")
	require.NoError(t, err)
	fine := []Trace{all[2], all[6]}
	s := DefaultSetup()
	compared, err := CompareAll(fine, s, .85)
	require.NoError(t, err)
	for minutes, bucket := range map[int]int{35: 5, 60: 60} {
		var few []Trace
		for i := range fine {
			few = append(few, coarse(t, &fine[i], minutes))
			assert.Equal(t, bucket, few[i].Bucket)
		}
		of, err := CompareAll(few, s, .85)
		require.NoError(t, err)
		was, is := Summarize(compared), Summarize(of)
		assert.Less(t, is.Mean, was.Mean, "%d minutes", minutes)
		assert.Less(t, is.Pooled, was.Pooled, "%d minutes", minutes)
	}
}
