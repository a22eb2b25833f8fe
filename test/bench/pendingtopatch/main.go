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
	"math/rand/v2"
	"os"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/bench/stage"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

func main() {
	samples := flag.Int("samples", 10, "how many pods to let pend, one after the other")
	stage.Main(func(ctx context.Context, s *stage.Stage) ([]stage.Number, error) {
		mean, err := sample(ctx, s, *samples)
		return []stage.Number{{Name: "pending_to_patch_s", Value: mean.Seconds(), Digits: 2, Unit: "s"}}, err
	})
}

// sample takes the samples. Each pod begins to pend at another phase of the autoscaler's loop: the phases are spread evenly
// over the scan interval and each has a random part, so that few samples give a good mean.
func sample(ctx context.Context, s *stage.Stage, samples int) (time.Duration, error) {
	group, err := s.World.CreateGroup(ctx, world.GroupSpec{Name: "workers", Max: samples + 1})
	if err != nil {
		return 0, err
	}
	if err := s.StartAutoscaler(ctx); err != nil {
		return 0, err
	}
	// The first scale-up also waits for caches to fill; it is not counted, but tells when the loop runs.
	_, patched, err := one(ctx, s, "warmup")
	if err != nil {
		return 0, err
	}
	if err := settle(ctx, s.World, group, "warmup", 1); err != nil {
		return 0, err
	}
	var sum time.Duration
	for i, place := range rand.Perm(samples) { //nolint:gosec // no secret
		phase := time.Duration((float64(place) + rand.Float64()) / float64(samples) * float64(stage.ScanInterval)) //nolint:gosec // no secret
		if err := waitForPhase(ctx, patched, phase); err != nil {
			return 0, err
		}
		app := fmt.Sprintf("app-%d", i)
		var took time.Duration
		if took, patched, err = one(ctx, s, app); err != nil {
			return 0, err
		}
		fmt.Fprintf(os.Stderr, "sample %2d of %d: %5.2f s\n", i+1, samples, took.Seconds())
		sum += took
		if err := settle(ctx, s.World, group, app, i+2); err != nil {
			return 0, err
		}
	}
	return sum / time.Duration(samples), nil
}

// waitForPhase waits until the next moment that is phase after a loop, if one loop was at the time loop.
func waitForPhase(ctx context.Context, loop time.Time, phase time.Duration) error {
	wait := (phase - time.Since(loop)) % stage.ScanInterval
	if wait < 0 {
		wait += stage.ScanInterval
	}
	return stage.Wait(ctx, wait)
}

// settle waits until the pod runs on its node: one that still waits would ask for a node when the next sample does.
func settle(ctx context.Context, w *world.World, group *world.Group, app string, size int) error {
	if err := w.WaitForRunning(ctx, stage.ReadyTimeout, app, 1); err != nil {
		return err
	}
	_, err := group.WaitForSize(ctx, stage.ReadyTimeout, size)
	return err
}

// one lets a pod pend and waits for the PATCH. It returns how long that took and when the PATCH came.
func one(ctx context.Context, s *stage.Stage, app string) (took time.Duration, patched time.Time, err error) {
	before := len(s.Sim.Updates())
	if err := s.World.Deploy(ctx, world.Workload{Name: app, Replicas: 1, CPU: "600m"}); err != nil {
		return 0, patched, err
	}
	if err := s.World.Until(ctx, stage.SampleTimeout, "the pod to be unschedulable", func(ctx context.Context) error {
		pods, err := s.World.Pods(ctx, app)
		if err == nil && (len(pods) != 1 || !unschedulable(&pods[0])) {
			err = errors.New("it is not")
		}
		return err
	}); err != nil {
		return 0, patched, err
	}
	pending := time.Now()
	err = s.WaitForUpdate(ctx, before)
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
