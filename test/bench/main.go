// Command bench prints the project's numbers, one line each:
//
//	bench <name> <value> <unit>
//
// -run chooses by a regular expression. The cloud is the simulated one, in a process of its own, so that processor time
// and memory are the autoscaler's alone; everything goes over HTTP and through the same code as in production. Numbers
// with "calls" and "patches" in their names are counts and the same on every machine.
//
// Two more numbers need a real OpenStack and are printed by "make test-openstack": see test/bench/heatstart.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"k8s.io/klog/v2"
)

// benchmark makes one or more numbers.
type benchmark struct {
	// names of the numbers it prints.
	names []string
	run   func(ctx context.Context, print func(name string, value float64, unit string)) error
}

func benchmarks() []benchmark {
	return []benchmark{
		{[]string{"refresh_calls_idle_n5000_g50", "refresh_cpu_ms_n5000_g50", "nodegroup_for_node_ns_n5000", "provider_heap_mb_n5000_g50"}, benchIdle},
		{[]string{"refresh_calls_scaling_k10"}, benchScaling},
		{[]string{"scale_down_patches_n100_g4"}, benchScaleDown},
		{[]string{"pending_to_patch_s"}, benchPendingToPatch},
		{[]string{"floor_reaction_s"}, benchFloorReaction},
		{[]string{"csr_approval_ms", "csr_approval_max_ms", "join_s", "join_max_s"}, benchJoin},
		{[]string{"grpc_nodegroupfornode_us", "grpc_loop_overhead_ratio_n1000"}, benchGRPC},
		{[]string{
			"status_json_ms_n5000_g50", "status_json_mb_n5000_g50", "status_page_ms_n5000_g50", "status_page_mb_n5000_g50",
			"status_sample_ms_n5000_g50", "status_heap_mb_n5000_g50",
		}, benchStatus},
		{[]string{"telemetry_calls_g50"}, benchTelemetry},
		{[]string{"resources_per_node", "resources_per_node_with_port", "resources_per_node_with_special_port"}, benchResources},
		{[]string{"forecast_violation_reduction_mean_pct", "forecast_violation_reduction_pooled_pct", "forecast_violation_reduction_worst_pct"}, benchForecast},
		{[]string{"forecast_us_per_group"}, benchForecastCost},
	}
}

func main() {
	run := flag.String("run", ".", "regular expression: which numbers to print")
	cloud := flag.String("cloud", "", "internal: serve a simulated cloud of this description until stdin ends")
	flag.Parse()
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard) // the numbers are all there is to say
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := start(ctx, *run, *cloud)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, run, cloud string) error {
	if cloud != "" {
		return serveCloud(cloud)
	}
	wanted, err := regexp.Compile(run)
	if err != nil {
		return fmt.Errorf("-run=%s: %w; write a regular expression such as refresh_.*", run, err)
	}
	chosen := 0
	for _, b := range benchmarks() {
		any := false
		for _, name := range b.names {
			any = any || wanted.MatchString(name)
		}
		if !any {
			continue
		}
		chosen++
		err := b.run(ctx, func(name string, value float64, unit string) {
			if wanted.MatchString(name) {
				fmt.Printf("bench %s %.4g %s\n", name, value, unit)
			}
		})
		if err != nil {
			return fmt.Errorf("%s: %w", b.names[0], err)
		}
	}
	if chosen == 0 {
		return fmt.Errorf("-run=%s: no number has such a name", run)
	}
	return nil
}
