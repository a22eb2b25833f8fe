//go:build image

package acceptance

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/hack/image/rootfs"
)

// runTimeout bounds one run of a program.
const runTimeout = time.Minute

// Every program runs in a container as strict as the chart's: not root, no capability, a file system that can't be written.
func TestItRuns(t *testing.T) {
	image := images(t)[runtime.GOARCH]
	require.NotNil(t, image, "no image for this machine")
	config, err := image.ConfigFile()
	require.NoError(t, err)
	bundle := t.TempDir()
	unpack(t, image, filepath.Join(bundle, "rootfs"))
	for i, program := range rootfs.ProgramNames() {
		output, err := runContainer(t, bundle, i, config.Config, "/"+program, "--help")
		require.NoError(t, err, output)
		require.Contains(t, output, "Usage:", program)
		output, err = runContainer(t, bundle, len(rootfs.ProgramNames())+i, config.Config, "/"+program, "--version")
		require.NoError(t, err, output)
		require.Contains(t, output, program+" "+config.Config.Labels["org.opencontainers.image.version"]+" (", "the version on the label")
	}
	// The same container would run a shell if there were one.
	output, err := runContainer(t, bundle, 2*len(rootfs.ProgramNames()), config.Config, "/bin/sh", "-c", "true")
	require.Error(t, err)
	require.Contains(t, output, "no such file or directory")
}

func unpack(t *testing.T, image v1.Image, dir string) {
	t.Helper()
	for name, f := range files(t, image) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if name[len(name)-1] == '/' {
			require.NoError(t, os.MkdirAll(path, 0o755))
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		mode := os.FileMode(0o644)
		if f.mode == "0755" {
			mode = 0o755
		}
		require.NoError(t, os.WriteFile(path, f.text, mode))
	}
}

// runContainer runs a command in a container by runc, with what the image says and nothing that it does not need.
func runContainer(t *testing.T, bundle string, number int, config v1.Config, arguments ...string) (string, error) {
	t.Helper()
	mount := func(kind, path string, options ...string) map[string]any {
		return map[string]any{"type": kind, "source": kind, "destination": path, "options": append(options, "nosuid", "noexec")}
	}
	var namespaces []map[string]string
	for _, kind := range []string{"pid", "mount", "ipc", "uts", "network"} {
		namespaces = append(namespaces, map[string]string{"type": kind})
	}
	name := fmt.Sprintf("cluster-autoscaler-openstack-image-%d-%d", os.Getpid(), number)
	text, err := json.Marshal(map[string]any{
		"ociVersion": "1.0.2",
		"process": map[string]any{
			// As "65532:65532" of the image says; another test holds that it does.
			"user": map[string]int{"uid": 65532, "gid": 65532}, "args": arguments, "env": config.Env, "cwd": config.WorkingDir,
			"noNewPrivileges": true, "capabilities": map[string]any{},
		},
		"root":   map[string]any{"path": "rootfs", "readonly": true},
		"mounts": []any{mount("proc", "/proc"), mount("tmpfs", "/dev", "mode=755")},
		"linux":  map[string]any{"namespaces": namespaces, "cgroupsPath": "/" + name},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(bundle, "config.json"), text, 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	output, err := exec.CommandContext(ctx, "runc", "--root", filepath.Join(bundle, "state"), "run", "--bundle", bundle, name).CombinedOutput()
	return string(output), err
}
