// Command pendingtopatch measures how long it takes from a pod being found unschedulable to Heat's being told to make a
// node: the autoscaler's own part of a scale-up. It runs the autoscaler as operators do, with a scan interval of 10 s, on
// a real control plane and a simulated OpenStack, and prints
//
//	bench pending_to_patch_s <mean> s
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

const (
	scanInterval = 10 * time.Second
	// sampleTimeout bounds one sample; a scan interval and a slow loop fit in easily.
	sampleTimeout = time.Minute
	readyTimeout  = 2 * time.Minute
)

func main() {
	samples := flag.Int("samples", 10, "how many pods to let pend, one after the other")
	flag.Parse()
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard) // else it writes files
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	mean, err := measure(ctx, *samples)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("bench pending_to_patch_s %.2f s\n", mean.Seconds())
}

func measure(ctx context.Context, samples int) (mean time.Duration, err error) {
	base, err := world.StartBase(ctx, func(what string) { fmt.Fprintln(os.Stderr, what) })
	defer func() { err = errors.Join(err, base.Close()) }()
	if err != nil {
		return 0, err
	}
	sim := simulator.New(simulator.Options{})
	if err := sim.Start("127.0.0.1:0"); err != nil {
		return 0, err
	}
	defer sim.Close()
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cloud, err := world.Simulated(ctx, sim, dir)
	if err != nil {
		return 0, err
	}
	w, err := world.New(ctx, base, "bench", cloud, world.Options{})
	defer func() { err = errors.Join(err, w.Close(context.WithoutCancel(ctx))) }()
	if err != nil {
		return 0, err
	}
	return sample(ctx, w, sim, samples)
}

// sample takes the samples. Each pod begins to pend at another phase of the autoscaler's loop: the phases are spread evenly
// over the scan interval and each has a random part, so that few samples give a good mean.
func sample(ctx context.Context, w *world.World, sim *simulator.Simulator, samples int) (time.Duration, error) {
	group, err := w.CreateGroup(ctx, world.GroupSpec{Name: "workers", Max: samples + 1})
	if err != nil {
		return 0, err
	}
	if err := w.StartPatientAutoscaler(ctx, "--scan-interval="+scanInterval.String()); err != nil {
		return 0, err
	}
	// The first scale-up also waits for caches to fill; it is not counted, but tells when the loop runs.
	_, patched, err := one(ctx, w, sim, "warmup")
	if err != nil {
		return 0, err
	}
	if err := settle(ctx, w, group, "warmup", 1); err != nil {
		return 0, err
	}
	var sum time.Duration
	for i, place := range rand.Perm(samples) { //nolint:gosec // no secret
		phase := time.Duration((float64(place) + rand.Float64()) / float64(samples) * float64(scanInterval)) //nolint:gosec // no secret
		if err := waitForPhase(ctx, patched, phase); err != nil {
			return 0, err
		}
		app := fmt.Sprintf("app-%d", i)
		var took time.Duration
		if took, patched, err = one(ctx, w, sim, app); err != nil {
			return 0, errors.Join(err, w.Diagnosis())
		}
		fmt.Fprintf(os.Stderr, "sample %2d of %d: %5.2f s\n", i+1, samples, took.Seconds())
		sum += took
		if err := settle(ctx, w, group, app, i+2); err != nil {
			return 0, err
		}
	}
	return sum / time.Duration(samples), nil
}

// waitForPhase waits until the next moment that is phase after a loop, if one loop was at the time loop.
func waitForPhase(ctx context.Context, loop time.Time, phase time.Duration) error {
	wait := (phase - time.Since(loop)) % scanInterval
	if wait < 0 {
		wait += scanInterval
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle waits until the pod runs on its node: one that still waits would ask for a node when the next sample does.
func settle(ctx context.Context, w *world.World, group *world.Group, app string, size int) error {
	if err := w.WaitForRunning(ctx, readyTimeout, app, 1); err != nil {
		return err
	}
	_, err := group.WaitForSize(ctx, readyTimeout, size)
	return err
}

// one lets a pod pend and waits for the PATCH. It returns how long that took and when the PATCH came.
func one(ctx context.Context, w *world.World, sim *simulator.Simulator, app string) (took time.Duration, patched time.Time, err error) {
	before := len(sim.Updates())
	if err := w.Deploy(ctx, world.Workload{Name: app, Replicas: 1, CPU: "600m"}); err != nil {
		return 0, patched, err
	}
	if err := w.Until(ctx, sampleTimeout, "the pod to be unschedulable", func(ctx context.Context) error {
		pods, err := w.Pods(ctx, app)
		if err == nil && (len(pods) != 1 || !unschedulable(&pods[0])) {
			err = errors.New("it is not")
		}
		return err
	}); err != nil {
		return 0, patched, err
	}
	pending := time.Now()
	err = w.Until(ctx, sampleTimeout, "a PATCH", func(context.Context) error {
		if len(sim.Updates()) > before {
			return nil
		}
		return errors.New("none has come")
	})
	patched = time.Now()
	return patched.Sub(pending), patched, err
}

func unschedulable(pod *v1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == v1.PodScheduled && condition.Reason == v1.PodReasonUnschedulable {
			return true
		}
	}
	return false
}
