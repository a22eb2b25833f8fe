//go:build pods

package pods_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/vm"
)

const (
	namespace = "pods"
	release   = "mine"
	instance  = "app.kubernetes.io/instance=" + release
	// podNetwork is that of test/vm/image's network plugin, the same on each node. Only the node of the chart's pods is led to.
	podNetwork  = "10.244.0.0/16"
	stepTimeout = 3 * time.Minute
	roleLabel   = "role"
)

// scene is a simulated cloud whose servers are nodes with real kubelets and containerd: one that is there before the chart, for its
// pods, and those of the node group that the chart's autoscaler is to look after.
type scene struct {
	*world.World
	workers *world.Group
	// room is the address of the node that the chart's pods run on.
	room string
	// cloudConf is the file with the credentials.
	cloudConf string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	timing := simulator.DefaultTiming().Faster(2)
	sim := simulator.New(simulator.Options{Timing: &timing})
	t.Cleanup(sim.Close)
	// Where pods reach it.
	require.NoError(t, sim.Start(net.JoinHostPort(host.Network.Gateway, "0")))
	cloud, err := world.Simulated(t.Context(), sim, t.TempDir())
	require.NoError(t, err)
	s := &scene{}
	var found bool
	_, s.cloudConf, found = strings.Cut(cloud.Arguments[0], "--cloud-config=")
	require.True(t, found)
	s.World, err = world.New(t.Context(), base, namespace, cloud, world.Options{
		NoCloudController: true, // the chart's autoscaler deletes the Nodes of servers that are gone
		SwitchOn: func(group *process.Group, server machines.Server, name, dir string) (*process.Process, error) {
			return host.Node(group, server, name, dir, vm.SharedDisk...)
		},
		OnMachine: func(event machines.Event) { t.Logf("machine %s of server %s: %v", event.Kind, event.Name, event.Err) },
	})
	t.Cleanup(func() {
		if t.Failed() {
			s.show(t)
		}
		// The test's own context has ended by now.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), stepTimeout)
		defer cancel()
		require.NoError(t, s.Close(ctx))
	})
	require.NoError(t, err)
	s.makeRoom(t)
	s.workers, err = s.CreateGroup(t.Context(), world.GroupSpec{
		Name: "workers", Max: 2, Labels: map[string]string{roleLabel: "worker"}, Tags: []string{"cluster-autoscaler-enabled", "cluster=chart"},
		// A floor, which external metrics tell, and which changes nothing.
		Annotations: map[string]string{"schedule": "00:00-24:00=0"},
	})
	require.NoError(t, err)
	return s
}

// makeRoom makes the node of the chart's pods. An autoscaler outside of the cluster lets it in, and ends then.
func (s *scene) makeRoom(t *testing.T) {
	t.Helper()
	room, err := s.CreateGroup(t.Context(), world.GroupSpec{Name: "room", Min: 1, Max: 1, Labels: map[string]string{roleLabel: "room"}})
	require.NoError(t, err)
	require.NoError(t, s.StartAutoscaler(t.Context()))
	servers, err := room.WaitForSize(t.Context(), stepTimeout, 1)
	require.NoError(t, err)
	nodes, err := s.Nodes(t.Context())
	require.NoError(t, err)
	require.Len(t, nodes, 1)
	// The certificate of its own port, without which nobody can read what its pods say.
	require.NoError(t, s.Until(t.Context(), stepTimeout, "the node's serving certificate", func(ctx context.Context) error {
		_, err := base.Cluster.Client.CoreV1().RESTClient().Get().Resource("nodes").Name(nodes[0].Name).SubResource("proxy", "healthz").DoRaw(ctx)
		return err
	}))
	require.True(t, s.StopAutoscaler())
	for _, address := range nodes[0].Status.Addresses {
		if address.Type == v1.NodeInternalIP {
			s.room = address.Address
			require.NoError(t, host.Network.Route(t.Context(), podNetwork, s.room))
			t.Logf("the chart's pods get room on %s (%s), server %v", nodes[0].Name, address.Address, servers)
			return
		}
	}
	t.Fatalf("node %s has no address: %+v", nodes[0].Name, nodes[0].Status.Addresses)
}

// install runs helm install with what a user says, and what lets everything happen in seconds.
func (s *scene) install(t *testing.T, set string) {
	t.Helper()
	require.NoError(t, s.tryInstall(t, s.cloudConf, stepTimeout, set))
}

// tryInstall is install with these credentials and so much patience.
func (s *scene) tryInstall(t *testing.T, cloudConf string, timeout time.Duration, set string) error {
	t.Helper()
	repository, tag, found := strings.Cut(*image, ":")
	require.True(t, found)
	_, err := helm(t.Context(), "install", release, chart, "-n", namespace, "--kubeconfig", base.Cluster.Kubeconfig, "--wait", "--timeout", timeout.String(),
		"-f", values+"/values/minimal.yaml", "-f", values+"/installed/quick.yaml", "--set", "openstack.existingSecret=", "--set-file", "openstack.cloudConf="+cloudConf,
		"--set", "nodeGroups.tags={cluster-autoscaler-enabled,cluster=chart}", "--set", "image.repository="+repository+",image.tag="+tag,
		"--set", "onControlPlane=false,nodeSelector."+roleLabel+"=room", "--set", "provider.extraArgs.bootstrap-api-server="+base.Cluster.Endpoint, "--set", set)
	return err
}

// uninstall runs helm uninstall, after which nothing of the release is left.
func (s *scene) uninstall(t *testing.T) {
	t.Helper()
	_, err := helm(t.Context(), "uninstall", release, "-n", namespace, "--kubeconfig", base.Cluster.Kubeconfig, "--wait", "--timeout", "3m")
	require.NoError(t, err)
	require.NoError(t, s.Until(t.Context(), stepTimeout, "nothing to be left", func(ctx context.Context) error {
		out, err := process.Run(ctx, process.Options{}, base.Kubernetes(), "kubectl", "--kubeconfig", base.Cluster.Kubeconfig, "get",
			"pods,replicasets,deployments,services,secrets,configmaps,roles,rolebindings,clusterroles,clusterrolebindings,poddisruptionbudgets,serviceaccounts",
			"-A", "-l", instance, "-o", "name", "--ignore-not-found")
		if left := strings.TrimSpace(string(out)); err == nil && left != "" {
			err = errors.New(left)
		}
		return err
	}))
}

// pods are those of the release, which must be n, with these containers, all of them ready and never restarted.
func (s *scene) pods(t *testing.T, n int, containers ...string) []v1.Pod {
	t.Helper()
	list, err := base.Cluster.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: instance})
	require.NoError(t, err)
	require.Len(t, list.Items, n)
	for _, pod := range list.Items {
		var names []string
		for _, status := range pod.Status.ContainerStatuses {
			names = append(names, status.Name)
			require.True(t, status.Ready, "%s of %s: %+v", status.Name, pod.Name, status)
			require.Zero(t, status.RestartCount, "%s of %s: %+v", status.Name, pod.Name, status.LastTerminationState)
		}
		require.ElementsMatch(t, containers, names)
	}
	return list.Items
}

// show logs how the pods are, what they say, and the nodes' consoles.
func (s *scene) show(t *testing.T) {
	t.Helper()
	t.Log(s.Diagnosis())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	list, err := base.Cluster.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Log(err)
		return
	}
	lines := int64(60)
	for _, pod := range list.Items {
		t.Logf("pod %s: %s %s %+v", pod.Name, pod.Status.Phase, pod.Status.Message, pod.Status.ContainerStatuses)
		for _, container := range pod.Spec.Containers {
			log, err := base.Cluster.Client.CoreV1().Pods(namespace).GetLogs(pod.Name, &v1.PodLogOptions{Container: container.Name, TailLines: &lines}).DoRaw(ctx)
			t.Logf("the end of the log of %s (%v):\n%s", container.Name, err, log)
		}
	}
	events, err := base.Cluster.Client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "type=Warning"})
	if err == nil {
		for _, event := range events.Items {
			t.Logf("event %s %s: %s", event.InvolvedObject.Name, event.Reason, event.Message)
		}
	}
	consoles, _ := filepath.Glob(filepath.Join(base.Logs(), "machine-*.log"))
	for _, console := range consoles {
		t.Logf("the end of %s:\n%s", console, process.Tail(console, 6000))
	}
}

// configDigest is the digest of the image's configuration, by which containerd knows an image.
func configDigest(t *testing.T) string {
	t.Helper()
	out, err := process.Run(t.Context(), process.Options{}, "tar", "--extract", "--to-stdout", "--file", *archive, "manifest.json")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(out), `"Config":"blobs/sha256/`)
	require.True(t, found)
	digest, _, found := strings.Cut(rest, `"`)
	require.True(t, found)
	return "sha256:" + digest
}

// processOf finds the process of a container, by its cgroup.
func processOf(t *testing.T, pod v1.Pod, container string) int {
	t.Helper()
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name != container {
			continue
		}
		_, id, found := strings.Cut(status.ContainerID, "containerd://")
		require.True(t, found, status.ContainerID)
		files, err := filepath.Glob("/proc/[0-9]*/cgroup")
		require.NoError(t, err)
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), id) {
				var pid int
				_, err := fmt.Sscanf(file, "/proc/%d/cgroup", &pid)
				require.NoError(t, err)
				return pid
			}
		}
	}
	t.Fatalf("no process of %s in %s: %+v", container, pod.Name, pod.Status.ContainerStatuses)
	return 0
}
