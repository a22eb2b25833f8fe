// Command demo shows on one computer, with nothing but Go, what cluster-autoscaler-openstack does: it starts a real
// Kubernetes control plane and a simulated OpenStack, lets pods pend, and tells what happens until the nodes that were made
// for them are gone again, and then how a group of nodes follows the load that its servers have. It ends with 0 only if everything happened as it should, and leaves nothing behind.
//
// With --cloud and --admin-cloud (entries of the clouds.yaml that OS_CLIENT_CONFIG_FILE names) it uses a real OpenStack.
package main

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
	"time"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// exitInterrupted is what shells expect of a program that was interrupted.
const exitInterrupted = 130

func main() {
	user := flag.String("cloud", "", "entry of clouds.yaml to run on; empty for a simulated OpenStack")
	administrator := flag.String("admin-cloud", "", "entry of an administrator of that cloud, who may read user_data")
	external := flag.Bool("external", false, "put the product as a gRPC server beside a stock cluster-autoscaler")
	flag.Parse()
	// Library code logs to stderr; the timeline is what people came for.
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	line := newTimeline(os.Stdout)
	err := run(ctx, line, *user, *administrator, *external)
	interrupted := ctx.Err() != nil
	stop()
	var left leftoverError
	switch {
	case interrupted && errors.As(err, &left):
		line.Say("interrupted, and %v", left)
		os.Exit(exitInterrupted)
	case interrupted:
		line.Say("interrupted; everything has been stopped")
		os.Exit(exitInterrupted)
	case err != nil:
		line.Say("FAILED: %v", err)
		os.Exit(1)
	}
	line.Say("done: scaled up and down, and nothing is left running")
}

// leftoverError says that something could not be tidied up.
type leftoverError struct{ error }

// tidied makes an error of tidying up one that is known as such.
func tidied(err error) error {
	if err == nil {
		return nil
	}
	return leftoverError{fmt.Errorf("not everything could be tidied up: %w", err)}
}

// Pauses that make a simulated machine look like a real one, only faster.
const (
	bootDelay     = 2 * time.Second
	stepTimeout   = 5 * time.Minute
	closeTimeout  = 3 * time.Minute
	worldName     = "demo"
	simulatedAddr = "127.0.0.1:0"
	// writeTimeout is short because a bootstrap token is kept as long as a change of a stack that carries it may take.
	writeTimeout = 20 * time.Second
)

func run(ctx context.Context, line *timeline, user, administrator string, external bool) (err error) {
	base, err := world.StartBase(ctx, func(what string) { line.Say("%s", what) })
	defer func() { err = errors.Join(err, tidied(base.Close())) }()
	if err != nil {
		return err
	}
	line.Say("Kubernetes is up at %s, without any node", base.Cluster.Endpoint)
	cloud, closeCloud, err := openCloud(ctx, line, user, administrator)
	if err != nil {
		return err
	}
	defer closeCloud()
	w, err := world.New(ctx, base, worldName, cloud, world.Options{BootDelay: bootDelay, OnMachine: line.machine, External: external})
	defer func() {
		// Also after an interrupt there is something to tidy up.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		err = errors.Join(err, tidied(w.Close(ctx)))
	}()
	if err != nil {
		return err
	}
	stopWatching := line.watch(ctx, w)
	defer stopWatching()
	job := world.MainJob{World: w, Timeout: stepTimeout, Say: line.Say}
	if user == "" {
		job.Flags = []string{"--openstack-write-timeout=" + writeTimeout.String()}
	}
	if _, err := job.Run(ctx); err != nil {
		return errors.Join(err, w.Diagnosis())
	}
	if err := followLoad(ctx, line, w, user == ""); err != nil {
		return errors.Join(err, w.Diagnosis())
	}
	if !w.StopAutoscaler() {
		return errors.New("the autoscaler did not end cleanly when asked to")
	}
	return nil
}

// How often Ceilometer polls: as fast as Gnocchi follows, so that the demo takes seconds.
const (
	loadInterval     = 2 * time.Second
	realLoadInterval = 5 * time.Second
)

// followLoad shows a floor that rises and falls.
func followLoad(ctx context.Context, line *timeline, w *world.World, simulated bool) error {
	job := &world.LoadJob{World: w, Timeout: stepTimeout, Say: line.Say, Interval: loadInterval}
	if !simulated {
		job.Interval = realLoadInterval
	}
	for _, step := range []func(context.Context) error{job.Begin, job.Rise, job.Fall, job.End} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func openCloud(ctx context.Context, line *timeline, user, administrator string) (*world.Cloud, func(), error) {
	if user != "" {
		cloud, err := world.Real(ctx, user, administrator)
		return cloud, func() {}, err
	}
	sim := simulator.New(simulator.Options{})
	if err := sim.Start(simulatedAddr); err != nil {
		return nil, nil, err
	}
	line.Say("a simulated OpenStack is up at %s", sim.AuthURL())
	dir, err := os.MkdirTemp("", "demo-")
	if err != nil {
		sim.Close()
		return nil, nil, err
	}
	closeCloud := func() {
		sim.Close()
		if err := os.RemoveAll(dir); err != nil {
			line.Say("%s is left: %v", filepath.Base(dir), err)
		}
	}
	cloud, err := world.Simulated(ctx, sim, dir)
	if err != nil {
		closeCloud()
		return nil, nil, fmt.Errorf("simulated OpenStack: %w", err)
	}
	return cloud, closeCloud, nil
}
