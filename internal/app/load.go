package app

import (
	"context"
	"fmt"

	"github.com/prometheus/common/model"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/forecast"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/gnocchi"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/prometheus"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/events"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// newFloors returns what load wants of node groups; nil if load signals are switched off. Nothing is asked of telemetry as long as no
// node group has an annotation about load.
//
// states are what explains them.
func (p *program) newFloors(session *openstack.Session, teller *events.Reporter, reporter nodegroups.Reporter,
) (nodegroups.Floors, error) {
	if !p.LoadSignals {
		return nil, nil
	}
	sources := map[string]ceilometer.Source{ceilometer.SourceGnocchi: gnocchi.New(session)}
	prom, err := p.newPrometheus(session)
	if err != nil {
		return nil, err
	}
	if prom != nil {
		sources[ceilometer.SourcePrometheus] = prom
	}
	file := &loadFile{path: p.LoadConfig, source: p.LoadSource}
	defaults, err := file.read()
	if err != nil { // it was good a moment ago, see check
		return nil, fmt.Errorf("--load-config=%s: %w", p.LoadConfig, err)
	}
	opts := ceilometer.Options{
		Sources: sources, Observer: events.Floors(teller, p.observer), Reporter: reporter,
		Timeout: p.TelemetryTimeout, Hold: p.TelemetryHold, NewForecaster: newForecaster,
		Defaults: ceilometer.Defaults{Source: p.LoadSource},
	}
	if defaults != nil {
		opts.Defaults = *defaults
	}
	floors := ceilometer.NewFloors(opts)
	p.metrics.ShowLoad(floors.States)
	p.states = floors.States
	if p.book != nil {
		p.book.ShowLoad(floors.States)
	}
	following := &followFile{Floors: floors, file: file, reporter: reporter}
	return cloudprovider.GuardFloors(following, p.observer, p.TelemetryHold, nil), nil
}

// newPrometheus returns the source for Prometheus, nil if there is none.
func (s *settings) newPrometheus(session *openstack.Session) (ceilometer.Source, error) {
	opts := prometheus.Options{Timeout: s.TelemetryTimeout, GroupLabel: s.PrometheusGroupLabel, Lookback: s.PrometheusLookback}
	switch s.PrometheusURL {
	case "":
		return nil, nil
	case prometheus.ViaAetos:
		return prometheus.NewAetos(session, opts), nil
	}
	transport, err := prometheus.Transport(s.PrometheusConfig)
	if err != nil {
		return nil, &FlagError{"prometheus-config", s.PrometheusConfig, err.Error(), "correct the file"}
	}
	source, err := prometheus.New(s.PrometheusURL, transport, opts)
	if err != nil {
		return nil, fmt.Errorf("--prometheus-url: %w", err) // without the value, which may have a password in it
	}
	return source, nil
}

// checkLoad checks the flags about load. A URL is not told: there may be a password in it.
func (s *settings) checkLoad(m *mistakes) {
	_, err := (&loadFile{path: s.LoadConfig}).read()
	m.unless(err == nil, "load-config", s.LoadConfig, text(err), "write defaults: {KEY: VALUE} and metrics: {NAME: {source, expression, target}} in YAML")
	m.unless(s.LoadSource == ceilometer.SourceGnocchi || s.LoadSource == ceilometer.SourcePrometheus, "load-source", s.LoadSource,
		"there is no such source", "write "+ceilometer.SourceGnocchi+" or "+ceilometer.SourcePrometheus)
	m.unless(s.LoadSource != ceilometer.SourcePrometheus || s.PrometheusURL != "", "load-source", s.LoadSource,
		"Prometheus needs an address", "give --prometheus-url=URL, or --prometheus-url="+prometheus.ViaAetos)
	m.unless(s.PrometheusConfig == "" || s.PrometheusURL != "" && s.PrometheusURL != prometheus.ViaAetos, "prometheus-config", s.PrometheusConfig,
		"there is no Prometheus that it could be for", "give --prometheus-url=URL too, or leave the flag out")
	m.unless(model.LabelName(s.PrometheusGroupLabel).IsValidLegacy(), "prometheus-node-group-label", s.PrometheusGroupLabel,
		"not the name of a label of Prometheus", "write a name such as "+prometheus.DefaultGroupLabel)
	if s.PrometheusURL != prometheus.ViaAetos {
		if _, err := s.newPrometheus(nil); err != nil {
			*m = append(*m, err)
		}
	}
}

// newForecaster makes package forecast's forecasters for ceilometer.
func newForecaster(o ceilometer.ForecastOptions) (ceilometer.Forecaster, error) {
	f, err := forecast.New(forecast.Options{Bucket: o.Bucket, BootTime: o.BootTime, Quantile: o.Quantile})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// followFile is floors whose defaults are those of a file, as it is now.
type followFile struct {
	*ceilometer.Floors
	file     *loadFile
	reporter nodegroups.Reporter
}

// Update implements nodegroups.Floors.
func (f *followFile) Update(ctx context.Context, groups []*nodegroups.Group) map[string]nodegroups.Floor {
	defaults, err := f.file.read()
	if err != nil {
		f.reporter.Report(nodegroups.Problem{
			Reason: nodegroups.ReasonBadLoadFile, Severity: nodegroups.Warning, Key: "--load-config", Value: f.file.path,
			Message: err.Error(), Remedy: "mend the file; until then what was read before holds",
		})
	}
	if defaults != nil {
		f.SetDefaults(*defaults)
	}
	return f.Floors.Update(ctx, groups)
}
