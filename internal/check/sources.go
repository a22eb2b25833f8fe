package check

import (
	"fmt"
	"net/http"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/gnocchi"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/prometheus"
)

// takeLoadFlags makes the sources of load as the autoscaler's flags have them, where they are not given.
func (w *World) takeLoadFlags() {
	flags := w.program.Provider
	if w.Setup.Defaults.Source == "" {
		w.Setup.Defaults.Source = ceilometer.SourceGnocchi
		if source := flags.Last("load-source"); source != "" {
			w.Setup.Defaults.Source = source
		}
	}
	w.Setup.Aetos = w.Setup.Aetos || flags.Last("prometheus-url") == prometheus.ViaAetos
	if w.Setup.Sources != nil || w.Session == nil {
		return
	}
	w.Setup.Sources = map[string]ceilometer.Source{ceilometer.SourceGnocchi: gnocchi.New(w.Session)}
	options := prometheus.Options{Timeout: w.Timeout, GroupLabel: flags.Last("prometheus-node-group-label"), Lookback: flags.Duration("prometheus-lookback", 0)}
	switch address := flags.Last("prometheus-url"); {
	case w.Setup.Aetos:
		w.Setup.Sources[ceilometer.SourcePrometheus] = prometheus.NewAetos(w.Session, options)
	case address != "":
		// Its credentials, if it needs any, are a file in the pod.
		source, err := prometheus.New(address, http.DefaultTransport, options)
		if err != nil {
			w.sourceErr = fmt.Errorf("--prometheus-url: %w", err)
			return
		}
		w.Setup.Sources[ceilometer.SourcePrometheus] = source
	}
}
