//go:build lab

package ceilometer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// load is how busy each server of a group is, see test/lab/config/ceilometer/paper_load.py.
type load struct {
	CPU    float64 `json:"cpu"`
	Memory float64 `json:"memory"`
	// Boot counts reboots: with each the counter of processor time begins at 0 again.
	Boot int `json:"boot"`
}

// agent is a polling agent of Ceilometer.
type agent struct {
	t     *testing.T
	file  string
	loads map[string]load
}

// startPolling starts an agent that polls so often the groups that it is told of. All agents end with the test.
func startPolling(t *testing.T, folder string, interval time.Duration) *agent {
	t.Helper()
	seconds := strconv.Itoa(int(interval.Seconds()))
	a := &agent{t: t, file: filepath.Join(folder, "data", "ceilometer", "loads-"+seconds+".json"), loads: map[string]load{}}
	a.write()
	poll(t, folder, seconds)
	t.Cleanup(func() {
		poll(t, folder, "stop")
		assert.NoError(t, os.Remove(a.file))
	})
	return a
}

func poll(t *testing.T, folder, argument string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	command := exec.CommandContext(ctx, "../lab/poll", argument)
	command.Env = append(os.Environ(), "LAB_DIR="+folder)
	output, err := command.CombinedOutput()
	require.NoErrorf(t, err, "test/lab/poll %s: %s", argument, output)
}

// set makes a group so busy from now on.
func (a *agent) set(group string, l load) {
	a.t.Helper()
	a.loads[group] = l
	a.write()
}

// write replaces the file at once, because the agent may be reading it.
func (a *agent) write() {
	a.t.Helper()
	text, err := json.Marshal(a.loads)
	require.NoError(a.t, err)
	part := fmt.Sprintf("%s.part", a.file)
	require.NoError(a.t, os.WriteFile(part, text, 0o600))
	require.NoError(a.t, os.Rename(part, a.file))
}
