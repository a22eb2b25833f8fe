// Package e2e_test runs the autoscaler's own binary against a real Kubernetes control plane and a simulated or real
// OpenStack. Each test has a cloud and an autoscaler of its own; the control plane is shared. See README.md.
package e2e_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

var (
	realCloud  = flag.String("cloud", "", "run TestMainJob on this entry of clouds.yaml instead of the simulator")
	adminCloud = flag.String("admin-cloud", "", "entry of an administrator of that cloud")
)

// base is started by TestMain and shared by all tests.
var base *world.Base

// sideBySide is how many scenes run at the same time, whatever the number of processors: they wait most of the time.
const sideBySide = 4

func TestMain(m *testing.M) {
	flag.Parse()
	isGiven := false
	flag.Visit(func(f *flag.Flag) { isGiven = isGiven || f.Name == "test.parallel" })
	if !isGiven {
		if err := flag.Set("test.parallel", strconv.Itoa(sideBySide)); err != nil {
			panic(err)
		}
	}
	// What our own clients log is of no interest; the autoscaler's log is shown when a test fails.
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	os.Exit(run(m))
}

// run exists for its defers, which os.Exit would skip.
func run(m *testing.M) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	start := time.Now()
	var err error
	base, err = world.StartBaseWith(ctx, world.BaseOptions{Descheduler: *realCloud == ""}, func(what string) {
		fmt.Printf("%5.1fs %s\n", time.Since(start).Seconds(), what)
	})
	code := 1
	if err == nil {
		code, err = world.RunTests(ctx, m)
	}
	if err := errors.Join(err, base.Close()); err != nil {
		fmt.Println(err)
		return 1
	}
	return code
}

const (
	// stepTimeout bounds every wait for something that takes seconds on an idle computer.
	stepTimeout = 2 * time.Minute
	// realStepTimeout is the same on a real cloud, which visits every server of a stack for each change.
	realStepTimeout = 5 * time.Minute
	closeTimeout    = 2 * time.Minute
	// realWriteTimeout is how long a change of a stack may take on a real cloud whose machine is busy. The default is twice as long.
	realWriteTimeout = 90 * time.Second
)

// scene is a world on a simulated cloud of its own.
type scene struct {
	*world.World
	t   *testing.T
	sim *simulator.Simulator
}

// newScene makes a scene, and tears it down when the test ends. The name must be unique among the tests.
func newScene(t *testing.T, name string) *scene {
	t.Helper()
	return newSceneWith(t, name, world.Options{})
}

// newSceneWith is newScene with options of its world.
func newSceneWith(t *testing.T, name string, options world.Options) *scene {
	t.Helper()
	// Half the time of a small real cloud: long enough for the autoscaler to see what happens in between. Its clock is the
	// computer's, as it is compared with the API server's when machines want to join.
	timing := simulator.DefaultTiming().Faster(2)
	sim := simulator.New(simulator.Options{Timing: &timing, Seed: world.Seed(name)})
	t.Cleanup(sim.Close)
	require.NoError(t, sim.Start("127.0.0.1:0"))
	cloud, err := world.Simulated(t.Context(), sim, t.TempDir())
	require.NoError(t, err)
	return &scene{World: newWorld(t, name, cloud, options), t: t, sim: sim}
}

func newWorld(t *testing.T, name string, cloud *world.Cloud, options world.Options) *world.World {
	t.Helper()
	return newWorldOn(t, base, name, cloud, options)
}

// newWorldOn is newWorld on a control plane that the other scenes do not share.
func newWorldOn(t *testing.T, on *world.Base, name string, cloud *world.Cloud, options world.Options) *world.World {
	t.Helper()
	options.BootDelay = 500 * time.Millisecond
	w, err := world.New(t.Context(), on, name, cloud, options)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.Diagnosis())
		}
		// The test's own context has ended by now.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), closeTimeout)
		defer cancel()
		require.NoError(t, w.Close(ctx))
	})
	require.NoError(t, err)
	return w
}

// group makes a node group.
func (s *scene) group(spec world.GroupSpec) *world.Group {
	s.t.Helper()
	group, err := s.CreateGroup(s.t.Context(), spec)
	require.NoError(s.t, err)
	return group
}

// deploy makes a workload.
func (s *scene) deploy(workload world.Workload) {
	s.t.Helper()
	require.NoError(s.t, s.Deploy(s.t.Context(), workload))
}

// size waits until a group has n members and everything has settled.
func (s *scene) size(group *world.Group, n int) map[string]world.Server {
	s.t.Helper()
	servers, err := group.WaitForSize(s.t.Context(), stepTimeout, n)
	require.NoError(s.t, err)
	return servers
}

// runs waits until n pods of a workload run.
func (s *scene) runs(workload string, n int) {
	s.t.Helper()
	require.NoError(s.t, s.WaitForRunning(s.t.Context(), stepTimeout, workload, n))
}

// until waits for a condition; check returns what is missing.
func (s *scene) until(what string, check func(context.Context) error) {
	s.t.Helper()
	require.NoError(s.t, s.Until(s.t.Context(), stepTimeout, what, check))
}

// throughout checks that something stays true for d.
func (s *scene) throughout(d time.Duration, what string, check func(context.Context) error) {
	s.t.Helper()
	require.NoError(s.t, s.Throughout(s.t.Context(), d, what, check))
}

// noWrongRemoval checks what truly happened in the cloud: no running server died that nobody had named.
func (s *scene) noWrongRemoval() {
	s.t.Helper()
	for _, death := range s.sim.Deaths() {
		if death.WasRunning {
			require.Equal(s.t, simulator.NamedRemoval, death.Cause, "%s died: %+v", death.Name, death)
		}
	}
}
