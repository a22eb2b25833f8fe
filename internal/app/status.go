package app

import (
	"context"
	"net"

	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/version"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/autoscaler"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/build"
	model "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status/collect"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status/web"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// checkStatus checks the flag of the status page.
func (s *settings) checkStatus(m *mistakes) {
	if s.StatusAddress == "" {
		return
	}
	_, _, err := net.SplitHostPort(s.StatusAddress)
	m.unless(err == nil, "status-address", s.StatusAddress, text(err), "write an address such as 127.0.0.1:8090")
}

// startStatus makes the program note what it does, and serves that, if it is asked to. stop ends the serving.
func (p *program) startStatus(ctx context.Context, of form) (stop func(), err error) {
	p.observer = p.metrics
	if p.StatusAddress == "" {
		return func() {}, nil
	}
	about := collect.Program{Name: of.name, Version: build.Version(), Mode: model.ModeEmbedded, Core: version.ClusterAutoscalerVersion, DryRun: p.DryRun}
	if of.grpc {
		about.Mode, about.Core = model.ModeExternal, ""
	}
	p.book = collect.NewBook(about, nil)
	p.observer = &noted{p.metrics, p.book}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.StatusAddress)
	if err != nil {
		return nil, &FlagError{"status-address", p.StatusAddress, err.Error(), "write a free address such as 127.0.0.1:8090"}
	}
	klog.FromContext(ctx).Info("Serving the status page", "address", listener.Addr().String())
	return web.Serve(ctx, listener, web.New(p.book.Status, nil)), nil
}

// showCloud makes the status show c.
func (p *program) showCloud(c *connection) {
	if p.book == nil {
		return
	}
	p.book.Connect(collect.Sources{
		Snapshot: c.manager.Snapshot, Reading: c.manager.Reading, Region: c.session.Region, Project: c.session.ProjectID,
		Template: func(g *nodegroups.Group) (*v1.Node, error) {
			return nodegroups.TemplateNode(g, nodegroups.TemplateOptions{MemoryOverheadPercent: p.MemoryOverheadPercent})
		},
	})
}

// showNodes makes it show which members are nodes.
func (p *program) showNodes(nodes corelisters.NodeLister) {
	if p.book != nil {
		p.book.WatchNodes(nodes)
	}
}

// leads notes in it that this replica does the work until done is called.
func (p *program) leads() (done func()) {
	if p.book == nil {
		return func() {}
	}
	p.book.Lead(true)
	return func() { p.book.Lead(false) }
}

// newLeader notes in it who leads.
func (p *program) newLeader(identity string, itself bool) {
	if !itself {
		p.ready.standBy(identity)
	}
	if p.book != nil {
		p.book.NewLeader(identity)
	}
}

// backOffs is who is told of node groups that core does not grow for a while, nil for nobody.
func (p *program) backOffs() autoscaler.BackOffObserver {
	if p.book == nil {
		return nil
	}
	return p.book
}

// watched is groups whose orders are noted in it.
func (p *program) watched(manager *nodegroups.Manager) collect.Groups {
	if p.book == nil {
		return manager
	}
	return p.book.Watch(manager)
}
