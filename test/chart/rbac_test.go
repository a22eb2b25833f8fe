//go:build chart

package chart

import (
	"os"
	"path/filepath"
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
	all := render(t, "-f", valuesFile("minimal"), "--set", "features.kubeadmJoin=true,autoscaler.extraArgs.expander=priority,autoscaler.extraArgs.enable-dynamic-resource-allocation=true")
	var manifests []string
	files, err := filepath.Glob(root + "/deploy/kubernetes/*.yaml")
	require.NoError(t, err)
	for _, file := range []string{"cluster-autoscaler-openstack.yaml", "kubeadm-join.yaml"} {
		text, err := os.ReadFile(root + "/deploy/kubernetes/" + file)
		require.NoError(t, err)
		manifests = append(manifests, string(text))
	}
	require.NotEmpty(t, files)
	want := rights(t, objects(t, strings.Join(manifests, "\n---\n")))
	require.Greater(t, len(want), 9)
	require.Equal(t, want, rights(t, objects(t, all)))
}

// In a namespace of its own, the chart's rights are the same ones, but for those on bootstrap tokens, which are in kube-system.
func TestRightsInAnotherNamespace(t *testing.T) {
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
	has := func(set, resource, verb string) bool {
		for _, role := range only[*rbacv1.ClusterRole](objects(t, render(t, "-f", valuesFile("minimal"), "--set", set))) {
			for _, rule := range role.Rules {
				for _, r := range rule.Resources {
					for _, v := range rule.Verbs {
						if r == resource && v == verb {
							return true
						}
					}
				}
			}
		}
		return false
	}
	const off = "features.approveNodeCertificates=false,features.approveServingCertificates=false"
	require.True(t, has("replicas=2", "nodes", "delete"))
	require.False(t, has("features.deleteNodesOfGoneServers=false", "nodes", "delete"))
	require.True(t, has("features.deleteNodesOfGoneServers=false", "nodes", "update"))
	require.True(t, has("features.approveNodeCertificates=false", "signers", "approve"))
	require.False(t, has(off, "signers", "approve"))
	require.False(t, has(off, "certificatesigningrequests", "list"))
	require.False(t, has("replicas=2", "resourceclaims", "list"))
	require.True(t, has("autoscaler.extraArgs.enable-dynamic-resource-allocation=true", "resourceclaims", "list"))
}
