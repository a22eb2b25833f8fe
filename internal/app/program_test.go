package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/ports"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// running is the program as a process of its own, with a simulated cloud and a little Kubernetes.
type running struct {
	cmd   *exec.Cmd
	sim   *simulator.Simulator
	kube  *littleKubernetes
	stack string
	base  string // of its HTTP server
	log   *safeBuffer
	ended chan error
}

// safeBuffer may be written and read at the same time.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start starts the program on a cloud with one node group of no members and a cluster with one pending pod.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	return startWith(t, simulator.GroupTemplate, args...)
}

// startWith is start with a stack of another template.
func startWith(t *testing.T, template string, args ...string) *running {
	t.Helper()
	return startOn(t, simulator.StackSpec{
		Name: "workers", Template: template, Tags: []string{"autoscaled", "node-group-max-size=5", "node-group-min-size=0"},
	}, args...)
}

// startOn is start with this stack.
func startOn(t *testing.T, stack simulator.StackSpec, args ...string) *running {
	t.Helper()
	return startIn(t, newKubernetes(t), stack, args...)
}

// startIn is startOn with this Kubernetes. The stack has no members in the beginning.
func startIn(t *testing.T, kube *littleKubernetes, stack simulator.StackSpec, args ...string) *running {
	t.Helper()
	r := &running{sim: simulator.New(simulator.Options{Speed: 100}), kube: kube, log: &safeBuffer{}, ended: make(chan error, 1)}
	require.NoError(t, r.sim.Start("127.0.0.1:0"))
	t.Cleanup(r.sim.Close)
	stack.Parameters = map[string]any{"node_count": 0, "flavor": "m1.medium"}
	var err error
	r.stack, err = r.sim.CreateStack("demo", stack)
	require.NoError(t, err)
	r.kube.lists["pods"] = []any{pendingPod()}
	dir := t.TempDir()
	conf := filepath.Join(dir, "cloud.conf")
	require.NoError(t, os.WriteFile(conf, []byte(r.sim.CloudConf("demo", "demo")), 0o600))
	kubeconfig := filepath.Join(dir, "kubeconfig")
	require.NoError(t, os.WriteFile(kubeconfig, fmt.Appendf(nil, `{apiVersion: v1, kind: Config, current-context: c,
contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u}], clusters: [{name: c, cluster: {server: %q}}]}`, r.kube.URL), 0o600))
	address := freeAddress(t)
	r.base = "http://" + address
	r.cmd = exec.CommandContext(context.Background(), os.Args[0], append([]string{ //nolint:gosec // the test's own binary
		"--cloud-config=" + conf, "--kubeconfig=" + kubeconfig, "--kube-api-content-type=application/json", "--address=" + address,
		"--node-group-auto-discovery=heat:tag=autoscaled", "--scan-interval=300ms", "--profiling", "--debugging-snapshot-enabled", "--v=2",
	}, args...)...)
	r.cmd.Env = append(os.Environ(), asProgram+"=1")
	r.cmd.Stdout, r.cmd.Stderr = r.log, r.log
	require.NoError(t, r.cmd.Start())
	go func() { r.ended <- r.cmd.Wait() }()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		if t.Failed() {
			t.Log(r.log.String())
		}
	})
	return r
}

func pendingPod() *v1.Pod {
	hour := metav1.NewTime(time.Now().Add(-time.Hour))
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "pending", Namespace: "default", UID: "1", CreationTimestamp: hour, ResourceVersion: "1"},
		Spec: v1.PodSpec{SchedulerName: v1.DefaultSchedulerName, Containers: []v1.Container{{Name: "c", Image: "i", Resources: v1.ResourceRequirements{
			Requests: v1.ResourceList{v1.ResourceCPU: resource.MustParse("1")}}}}},
		Status: v1.PodStatus{Phase: v1.PodPending, Conditions: []v1.PodCondition{{
			Type: v1.PodScheduled, Status: v1.ConditionFalse, Reason: v1.PodReasonUnschedulable, LastTransitionTime: hour}}},
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := ports.Address(t.Context())
	require.NoError(t, err)
	return address
}

func (r *running) eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	require.Eventually(t, done, 3*time.Minute, 20*time.Millisecond, what)
}

// get returns what the program serves under path, and the status; 0 while it does not answer.
func (r *running) get(t *testing.T, path string) (string, int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+path, nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", 0
	}
	defer func() { require.NoError(t, answer.Body.Close()) }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(body), answer.StatusCode
}

// size is the stack's size parameter.
func (r *running) size(t *testing.T) string {
	t.Helper()
	stack, ok := r.sim.Stack(r.stack)
	require.True(t, ok)
	return fmt.Sprint(stack.Parameters["node_count"])
}

// terminate sends SIGTERM and returns how the process ended.
func (r *running) terminate(t *testing.T) error {
	t.Helper()
	require.NoError(t, r.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-r.ended:
		return err
	case <-time.After(3 * time.Minute):
		require.Fail(t, "it did not end")
		return nil
	}
}

func TestTheProgramScalesServesAndEndsInGoodOrder(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.eventually(t, "the pending pod makes the stack grow", func() bool { return r.size(t) == "1" })
	body, code := r.get(t, "/readyz")
	require.Equal(t, "works\n", body)
	require.Equal(t, http.StatusOK, code)
	body, code = r.get(t, "/health-check")
	require.Equal(t, "OK", body)
	require.Equal(t, http.StatusOK, code)
	r.eventually(t, "metrics", func() bool {
		body, _ = r.get(t, "/metrics")
		return strings.Contains(body, `cluster_autoscaler_openstack_node_group_target_size{node_group="workers"} 1`)
	})
	require.Contains(t, body, `cluster_autoscaler_openstack_api_requests_total{code="202",method="PATCH",service="heat"} 1`)
	require.Contains(t, body, "cluster_autoscaler_scaled_up_nodes_total", "core's own metrics are beside ours")
	_, code = r.get(t, "/debug/pprof/")
	require.Equal(t, http.StatusOK, code)

	const lease = "apis/coordination.k8s.io/v1/namespaces/kube-system/leases/cluster-autoscaler"
	require.NotEmpty(t, r.kube.object(lease)["spec"].(map[string]any)["holderIdentity"])
	const status = "api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status"
	require.NotNil(t, r.kube.object(status))

	require.NoError(t, r.terminate(t), "exit code 0")
	require.Empty(t, r.kube.object(lease)["spec"].(map[string]any)["holderIdentity"], "the lease is given back")
	require.Nil(t, r.kube.object(status), "as upstream does")
}

func TestADryRunDecidesAndWritesNothing(t *testing.T) {
	t.Parallel()
	r := start(t, "--dry-run", "--leader-elect=false")
	r.eventually(t, "the decision is counted", func() bool {
		body, _ := r.get(t, "/metrics")
		return strings.Contains(body, `cluster_autoscaler_openstack_dry_run_decisions_total{action="grow",node_group="workers"}`)
	})
	require.NoError(t, r.terminate(t))
	require.Equal(t, "0", r.size(t))
	require.Empty(t, r.sim.CountCalls(simulator.Heat, http.MethodPatch))
	require.Contains(t, r.log.String(), "Dry run: would have grown the node group")
	for _, w := range r.kube.written("") {
		require.Regexp(t, `/events|/configmaps|dryRun=All`, w)
	}
}

func TestItWaitsForACloudThatIsDownAndEndsAtOnceWhileItDoes(t *testing.T) {
	t.Parallel()
	r := start(t, "--leader-elect=false")
	r.eventually(t, "it is up", func() bool { return r.size(t) == "1" })
	require.NoError(t, r.terminate(t))

	conf := filepath.Join(t.TempDir(), "cloud.conf")
	require.NoError(t, os.WriteFile(conf, []byte("[Global]\nauth-url=http://127.0.0.1:1/v3\nusername=u\npassword=p\ntenant-name=t\ndomain-name=d\n"), 0o600))
	r = start(t, "--leader-elect=false", "--cloud-config="+conf)
	r.eventually(t, "it tries again", func() bool { return strings.Contains(r.log.String(), "trying again") })
	body, code := r.get(t, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code, "nothing is served: an installation that waits for readiness must not end well")
	require.Contains(t, body, "signs in to OpenStack")
	require.NoError(t, r.terminate(t))
}

func TestCredentialsThatCannotWorkEndTheProgramWithASentence(t *testing.T) {
	r := start(t, "--leader-elect=false", "--cloud-config=/nonexistent/cloud.conf")
	select {
	case err := <-r.ended:
		require.ErrorContains(t, err, "exit status 1")
	case <-time.After(3 * time.Minute):
		require.Fail(t, "it did not end")
	}
	require.Contains(t, r.log.String(), "/nonexistent/cloud.conf")
}
