package vm

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestContainerImage: an image says truly what is in it, under all its names, and its commands lead to the program.
func TestContainerImage(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "kubernetes")
	require.NoError(t, os.WriteFile(program, []byte("all of it"), 0o600))
	names := []string{"registry.k8s.io/kube-apiserver:v1", "registry.k8s.io/etcd:3"}
	path := filepath.Join(dir, "image.tar")
	require.NoError(t, ContainerImage{References: names, Program: program, Commands: []string{"kube-apiserver", "etcd"}}.write(path))

	text, err := os.ReadFile(path)
	require.NoError(t, err)
	image, _ := unpack(t, text)
	var manifests []struct {
		Config           string
		RepoTags, Layers []string
	}
	require.NoError(t, json.Unmarshal([]byte(image["manifest.json"]), &manifests))
	require.Len(t, manifests, 1)
	assert.Equal(t, names, manifests[0].RepoTags)
	require.Len(t, manifests[0].Layers, 1)
	layer := image[manifests[0].Layers[0]]
	var config struct {
		Config struct{ Entrypoint, Env []string }
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(image[manifests[0].Config]), &config))
	assert.Equal(t, []string{"sha256:" + digest([]byte(layer))}, config.RootFS.DiffIDs)
	assert.Equal(t, []string{"/kubernetes"}, config.Config.Entrypoint)
	assert.Equal(t, []string{"PATH=/usr/local/bin"}, config.Config.Env)

	files, links := unpack(t, []byte(layer))
	assert.Equal(t, map[string]string{"kubernetes": "all of it"}, files)
	assert.Equal(t, map[string]string{"usr/local/bin/kube-apiserver": "/kubernetes", "usr/local/bin/etcd": "/kubernetes"}, links)
}

// unpack returns the files of a tar file by name, and where its links lead.
func unpack(t *testing.T, text []byte) (files, links map[string]string) {
	t.Helper()
	files, links = map[string]string{}, map[string]string{}
	reader := tar.NewReader(bytes.NewReader(text))
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files, links
		}
		require.NoError(t, err)
		if header.Typeflag == tar.TypeSymlink {
			links[header.Name] = header.Linkname
			continue
		}
		content, err := io.ReadAll(reader)
		require.NoError(t, err)
		files[header.Name] = string(content)
	}
}
