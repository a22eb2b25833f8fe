package archive

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"
)

// each calls do for all entries of a tar file.
func each(t *testing.T, text io.Reader, do func(header *tar.Header, content io.Reader)) {
	t.Helper()
	reader := tar.NewReader(text)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		require.True(t, header.ModTime.Equal(created), "%s is of %s", header.Name, header.ModTime)
		do(header, reader)
	}
}

func unpackTo(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	dir := t.TempDir()
	each(t, file, func(header *tar.Header, content io.Reader) {
		text, err := io.ReadAll(content)
		require.NoError(t, err)
		target := filepath.Join(dir, header.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(target), 0o700))
		require.NoError(t, os.WriteFile(target, text, 0o600))
	})
	return dir
}

// entries lists what is in a layer, with mode and owner.
func entries(t *testing.T, of v1.Layer) []string {
	t.Helper()
	content, err := of.Uncompressed()
	require.NoError(t, err)
	defer content.Close()
	var out []string
	each(t, content, func(header *tar.Header, _ io.Reader) {
		out = append(out, fmt.Sprintf("%s %o %d:%d", header.Name, header.Mode, header.Uid, header.Gid))
	})
	return out
}
