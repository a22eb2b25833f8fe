//go:build chart

package chart

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corehelpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// podsOf are the pods that a rendered release has: the replicas' and the one of "helm test".
func podsOf(t *testing.T, arguments ...string) map[string]*v1.PodSpec {
	t.Helper()
	all := objects(t, render(t, arguments...))
	out := map[string]*v1.PodSpec{}
	for _, deployment := range only[*appsv1.Deployment](all) {
		out["replica"] = &deployment.Spec.Template.Spec
	}
	for _, pod := range only[*v1.Pod](all) {
		out["check"] = &pod.Spec
	}
	require.Len(t, out, 2)
	return out
}

// mayRunOn says what the scheduler's and the kubelet's own code says of selectors, affinity and taints.
func mayRunOn(t *testing.T, pod *v1.PodSpec, node *v1.Node) bool {
	t.Helper()
	fits, err := nodeaffinity.GetRequiredNodeAffinity(&v1.Pod{Spec: *pod}).Match(node)
	require.NoError(t, err)
	_, repels := corehelpers.FindMatchingUntoleratedTaint(node.Spec.Taints, pod.Tolerations, func(*v1.Taint) bool { return true })
	return fits && !repels
}

// Control plane nodes are found whoever made the cluster: kubeadm gives their label no value, k3s and RKE2 give it "true".
func TestPodsRunOnControlPlaneNodes(t *testing.T) {
	t.Parallel()
	const role = "node-role.kubernetes.io/control-plane"
	node := func(labels map[string]string, taints ...v1.Taint) *v1.Node {
		return &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", Labels: labels}, Spec: v1.NodeSpec{Taints: taints}}
	}
	isCritical := v1.Taint{Key: "CriticalAddonsOnly", Value: "true", Effect: v1.TaintEffectNoExecute}
	nodes := map[string]*v1.Node{
		"kubeadm":    node(map[string]string{role: ""}, v1.Taint{Key: role, Effect: v1.TaintEffectNoSchedule}),
		"RKE2":       node(map[string]string{role: "true"}),
		"RKE2 alone": node(map[string]string{role: "true"}, isCritical),
		"Rancher": node(map[string]string{role: "true"}, v1.Taint{Key: role, Value: "true", Effect: v1.TaintEffectNoSchedule},
			v1.Taint{Key: "node-role.kubernetes.io/etcd", Value: "true", Effect: v1.TaintEffectNoExecute}),
	}
	worker, gpu := node(nil), node(map[string]string{role: "", "gpu": "true"})
	for name, pod := range podsOf(t, "-f", valuesFile("minimal")) {
		for maker, node := range nodes {
			require.True(t, mayRunOn(t, pod, node), "%s on a control plane node of %s", name, maker)
		}
		require.False(t, mayRunOn(t, pod, worker), "%s on a node that may be removed", name)
		require.False(t, mayRunOn(t, pod, node(map[string]string{role: ""}, v1.Taint{Key: "own", Effect: v1.TaintEffectNoSchedule})), name)
	}
	// An affinity of one's own comes in addition, in each of its terms.
	own := `affinity={"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[` +
		`{"matchExpressions":[{"key":"gpu","operator":"DoesNotExist"}]},{"matchFields":[{"key":"metadata.name","operator":"In","values":["other"]}]}]}}}`
	for name, pod := range podsOf(t, "-f", valuesFile("minimal"), "--set-json", own) {
		require.True(t, mayRunOn(t, pod, nodes["kubeadm"]), name)
		require.False(t, mayRunOn(t, pod, gpu), name)
		require.False(t, mayRunOn(t, pod, worker), name)
	}
	for name, pod := range podsOf(t, "-f", valuesFile("minimal"), "--set", "onControlPlane=false,nodeSelector.pool=infra") {
		require.True(t, mayRunOn(t, pod, node(map[string]string{"pool": "infra"})), name)
		require.False(t, mayRunOn(t, pod, worker), name)
	}
}

// The check sees the cloud from where the autoscaler does.
func TestPodsReachOthersTheSameWay(t *testing.T) {
	t.Parallel()
	for name, pod := range podsOf(t, "-f", valuesFile("minimal"), "--set", "mode=embedded,hostNetwork=true,dnsPolicy=None,dnsConfig.nameservers={192.0.2.1}",
		"--set", "hostAliases[0].ip=192.0.2.2,hostAliases[0].hostnames={keystone.example.org}") {
		require.True(t, pod.HostNetwork, name)
		require.Equal(t, v1.DNSNone, pod.DNSPolicy, name)
		require.Equal(t, []string{"192.0.2.1"}, pod.DNSConfig.Nameservers, name)
		require.Equal(t, []v1.HostAlias{{IP: "192.0.2.2", Hostnames: []string{"keystone.example.org"}}}, pod.HostAliases, name)
	}
}

// Replicas are spread without being told how they are called, and what is said about others stays.
func TestReplicasAreSpread(t *testing.T) {
	t.Parallel()
	replica := podsOf(t, "-f", valuesFile("minimal"), "--set-json",
		`topologySpreadConstraints=[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule"},`+
			`{"maxSkew":2,"topologyKey":"host","whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchLabels":{"a":"b"}}}]`)["replica"]
	require.Len(t, replica.TopologySpreadConstraints, 2)
	selector := map[string]string{
		"app.kubernetes.io/name": name, "app.kubernetes.io/instance": name, "app.kubernetes.io/component": "autoscaler",
	}
	require.Equal(t, selector, replica.TopologySpreadConstraints[0].LabelSelector.MatchLabels)
	require.Equal(t, map[string]string{"a": "b"}, replica.TopologySpreadConstraints[1].LabelSelector.MatchLabels)
	require.NotNil(t, replica.Affinity.PodAntiAffinity)
	require.Equal(t, selector, replica.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution[0].PodAffinityTerm.LabelSelector.MatchLabels)
}

// whilePodsStay runs change, and fails if there were fewer than least ready pods of the release at any time: no leader could have followed.
func whilePodsStay(t *testing.T, namespace string, least int, change func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	fewest := make(chan error, 1)
	go func() {
		var found error
		for {
			pods, err := base.Cluster.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=autoscaler"})
			if ctx.Err() != nil {
				fewest <- found
				return
			}
			ready := 0
			if err == nil {
				for _, pod := range pods.Items {
					for _, condition := range pod.Status.Conditions {
						if condition.Type == v1.PodReady && condition.Status == v1.ConditionTrue && pod.DeletionTimestamp == nil {
							ready++
						}
					}
				}
			}
			if found == nil && (err != nil || ready < least) {
				found = errors.Join(fmt.Errorf("%d ready pods, not %d", ready, least), err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	change()
	stop()
	require.NoError(t, <-fewest)
}
