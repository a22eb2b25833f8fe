package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The plugin is small because it links neither cluster-autoscaler nor Kubernetes' own components.
func TestDoesNotLinkClusterAutoscaler(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	packages := strings.Fields(string(out))
	require.Contains(t, packages, "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack")
	for _, p := range packages {
		for _, heavy := range []string{"k8s.io/autoscaler/", "k8s.io/kubernetes/", "k8s.io/apiserver/pkg/server", "sigs.k8s.io/custom-metrics-apiserver"} {
			require.False(t, strings.HasPrefix(p, heavy), p)
		}
	}
}
