// Command stock is a cluster-autoscaler as its project ships it, with the externalgrpc cloud provider: core's loop of the module
// that the product links, and its client of the gRPC protocol. The end-to-end tests put the product's gRPC server beside it.
package main

import (
	"context"
	goflag "flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc"
	"k8s.io/autoscaler/cluster-autoscaler/config"
	"k8s.io/autoscaler/cluster-autoscaler/config/flags"
	corecontext "k8s.io/autoscaler/cluster-autoscaler/context"
	"k8s.io/autoscaler/cluster-autoscaler/debuggingsnapshot"
	"k8s.io/autoscaler/cluster-autoscaler/loop"
	"k8s.io/autoscaler/cluster-autoscaler/metrics"
	kubeutil "k8s.io/autoscaler/cluster-autoscaler/utils/kubernetes"
	componentconfig "k8s.io/component-base/config"
	"k8s.io/component-base/config/options"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/autoscaler"
)

const headerTimeout = 10 * time.Second

func main() {
	klog.InitFlags(nil)
	pflag.CommandLine.AddGoFlagSet(goflag.CommandLine)
	election := leaderElection()
	options.BindLeaderElectionFlags(&election, pflag.CommandLine)
	pflag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, flags.AutoscalingOptions(), election); err != nil {
		fmt.Fprintln(os.Stderr, "stock cluster-autoscaler:", err)
		os.Exit(1) //nolint:gocritic // the process ends, and with it what stop would release
	}
}

// serve answers questions about health, and autoscales while this replica leads.
func serve(ctx context.Context, opts config.AutoscalingOptions, election componentconfig.LeaderElectionConfiguration) error {
	health := metrics.NewHealthCheck(opts.MaxInactivityTime, opts.MaxFailingTime)
	metrics.RegisterAll(opts.EmitPerNodeGroupMetrics)
	mux := http.NewServeMux()
	mux.Handle("/health-check", health)
	mux.Handle("/metrics", legacyregistry.Handler())
	server := &http.Server{Addr: opts.Address, Handler: mux, ReadHeaderTimeout: headerTimeout}
	go func() { _ = server.ListenAndServe() }()
	defer server.Close()
	work := func(ctx context.Context) error { return run(ctx, opts, health) }
	if election.LeaderElect {
		return lead(ctx, election, opts, work)
	}
	return work(ctx)
}

func run(ctx context.Context, opts config.AutoscalingOptions, health *metrics.HealthCheck) error {
	a, err := autoscaler.New(autoscaler.Parts{
		Options: opts, Client: kubeutil.CreateKubeClient(opts.KubeClientOpts), Snapshotter: debuggingsnapshot.NewDebuggingSnapshotter(false),
		Provider: externalgrpc.BuildExternalGrpc(opts, cloudprovider.NodeGroupDiscoveryOptions{}, corecontext.NewResourceLimiterFromAutoscalingOptions(opts)),
	})
	if err != nil {
		return err
	}
	if err := a.StartInformers(ctx, ctx.Done()); err != nil {
		return err
	}
	health.StartMonitoring()
	if err := a.Start(); err != nil {
		return err
	}
	for last := time.Now(); ctx.Err() == nil; {
		loop.RunAutoscalerOnce(a, health, last)
		last = time.Now()
		select {
		case <-ctx.Done():
		case <-time.After(opts.ScanInterval):
		}
	}
	a.ExitCleanUp()
	return nil
}
