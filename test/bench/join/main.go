// Command join measures how a new server becomes a node: how long its request for a certificate waits for the autoscaler's
// approval, and how long it takes from the server being active to its Node being Ready. It runs the autoscaler on a real
// control plane, with real kubelets in played machines and a simulated OpenStack, and prints
//
//	bench csr_approval_ms <mean> ms
//	bench csr_approval_max_ms <greatest> ms
//	bench join_s <mean> s
//	bench join_max_s <greatest> s
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/bench/stage"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

func main() {
	samples := flag.Int("samples", 12, "how many machines to let join, one after the other")
	stage.Main(func(ctx context.Context, s *stage.Stage) ([]stage.Number, error) {
		result, err := measure(ctx, s, *samples)
		if err != nil {
			return nil, err
		}
		approval, join := result.approvals.summary(), result.joins.summary()
		return []stage.Number{
			{Name: "csr_approval_ms", Value: approval.mean.Seconds() * 1000, Digits: 1, Unit: "ms"},
			{Name: "csr_approval_max_ms", Value: approval.greatest.Seconds() * 1000, Digits: 1, Unit: "ms"},
			{Name: "join_s", Value: join.mean.Seconds(), Digits: 2, Unit: "s"},
			{Name: "join_max_s", Value: join.greatest.Seconds(), Digits: 2, Unit: "s"},
		}, nil
	})
}

func measure(ctx context.Context, s *stage.Stage, samples int) (*measurement, error) {
	group, err := s.World.CreateGroup(ctx, world.GroupSpec{Name: "workers", Max: samples})
	if err != nil {
		return nil, err
	}
	if err := s.World.StartAutoscaler(ctx); err != nil {
		return nil, err
	}
	times, err := watch(ctx, s.Base, s.Sim)
	if err != nil {
		return nil, err
	}
	defer times.stop()
	result := &measurement{}
	for i := range samples {
		app := fmt.Sprintf("app-%d", i)
		if err := s.World.Deploy(ctx, world.Workload{Name: app, Replicas: 1, CPU: "600m"}); err != nil {
			return nil, err
		}
		if err := s.World.WaitForRunning(ctx, stage.ReadyTimeout, app, 1); err != nil {
			return nil, err
		}
		// The stack comes to rest, so that the next machine is made as this one was.
		servers, err := group.WaitForSize(ctx, stage.ReadyTimeout, i+1)
		if err != nil {
			return nil, err
		}
		for _, server := range servers {
			if err := times.take(ctx, server.Name, result); err != nil {
				return nil, err
			}
		}
		last := len(result.joins) - 1
		fmt.Fprintf(os.Stderr, "sample %2d of %d: approved after %4d ms, joined after %.2f s\n",
			i+1, samples, result.approvals[last].Milliseconds(), result.joins[last].Seconds())
	}
	return result, nil
}
