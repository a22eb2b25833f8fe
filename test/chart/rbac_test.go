//go:build chart

package chart

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// rights are the roles and bindings among objects, by kind and name, without what only helm adds.
func rights(t *testing.T, all []runtime.Object) map[string]any {
	t.Helper()
	out := map[string]any{}
	for _, object := range all {
		switch object := object.(type) {
		case *rbacv1.ClusterRole:
			out["ClusterRole "+nameOf(t, object)] = object.Rules
		case *rbacv1.Role:
			out["Role "+nameOf(t, object)] = object.Rules
		case *rbacv1.ClusterRoleBinding:
			out["ClusterRoleBinding "+nameOf(t, object)] = []any{object.RoleRef, object.Subjects}
		case *rbacv1.RoleBinding:
			out["RoleBinding "+nameOf(t, object)] = []any{object.RoleRef, object.Subjects}
		}
	}
	return out
}

// With everything on, the chart gives exactly the permissions of deploy/kubernetes.
func TestRightsAreThoseOfTheManifest(t *testing.T) {
	t.Parallel()
	all := render(t, "-f", valuesFile("minimal"), "--set", "features.kubeadmJoin=true,externalMetrics.enabled=true,autoscaler.extraArgs.expander=priority,autoscaler.extraArgs.enable-dynamic-resource-allocation=true")
	var manifests []string
	for _, file := range []string{"cluster-autoscaler-openstack.yaml", "kubeadm-join.yaml", "external-metrics.yaml"} {
		text, err := os.ReadFile(root + "/deploy/kubernetes/" + file)
		require.NoError(t, err)
		manifests = append(manifests, string(text))
	}
	want := rights(t, objects(t, strings.Join(manifests, "\n---\n")))
	require.Greater(t, len(want), 11)
	require.Equal(t, want, rights(t, objects(t, all)))
}

// In a namespace of its own, the chart's rights are the same ones, but for those on bootstrap tokens, which are in kube-system.
func TestRightsInAnotherNamespace(t *testing.T) {
	t.Parallel()
	out, err := helm(t.Context(), "template", name, dir, "-n", "autoscaling", "--kube-version", versionForTemplates, "-f", valuesFile("minimal"))
	require.NoError(t, err)
	roles := map[string][]rbacv1.PolicyRule{}
	for _, role := range only[*rbacv1.Role](objects(t, out)) {
		roles[role.Namespace] = role.Rules
	}
	require.Len(t, roles, 3)
	for namespace, rules := range roles {
		for _, rule := range rules {
			isSecret := rule.Resources[0] == "secrets"
			require.Equal(t, namespace == "kube-system", isSecret, "%s: %v", namespace, rule)
		}
	}
}

// Features that are off take their rights with them.
func TestRightsFollowFeatures(t *testing.T) {
	t.Parallel()
	has := func(set, resource, verb string) bool {
		all := objects(t, render(t, "-f", valuesFile("minimal"), "--set", set))
		var rules []rbacv1.PolicyRule
		for _, role := range only[*rbacv1.ClusterRole](all) {
			rules = append(rules, role.Rules...)
		}
		for _, role := range only[*rbacv1.Role](all) {
			rules = append(rules, role.Rules...)
		}
		return slices.ContainsFunc(rules, func(rule rbacv1.PolicyRule) bool {
			return slices.Contains(rule.Resources, resource) && slices.Contains(rule.Verbs, verb)
		})
	}
	const off = "features.approveNodeCertificates=false,features.approveServingCertificates=false"
	const without = off + ",features.bootstrapTokens=false"
	require.True(t, has("replicas=2", "nodes", "delete"))
	require.False(t, has("features.deleteNodesOfGoneServers=false", "nodes", "delete"))
	require.True(t, has("features.deleteNodesOfGoneServers=false", "nodes", "update"))
	require.True(t, has("features.approveNodeCertificates=false", "signers", "approve"))
	require.False(t, has(off, "signers", "approve"))
	require.False(t, has(off, "certificatesigningrequests", "list"))
	require.True(t, has("features.approveNodeCertificates=false", "certificatesigningrequests", "list"))
	require.True(t, has("features.approveServingCertificates=false", "subjectaccessreviews", "create"))
	require.False(t, has("features.approveNodeCertificates=false", "subjectaccessreviews", "create"), "only asked about joining")
	require.True(t, has("replicas=2", "secrets", "list"))
	require.False(t, has(without, "secrets", "list"))
	require.False(t, has("replicas=2", "resourceclaims", "list"))
	require.True(t, has("autoscaler.extraArgs.enable-dynamic-resource-allocation=true", "resourceclaims", "list"))
}

// With tokens off nothing is left of them: no role for Secrets in any namespace, none for the cluster's address, no binding for bearers.
func TestNothingIsLeftOfTokens(t *testing.T) {
	t.Parallel()
	out, err := helm(t.Context(), "template", name, dir, "-n", "autoscaling", "--kube-version", versionForTemplates, "-f", valuesFile("minimal"),
		"--set", "features.bootstrapTokens=false,features.approveNodeCertificates=false")
	require.NoError(t, err)
	for _, word := range []string{"secrets", "cluster-info", "node-bootstrapper", "system:bootstrappers", "kube-system", "kube-public"} {
		require.NotContains(t, out, word)
	}
	require.Contains(t, out, "--bootstrap-tokens=false")
}

// Two releases, for two clouds or projects, have no object in common.
func TestTwoReleasesHaveNothingInCommon(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, release := range []string{"east", "west"} {
		out, err := helm(t.Context(), "template", release, dir, "-n", release, "--kube-version", versionForTemplates, "-f", valuesFile("minimal"), "--set", "features.kubeadmJoin=true")
		require.NoError(t, err)
		for _, object := range objects(t, out) {
			key := fmt.Sprintf("%T %s", object, nameOf(t, object))
			require.Empty(t, seen[key], "%s and %s both have %s", release, seen[key], key)
			seen[key] = release
		}
	}
	require.Greater(t, len(seen), 20)
}
