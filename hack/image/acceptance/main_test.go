//go:build image

package acceptance

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"
)

// root is the repository's top folder.
const root = "../../.."

// setting is a variable that test/image/run sets.
func setting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	require.NotEmpty(t, value, `%s is not set: run "make test-image"`, name)
	return value
}

// index is the image: IMAGE_LAYOUT is the unpacked archive.
func index(t *testing.T) v1.ImageIndex {
	t.Helper()
	top, err := layout.ImageIndexFromPath(setting(t, "IMAGE_LAYOUT"))
	require.NoError(t, err)
	manifest, err := top.IndexManifest()
	require.NoError(t, err)
	require.Len(t, manifest.Manifests, 1)
	all, err := top.ImageIndex(manifest.Manifests[0].Digest)
	require.NoError(t, err)
	return all
}

// images are the image's by architecture.
func images(t *testing.T) map[string]v1.Image {
	t.Helper()
	all := index(t)
	manifest, err := all.IndexManifest()
	require.NoError(t, err)
	out := map[string]v1.Image{}
	for _, one := range manifest.Manifests {
		require.Equal(t, "linux", one.Platform.OS)
		out[one.Platform.Architecture], err = all.Image(one.Digest)
		require.NoError(t, err)
	}
	return out
}

// file is a file or folder of an image.
type file struct {
	mode, owner, digest string
	text                []byte
}

// unpacked are the files of images that were unpacked, which takes a while, by digest. Tests here run one after the other.
var unpacked = map[v1.Hash]map[string]file{}

// files are all of an image's files as a container sees them, by path. Folders end with a slash. The map must not be changed.
func files(t *testing.T, image v1.Image) map[string]file {
	t.Helper()
	digest, err := image.Digest()
	require.NoError(t, err)
	if _, done := unpacked[digest]; !done {
		unpacked[digest] = extract(t, image)
	}
	return unpacked[digest]
}

func extract(t *testing.T, image v1.Image) map[string]file {
	t.Helper()
	content := mutate.Extract(image)
	defer content.Close()
	out := map[string]file{}
	for reader := tar.NewReader(content); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		text, err := io.ReadAll(reader)
		require.NoError(t, err)
		sum := sha256.Sum256(text)
		name := strings.Trim(filepath.ToSlash(filepath.Clean(header.Name)), "/")
		if header.Typeflag == tar.TypeDir {
			name += "/"
		}
		out[name] = file{
			mode: fmt.Sprintf("%c%o", header.Typeflag, header.Mode&0o7777), owner: fmt.Sprintf("%d:%d", header.Uid, header.Gid),
			digest: hex.EncodeToString(sum[:]), text: text,
		}
	}
}
