package main

import (
	"context"
	"fmt"
	"runtime"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
)

// benchIdle measures a cloud of 5,000 nodes in 50 groups in which nothing happens.
func benchIdle(ctx context.Context, print func(string, float64, string)) error {
	const groups, each = 50, 100
	before := heap()
	r, err := newRig(ctx, cloudSpec{Groups: groups, MembersEach: each, Speed: 1})
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.expectGroups(groups, each); err != nil {
		return err
	}
	// The first lists still overlap with the making of the cloud.
	for range 3 {
		if err := r.provider.Refresh(); err != nil {
			return err
		}
	}
	const refreshes = 100
	calls, cpu := r.calls.all.Load(), processorTime()
	for range refreshes {
		if err := r.provider.Refresh(); err != nil {
			return err
		}
	}
	cpu = processorTime() - cpu
	print("refresh_calls_idle_n5000_g50", float64(r.calls.all.Load()-calls)/refreshes, "calls")
	print("refresh_cpu_ms_n5000_g50", cpu.Seconds()*1000/refreshes, "ms")
	lookUp, err := nodeGroupForNode(r)
	if err != nil {
		return err
	}
	print("nodegroup_for_node_ns_n5000", lookUp, "ns")
	// The nodes of the look-ups are gone by now.
	print("provider_heap_mb_n5000_g50", float64(heap()-before)/1e6, "MB")
	runtime.KeepAlive(r)
	return nil
}

// nodeGroupForNode is the mean processor time of one look-up over all nodes in turn, as core's loop makes them: each node
// has been seen before.
func nodeGroupForNode(r *rig) (float64, error) {
	var nodes []*v1.Node
	for _, servers := range r.info.Servers {
		for _, id := range servers {
			nodes = append(nodes, node(id))
		}
	}
	const rounds = 200
	var began time.Duration
	for round := range rounds + 1 {
		if round == 1 {
			began = processorTime()
		}
		for _, n := range nodes {
			if g, err := r.provider.NodeGroupForNode(n); g == nil || err != nil {
				return 0, fmt.Errorf("no group for %s: %w", n.Spec.ProviderID, err)
			}
		}
	}
	return float64(processorTime()-began) / float64(rounds*len(nodes)), nil
}

// heap is what is still reachable.
func heap() int64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far below the limit
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
