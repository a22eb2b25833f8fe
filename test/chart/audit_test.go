//go:build chart

package chart

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// reading are verbs of which one is as much as all: who may list may as well get.
var reading = []string{"get", "list", "watch"}

// seldom are rights that the life of a node group here does not need every time, each with what needs it.
var seldom = map[string]string{
	"events patch": "an Event that is told again: client-go counts it up",
}

// usedRights are the rights that requests needed: "GROUP RESOURCE VERB", and once more with the name of the object. That something was
// refused ends the test.
func usedRights(t *testing.T, asked []request) map[string]bool {
	t.Helper()
	require.NotEmpty(t, asked)
	used := map[string]bool{}
	for _, r := range asked {
		require.False(t, r.isRefused(), "%s %s", r.Verb, r.RequestURI)
		verb := r.Verb
		if slices.Contains(reading, verb) {
			verb = "read"
		}
		key := strings.TrimSpace(r.ObjectRef.APIGroup + " " + r.resource() + " " + verb)
		used[key], used[key+" "+r.ObjectRef.Name] = true, true
		if key == "certificates.k8s.io certificatesigningrequests/approval update" {
			// Approving is asked of the request; its signer is what the right names.
			used["certificates.k8s.io signers approve "+signerOf(t, r.ObjectRef.Name)] = true
		}
	}
	return used
}

// signerOf is who is asked by a request for a certificate. Requests stay for an hour when they have been decided.
func signerOf(t *testing.T, name string) string {
	t.Helper()
	asked, err := base.Cluster.Client.CertificatesV1().CertificateSigningRequests().Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	return asked.Spec.SignerName
}

// requireAllUsed: of the roles of a release, wherever they are, no right is for nothing.
func requireAllUsed(t *testing.T, release string, used map[string]bool) {
	t.Helper()
	of := metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=" + release}
	roles, err := base.Cluster.Client.RbacV1().Roles("").List(t.Context(), of)
	require.NoError(t, err)
	clusterRoles, err := base.Cluster.Client.RbacV1().ClusterRoles().List(t.Context(), of)
	require.NoError(t, err)
	var rules []rbacv1.PolicyRule
	for _, role := range roles.Items {
		rules = append(rules, role.Rules...)
	}
	for _, role := range clusterRoles.Items {
		rules = append(rules, role.Rules...)
	}
	rights := rightsOf(rules)
	require.NotEmpty(t, rights)
	var unused []string
	for _, right := range rights {
		if !used[right] && seldom[right] == "" {
			unused = append(unused, right)
		}
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
