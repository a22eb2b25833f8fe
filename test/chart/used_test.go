//go:build chart

package chart

import (
	"bufio"
	"encoding/json"
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
	w, err := world.New(t.Context(), base, name, cloud, world.Options{BootDelay: 500 * time.Millisecond, External: external})
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.Diagnosis())
		}
		require.NoError(t, w.Close(t.Context()))
	})
	require.NoError(t, err)
	return w
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

// seldom are rights that the life of a node group does not need, each with what needs it.
var seldom = map[string]string{
	"resource.k8s.io resourceclaims read": "dynamic resource allocation", "resource.k8s.io resourceslices read": "dynamic resource allocation",
	"resource.k8s.io deviceclasses read": "dynamic resource allocation",
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
		key := r.ObjectRef.APIGroup + " " + r.resource() + " " + verb
		used[key], used[key+" "+r.ObjectRef.Name] = true, true
	}
	all := objects(t, render(t, "-f", valuesFile("minimal")))
	var unused []string
	check := func(rules []rbacv1.PolicyRule) {
		for _, right := range rightsOf(rules) {
			if !used[right] && seldom[right] == "" {
				unused = append(unused, right)
			}
			if used[right] && seldom[right] != "" {
				t.Errorf("%s is used: take it out of the list of those that seldom are", right)
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
