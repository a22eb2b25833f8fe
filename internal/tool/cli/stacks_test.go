package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
)

func TestParseStacks(t *testing.T) {
	discovery, named, err := ParseStacks([]string{"heat:tag=a,tag=b", "heat:tag=c"}, []string{"1:5:workers"})
	require.NoError(t, err)
	require.Equal(t, []heatstack.Discovery{{Tags: []string{"a", "b"}}, {Tags: []string{"c"}}}, discovery)
	require.Len(t, named, 1)
	_, _, err = ParseStacks([]string{"heat:a"}, nil)
	require.ErrorContains(t, err, "; give --node-group-auto-discovery")
	_, _, err = ParseStacks(nil, []string{"workers"})
	require.ErrorContains(t, err, "; give --nodes")
}
