package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// How often servers are polled: as fast as the cloud's Gnocchi follows.
const (
	loadInterval     = 2 * time.Second
	realLoadInterval = 5 * time.Second
)

// TestLoadFloor: load makes a group grow without a pending pod, keeps a node that no pod needs, and lets go, on any cloud.
func TestLoadFloor(t *testing.T) {
	t.Parallel()
	const name = "loadfloor"
	job := &world.LoadJob{Timeout: stepTimeout, Interval: loadInterval, Say: t.Logf}
	check := func() {}
	if *realCloud != "" {
		cloud, err := world.Real(t.Context(), *realCloud, *adminCloud)
		require.NoError(t, err)
		job.World, job.Timeout, job.Interval = newWorld(t, name, cloud, world.Options{}), realStepTimeout, realLoadInterval
	} else {
		s := newScene(t, name)
		job.World, check = s.World, s.noWrongRemoval
	}
	require.NoError(t, job.World.StartAutoscaler(t.Context()))
	_, err := job.Run(t.Context())
	require.NoError(t, err)
	check()
	(&scene{World: job.World, t: t}).requireRights()
	require.True(t, job.World.StopAutoscaler(), "the autoscaler should end with success when asked to")
}
