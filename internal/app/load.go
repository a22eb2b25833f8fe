package app

import (
	"context"
	"fmt"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer/gnocchi"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/events"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// newFloors returns what load wants of node groups; nil if load signals are switched off. Nothing is asked of telemetry as long as no
// node group has an annotation about load.
func (p *program) newFloors(session *openstack.Session, teller *events.Reporter, reporter nodegroups.Reporter) (nodegroups.Floors, error) {
	if !p.LoadSignals {
		return nil, nil
	}
	file := &loadFile{path: p.LoadConfig}
	defaults, err := file.read()
	if err != nil { // it was good a moment ago, see check
		return nil, fmt.Errorf("--load-config=%s: %w", p.LoadConfig, err)
	}
	opts := ceilometer.Options{
		Sources:  map[string]ceilometer.Source{ceilometer.SourceGnocchi: gnocchi.New(session)},
		Observer: events.Floors(teller, p.metrics), Reporter: reporter,
		Timeout: p.TelemetryTimeout, Hold: p.TelemetryHold,
	}
	if defaults != nil {
		opts.Defaults = *defaults
	}
	floors := ceilometer.NewFloors(opts)
	p.metrics.ShowLoad(floors.States)
	following := &followFile{Floors: floors, file: file, reporter: reporter}
	return cloudprovider.GuardFloors(following, p.metrics, p.TelemetryHold, nil), nil
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
