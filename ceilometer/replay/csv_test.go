package replay

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadCSV(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []float64
		note string
	}{
		"header":       {"time,load\n2024-05-01T00:00:00Z,1\n2024-05-01T00:05:00Z,2\n", []float64{1, 2}, ""},
		"no zone":      {"2024-05-01 00:00:00,1\n2024-05-01 00:05:00,2", []float64{1, 2}, ""},
		"offset":       {"2024-05-01T02:00:00+02:00,1\n2024-05-01T00:05:00Z,2", []float64{1, 2}, ""},
		"seconds":      {"1714521600,1\n1714521900,2\n", []float64{1, 2}, ""},
		"milliseconds": {"1714521600000,1\n1714521900000,2\n", []float64{1, 2}, ""},
		"semicolons":   {"1714521600;1\n\n# comment\n1714521900;2\n", []float64{1, 2}, ""},
		"unsorted":     {"1714521900,2\n1714521600,1\n", []float64{1, 2}, "sorted"},
		"duplicate":    {"1714521600,1\n1714521600,7\n1714521900,2\n", []float64{1, 2}, "1 rows repeat"},
		"missing":      {"1714521600,1\n1714521900,2\n1714522800,3\n1714523100,4", []float64{1, 2, 2, 2, 3, 4}, "2 of 6 buckets"},
		"no value":     {"1714521600,1\n1714521900,\n1714522200,NaN\n1714522500,3\n1714522800,4\n1714523100,5", []float64{1, 1, 1, 3, 4, 5}, "2 of 6"},
		"minutes":      {"1714521600,1\n1714521660,2\n1714521720,3\n1714521900,8\n", []float64{2, 8}, ""},
		"quarters":     {"1714521600,1\n1714522500,4\n1714523400,4", []float64{1, 2, 3, 4, 4, 4, 4}, "straight lines"},
	} {
		got, notes, err := ReadCSV(strings.NewReader(c.text), 5)
		require.NoError(t, err, name)
		assert.InDeltaSlice(t, c.want, got, 1e-9, name)
		if c.note == "" {
			assert.Empty(t, notes, name)
		} else {
			assert.Contains(t, strings.Join(notes, "; "), c.note, name)
		}
	}
}

func TestBadCSVIsNamed(t *testing.T) {
	for want, text := range map[string]string{
		`line 2: the timestamp "yesterday"`: "timestamp,load\nyesterday,1\n",
		`line 2: the load "many"`:           "1714521600,1\n1714521900,many",
		`line 2: the load "-1"`:             "1714521600,1\n1714521900,-1",
		`line 1: "1714521600" has no comma`: "1714521600\n",
		"there are 0 rows":                  "",
		"all rows have the timestamp":       "1714521600,1\n1714521600,2\n",
		"days apart, more than":             "1714521600,1\n2024-05-01T00:05:00Z,1\n2094-05-01T00:05:00Z,1",
	} {
		_, _, err := ReadCSV(strings.NewReader(text), 5)
		assert.ErrorContains(t, err, want)
	}
}

func TestReadTraceErrors(t *testing.T) {
	_, _, err := ReadTrace(filepath.Join(t.TempDir(), "no.csv"))
	require.ErrorIs(t, err, os.ErrNotExist)
	bad := filepath.Join(t.TempDir(), "bad.csv.gz")
	require.NoError(t, os.WriteFile(bad, []byte("1,2"), 0o600))
	_, _, err = ReadTrace(bad)
	require.ErrorContains(t, err, "bad.csv.gz")
	_, err = ReadShipped(t.TempDir())
	require.ErrorContains(t, err, "no traces")
}
