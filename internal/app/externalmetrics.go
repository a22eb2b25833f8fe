package app

import (
	"context"
	"net"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/externalmetrics"
)

// shownLoads is what is known of load, as external metrics.
type shownLoads struct{ states func() []ceilometer.State }

// Loads implements externalmetrics.Loads.
func (l shownLoads) Loads() []externalmetrics.Load {
	var all []externalmetrics.Load
	for _, state := range l.states() {
		for i := range state.Signals {
			s := &state.Signals[i]
			all = append(all, externalmetrics.Load{
				Group: state.Group, Metric: s.Metric, Mean: s.Value, Machines: s.Machines, Target: s.Target, At: s.At,
				Opinion: s.Opinion && !s.At.IsZero(), // an empty group has an opinion and nothing that was measured
			})
		}
	}
	return all
}

// Floors implements externalmetrics.Loads.
func (l shownLoads) Floors() []externalmetrics.Floor {
	states := l.states()
	all := make([]externalmetrics.Floor, 0, len(states))
	for i := range states {
		if s := &states[i]; s.Applied {
			all = append(all, externalmetrics.Floor{Group: s.Group, Size: s.Floor, At: s.At})
		}
	}
	return all
}

// serveExternalMetrics serves load as external metrics until ctx ends, if the flags ask for it. wait returns when it has ended.
func (p *program) serveExternalMetrics(ctx context.Context, states func() []ceilometer.State) (wait func(), err error) {
	if p.ExternalMetricsAddress == "" || states == nil {
		return func() {}, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.ExternalMetricsAddress)
	if err != nil {
		return nil, &FlagError{"external-metrics-address", p.ExternalMetricsAddress, err.Error(), "write a free address such as :6443"}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := externalmetrics.Run(ctx, shownLoads{states}, externalmetrics.Options{
			Listener: listener, CertFile: p.ExternalMetricsCert, KeyFile: p.ExternalMetricsKey, Kubeconfig: p.core.KubeClientOpts.KubeConfigPath,
		})
		if err != nil && ctx.Err() == nil {
			klog.FromContext(ctx).Error(err, "External metrics are not served")
		}
	}()
	return func() { <-done }, nil
}
