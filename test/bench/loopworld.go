package main

import (
	"context"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	core "k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/config"
	"k8s.io/autoscaler/cluster-autoscaler/debuggingsnapshot"
	"k8s.io/autoscaler/cluster-autoscaler/estimator"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/autoscaler"
)

// loopWorld is core's loop over a Kubernetes API in memory that holds a node for each server of a cloud, each with a pod on it that
// keeps it busy.
type loopWorld struct {
	core  *autoscaler.Autoscaler
	now   time.Time
	close func()
}

func loopOptions() config.AutoscalingOptions {
	return config.AutoscalingOptions{
		NodeGroupDefaults: config.NodeGroupAutoscalingOptions{
			ScaleDownUnneededTime: 10 * time.Minute, ScaleDownUnreadyTime: 20 * time.Minute, ScaleDownUtilizationThreshold: 0.5,
			MaxNodeProvisionTime: 15 * time.Minute,
		},
		EstimatorName: estimator.BinpackingEstimatorName, ExpanderNames: "least-waste",
		MaxNodesTotal: 2000, MaxCoresTotal: 1 << 20, MaxMemoryTotal: 1 << 50, ScaleUpFromZero: true, ScaleDownEnabled: true,
		OkTotalUnreadyCount: 3, MaxTotalUnreadyPercentage: 45, MaxNodesPerScaleUp: 1000, MaxNodeGroupBinpackingDuration: time.Minute,
		MaxBinpackingTime: time.Minute, ScaleDownNonEmptyCandidatesCount: 30, ScaleDownCandidatesPoolRatio: 0.1, ScaleDownCandidatesPoolMinCount: 50,
		ScaleDownSimulationTimeout: time.Minute, MaxScaleDownParallelism: 10, MaxDrainParallelism: 1, MaxPodEvictionTime: time.Minute,
		InitialNodeGroupBackoffDuration: 5 * time.Minute, MaxNodeGroupBackoffDuration: 30 * time.Minute, NodeGroupBackoffResetTimeout: 3 * time.Hour,
		NodeInfoCacheExpireTime: 24 * time.Hour, ClusterSnapshotParallelism: 4, ConfigNamespace: "kube-system",
		ExpendablePodsPriorityCutoff: -10, UnremovableNodeRecheckTimeout: 5 * time.Minute,
	}
}

func newLoopWorld(ctx context.Context, r *rig, provider core.CloudProvider) (*loopWorld, error) {
	w := &loopWorld{now: time.Now()}
	var objects []runtime.Object
	for group, servers := range r.info.Servers {
		for i, id := range servers {
			n := node(id)
			n.CreationTimestamp = metav1.NewTime(w.now.Add(-time.Hour))
			n.Labels = map[string]string{v1.LabelHostname: n.Name}
			n.Status.Capacity = v1.ResourceList{
				v1.ResourceCPU: resource.MustParse("2"), v1.ResourceMemory: resource.MustParse("4Gi"), v1.ResourcePods: resource.MustParse("110"),
			}
			n.Status.Allocatable = n.Status.Capacity
			n.Status.Conditions = []v1.NodeCondition{{
				Type: v1.NodeReady, Status: v1.ConditionTrue, LastTransitionTime: metav1.NewTime(w.now.Add(-time.Hour)),
			}}
			objects = append(objects, n, busyPod(fmt.Sprintf("%s-%d", group, i), n.Name))
		}
	}
	stop := make(chan struct{})
	w.close = func() { close(stop) }
	var err error
	w.core, err = autoscaler.New(autoscaler.Parts{
		Options: loopOptions(), Client: fake.NewSimpleClientset(objects...), Provider: provider,
		Snapshotter: debuggingsnapshot.NewDebuggingSnapshotter(false),
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return w, w.core.StartInformers(ctx, stop)
}

// busyPod keeps a node from being taken for idle.
func busyPod(name, on string) *v1.Pod {
	controller := true
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, UID: types.UID(name),
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "rs", UID: "rs", Controller: &controller}},
		},
		Spec: v1.PodSpec{NodeName: on, Containers: []v1.Container{{Name: "c", Resources: v1.ResourceRequirements{
			Requests: v1.ResourceList{v1.ResourceCPU: resource.MustParse("1800m"), v1.ResourceMemory: resource.MustParse("1Gi")},
		}}}},
		Status: v1.PodStatus{Phase: v1.PodRunning},
	}
}

// loop runs core's loop once, ten seconds after the last one, and tells how long it took.
func (w *loopWorld) loop() (time.Duration, error) {
	w.now = w.now.Add(10 * time.Second)
	began := time.Now()
	if err := w.core.RunOnce(w.now); err != nil {
		return 0, fmt.Errorf("a loop failed: %w", err)
	}
	return time.Since(began), nil
}
