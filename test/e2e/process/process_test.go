package process_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

func TestStopKillsChildrenOfChildren(t *testing.T) {
	dir := t.TempDir()
	group := process.NewGroup(dir)
	t.Cleanup(group.Stop)
	pidFile := filepath.Join(dir, "pid")
	p, err := group.Start("shell", process.Options{}, "/bin/sh", "-c", "sleep 600 & echo $! >"+pidFile+"; wait")
	require.NoError(t, err)
	require.NoError(t, p.Err())
	grandchild := 0
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(pidFile)
		if err != nil {
			return false
		}
		grandchild, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	}, time.Minute, 10*time.Millisecond, "the grandchild to run")

	group.Stop()

	require.Error(t, p.Err())
	assert.Eventually(t, func() bool { return gone(grandchild) }, time.Minute, 10*time.Millisecond, "the grandchild to be gone")
	_, err = group.Start("late", process.Options{}, "/bin/true")
	assert.Error(t, err, "nothing may start after Stop")
}

// gone also counts a process that is dead and not yet waited for by whoever inherited it.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err != nil || strings.Contains(string(status), ") Z ")
}

// parentMode names the way in which this test program, run once more, starts a program; it is killed then.
const parentMode = "PROCESS_TEST_PARENT"

// TestDiesWithItsParent: a process that was started, in either way, does not outlive one that is killed and can't tidy up.
func TestDiesWithItsParent(t *testing.T) {
	const script = "echo $$ >pid; exec sleep 600"
	switch os.Getenv(parentMode) {
	case "start":
		_, err := process.NewGroup(".").Start("child", process.Options{}, "/bin/sh", "-c", script)
		require.NoError(t, err)
		select {}
	case "run":
		_, err := process.Run(t.Context(), process.Options{}, "/bin/sh", "-c", script)
		require.NoError(t, err)
	}
	for _, mode := range []string{"start", "run"} {
		t.Run(mode, func(t *testing.T) {
			dir := t.TempDir()
			program, err := os.Executable()
			require.NoError(t, err)
			group := process.NewGroup(dir)
			t.Cleanup(group.Stop)
			parent, err := group.Start("parent", process.Options{Dir: dir, Env: []string{parentMode + "=" + mode}}, program, "-test.run=^TestDiesWithItsParent$")
			require.NoError(t, err)
			child := 0
			require.Eventually(t, func() bool {
				text, err := os.ReadFile(filepath.Join(dir, "pid"))
				if err != nil {
					return false
				}
				child, err = strconv.Atoi(strings.TrimSpace(string(text)))
				return err == nil
			}, time.Minute, 10*time.Millisecond, "the child to run")
			require.False(t, gone(child))
			t.Cleanup(func() {
				if !gone(child) {
					_ = syscall.Kill(child, syscall.SIGKILL)
				}
			})
			// Only the parent: the child is in a process group of its own.
			parent.Kill()
			require.Eventually(t, func() bool { return gone(child) }, time.Minute, 10*time.Millisecond, "the child to be gone")
		})
	}
}

func TestErrShowsTheEndOfTheLog(t *testing.T) {
	group := process.NewGroup(t.TempDir())
	t.Cleanup(group.Stop)
	p, err := group.Start("failing", process.Options{}, "/bin/sh", "-c", "echo no room left; exit 3")
	require.NoError(t, err)
	<-p.Done()
	assert.ErrorContains(t, p.Err(), "no room left")
	assert.ErrorContains(t, p.Err(), "exit status 3")
}

func TestTerminate(t *testing.T) {
	group := process.NewGroup(t.TempDir())
	t.Cleanup(group.Stop)
	// The shell says when its trap is set; before that SIGTERM would simply end it.
	polite, err := group.Start("polite", process.Options{}, "/bin/sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(process.Tail(polite.LogPath, 100), "ready") }, time.Minute, 10*time.Millisecond, "the polite one to be ready")
	assert.True(t, polite.Terminate(time.Minute))

	stubborn, err := group.Start("stubborn", process.Options{}, "/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(process.Tail(stubborn.LogPath, 100), "ready") }, time.Minute, 10*time.Millisecond, "the stubborn one to be ready")
	assert.False(t, stubborn.Terminate(50*time.Millisecond))
}

func TestRunReportsOutputAndEnvironment(t *testing.T) {
	t.Setenv("ETCD_NAME", "leaked")
	out, err := process.Run(t.Context(), process.Options{Env: []string{"A=b"}}, "/bin/sh", "-c", `echo "$A-$ETCD_NAME"`)
	require.NoError(t, err)
	assert.Equal(t, "b-\n", string(out))
	_, err = process.Run(t.Context(), process.Options{}, "/bin/sh", "-c", "echo why; exit 1")
	assert.ErrorContains(t, err, "why")
}
