//go:build chart

package chart

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/cluster"
)

// request is what was asked of the API server, as its audit log tells it.
type request struct {
	Verb string `json:"verb"`
	User struct {
		Username string `json:"username"`
	} `json:"user"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		APIGroup    string `json:"apiGroup"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	RequestURI  string            `json:"requestURI"`
	Annotations map[string]string `json:"annotations"`
}

// isRefused says whether the account may not do it. That a namespace is being terminated is forbidden too, and no matter of rights.
// The check of "helm test" looks for the Deployment, and does without.
func (r request) isRefused() bool {
	return r.Annotations["authorization.k8s.io/decision"] == "forbid" && r.ObjectRef.Resource != "deployments"
}

func (r request) resource() string {
	if r.ObjectRef.Subresource != "" {
		return r.ObjectRef.Resource + "/" + r.ObjectRef.Subresource
	}
	return r.ObjectRef.Resource
}

// requests are what a service account has asked so far.
func requests(t *testing.T, namespace, account string) []request {
	t.Helper()
	file, err := os.Open(auditLog)
	require.NoError(t, err)
	defer file.Close()
	var out []request
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var r request
		if json.Unmarshal(scanner.Bytes(), &r) != nil {
			break // the last line is being written
		}
		if r.User.Username == "system:serviceaccount:"+namespace+":"+account {
			out = append(out, r)
		}
	}
	require.NoError(t, scanner.Err())
	return out
}

// seldom are rights that the life of a node group here does not need every time, each with what needs it.
var seldom = map[string]string{
	"events patch": "an Event that is told again: client-go counts it up",
	"nodes get":    "a Node that somebody has changed while it was to be tainted is read again",
}

// right is what an account may do, or what it did: a verb on a resource of a group, anywhere or in one namespace, on any object or on one.
type right struct{ namespace, group, resource, verb, name string }

func (r right) String() string {
	words := strings.Join(strings.Fields(strings.Join([]string{r.group, r.resource, r.verb, r.name}, " ")), " ")
	if r.namespace != "" {
		words += " in " + r.namespace
	}
	return words
}

// covers says whether who has this right may do that.
func (r right) covers(done right) bool {
	return r.group == done.group && r.resource == done.resource && r.verb == done.verb &&
		(r.namespace == "" || r.namespace == done.namespace) && (r.name == "" || r.name == done.name)
}

// uses are the rights that requests needed, of which none was refused.
func uses(t *testing.T, asked []request) map[right]bool {
	t.Helper()
	require.NotEmpty(t, asked)
	done := map[right]bool{}
	for _, r := range asked {
		require.False(t, r.isRefused(), "%s %s", r.Verb, r.RequestURI)
		ref := r.ObjectRef
		use := right{ref.Namespace, ref.APIGroup, r.resource(), r.Verb, ref.Name}
		done[use] = true
		if use.resource == "certificatesigningrequests/approval" && use.verb == "update" {
			// Approving is asked of the request; its signer is what the right names.
			done[right{"", use.group, "signers", "approve", signerOf(t, use.name)}] = true
		}
	}
	return done
}

// signerOf is who is asked by a request for a certificate. Requests stay for an hour when they have been decided.
func signerOf(t *testing.T, name string) string {
	t.Helper()
	asked, err := base.Cluster.Client.CertificatesV1().CertificateSigningRequests().Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	return asked.Spec.SignerName
}

// requireAllUsed: of the roles of a release, wherever they are, no right is for nothing: each was needed by something that no narrower
// one of them allows.
func requireAllUsed(t *testing.T, release string, done map[right]bool) {
	t.Helper()
	of := metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=" + release}
	roles, err := base.Cluster.Client.RbacV1().Roles("").List(t.Context(), of)
	require.NoError(t, err)
	clusterRoles, err := base.Cluster.Client.RbacV1().ClusterRoles().List(t.Context(), of)
	require.NoError(t, err)
	var given []right
	for _, role := range roles.Items {
		given = append(given, rightsOf(role.Namespace, role.Rules)...)
	}
	for _, role := range clusterRoles.Items {
		given = append(given, rightsOf("", role.Rules)...)
	}
	require.NotEmpty(t, given)
	var unused []string
	for i, g := range given {
		others := slices.Delete(slices.Clone(given), i, i+1)
		needed := slices.ContainsFunc(slices.Collect(maps.Keys(done)), func(use right) bool {
			return g.covers(use) && !slices.ContainsFunc(others, func(o right) bool { return g.covers(o) && o.covers(use) })
		})
		if !needed && seldom[g.String()] == "" {
			unused = append(unused, g.String())
		}
	}
	slices.Sort(unused)
	require.Empty(t, unused, "rights that nobody has needed")
}

// rightsOf takes the rules of a role apart. No namespace is all of them.
func rightsOf(namespace string, rules []rbacv1.PolicyRule) []right {
	var out []right
	for _, a := range cluster.Attributes(namespace, rules) {
		resource := strings.TrimSuffix(a.Resource+"/"+a.Subresource, "/")
		out = append(out, right{a.Namespace, a.Group, resource, a.Verb, a.Name})
	}
	return out
}
