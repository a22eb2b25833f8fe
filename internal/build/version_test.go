package build

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersion(t *testing.T) {
	revision := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "abc"}}
	for want, info := range map[string]*debug.BuildInfo{
		"v1.2.3": {Main: debug.Module{Version: "v1.2.3"}, Settings: revision},
		"abc":    {Main: debug.Module{Version: "(devel)"}, Settings: revision},
		Unknown:  {},
	} {
		require.Equal(t, want, of(info))
	}
	stamped = "v9.9.9"
	t.Cleanup(func() { stamped = "" })
	require.Equal(t, "v9.9.9", Version())
	require.Regexp(t, `^it v9\.9\.9 \(cluster-autoscaler 1\.33\.0, go1\.\S+, \w+/\w+\)$`, Line("it", "1.33.0"))
	require.Regexp(t, `^it v9\.9\.9 \(go1\.\S+, \w+/\w+\)$`, Line("it", ""))
}

// TestStamped builds a program as the image's build does: a renamed package or variable would lose the version without any error.
func TestStamped(t *testing.T) {
	program := filepath.Join(t.TempDir(), "plugin")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w -X "+Variable+"=v7.7.7", "-o", program, "../../cmd/kubectl-openstack_nodegroups")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // else everything would be compiled once more
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
	output, err = exec.CommandContext(t.Context(), program, "--version").CombinedOutput() //nolint:gosec // just built
	require.NoError(t, err, string(output))
	require.Contains(t, string(output), "kubectl-openstack_nodegroups v7.7.7 (go1.")
}
