// Package sight brings together what the operator's tool can see: node groups, from OpenStack or from the autoscaler's own status, and
// what the cluster says of them.
package sight

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/corestatus"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/installed"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cluster"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
)

// CoreFresh is how old cluster-autoscaler's status may be to be believed: it is written in every loop, which is 10 s by default and
// rarely takes minutes.
const CoreFresh = 5 * time.Minute

// Sight is what can be seen at one moment. Parts of the cluster that may not be read are nil, and in Source.Notes.
type Sight struct {
	At     time.Time
	Source model.Source
	Groups []model.NodeGroup
	// Problems are those of no group.
	Problems []model.Problem
	// Nodes are the cluster's; NodesKnown says whether they could be read.
	Nodes      []v1.Node
	NodesKnown bool
	// Core is cluster-autoscaler's status, nil if there is none or it may not be read, which CoreKnown tells apart.
	Core      *corestatus.Status
	CoreKnown bool
	// Events are those on its status ConfigMap.
	Events []v1.Event
	// Autoscaler is what its pods say; never nil.
	Autoscaler *installed.Running
}

// Group returns the node group with that name, nil if there is none.
func (s *Sight) Group(name string) *model.NodeGroup {
	for i := range s.Groups {
		if s.Groups[i].Name == name {
			return &s.Groups[i]
		}
	}
	return nil
}

// CoreIsFresh says whether cluster-autoscaler has written its status lately.
func (s *Sight) CoreIsFresh() bool { return s.Core != nil && s.At.Sub(s.Core.At) <= CoreFresh }

// way is one way to know node groups.
type way interface {
	// read reads them anew.
	read(ctx context.Context) (*reading, error)
	close()
}

// reading is what a way has brought.
type reading struct {
	groups   []model.NodeGroup
	problems []model.Problem
	source   model.Source
}

// Reader sees again and again.
type Reader struct {
	options    *cli.Options
	cluster    *cluster.Reader
	autoscaler *installed.Running
	notes      []string // about the choice of the way
	way        way
}

// Open chooses the way in which node groups are read. Close the Reader in the end.
func Open(ctx context.Context, options *cli.Options) (*Reader, error) {
	client, err := options.Client()
	if err != nil {
		return nil, err
	}
	r := &Reader{options: options, cluster: cluster.New(client, options.Autoscaler)}
	if r.autoscaler, err = r.cluster.Autoscaler(ctx); err != nil {
		if !apierrors.IsForbidden(err) {
			return nil, err
		}
		r.autoscaler = &installed.Running{Flags: installed.Flags{}}
		r.notes = append(r.notes, err.Error()+"; so the autoscaler's flags are not known, and its defaults are assumed")
	}
	if r.way, err = r.choose(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Close ends what runs in the background.
func (r *Reader) Close() { r.way.close() }

// Cluster reads more of the cluster.
func (r *Reader) Cluster() *cluster.Reader { return r.cluster }

// Read sees everything anew. A part of the cluster that may not be read is left out and noted; what can't be reached is an error.
func (r *Reader) Read(ctx context.Context) (*Sight, error) {
	s := &Sight{At: r.options.Clock.Now(), Autoscaler: r.autoscaler}
	var found *reading
	var nodesErr, coreErr, eventsErr error
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		found, err = r.way.read(ctx)
		return err
	})
	g.Go(func() error {
		s.Nodes, nodesErr = r.cluster.Nodes(ctx)
		return unlessForbidden(nodesErr)
	})
	g.Go(func() error {
		s.Core, coreErr = r.cluster.Core(ctx)
		if errors.Is(coreErr, corestatus.ErrForm) {
			return nil
		}
		return unlessForbidden(coreErr)
	})
	g.Go(func() error {
		s.Events, eventsErr = r.cluster.AutoscalerEvents(ctx)
		return unlessForbidden(eventsErr)
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	s.At = r.options.Clock.Now()
	s.Groups, s.Problems, s.Source = found.groups, found.problems, found.source
	s.Source.Notes = append(append([]string{}, r.notes...), s.Source.Notes...)
	if s.Core == nil && coreErr == nil && !r.autoscaler.Flags.Bool("write-status-configmap", true) {
		coreErr = errors.New("cluster-autoscaler writes no status (--write-status-configmap=false)")
	}
	s.NodesKnown, s.CoreKnown = nodesErr == nil, coreErr == nil
	for _, lost := range []struct {
		err  error
		what string
	}{
		{nodesErr, "which members are Ready nodes is not known"}, {coreErr, "what cluster-autoscaler says of its groups is not known"},
		{eventsErr, "what happened lately is not known"},
	} {
		if lost.err != nil {
			s.Source.Notes = append(s.Source.Notes, fmt.Sprintf("%v; so %s", lost.err, lost.what))
		}
	}
	s.join()
	return s, nil
}

// unlessForbidden drops errors about a right that is missing: the rest can be shown without.
func unlessForbidden(err error) error {
	if apierrors.IsForbidden(err) {
		return nil
	}
	return err
}
