package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	componentconfig "k8s.io/component-base/config"
	"k8s.io/klog/v2"
)

// errLeaseLost: another replica may be at work, so that this one must end at once.
var errLeaseLost = errors.New("the leader's lease was lost")

// lead waits to become the leader, tells newLeader whoever leads and whether it is this replica itself, then calls work, and gives the lease back when work has returned. It returns what work
// returned, nil if ctx ended before, and errLeaseLost if the lease was lost; then work may still be running.
func lead(ctx context.Context, config componentconfig.LeaderElectionConfiguration, client kubernetes.Interface, namespace string,
	recorder record.EventRecorder, newLeader func(identity string, itself bool), work func() error) error {
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("finding a name for the leader election: %w", err)
	}
	self := host + "_" + string(uuid.NewUUID())
	lock, err := resourcelock.New(config.ResourceLock, namespace, config.ResourceName, client.CoreV1(), client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: self, EventRecorder: recorder})
	if err != nil {
		return fmt.Errorf("--leader-elect-resource-lock=%s: %w", config.ResourceLock, err)
	}

	// The lease outlives ctx until the work has ended. Before there is work, ctx ends the waiting.
	holding, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	began, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		select {
		case <-began:
		case <-ctx.Done():
			release()
		case <-holding.Done():
		}
	}()
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		Name:            config.ResourceName,
		LeaseDuration:   config.LeaseDuration.Duration,
		RenewDeadline:   config.RenewDeadline.Duration,
		RetryPeriod:     config.RetryPeriod.Duration,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {
				close(began)
				ended <- work()
				release()
			},
			OnStoppedLeading: func() {},
			OnNewLeader: func(identity string) {
				klog.FromContext(ctx).Info("There is a leader", "identity", identity)
				newLeader(identity, identity == self)
			},
		},
	})
	if err != nil {
		return fmt.Errorf("the flags --leader-elect-*: %w", err)
	}
	elector.Run(holding)
	select {
	case err := <-ended:
		return err
	default:
	}
	if ctx.Err() != nil && !isClosed(began) {
		return nil
	}
	return errLeaseLost
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
