//go:build chart

package chart

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

const (
	stepTimeout = 3 * time.Minute
	// writeTimeout as in the end-to-end tests: tokens are kept for as long.
	writeTimeout = 20 * time.Second
)

// newWorld makes a scenario on a simulated cloud of its own.
func newWorld(t *testing.T, name string, seed uint64, external bool) *world.World {
	t.Helper()
	timing := simulator.DefaultTiming().Faster(2)
	sim := simulator.New(simulator.Options{Timing: &timing, Seed: seed})
	t.Cleanup(sim.Close)
	require.NoError(t, sim.Start("127.0.0.1:0"))
	cloud, err := world.Simulated(t.Context(), sim, t.TempDir())
	require.NoError(t, err)
	w, err := world.New(t.Context(), base, name, cloud, world.Options{
		BootDelay: 500 * time.Millisecond, External: external,
		// Who deletes the Nodes of servers that are gone is the autoscaler.
		NoCloudController: true,
	})
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.Diagnosis())
		}
		// The test's own context has ended by now.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), stepTimeout)
		defer cancel()
		require.NoError(t, w.Close(ctx))
	})
	require.NoError(t, err)
	return w
}

// drain lets a node go that still has a pod, which has to be evicted.
func drain(t *testing.T, w *world.World) {
	t.Helper()
	// Two nodes of one processor, and a pod that has room on both beside what fills them.
	for name, cpu := range map[string]string{"left": "600m", "right": "600m", "small": "100m"} {
		require.NoError(t, w.Deploy(t.Context(), world.Workload{Name: name, Replicas: 1, CPU: cpu}))
	}
	nodeOf := map[string]string{}
	for _, name := range []string{"left", "right", "small"} {
		require.NoError(t, w.WaitForRunning(t.Context(), stepTimeout, name, 1))
		pods, err := w.Pods(t.Context(), name)
		require.NoError(t, err)
		nodeOf[name] = pods[0].Spec.NodeName
	}
	beside := "left"
	if nodeOf["right"] == nodeOf["small"] {
		beside = "right"
	}
	require.NoError(t, w.Undeploy(t.Context(), beside))
	require.NoError(t, w.Until(t.Context(), stepTimeout, "the small pod to move", func(ctx context.Context) error {
		nodes, err := w.Nodes(ctx)
		if err != nil {
			return err
		}
		if len(nodes) != 1 {
			return fmt.Errorf("%d nodes", len(nodes))
		}
		return nil
	}))
	require.NoError(t, w.WaitForRunning(t.Context(), stepTimeout, "small", 1))
}

// request is what was asked of the API server, as its audit log tells it.
type request struct {
	Verb      string `json:"verb"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		APIGroup    string `json:"apiGroup"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	RequestURI     string `json:"requestURI"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

func (r request) resource() string {
	if r.ObjectRef.Subresource != "" {
		return r.ObjectRef.Resource + "/" + r.ObjectRef.Subresource
	}
	return r.ObjectRef.Resource
}

func requests(t *testing.T) []request {
	t.Helper()
	file, err := os.Open(auditLog)
	require.NoError(t, err)
	defer file.Close()
	var out []request
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var r request
		require.NoError(t, json.Unmarshal(scanner.Bytes(), &r))
		out = append(out, r)
	}
	require.NoError(t, scanner.Err())
	return out
}

// reading are verbs of which one is as much as all: who may list may as well get.
var reading = []string{"get", "list", "watch"}

// seldom are rights that the life of a node group here does not need every time, each with what needs it.
var seldom = map[string]string{
	"events patch": "an Event that is told again: client-go counts it up",
	"certificates.k8s.io signers approve kubernetes.io/kubelet-serving": "kubelets with serverTLSBootstrap; the played ones have none",
}

// TestRightsAreUsed: the account with the chart's rights, and no others, is enough for both modes, and none of them is for nothing.
func TestRightsAreUsed(t *testing.T) {
	for mode, flags := range map[string][]string{
		"embedded": {"--leader-elect=true"}, "external": nil,
	} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t, mode, uint64(len(mode)), mode == "external")
			_, err := world.MainJob{
				World: w, Timeout: stepTimeout, Say: t.Logf, Flags: append(flags, "--openstack-write-timeout="+writeTimeout.String()),
			}.Run(t.Context())
			require.NoError(t, err)
			drain(t, w)
			require.True(t, w.StopAutoscaler())
		})
	}
	used := map[string]bool{}
	for _, r := range requests(t) {
		require.NotEqual(t, 403, r.ResponseStatus.Code, "%s %s", r.Verb, r.RequestURI)
		verb := r.Verb
		if slices.Contains(reading, verb) {
			verb = "read"
		}
		key := strings.TrimSpace(r.ObjectRef.APIGroup + " " + r.resource() + " " + verb)
		used[key], used[key+" "+r.ObjectRef.Name] = true, true
	}
	// Approving is asked of the request; its signer is what the right names.
	if used["certificates.k8s.io certificatesigningrequests/approval update"] {
		used["certificates.k8s.io signers approve kubernetes.io/kube-apiserver-client-kubelet"] = true
	}
	all := objects(t, render(t, "-f", valuesFile("minimal")))
	var unused []string
	check := func(rules []rbacv1.PolicyRule) {
		for _, right := range rightsOf(rules) {
			if !used[right] && seldom[right] == "" {
				unused = append(unused, right)
			}
		}
	}
	for _, role := range only[*rbacv1.ClusterRole](all) {
		check(role.Rules)
	}
	for _, role := range only[*rbacv1.Role](all) {
		check(role.Rules)
	}
	require.Empty(t, unused, "rights that nobody has used")
}

// rightsOf takes rules apart: "GROUP RESOURCE VERB", and the name if the rule has one.
func rightsOf(rules []rbacv1.PolicyRule) []string {
	var out []string
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					if slices.Contains(reading, verb) {
						verb = "read"
					}
					// A name that is given says where the right holds; approving is asked of the signer, not of a request.
					for _, name := range append(slices.Clone(rule.ResourceNames), "")[:max(1, len(rule.ResourceNames))] {
						out = append(out, strings.TrimSpace(group+" "+resource+" "+verb+" "+name))
					}
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
