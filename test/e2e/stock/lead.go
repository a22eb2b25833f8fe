package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/autoscaler/cluster-autoscaler/config"
	kubeutil "k8s.io/autoscaler/cluster-autoscaler/utils/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	componentconfig "k8s.io/component-base/config"
)

// leaderElection is what cluster-autoscaler begins with (its main.go, defaultLeaderElectionConfiguration).
func leaderElection() componentconfig.LeaderElectionConfiguration {
	return componentconfig.LeaderElectionConfiguration{
		LeaderElect:   true,
		LeaseDuration: metav1.Duration{Duration: 15 * time.Second},
		RenewDeadline: metav1.Duration{Duration: 10 * time.Second},
		RetryPeriod:   metav1.Duration{Duration: 2 * time.Second},
		ResourceLock:  resourcelock.LeasesResourceLock,
		ResourceName:  "cluster-autoscaler",
	}
}

// lead calls work when this replica leads, and returns what it returned. A lease that is lost ends the process.
func lead(ctx context.Context, election componentconfig.LeaderElectionConfiguration, opts config.AutoscalingOptions, work func(context.Context) error) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	client := kubeutil.CreateKubeClient(opts.KubeClientOpts)
	lock, err := resourcelock.New(election.ResourceLock, opts.ConfigNamespace, election.ResourceName, client.CoreV1(), client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID()), EventRecorder: kubeutil.CreateEventRecorder(client, false)})
	if err != nil {
		return err
	}
	ended, leads := make(chan error, 1), atomic.Bool{}
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: election.LeaseDuration.Duration, RenewDeadline: election.RenewDeadline.Duration, RetryPeriod: election.RetryPeriod.Duration,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				leads.Store(true)
				ended <- work(ctx)
			},
			OnStoppedLeading: func() {
				if ctx.Err() == nil {
					fmt.Fprintln(os.Stderr, "stock cluster-autoscaler: lost master")
					os.Exit(1)
				}
			},
		},
	})
	if !leads.Load() {
		return nil
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(10 * time.Second): // the loop that is under way, if there is one
		return nil
	}
}
