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

// readyTimeout bounds one sample, from the pod to the node.
const readyTimeout = 2 * time.Minute

func main() {
	samples := flag.Int("samples", 12, "how many machines to let join, one after the other")
	flag.Parse()
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard) // else it writes files
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	result, err := measure(ctx, *samples)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	approval, join := result.approvals.summary(), result.joins.summary()
	fmt.Printf("bench csr_approval_ms %.1f ms\n", approval.mean.Seconds()*1000)
	fmt.Printf("bench csr_approval_max_ms %.1f ms\n", approval.greatest.Seconds()*1000)
	fmt.Printf("bench join_s %.2f s\n", join.mean.Seconds())
	fmt.Printf("bench join_max_s %.2f s\n", join.greatest.Seconds())
}

func measure(ctx context.Context, samples int) (result *measurement, err error) {
	base, err := world.StartBase(ctx, func(what string) { fmt.Fprintln(os.Stderr, what) })
	defer func() { err = errors.Join(err, base.Close()) }()
	if err != nil {
		return nil, err
	}
	sim := simulator.New(simulator.Options{})
	if err := sim.Start("127.0.0.1:0"); err != nil {
		return nil, err
	}
	defer sim.Close()
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cloud, err := world.Simulated(ctx, sim, dir)
	if err != nil {
		return nil, err
	}
	w, err := world.New(ctx, base, "bench", cloud, world.Options{})
	defer func() { err = errors.Join(err, w.Close(context.WithoutCancel(ctx))) }()
	if err != nil {
		return nil, err
	}
	group, err := w.CreateGroup(ctx, world.GroupSpec{Name: "workers", Max: samples})
	if err != nil {
		return nil, err
	}
	if err := w.StartAutoscaler(ctx); err != nil {
		return nil, err
	}
	times, err := watch(ctx, base, sim)
	if err != nil {
		return nil, err
	}
	defer times.stop()
	result = &measurement{}
	for i := range samples {
		app := fmt.Sprintf("app-%d", i)
		if err := w.Deploy(ctx, world.Workload{Name: app, Replicas: 1, CPU: "600m"}); err != nil {
			return nil, err
		}
		if err := w.WaitForRunning(ctx, readyTimeout, app, 1); err != nil {
			return nil, errors.Join(err, w.Diagnosis())
		}
		// The stack comes to rest, so that the next machine is made as this one was.
		servers, err := group.WaitForSize(ctx, readyTimeout, i+1)
		if err != nil {
			return nil, errors.Join(err, w.Diagnosis())
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
