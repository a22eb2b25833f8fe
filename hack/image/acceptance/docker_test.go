//go:build image

package acceptance

import (
	"runtime"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/stretchr/testify/require"
)

// An engine that follows the Dockerfile makes the same image: the same files, and the same words on how to run it.
func TestDockerMakesTheSame(t *testing.T) {
	top, err := layout.ImageIndexFromPath(setting(t, "DOCKER_LAYOUT"))
	require.NoError(t, err)
	manifest, err := top.IndexManifest()
	require.NoError(t, err)
	require.Len(t, manifest.Manifests, 1)
	theirs, err := top.Image(manifest.Manifests[0].Digest)
	require.NoError(t, err)
	ours := images(t)[runtime.GOARCH]
	require.NotNil(t, ours)
	require.Equal(t, configOf(t, ours), configOf(t, theirs))

	our, their := files(t, ours), files(t, theirs)
	for name, f := range our {
		other, there := their[name]
		require.True(t, there, "docker's image has no %s", name)
		require.Equal(t, f.mode+" "+f.owner+" "+f.digest, other.mode+" "+other.owner+" "+other.digest, name)
	}
	for name := range their {
		_, there := our[name]
		require.True(t, there, "only docker's image has %s", name)
	}
}

func configOf(t *testing.T, image v1.Image) v1.Config {
	t.Helper()
	config, err := image.ConfigFile()
	require.NoError(t, err)
	return config.Config
}
