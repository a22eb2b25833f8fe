package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// history writes days of a load that comes back every day.
func history(t *testing.T, days int) string {
	t.Helper()
	var text strings.Builder
	for i := range days * 288 {
		fmt.Fprintf(&text, "%d,%.3f\n", 1714521600+300*i, 5+4*math.Sin(2*math.Pi*float64(i)/288))
	}
	path := filepath.Join(t.TempDir(), "history.csv")
	require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o600))
	return path
}

func TestReport(t *testing.T) {
	out := t.TempDir()
	o, err := parse([]string{"-out", out, "-boot=3m", "-target=50%", "-max=18", history(t, 4)}, io.Discard)
	require.NoError(t, err)
	var said strings.Builder
	require.NoError(t, report(&said, o))
	for _, want := range []string{
		"1152 buckets of 5 minutes", "target 50 %, boot 3m0s", "  reactive  wanted 3 / ", "  forecast  wanted 3 / ", "/ 18 (least / median / most)",
		"node-hours", "starts", "boot  3 min", "boot 10 min",
		"\nbench forecast_violation_reduction_mean_pct ", "\nbench forecast_violation_reduction_pooled_pct ", "\nbench forecast_violation_reduction_worst_pct ",
	} {
		assert.Contains(t, said.String(), want)
	}
	for form, magic := range map[string]string{"png": "\x89PNG", "svg": "<?xml"} {
		picture, err := os.ReadFile(filepath.Join(out, "history-load-report."+form))
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(string(picture), magic), form)
	}
}

func TestLoadsThatAreMachinesAreNotScaled(t *testing.T) {
	o, err := parse([]string{"-out=", "-keep-unit", history(t, 3)}, io.Discard)
	require.NoError(t, err)
	var said strings.Builder
	require.NoError(t, report(&said, o))
	assert.Contains(t, said.String(), "load      1 / 5 / 9 (least / median / most)")
	assert.NotContains(t, said.String(), "picture")
}

func TestWhatCannotBeReported(t *testing.T) {
	for want, arguments := range map[string][]string{
		"-target=99":         {"-target=99", "x"},
		"-target=much":       {"-target=much", "x"},
		"-boot=1m30s":        {"-boot=90s", "x"},
		"-quantile=2":        {"-quantile=2", "x"},
		"-min=0":             {"-min=0", "x"},
		"-max=2":             {"-min=3", "-max=2", "x"},
		"no CSV is named":    {},
		"flag provided but ": {"-nonsense"},
	} {
		_, err := parse(arguments, io.Discard)
		assert.ErrorContains(t, err, want)
	}
	err := report(io.Discard, options{target: .6, boot: 600e9, quantile: .85, min: 1, files: []string{history(t, 2)}})
	require.ErrorContains(t, err, "give a longer history")
	require.ErrorIs(t, report(io.Discard, options{files: []string{"no.csv"}}), os.ErrNotExist)
}
