package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	corecontext "k8s.io/autoscaler/cluster-autoscaler/context"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/build"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status/collect"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodelife"
)

// signInAgain is how long to wait before a cloud that did not answer is asked again.
const signInAgain = 5 * time.Second

// signIn signs in to OpenStack. A cloud that can't be reached is asked again until ctx ends; credentials that can't work
// are an error at once.
func signIn(ctx context.Context, s *settings, observer openstack.Observer) (*openstack.Session, error) {
	opts := openstack.Options{
		CloudConfig: s.core.CloudConfig, Cloud: s.Cloud, UserAgent: userAgent(s.core.UserAgent),
		RequestTimeout: s.RequestTimeout, Rate: s.Rate, Burst: s.Burst, Observer: observer,
	}
	for {
		session, err := openstack.NewSession(ctx, opts)
		if err == nil {
			return session, nil
		}
		var hopeless *openstack.LoginError
		if errors.As(err, &hopeless) || !openstack.IsUnavailable(err) && !openstack.IsRateLimited(err) {
			return nil, err
		}
		klog.FromContext(ctx).Error(err, "OpenStack can't be reached; trying again", "after", signInAgain)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(signInAgain):
		}
	}
}

// userAgent puts our name and version before what --user-agent says, if it says anything of its own.
func userAgent(flag string) string {
	agent := openstack.DefaultUserAgent
	if version := build.Version(); version != build.Unknown {
		agent += "/" + version
	}
	if flag == "" || flag == "cluster-autoscaler" {
		return agent
	}
	return agent + " " + flag
}

// cloud is everything between OpenStack and core.
type cloud struct {
	stacks  *heatstack.Cloud
	manager *nodegroups.Manager
	// groups is manager, for orders.
	groups   collect.Groups
	provider *cloudprovider.Provider
	// sightings are when the cloud was read.
	sightings *sightings
	machines  *heatstack.Machines
	// nodes are the cluster's Nodes, once they are watched.
	nodes *nodelife.Cluster
}

// newCloud builds the node groups of session's project. Its life ends with ctx.
func (p *program) newCloud(
	ctx context.Context, session *openstack.Session, reporter nodegroups.Reporter, join heatstack.Joining, floors nodegroups.Floors,
) (*cloud, error) {
	s := p.settings
	stacks := heatstack.New(heatstack.NewHeat(session), heatstack.NewNova(session), heatstack.Options{
		Discovery:    s.discovery,
		Named:        s.named,
		Region:       session.Region(),
		DryRun:       s.DryRun,
		Gather:       s.GatherWindow,
		Reporter:     reporter,
		Removed:      p.observer.Removed,
		Joining:      join,
		WriteTimeout: s.WriteTimeout,
		Reload: func(ctx context.Context) error {
			_, err := session.Reload(ctx)
			return err
		},
	})
	machines, nodes := heatstack.NewMachines(session), nodelife.NewCluster(p.client)
	options := nodegroups.ManagerOptions{WriteTimeout: s.WriteTimeout, Floors: floors}
	if !s.DryRun {
		options.Stopper = nodelife.NewShutdown(machines, nodes, reporter, nil)
	}
	manager := nodegroups.NewManager(stacks, reporter, options)
	seen, groups := &sightings{Observer: p.observer, seen: p.ready.works}, p.watched(manager)
	provider, err := cloudprovider.New(ctx, groups, cloudprovider.Options{
		Template: func(g *nodegroups.Group) (*v1.Node, error) {
			return nodegroups.TemplateNode(g, nodegroups.TemplateOptions{MemoryOverheadPercent: s.MemoryOverheadPercent})
		},
		Reporter:        reporter,
		Observer:        seen,
		ResourceLimiter: corecontext.NewResourceLimiterFromAutoscalingOptions(s.core),
		GPULabel:        s.GPULabel,
		PriceFile:       s.PriceFile,
		RefreshInterval: min(s.RefreshInterval, s.core.ScanInterval),
		RefreshTimeout:  s.RefreshTimeout,
		WriteTimeout:    s.WriteTimeout,
		DryRun:          s.DryRun,
	})
	if err != nil {
		stacks.Close()
		return nil, fmt.Errorf("--price-file=%s: %w", s.PriceFile, err)
	}
	return &cloud{stacks: stacks, manager: manager, groups: groups, provider: provider, sightings: seen, machines: machines, nodes: nodes}, nil
}
