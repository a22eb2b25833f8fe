package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The documentation tells what the code does.
func TestReferenceIsUpToDate(t *testing.T) {
	files, err := render("../..")
	require.NoError(t, err)
	require.Len(t, files, 10)
	for name, want := range files {
		have, err := os.ReadFile(name)
		require.NoError(t, err)
		if want != string(have) { // a difference of 450 lines helps nobody
			t.Errorf("%s is not up to date, run: go run ./hack/reference", name)
		}
	}
}

func TestReplaceNamesTheMissingSection(t *testing.T) {
	_, err := replace("no markers here", "flags", "table")
	require.ErrorContains(t, err, `"flags"`)
}
