//go:build chart

package chart

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// The descheduler's image follows the cluster, within what there is and what knows the policy.
func TestDeschedulerImageFollowsTheCluster(t *testing.T) {
	for version, want := range map[string]string{
		"1.25.0": "v0.31.0", "1.30.9": "v0.31.0", "1.31.2": "v0.31.0", "1.33.13": "v0.33.0", "1.36.0+rke2r1": "v0.36.0", "1.37.1": "v0.37.0", "1.45.0": "v0.37.0",
	} {
		out, err := helm(t.Context(), "template", name, dir, "--kube-version", version, "-f", valuesFile("minimal"), "--set", "descheduler.enabled=true")
		require.NoError(t, err)
		require.Contains(t, out, `image: "registry.k8s.io/descheduler/descheduler:`+want+`"`, version)
	}
}

// The chart's descheduler has the policy of deploy/kubernetes/descheduler.yaml, which the end-to-end tests run, and its rights.
func TestDeschedulerIsThatOfTheManifest(t *testing.T) {
	text, err := os.ReadFile(root + "/deploy/kubernetes/descheduler.yaml")
	require.NoError(t, err)
	manifest := objects(t, string(text))
	chart := objects(t, render(t, "-f", valuesFile("minimal"), "--set", "descheduler.enabled=true", "--show-only", "templates/descheduler.yaml"))

	policy := func(of any) (policy map[string]any) {
		require.IsType(t, &v1.ConfigMap{}, of)
		require.NoError(t, yaml.UnmarshalStrict([]byte(of.(*v1.ConfigMap).Data["policy.yaml"]), &policy))
		return policy
	}
	require.Equal(t, policy(only[*v1.ConfigMap](manifest)[0]), policy(only[*v1.ConfigMap](chart)[0]))

	rights := func(of []*rbacv1.ClusterRole) map[string]bool {
		require.Len(t, of, 1)
		rights := map[string]bool{}
		for _, rule := range of[0].Rules {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						rights[verb+" "+resource+"."+group] = true
					}
				}
			}
		}
		return rights
	}
	require.Equal(t, rights(only[*rbacv1.ClusterRole](manifest)), rights(only[*rbacv1.ClusterRole](chart)))
}
