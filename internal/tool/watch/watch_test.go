package watch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
)

func TestInterval(t *testing.T) {
	f := Flags{Interval: time.Second}
	require.NoError(t, f.Check())
	f.Interval = time.Second - 1
	require.Equal(t, cli.ExitUsage, cli.ExitCode(f.Check()))
}
