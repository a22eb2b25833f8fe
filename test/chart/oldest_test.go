//go:build chart

package chart

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// cluster-autoscaler 1.25 ends with an error if it is given a flag that came later.
func TestTheOldestAutoscalerGetsNoFlagThatItLacks(t *testing.T) {
	t.Parallel()
	for version, has := range map[string]bool{"1.25.0": false, "1.26.0": true, "1.33.1": true} {
		out, err := helm(t.Context(), "template", name, dir, "--kube-version", version, "-f", valuesFile("minimal"))
		require.NoError(t, err)
		require.Equal(t, has, strings.Contains(out, "--enforce-node-group-min-size"), version)
		require.Contains(t, out, `"--expander=least-waste"`, version)
	}
	out, err := helm(t.Context(), "template", name, dir, "--kube-version", "1.25.0", "-f", valuesFile("minimal"), "--set", "autoscaler.image.tag=v1.26.3")
	require.NoError(t, err)
	require.Contains(t, out, "--enforce-node-group-min-size", "it is the autoscaler's version that counts")
}
