package metrics

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/build"
)

// newProgram makes build_info, which is missing until Introduce is called.
func newProgram() *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info",
		Help: "Always 1: the version of the program, its mode (embedded, external), the cluster-autoscaler inside (embedded only), the Go it was built with.",
	}, []string{"version", "mode", "cluster_autoscaler", "goversion"})
}

// Introduce says in which mode the program runs, and which cluster-autoscaler is inside; empty for none.
func (m *Metrics) Introduce(mode, core string) {
	m.program.WithLabelValues(build.Version(), mode, core, runtime.Version()).Set(1)
}
