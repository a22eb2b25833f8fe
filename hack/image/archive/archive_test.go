package archive

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	spec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/hack/image/recipe"
)

var created = time.Unix(1700000000, 0).UTC()

// write makes an archive of two architectures from files of some age, and returns its path and its index.
func write(t *testing.T, reference string, age time.Duration) (string, v1.ImageIndex) {
	t.Helper()
	dir, scratch := t.TempDir(), t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "one", "tmp"), 0o700))
	require.NoError(t, os.Chmod(filepath.Join(dir, "one", "tmp"), os.ModeSticky|os.ModePerm))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "two", "bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "two", "bin", "program"), []byte("text"), 0o755))
	for _, name := range []string{"one/tmp", "two/bin/program", "two/bin"} {
		require.NoError(t, os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Now().Add(-age)))
	}
	of := &recipe.Recipe{Layers: []string{"one", "two"}, Config: v1.Config{User: "1:2", Labels: map[string]string{"a": "b"}}}
	var images []v1.Image
	for _, arch := range []string{"amd64", "arm64"} {
		image, err := Image(dir, scratch, arch, of, created)
		require.NoError(t, err)
		images = append(images, image)
	}
	index, err := Index(images, of, created)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "image.tar")
	require.NoError(t, Write(path, scratch, index, images, reference, created))
	return path, index
}

// The same files give the same archive, whenever they were written.
func TestSameTwice(t *testing.T) {
	first, index := write(t, "example.org/a/b:c", 0)
	second, _ := write(t, "example.org/a/b:c", 24*time.Hour)
	one, err := os.ReadFile(first)
	require.NoError(t, err)
	other, err := os.ReadFile(second)
	require.NoError(t, err)
	require.Equal(t, one, other)

	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, manifest.Manifests, 2)
	require.Equal(t, "arm64", manifest.Manifests[1].Platform.Architecture)
	require.Equal(t, map[string]string{"a": "b", createdAnnotation: "2023-11-14T22:13:20Z"}, manifest.Annotations)
}

// What an archive holds can be read as an OCI layout and as "docker save" would have written it, and is the same.
func TestBothForms(t *testing.T) {
	path, index := write(t, "b:c", time.Hour)
	files := unpackTo(t, path)
	read, err := layout.ImageIndexFromPath(files)
	require.NoError(t, err)
	top, err := read.IndexManifest()
	require.NoError(t, err)
	require.Len(t, top.Manifests, 1)
	require.Equal(t, map[string]string{containerdName: "docker.io/library/b:c", refName: "c"}, top.Manifests[0].Annotations)
	digest, err := index.Digest()
	require.NoError(t, err)
	require.Equal(t, digest, top.Manifests[0].Digest)
	require.NoError(t, validate.Index(read))

	tag, err := name.NewTag("b:c")
	require.NoError(t, err)
	image, err := tarball.ImageFromPath(path, &tag)
	require.NoError(t, err)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, "amd64", config.Architecture)
	require.Equal(t, "1:2", config.Config.User)
	layers, err := image.Layers()
	require.NoError(t, err)
	require.Len(t, layers, 2)
	require.Equal(t, []string{"tmp/ 1777 0:0"}, entries(t, layers[0]))
	require.Equal(t, []string{"bin/ 755 0:0", "bin/program 755 0:0"}, entries(t, layers[1]))
	packed, unpacked, err := Sizes(image)
	require.NoError(t, err)
	require.Positive(t, packed)
	require.Greater(t, unpacked, packed)
}

func TestNames(t *testing.T) {
	for reference, want := range map[string]string{
		"b:c": "docker.io/library/b:c", "a/b:c": "docker.io/a/b:c", "localhost/b:c": "localhost/b:c", "r.example.org:5000/a/b:c": "r.example.org:5000/a/b:c",
	} {
		tag, err := name.NewTag(reference)
		require.NoError(t, err)
		require.Equal(t, want, fullName(tag))
	}
	path := filepath.Join(t.TempDir(), "image.tar")
	require.ErrorContains(t, Write(path, t.TempDir(), nil, nil, "a b", created), "name of the image")
}

// An index that is read and written by the specification's own types, as skopeo does when it copies one, is the same.
func TestIndexKeepsItsDigest(t *testing.T) {
	_, index := write(t, "b:c", time.Hour)
	text, err := index.RawManifest()
	require.NoError(t, err)
	var read spec.Index
	require.NoError(t, json.Unmarshal(text, &read))
	again, err := json.Marshal(read)
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))
	require.Len(t, read.Manifests, 2)
	require.Equal(t, "amd64", read.Manifests[0].Platform.Architecture)
}

// A link could lead anywhere in the image.
func TestNothingButFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "link")))
	_, err := layer(dir, filepath.Join(t.TempDir(), "layer"), created)
	require.ErrorContains(t, err, "neither a file nor a folder")
}
