// Command floorreaction measures how long it takes from a load's being visible in Gnocchi to Heat's being told to make a node:
// there is no pending pod. It runs the autoscaler as operators do, with a scan interval of 10 s, on a real control plane and a
// simulated OpenStack whose Ceilometer polls the servers, and prints the longest time, which is what is promised:
//
//	bench floor_reaction_s <maximum> s
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/bench/stage"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

const (
	// polling is no multiple of the scan interval, so that points become visible at all phases of the autoscaler's loop.
	polling = 13 * time.Second
	// target is the load that is aimed at, in percent.
	target = 60
)

func main() {
	samples := flag.Int("samples", 8, "how often the load rises so that one more node is wanted; at most 8")
	stage.Main(func(ctx context.Context, s *stage.Stage) ([]stage.Number, error) {
		longest, err := sample(ctx, s, min(*samples, 8)) // with more nodes than that, one more is within the tolerance
		return []stage.Number{{Name: "floor_reaction_s", Value: longest.Seconds(), Digits: 2, Unit: "s"}}, err
	})
}

// sample raises the load again and again, so that one more node is wanted each time.
func sample(ctx context.Context, s *stage.Stage, samples int) (longest time.Duration, err error) {
	group, err := s.World.CreateGroup(ctx, world.GroupSpec{
		Name: "workers", Min: 1, Max: samples + 2, Annotations: world.LoadAnnotations(target, polling),
	})
	if err != nil {
		return 0, err
	}
	polls := ticks{start: time.Now()}
	s.Sim.StartCeilometer(simulator.Ceilometer{PollingInterval: polling, Granularity: polling})
	if err := s.StartAutoscaler(ctx); err != nil {
		return 0, err
	}
	var sum time.Duration
	for i := range samples {
		nodes := i + 1
		if _, err := group.WaitForSize(ctx, stage.ReadyTimeout, nodes); err != nil {
			return 0, err
		}
		// Right after a poll, so that the next one measures the new load over the whole interval.
		if err := polls.wait(ctx); err != nil {
			return 0, err
		}
		s.Sim.SetWork(group.Name, float64(target)/100*(float64(nodes)+0.95))
		before := len(s.Sim.Updates())
		visible := polls.last().Add(polling)
		if err := s.WaitForUpdate(ctx, before); err != nil {
			return 0, err
		}
		took := s.Sim.Updates()[before].At.Sub(visible)
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
	return stage.Wait(ctx, time.Until(t.last().Add(polling+50*time.Millisecond)))
}
