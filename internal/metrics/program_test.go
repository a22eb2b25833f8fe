package metrics_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/build"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/metrics"
)

func TestBuildInfo(t *testing.T) {
	m := metrics.New(nil, nil)
	m.Introduce("embedded", "1.33.0")
	require.NoError(t, testutil.CollectAndCompare(m, strings.NewReader(`
# HELP cluster_autoscaler_openstack_build_info Always 1: the version of the program, its mode (embedded, external), the cluster-autoscaler inside (embedded only), the Go it was built with.
# TYPE cluster_autoscaler_openstack_build_info gauge
cluster_autoscaler_openstack_build_info{cluster_autoscaler="1.33.0",goversion="`+runtime.Version()+`",mode="embedded",version="`+build.Version()+`"} 1
`), "cluster_autoscaler_openstack_build_info"))
}
