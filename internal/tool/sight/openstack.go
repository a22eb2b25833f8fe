package sight

import (
	"context"
	"fmt"

	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cloud"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// fromOpenStack reads stacks and servers.
type fromOpenStack struct {
	reader   *cloud.Reader
	session  *openstack.Session
	overhead float64
	notes    []string
	clock    clock.PassiveClock
}

func (r *Reader) newOpenStack(ctx context.Context) (way, error) {
	session, err := r.options.Session(ctx)
	if err != nil {
		return nil, err
	}
	discovery, named, note, err := r.wanted()
	if err != nil {
		return nil, err
	}
	way := &fromOpenStack{
		reader: cloud.NewReader(session, discovery, named), session: session, clock: r.options.Clock,
		overhead: r.autoscaler.Flags.Float("openstack-memory-overhead-percent", nodegroups.DefaultMemoryOverheadPercent),
	}
	if note != "" {
		way.notes = []string{note}
	}
	return way, nil
}

func (f *fromOpenStack) read(ctx context.Context) (*reading, error) {
	snapshot, err := f.reader.Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading OpenStack: %w", err)
	}
	now := f.clock.Now()
	from := fmt.Sprintf("OpenStack project %s", f.session.ProjectID())
	if region := f.session.Region(); region != "" {
		from += ", region " + region
	}
	found := &reading{source: model.Source{Kind: model.SourceOpenStack, From: from, ReadAt: &now, Notes: f.notes}}
	found.groups, found.problems = model.FromSnapshot(snapshot, f.overhead)
	return found, nil
}

func (f *fromOpenStack) close() { f.reader.Close() }
