// Package autoscaler puts cluster-autoscaler's core together, as upstream's own program does, around a cloud provider.
package autoscaler

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/config"
	"k8s.io/autoscaler/cluster-autoscaler/core"
	"k8s.io/autoscaler/cluster-autoscaler/core/scaleup/orchestrator"
	"k8s.io/autoscaler/cluster-autoscaler/debuggingsnapshot"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/clustersnapshot/predicate"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/clustersnapshot/store"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/drainability/rules"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/framework"
	nodeoptions "k8s.io/autoscaler/cluster-autoscaler/simulator/options"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
)

// Autoscaler is cluster-autoscaler's core with its surroundings.
type Autoscaler struct {
	core.Autoscaler
	// Informers feed it; they are not started yet.
	Informers informers.SharedInformerFactory
	// Eagerness knows when the next loop should run at the latest.
	Eagerness *Eagerness
}

// Parts are what an Autoscaler is made of.
type Parts struct {
	Options  config.AutoscalingOptions
	Client   kubernetes.Interface
	Provider cloudprovider.CloudProvider
	// Snapshotter answers /snapshotz.
	Snapshotter debuggingsnapshot.DebuggingSnapshotter
	// BackOffs, if set, is told of node groups that are not grown for a while.
	BackOffs BackOffObserver
	// DryRun, if set, is told of nodes that would have been removed, and no node is.
	DryRun RemovalReporter
}

// New puts core together with everything upstream's own program sets up, except ProvisioningRequests.
func New(p Parts) (*Autoscaler, error) {
	if p.Options.ProvisioningRequestEnabled {
		return nil, errors.New("ProvisioningRequests are not supported")
	}
	factory := informers.NewSharedInformerFactoryWithOptions(p.Client, 0, informers.WithTransform(withoutManagedFields))
	handle, err := framework.NewHandle(factory, p.Options.SchedulerConfig, p.Options.DynamicResourceAllocationEnabled)
	if err != nil {
		return nil, fmt.Errorf("setting up the scheduler's simulation: %w", err)
	}
	snapshots := predicate.NewPredicateSnapshot(store.NewDeltaSnapshotStore(p.Options.ClusterSnapshotParallelism),
		handle, p.Options.DynamicResourceAllocationEnabled)
	deletion := nodeoptions.NewNodeDeleteOptions(p.Options)
	drainability := rules.Default(deletion)
	eagerness := newEagerness()
	made, coreErr := core.NewAutoscaler(core.AutoscalerOptions{
		AutoscalingOptions:   p.Options,
		KubeClient:           p.Client,
		InformerFactory:      factory,
		CloudProvider:        p.Provider,
		FrameworkHandle:      handle,
		ClusterSnapshot:      snapshots,
		DebuggingSnapshotter: p.Snapshotter,
		DeleteOptions:        deletion,
		DrainabilityRules:    drainability,
		ScaleUpOrchestrator:  orchestrator.New(),
		Backoff:              newBackoff(&p.Options, p.BackOffs),
		Processors: newProcessors(p.Options, processorParts{
			snapshots: snapshots, deletion: deletion, drainability: drainability, eagerness: eagerness, dryRun: p.DryRun,
		}),
	}, factory)
	if coreErr != nil { // AutoscalerError is an interface of its own: a nil one must not become a non-nil error
		return nil, fmt.Errorf("setting up cluster-autoscaler: %w", coreErr)
	}
	return &Autoscaler{Autoscaler: made, Informers: factory, Eagerness: eagerness}, nil
}

// StartInformers begins to watch the cluster, until stop is closed, and returns when everything is known or ctx has ended.
func (a *Autoscaler) StartInformers(ctx context.Context, stop <-chan struct{}) error {
	a.Informers.Start(stop)
	for kind, synced := range a.Informers.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("watching %v did not begin", kind)
		}
	}
	return nil
}

// withoutManagedFields drops what takes most of the memory of watched objects and is never looked at.
func withoutManagedFields(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil {
		accessor.SetManagedFields(nil)
	}
	return object, nil
}
