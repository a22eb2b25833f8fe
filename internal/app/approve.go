package app

import (
	"context"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
)

// startApprover lets machines of our node groups join until ctx ends. wait returns when nothing is under way any more.
func (p *program) startApprover(ctx context.Context, c *connection) (wait func()) {
	if !p.ApproveNodes && !p.ApproveServing || p.DryRun {
		klog.FromContext(ctx).Info("Nodes' certificates are not decided here", "dryRun", p.DryRun)
		return func() {}
	}
	approver := bootstrap.NewApprover(c.join.client, bootstrap.ApproverOptions{
		Tokens:        c.join.tokens,
		Machines:      c.stacks,
		Snapshot:      c.manager.Snapshot,
		HostName:      heatstack.HostName,
		ProvisionTime: p.core.NodeGroupDefaults.MaxNodeProvisionTime,
		Joining:       p.ApproveNodes,
		Serving:       p.ApproveServing,
		Namespace:     p.core.ConfigNamespace,
		Recorder:      p.recorder,
		Reporter:      c.reporter,
		Observer:      p.observer,
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		approver.Run(ctx)
	}()
	return func() { <-done }
}
