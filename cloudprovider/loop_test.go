package cloudprovider

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/autoscaler/cluster-autoscaler/config"
	"k8s.io/autoscaler/cluster-autoscaler/debuggingsnapshot"
	"k8s.io/autoscaler/cluster-autoscaler/estimator"
	caerrors "k8s.io/autoscaler/cluster-autoscaler/utils/errors"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/autoscaler"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	cloudfake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// world is core's own loop over our provider, a cloud in memory and a Kubernetes API in memory. Time is the loop's
// argument, so that nothing waits.
type world struct {
	*rig
	client *fake.Clientset
	core   *autoscaler.Autoscaler
	now    time.Time
	// wouldRemove are the nodes that a dry run chose.
	wouldRemove []string
}

func coreOptions() config.AutoscalingOptions {
	return config.AutoscalingOptions{
		NodeGroupDefaults: config.NodeGroupAutoscalingOptions{
			ScaleDownUnneededTime: time.Minute, ScaleDownUnreadyTime: time.Minute, ScaleDownUtilizationThreshold: 0.5,
			MaxNodeProvisionTime: 15 * time.Minute,
		},
		EstimatorName: estimator.BinpackingEstimatorName, ExpanderNames: "least-waste",
		MaxNodesTotal: 100, MaxCoresTotal: 1000, MaxMemoryTotal: 1 << 45, ScaleUpFromZero: true, ScaleDownEnabled: true,
		OkTotalUnreadyCount: 3, MaxTotalUnreadyPercentage: 45, MaxNodesPerScaleUp: 1000, MaxNodeGroupBinpackingDuration: time.Minute,
		MaxBinpackingTime: time.Minute, ScaleDownNonEmptyCandidatesCount: 30, ScaleDownCandidatesPoolRatio: 1, ScaleDownCandidatesPoolMinCount: 50,
		ScaleDownSimulationTimeout: time.Minute, MaxScaleDownParallelism: 10, MaxDrainParallelism: 1, MaxPodEvictionTime: time.Minute,
		InitialNodeGroupBackoffDuration: 5 * time.Minute, MaxNodeGroupBackoffDuration: 30 * time.Minute, NodeGroupBackoffResetTimeout: 3 * time.Hour,
		NodeInfoCacheExpireTime: 24 * time.Hour, ClusterSnapshotParallelism: 4, ConfigNamespace: "kube-system",
		ExpendablePodsPriorityCutoff: -10, UnremovableNodeRecheckTimeout: time.Minute,
	}
}

// newWorld returns a world with one control plane node, which is foreign.
func newWorld(t *testing.T, change func(*config.AutoscalingOptions, *Options), stacks ...*nodegroups.Stack) *world {
	t.Helper()
	opts := coreOptions()
	w := &world{client: fake.NewSimpleClientset(), now: time.Now()}
	w.rig = newRig(t, func(o *Options) {
		if change != nil {
			change(&opts, o)
		}
	}, stacks...)
	parts := autoscaler.Parts{
		Options: opts, Client: w.client, Provider: w.Provider, Snapshotter: debuggingsnapshot.NewDebuggingSnapshotter(false),
	}
	if w.opts.DryRun {
		parts.DryRun = func(node *v1.Node, _ int) { w.wouldRemove = append(w.wouldRemove, node.Name) }
	}
	var err error
	w.core, err = autoscaler.New(parts)
	require.NoError(t, err)
	w.addNode(t, "control-plane", "", 0)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, w.core.StartInformers(ctx, stop))
	return w
}

// addNode adds the ready node of a stack's member; of no member if stack is empty.
func (w *world) addNode(t *testing.T, name, stack string, index int) {
	t.Helper()
	n := nodeOf(stack, index, threeSlashes+cloudfake.ServerID(stack, index))
	n.Name = name
	n.CreationTimestamp = metav1.NewTime(w.now.Add(-time.Hour))
	n.Labels = map[string]string{v1.LabelHostname: name, "group": stack}
	n.Status.Capacity = v1.ResourceList{
		v1.ResourceCPU: resource.MustParse("2"), v1.ResourceMemory: resource.MustParse("4Gi"), v1.ResourcePods: resource.MustParse("110"),
	}
	if stack == "" {
		n.Spec.Taints = []v1.Taint{{Key: "control-plane", Effect: v1.TaintEffectNoSchedule}}
	}
	n.Status.Allocatable = n.Status.Capacity
	n.Status.Conditions = []v1.NodeCondition{{
		Type: v1.NodeReady, Status: v1.ConditionTrue, LastTransitionTime: metav1.NewTime(w.now.Add(-time.Hour)),
	}}
	_, err := w.client.CoreV1().Nodes().Create(context.Background(), n, metav1.CreateOptions{})
	require.NoError(t, err)
	w.eventually(t, func() bool {
		nodes, err := w.core.Informers.Core().V1().Nodes().Lister().List(everything)
		require.NoError(t, err)
		for _, have := range nodes {
			if have.Name == name {
				return true
			}
		}
		return !w.core.Informers.Core().V1().Nodes().Informer().HasSynced()
	})
}

// addPods adds pending pods that ask for this much CPU and, if group is given, for a node of that group.
func (w *world) addPods(t *testing.T, count int, cpu, group string) {
	t.Helper()
	for range count {
		p := podOf(cpu, "64Mi")
		p.Namespace, p.CreationTimestamp = "default", metav1.NewTime(w.now.Add(-time.Minute))
		p.Name = fmt.Sprintf("p-%s-%d", group, len(w.pods(t)))
		p.UID = types.UID(p.Name)
		p.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "rs", UID: "rs", Controller: ref(true), APIVersion: "apps/v1"}}
		if group != "" {
			p.Spec.NodeSelector = map[string]string{"group": group}
		}
		p.Status.Conditions = []v1.PodCondition{{Type: v1.PodScheduled, Status: v1.ConditionFalse, Reason: v1.PodReasonUnschedulable}}
		_, err := w.client.CoreV1().Pods("default").Create(context.Background(), p, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	want := len(w.pods(t))
	w.eventually(t, func() bool {
		seen, err := w.core.Informers.Core().V1().Pods().Lister().List(everything)
		require.NoError(t, err)
		return len(seen) == want
	})
}

func (w *world) pods(t *testing.T) []v1.Pod {
	t.Helper()
	list, err := w.client.CoreV1().Pods("default").List(context.Background(), metav1.ListOptions{})
	require.NoError(t, err)
	return list.Items
}

// eventually waits for informers and for core's goroutines.
func (w *world) eventually(t *testing.T, done func() bool) {
	t.Helper()
	require.Eventually(t, done, time.Minute, 5*time.Millisecond)
}

// loop runs core's loop once, ten seconds after the last one.
func (w *world) loop() caerrors.AutoscalerError {
	w.now = w.now.Add(10 * time.Second)
	w.clock.SetTime(w.now)
	return w.core.RunOnce(w.now)
}
