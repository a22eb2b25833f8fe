package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// How often servers are polled: as fast as the cloud's Gnocchi follows.
const (
	loadInterval     = 2 * time.Second
	realLoadInterval = 5 * time.Second
)

// TestLoadFloor: load makes a group grow without a pending pod, keeps a node that no pod needs, and lets go, on any cloud.
func TestLoadFloor(t *testing.T) {
	t.Parallel()
	loadFloor(t, "loadfloor", false)
}

// TestLoadFloorExternal: the same with a stock cluster-autoscaler, to which floors are minimums that it gets over gRPC.
func TestLoadFloorExternal(t *testing.T) {
	t.Parallel()
	loadFloor(t, "loadfloorext", true)
}

func loadFloor(t *testing.T, name string, external bool) {
	t.Helper()
	options := world.Options{External: external}
	job := &world.LoadJob{Timeout: stepTimeout, Interval: loadInterval, Say: t.Logf}
	check := func() {}
	if *realCloud != "" {
		cloud, err := world.Real(t.Context(), *realCloud, *adminCloud)
		require.NoError(t, err)
		job.World, job.Timeout, job.Interval = newWorld(t, name, cloud, options), realStepTimeout, realLoadInterval
	} else {
		s := newSceneWith(t, name, options)
		job.World, check = s.World, s.noWrongRemoval
	}
	require.NoError(t, job.World.StartAutoscaler(t.Context()))
	_, err := job.Run(t.Context())
	require.NoError(t, err)
	check()
	(&scene{World: job.World, t: t}).requireRights()
	require.True(t, job.World.StopAutoscaler(), "the autoscaler should end with success when asked to")
}

// The times of TestTelemetryFailures: how old points may be, for how long a floor is held without good ones, and after how long the autoscaler
// waits for an answer no more.
const (
	failureMaxAge  = 8 * time.Second
	failureHold    = 8 * time.Second
	failureTimeout = time.Minute
)

// tooSlow is the failure of TestTelemetryFailures in which there is no answer.
const tooSlow = "slow"

// TestTelemetryFailures: whatever is wrong with telemetry, the floor is held for a while and then it is the minimum; no node leaves
// before that, none comes, and the loop runs on.
func TestTelemetryFailures(t *testing.T) {
	t.Parallel()
	s := newScene(t, "loadfailures")
	annotations := world.LoadAnnotations(60, time.Second)
	maps.Copy(annotations, map[string]string{
		"load-max-age": failureMaxAge.String(), "load-hold": failureHold.String(),
		// Floors are looked at, not what follows from them, until the end.
		"autoscaling-options-scaledownunneededtime": "1h",
	})
	group := s.group(world.GroupSpec{Name: "busy", Min: 1, Max: 8, Annotations: annotations})
	require.NoError(t, s.StartAutoscaler(t.Context(), "--telemetry-timeout="+failureTimeout.String()))
	s.size(group, 1)
	telemetry, err := s.StartTelemetry(t.Context(), world.TelemetryOptions{Interval: time.Second})
	require.NoError(t, err)
	telemetry.Work(group, 5*57)
	servers := s.size(group, 5)
	scene := &loadScene{scene: s, group: group}
	one := servers["1"].ID

	gnocchi := func(f simulator.Fault) func() func() {
		f.Service, f.Method, f.Path = simulator.Gnocchi, http.MethodPost, "/aggregates"
		return func() func() { return s.sim.Inject(f) }
	}
	for _, failure := range []struct {
		name   string
		inject func() (mend func())
	}{
		{"401", gnocchi(simulator.Fault{Status: http.StatusUnauthorized})},
		{"500", gnocchi(simulator.Fault{Status: http.StatusInternalServerError})},
		{tooSlow, gnocchi(simulator.Fault{Latency: time.Hour})},
		{"empty", gnocchi(simulator.Fault{Status: http.StatusOK, Body: "[]"})},
		{"20 minutes late", func() func() {
			telemetry.Late(20 * time.Minute)
			return func() { telemetry.Late(0) }
		}},
		{"one of five members silent", func() func() {
			telemetry.Silence(one)
			return func() { telemetry.Normal(one) }
		}},
		{"a negative rate", func() func() {
			telemetry.Rate(one, -50)
			return func() { telemetry.Normal(one) }
		}},
	} {
		known := scene.confirmed(failure.name+": before", 5)
		mend := failure.inject()
		scene.goesOn(failure.name, failure.name == tooSlow)
		scene.givesUp(failure.name, known)
		stack, err := group.Stack(t.Context())
		require.NoError(t, err)
		require.Equal(t, 5, stack.Count(), failure.name)
		mend()
	}
	known := scene.confirmed("off: before", 5)
	telemetry.Stop()
	scene.givesUp("off", known)
	annotations["autoscaling-options-scaledownunneededtime"] = "3s"
	require.NoError(t, group.Annotate(t.Context(), world.GroupSpec{Min: 1, Max: 8, Annotations: annotations}))
	s.size(group, 1)
	s.noWrongRemoval()
}

// loadScene is a scene with a group that has a load.
type loadScene struct {
	*scene
	group *world.Group
}

// floor is the floor of the group, and whether it has one.
func (s *loadScene) floor(ctx context.Context) (float64, bool) {
	floors, err := s.Autoscaler.Samples(ctx, "cluster_autoscaler_openstack_node_group_floor", map[string]string{"node_group": s.group.Name}, "node_group")
	return floors[s.group.Name], err == nil
}

// confirmed waits until load says that the floor is this one: it is not held, after readings of the cloud that have begun meanwhile. It returns
// a time after which that was known.
func (s *loadScene) confirmed(when string, size float64) time.Time {
	s.t.Helper()
	var since time.Time
	first := 0.0
	s.until(fmt.Sprintf("%s: a floor of %v that load wants", when, size), func(ctx context.Context) error {
		now, refreshes := time.Now(), s.refreshes()
		held, err := s.Autoscaler.Samples(ctx, "cluster_autoscaler_openstack_node_group_floor_held", map[string]string{"node_group": s.group.Name}, "node_group")
		if err != nil {
			return err
		}
		if floor, ok := s.floor(ctx); !ok || floor != size || held[s.group.Name] != 0 {
			since = time.Time{}
			return fmt.Errorf("it is %v (%t), held: %v", floor, ok, held)
		}
		if since.IsZero() {
			since, first = now, refreshes
		}
		// The first one to end after since may have begun before it.
		if refreshes < first+2 {
			return errors.New("it may have been so before")
		}
		return nil
	})
	return since
}

// givesUp waits until a floor that load can't confirm any more, and which it did after known, is the minimum. Until then it is the last one, for
// the time of hold.
func (s *loadScene) givesUp(when string, known time.Time) {
	s.t.Helper()
	var changed error
	s.until(when+": no floor but the minimum", func(ctx context.Context) error {
		switch floor, ok := s.floor(ctx); {
		case ok && floor == 1:
			return nil
		case ok && floor != 5:
			changed = fmt.Errorf("it was %v on the way", floor)
			return changed
		default:
			return fmt.Errorf("it is %v (%t)", floor, ok)
		}
	})
	require.NoError(s.t, changed, "%s: a floor is held or given up, nothing else", when)
	require.GreaterOrEqual(s.t, time.Since(known), failureHold, "%s: it is held for a while", when)
}

// goesOn checks that the autoscaler's loop goes on during the failure; and if there is no answer, that it does so without waiting for one.
func (s *loadScene) goesOn(when string, silent bool) {
	s.t.Helper()
	before, readings := s.refreshes(), s.readings()
	s.until(when+": four loops", func(context.Context) error {
		if now := s.readings(); silent && now != readings {
			before, readings = s.refreshes(), now // those that are over when the failure begins, and after failureTimeout
		}
		if now := s.refreshes(); now < before+4 {
			return fmt.Errorf("%v since %v", now, before)
		}
		return nil
	})
}

// refreshes is how often the autoscaler has read the cloud. Each loop begins with that.
func (s *loadScene) refreshes() float64 {
	s.t.Helper()
	samples, err := s.Autoscaler.Samples(s.t.Context(), "cluster_autoscaler_openstack_refreshes_total", map[string]string{"result": "ok"}, "result")
	require.NoError(s.t, err)
	return samples["ok"]
}

// readings is how many readings of telemetry have ended, with or without success.
func (s *loadScene) readings() float64 {
	s.t.Helper()
	samples, err := s.Autoscaler.Samples(s.t.Context(), "cluster_autoscaler_openstack_telemetry_readings_total", nil, "metric")
	require.NoError(s.t, err)
	return samples["cpu"]
}
