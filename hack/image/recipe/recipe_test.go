package recipe

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The Dockerfile says what an image of this project has to be.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("../../../Dockerfile")
	require.NoError(t, err)
	of, err := Read(text, map[string]string{"VERSION": "v1.2.3", "REVISION": "0123abc"})
	require.NoError(t, err)
	require.Equal(t, []string{"system", "programs"}, of.Layers)
	require.Equal(t, "65532:65532", of.Config.User)
	require.Equal(t, []string{"/cluster-autoscaler-openstack"}, of.Config.Entrypoint)
	require.Equal(t, map[string]struct{}{"8085/tcp": {}}, of.Config.ExposedPorts)
	require.Equal(t, []string{"PATH=/"}, of.Config.Env)
	require.Equal(t, "/home/nonroot", of.Config.WorkingDir)
	const label = "org.opencontainers.image."
	require.Equal(t, "v1.2.3", of.Config.Labels[label+"version"])
	require.Equal(t, "0123abc", of.Config.Labels[label+"revision"])
	require.Equal(t, "Apache-2.0", of.Config.Labels[label+"licenses"])
	for _, name := range []string{"title", "description", "source", "documentation"} {
		require.NotEmpty(t, of.Config.Labels[label+name], name)
	}
}

func TestDefaultsOfArguments(t *testing.T) {
	of, err := Read([]byte("FROM golang AS build\nUSER root\nFROM scratch\nARG A=one\nARG B\nLABEL a=\"$A\" b=\"x$B\" c=$A$B\nEXPOSE 1 2/udp\n"), nil)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": "one", "b": "x", "c": "one"}, of.Config.Labels)
	require.Empty(t, of.Config.User, "what the first stage says is not the image's")
	require.Equal(t, map[string]struct{}{"1/tcp": {}, "2/udp": {}}, of.Config.ExposedPorts)
}

// What would make an image that is not docker's is refused.
func TestRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"FROM debian\n":                                  "FROM scratch",
		"FROM scratch\nRUN true\n":                       "RUN in line 2 of the Dockerfile",
		"FROM scratch\nVOLUME /data\n":                   "VOLUME in line 2",
		"FROM scratch\nENTRYPOINT /program\n":            "there is no shell",
		"FROM scratch\nCOPY file /\n":                    "has to copy one folder of another stage",
		"FROM scratch\nCOPY --from=a /b /c\n":            "has to copy one folder of another stage",
		"FROM scratch\nCOPY --from=a --chown=1:1 /b /\n": "has to copy one folder of another stage",
		"FROM scratch\nCOPY --from=a --chmod=700 /b /\n": "has to copy one folder of another stage",
		"FROM scratch\nCOPY --from=a /b /c /\n":          "has to copy one folder of another stage",
		"FROM scratch\nNONSENSE\n":                       "unknown instruction",
	} {
		_, err := Read([]byte(text), nil)
		require.ErrorContains(t, err, want, text)
	}
}
