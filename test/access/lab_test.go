//go:build lab

package access_test

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/lab"
)

var folder = flag.String("lab", "/tmp/cluster-autoscaler-openstack-lab", "folder of the running lab (LAB_DIR of test/lab)")

func TestTheLeastCredentialOnTheRealCloud(t *testing.T) {
	target, err := lab.Open(*folder)
	require.NoError(t, err)
	cycle(t, target)
}
