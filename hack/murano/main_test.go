package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The logo that is checked in is the one that is drawn. Pictures are compared, for compression differs between versions of Go.
func TestLogoIsUpToDate(t *testing.T) {
	drawn, err := drawLogo()
	require.NoError(t, err)
	kept, err := os.ReadFile("../../" + logoPath)
	require.NoError(t, err)
	assert.Less(t, len(kept), 1000)
	assert.Equal(t, pixels(t, drawn), pixels(t, kept), "run: go run ./hack/murano -logo")
}

func pixels(t *testing.T, file []byte) *image.Paletted {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(file))
	require.NoError(t, err)
	paletted, ok := picture.(*image.Paletted)
	require.True(t, ok)
	return paletted
}

func TestWriteNeedsTheRepository(t *testing.T) {
	t.Chdir(t.TempDir())
	require.ErrorContains(t, write("out"), "not the repository's root")
}

func TestWriteWritesAnArchiveForEachPackage(t *testing.T) {
	folder := t.TempDir()
	t.Chdir("../..")
	require.NoError(t, write(folder))
	archives, err := filepath.Glob(folder + "/murano-*.zip")
	require.NoError(t, err)
	packages, err := filepath.Glob("deploy/murano/*/manifest.yaml")
	require.NoError(t, err)
	assert.Len(t, archives, len(packages))
}
