package app

import (
	"context"
	"fmt"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/bootstrap"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Requests per second to Kubernetes when machines join. They do not share --kube-client-qps with core, whose five a second would
// make a scale-up of fifty wait.
const (
	approverQPS   = 50
	approverBurst = 100
)

// startApprover lets machines of our node groups join until ctx ends. wait returns when nothing is under way any more.
func (p *program) startApprover(ctx context.Context, c *cloud, reporter nodegroups.Reporter) (wait func(), err error) {
	if !p.ApproveNodes && !p.ApproveServing || p.DryRun {
		klog.FromContext(ctx).Info("Nodes' certificates are not decided here", "dryRun", p.DryRun)
		return func() {}, nil
	}
	config := rest.CopyConfig(p.config)
	config.QPS, config.Burst = approverQPS, approverBurst
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("the connection to Kubernetes: %w", err)
	}
	approver := bootstrap.NewApprover(client, bootstrap.ApproverOptions{
		Tokens:        bootstrap.NewSecretTokens(client, nil),
		Machines:      c.stacks,
		Snapshot:      c.manager.Snapshot,
		HostName:      heatstack.HostName,
		ProvisionTime: p.core.NodeGroupDefaults.MaxNodeProvisionTime,
		Joining:       p.ApproveNodes,
		Serving:       p.ApproveServing,
		Namespace:     p.core.ConfigNamespace,
		Recorder:      p.recorder,
		Reporter:      reporter,
		Observer:      p.metrics,
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		approver.Run(ctx)
	}()
	return func() { <-done }, nil
}
