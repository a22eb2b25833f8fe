package app

import (
	"context"
	"maps"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/metrics"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status/collect"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodelife"
)

// observer is told of everything that is done: *metrics.Metrics, or that and the status.
type observer interface {
	openstack.Observer
	nodegroups.Reporter
	cloudprovider.Observer
	ceilometer.Observer
	nodelife.Observer
	bootstrap.TokenObserver
	bootstrap.ApprovalObserver
	// Removed is heatstack.Options.Removed.
	Removed(stack string, verified, wrong int)
}

// noted is metrics, and a book in which is written down what it wants to know.
type noted struct {
	*metrics.Metrics
	book *collect.Book
}

func (n *noted) Report(p nodegroups.Problem) {
	n.Metrics.Report(p)
	n.book.Report(p)
}

func (n *noted) Removed(stack string, verified, wrong int) {
	n.Metrics.Removed(stack, verified, wrong)
	n.book.Removed(stack, verified, wrong)
}

func (n *noted) Panicked(entry string) {
	n.Metrics.Panicked(entry)
	n.book.Panicked(entry)
}

func (n *noted) Refreshed(took time.Duration, err error) {
	n.Metrics.Refreshed(took, err)
	n.book.Refreshed(took, err)
}

func (n *noted) Decided(group, action string, count int) {
	n.Metrics.Decided(group, action, count)
	n.book.Decided(group, action, count)
}

func (n *noted) FloorChanged(ctx context.Context, change ceilometer.Change) {
	n.Metrics.FloorChanged(ctx, change)
	n.book.FloorChanged(ctx, change)
}

func (n *noted) HeldBack(members map[nodelife.Held]int) {
	n.Metrics.HeldBack(members)
	n.book.HeldBack(maps.Clone(members))
}

func (n *noted) TokenMinted(group string) {
	n.Metrics.TokenMinted(group)
	n.book.TokenMinted(group)
}

func (n *noted) TokenRevoked(group string, reason bootstrap.RevokedReason) {
	n.Metrics.TokenRevoked(group, reason)
	n.book.TokenRevoked(group, reason)
}

func (n *noted) TokensLive(byGroup map[string]bootstrap.Live) {
	n.Metrics.TokensLive(byGroup)
	n.book.TokensLive(maps.Clone(byGroup))
}

func (n *noted) CSRDecided(signer, decision, reason string) {
	n.Metrics.CSRDecided(signer, decision, reason)
	n.book.CSRDecided(signer, decision, reason)
}

var _ observer = (*metrics.Metrics)(nil)
