//go:build vm

package vm_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/binaries"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/vm"
)

var (
	build   = flag.Bool("build", false, "build the programs, print their paths as assignments for a shell, and do nothing else")
	image   = flag.String("image", "", "folder of the node image")
	pause   = flag.String("pause", "", "program of the pods' container image, test/vm/pause")
	dir     = flag.String("dir", "", "folder for the machines' disks")
	cgroups = flag.String("cgroups", "", "what the names of the nodes' cgroups begin with")
	// Compared with the one that the tests run in, to be sure that they make their devices in no other.
	outside = flag.String("outside", "", "the machine's own network namespace, as /proc/self/ns/net names it")
)

// base and host are made by TestMain and shared by all tests.
var (
	base *world.Base
	host *vm.Host
)

func TestMain(m *testing.M) {
	flag.Parse()
	// What our own clients log is of no interest; the autoscaler's log is shown when a test fails.
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard) // else it goes to files
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var code int
	var err error
	if *build {
		err = buildPrograms(ctx)
	} else {
		code, err = run(ctx, m)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildPrograms(ctx context.Context) error {
	builder, err := binaries.New()
	if err != nil {
		return err
	}
	kubernetes, err := builder.Kubernetes(ctx)
	if err != nil {
		return err
	}
	autoscaler, err := builder.Autoscaler(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("E2E_KUBERNETES=%q E2E_AUTOSCALER=%q\n", kubernetes, autoscaler)
	return err
}

func run(ctx context.Context, m *testing.M) (code int, err error) {
	if *image == "" || *pause == "" || *dir == "" || *cgroups == "" || os.Getenv("E2E_KUBERNETES") == "" {
		return 1, errors.New(`these tests need what test/vm/run prepares: run "make test-vm"`)
	}
	network, err := vm.NewNetwork(ctx, *outside)
	if err != nil {
		return 1, err
	}
	start := time.Now()
	say := func(what string) { fmt.Printf("%5.1fs %s\n", time.Since(start).Seconds(), what) }
	scripts, err := os.Getwd()
	if err != nil {
		return 1, err
	}
	say("making the machines' disk of programs")
	if host, err = vm.NewHost(ctx, *dir, scripts, *image, os.Getenv("E2E_KUBERNETES"), *pause, *cgroups, network); err != nil {
		return 1, err
	}
	base, err = world.StartBaseOn(ctx, network.Gateway, say)
	defer func() {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		err = errors.Join(err, base.Close(), host.RemoveCgroups(cleanup))
	}()
	if err != nil {
		return 1, err
	}
	return world.RunTests(ctx, m)
}

const (
	// bootTimeout bounds a virtual machine's way from power-on to a running pod: a minute on an idle machine, three on one
	// that is ten times overloaded.
	bootTimeout = 8 * time.Minute
	// nodeTimeout is the same for a node in namespaces, which takes seconds.
	nodeTimeout    = 2 * time.Minute
	closeTimeout   = 2 * time.Minute
	cleanupTimeout = 30 * time.Second
)

// switchOn starts a server's machine.
type switchOn func(group *process.Group, server machines.Server, name, dir string) (*process.Process, error)

// scene is a world on a simulated cloud of its own whose servers are real machines.
type scene struct {
	*world.World
	// active receives the time at which a server became ACTIVE, poweredOn that at which its machine was switched on.
	active, poweredOn chan time.Time
	sim               *simulator.Simulator
	intruders         int // so many were started
}

func newScene(t *testing.T, name string, switchOn switchOn) *scene {
	t.Helper()
	return newSceneOn(t, name, simulator.Options{Speed: 2}, switchOn)
}

// newSceneOn is newScene with a cloud that is like this.
func newSceneOn(t *testing.T, name string, options simulator.Options, switchOn switchOn) *scene {
	t.Helper()
	sim := simulator.New(options)
	s := &scene{active: make(chan time.Time, 100), poweredOn: make(chan time.Time, 100), sim: sim}
	t.Cleanup(sim.Close)
	require.NoError(t, sim.Start("127.0.0.1:0"))
	sim.Subscribe(func(event simulator.ServerEvent) {
		if event.Type == simulator.ServerActive {
			s.active <- time.Now()
		}
	})
	cloud, err := world.Simulated(t.Context(), sim, t.TempDir())
	require.NoError(t, err)
	s.World, err = world.New(t.Context(), base, name, cloud, world.Options{
		SwitchOn: switchOn,
		OnMachine: func(event machines.Event) {
			if event.Kind == machines.Started {
				s.poweredOn <- time.Now()
			}
			t.Logf("machine %s of server %s (%s): %v", event.Kind, event.Name, event.ServerID, event.Err)
		},
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.Diagnosis())
			showConsoles(t, s.Name)
		}
		// The test's own context has ended by now.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), closeTimeout)
		defer cancel()
		require.NoError(t, s.Close(ctx))
	})
	require.NoError(t, err)
	return s
}

// showConsoles logs the last lines of the console of every machine whose server's name begins with name.
func showConsoles(t *testing.T, name string) {
	t.Helper()
	consoles, err := filepath.Glob(filepath.Join(base.Logs(), "machine-"+name+"-*.log"))
	require.NoError(t, err)
	for _, console := range consoles {
		t.Logf("the end of %s:\n%s", console, process.Tail(console, 12000))
	}
}
