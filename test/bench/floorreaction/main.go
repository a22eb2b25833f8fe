// Command floorreaction measures how long it takes from a load's being visible in Gnocchi to Heat's being told to make a node:
// there is no pending pod. It runs the autoscaler as operators do, with a scan interval of 10 s, on a real control plane and a
// simulated OpenStack whose Ceilometer polls the servers, and prints the longest time, which is what is promised:
//
//	bench floor_reaction_s <maximum> s
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

const (
	scanInterval = 10 * time.Second
	// polling is no multiple of the scan interval, so that points become visible at all phases of the autoscaler's loop.
	polling       = 13 * time.Second
	readyTimeout  = 2 * time.Minute
	sampleTimeout = time.Minute
	// target is the load that is aimed at, in percent.
	target = 60
)

func main() {
	samples := flag.Int("samples", 8, "how often the load rises so that one more node is wanted; at most 8")
	flag.Parse()
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard) // else it writes files
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	longest, err := measure(ctx, min(*samples, 8)) // with more nodes than that, one more is within the tolerance
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("bench floor_reaction_s %.2f s\n", longest.Seconds())
}

func measure(ctx context.Context, samples int) (longest time.Duration, err error) {
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
	longest, err = sample(ctx, w, sim, samples)
	if err != nil {
		err = errors.Join(err, w.Diagnosis())
	}
	return longest, err
}

// sample raises the load again and again, so that one more node is wanted each time.
func sample(ctx context.Context, w *world.World, sim *simulator.Simulator, samples int) (longest time.Duration, err error) {
	group, err := w.CreateGroup(ctx, world.GroupSpec{
		Name: "workers", Min: 1, Max: samples + 2, Annotations: world.LoadAnnotations(target, polling),
	})
	if err != nil {
		return 0, err
	}
	polls := ticks{start: time.Now()}
	sim.StartCeilometer(simulator.Ceilometer{PollingInterval: polling, Granularity: polling})
	if err := w.StartPatientAutoscaler(ctx, "--scan-interval="+scanInterval.String()); err != nil {
		return 0, err
	}
	var sum time.Duration
	for i := range samples {
		nodes := i + 1
		if _, err := group.WaitForSize(ctx, readyTimeout, nodes); err != nil {
			return 0, err
		}
		// Right after a poll, so that the next one measures the new load over the whole interval.
		if err := polls.wait(ctx); err != nil {
			return 0, err
		}
		sim.SetWork(group.Name, float64(target)/100*(float64(nodes)+0.95))
		before := len(sim.Updates())
		visible := polls.last().Add(polling)
		if err := w.Until(ctx, sampleTimeout, "a PATCH", func(context.Context) error {
			if len(sim.Updates()) > before {
				return nil
			}
			return errors.New("none has come")
		}); err != nil {
			return 0, err
		}
		took := sim.Updates()[before].At.Sub(visible)
		if took < 0 {
			return 0, fmt.Errorf("the stack grew %s before the load could be known", -took)
		}
		fmt.Fprintf(os.Stderr, "sample %d of %d: %5.2f s\n", i+1, samples, took.Seconds())
		longest, sum = max(longest, took), sum+took
	}
	fmt.Fprintf(os.Stderr, "mean: %.2f s\n", sum.Seconds()/float64(samples))
	return longest, nil
}

// ticks are the times at which Ceilometer polls.
type ticks struct{ start time.Time }

// last is the newest one.
func (t ticks) last() time.Time {
	return t.start.Add(time.Since(t.start).Truncate(polling))
}

// wait waits until the next one is over.
func (t ticks) wait(ctx context.Context) error {
	timer := time.NewTimer(time.Until(t.last().Add(polling + 50*time.Millisecond)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
