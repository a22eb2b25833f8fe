//go:build pods

package pods_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/vm"
)

const (
	embedded = "cluster-autoscaler-openstack"
	stock    = "cluster-autoscaler"
	server   = "node-groups"
	// noCloudTimeout is enough for pods to get ready if they could.
	noCloudTimeout = 15 * time.Second
)

// TestChartsPods installs the chart with our image, in both modes: its pods get ready, run as strictly as the chart says, answer at their
// ports, and give a pending pod a node and take it away again.
func TestChartsPods(t *testing.T) {
	s := newScene(t)
	t.Run("no cloud", s.saysThatThereIsNoCloud)
	t.Run("external", func(t *testing.T) {
		// The stand-in for the stock image does not elect a leader.
		s.install(t, "mode=external,replicas=1")
		pod := s.pods(t, 1, stock, server)[0]
		requireStrict(t, pod, stock, "/cluster-autoscaler")
		requireStrict(t, pod, server, "/cluster-autoscaler-openstack-grpc")
		requireOurImage(t, pod, server)
		s.requireAnswer(t, pod, 8085, "/health-check", "OK")
		s.requireAnswer(t, pod, 8087, "/readyz", "works")
		s.requireAnswer(t, pod, 8087, "/metrics", "cluster_autoscaler_openstack_node_group_target_size")
		s.growsAndShrinks(t)
		s.pods(t, 1, stock, server)
		s.uninstall(t)
	})
	t.Run("embedded", func(t *testing.T) {
		s.install(t, fmt.Sprintf("mode=embedded,replicas=2,externalMetrics.enabled=true,externalMetrics.port=%d", metricsPort))
		s.balance(t)
		for _, pod := range s.pods(t, 2, embedded) {
			requireStrict(t, pod, embedded, "/cluster-autoscaler-openstack")
			requireOurImage(t, pod, embedded)
			s.requireAnswer(t, pod, 8085, "/health-check", "OK")
		}
		s.servesFloor(t)
		s.growsAndShrinks(t)
		s.survivesFrozenLeader(t)
		s.servesFloor(t)
		s.uninstall(t)
	})
}

// saysThatThereIsNoCloud: an installation of pods that run, and can't sign in, does not end well.
func (s *scene) saysThatThereIsNoCloud(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "cloud.conf")
	nowhere := "[Global]\nauth-url=http://" + net.JoinHostPort(host.Network.Gateway, "1") + "/v3\nusername=u\npassword=p\ntenant-name=t\ndomain-name=d\n"
	require.NoError(t, os.WriteFile(conf, []byte(nowhere), 0o600))
	for mode, container := range map[string]string{"embedded": embedded, "external": server} {
		require.Error(t, s.tryInstall(t, conf, noCloudTimeout, "replicas=1,mode="+mode), mode)
		list, err := base.Cluster.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: instance})
		require.NoError(t, err)
		require.Len(t, list.Items, 1)
		for _, status := range list.Items[0].Status.ContainerStatuses {
			if status.Name == container {
				require.NotNil(t, status.State.Running, "%+v", status)
				require.False(t, status.Ready)
			}
		}
		s.uninstall(t)
	}
}

// growsAndShrinks: a pod that finds no room gets a node, whose server goes when the pod is gone.
func (s *scene) growsAndShrinks(t *testing.T) {
	t.Helper()
	s.grows(t)
	require.NoError(t, s.Undeploy(t.Context(), "app"))
	_, err := s.workers.WaitForSize(t.Context(), stepTimeout, 0)
	require.NoError(t, err)
}

func (s *scene) grows(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Deploy(t.Context(), world.Workload{
		Name: "app", Replicas: 1, CPU: "600m", Image: vm.PodImage, NodeLabels: map[string]string{roleLabel: "worker"},
	}))
	require.NoError(t, s.WaitForRunning(t.Context(), stepTimeout, "app", 1))
	_, err := s.workers.WaitForSize(t.Context(), stepTimeout, 1)
	require.NoError(t, err)
}

// survivesFrozenLeader: a leader that hangs is followed by the other pod, which goes on, and is started anew by the kubelet, whose
// liveness probe gets no answer.
func (s *scene) survivesFrozenLeader(t *testing.T) {
	t.Helper()
	leader := s.leader(t)
	pid := processOf(t, leader, embedded)
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	s.grows(t)
	require.NotEqual(t, leader.Name, s.leader(t).Name)
	require.NoError(t, s.Until(t.Context(), 2*stepTimeout, "the frozen container to be started anew", func(ctx context.Context) error {
		pod, err := base.Cluster.Client.CoreV1().Pods(namespace).Get(ctx, leader.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if status := pod.Status.ContainerStatuses[0]; status.RestartCount != 1 || !status.Ready {
			return fmt.Errorf("%+v", status)
		}
		return nil
	}))
	events, err := s.Events(t.Context(), "Unhealthy")
	require.NoError(t, err)
	events = slices.DeleteFunc(events, func(e v1.Event) bool { return !strings.HasPrefix(e.Message, "Liveness") })
	require.NotEmpty(t, events)
	for _, event := range events {
		require.Equal(t, leader.Name, event.InvolvedObject.Name, "only the frozen pod fails its probe: %s", event.Message)
	}
	require.NoError(t, s.Undeploy(t.Context(), "app"))
	_, err = s.workers.WaitForSize(t.Context(), stepTimeout, 0)
	require.NoError(t, err)
}

// leader is the pod that holds the lease.
func (s *scene) leader(t *testing.T) v1.Pod {
	t.Helper()
	lease, err := base.Cluster.Client.CoordinationV1().Leases(namespace).Get(t.Context(), "cluster-autoscaler", metav1.GetOptions{})
	require.NoError(t, err)
	require.NotNil(t, lease.Spec.HolderIdentity)
	list, err := base.Cluster.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: instance})
	require.NoError(t, err)
	for _, pod := range list.Items {
		if strings.HasPrefix(*lease.Spec.HolderIdentity, pod.Name) {
			return pod
		}
	}
	t.Fatalf("%s leads, which is no pod of the chart", *lease.Spec.HolderIdentity)
	return v1.Pod{}
}

// requireAnswer asks a pod at its address.
func (s *scene) requireAnswer(t *testing.T, pod v1.Pod, port int, path, want string) {
	t.Helper()
	url := "http://" + net.JoinHostPort(pod.Status.PodIP, fmt.Sprint(port)) + path
	require.NoError(t, s.Until(t.Context(), stepTimeout, url, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err == nil && (response.StatusCode != http.StatusOK || !strings.Contains(string(text), want)) {
			err = errors.New(response.Status + ": " + string(text[:min(len(text), 500)]))
		}
		return err
	}))
}

// requireStrict looks at a container's process from outside, as the kernel sees it: not root, no capability whatever happens, a filter for
// system calls, a file system that can't be written.
func requireStrict(t *testing.T, pod v1.Pod, container, program string) {
	t.Helper()
	pid := processOf(t, pod, container)
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	require.NoError(t, err)
	require.Equal(t, program, name)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for _, want := range []string{
		`Uid:\s65532\s65532\s65532\s65532`, `Gid:\s65532\s65532\s65532\s65532`, `CapInh:\s0+`, `CapPrm:\s0+`, `CapEff:\s0+`, `CapBnd:\s0+`, `CapAmb:\s0+`,
		`NoNewPrivs:\s1`, `Seccomp:\s2`,
	} {
		require.Regexp(t, `(?m)^`+want+`$`, string(status))
	}
	mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	require.NoError(t, err)
	require.Regexp(t, `(?m)^\S+ \S+ \S+ \S+ / ro[, ]`, string(mounts))
}

// requireOurImage: the container runs the very image that was built, as containerd says.
func requireOurImage(t *testing.T, pod v1.Pod, container string) {
	t.Helper()
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == container {
			require.Equal(t, configDigest(t), status.ImageID)
			require.Equal(t, *image, status.Image)
		}
	}
}
