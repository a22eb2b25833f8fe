package app

import (
	"context"
	"net"
	"time"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/externalmetrics"
)

// checkExternalMetrics checks the flags about external metrics.
func (s *settings) checkExternalMetrics(m *mistakes) {
	if s.ExternalMetricsAddress != "" {
		_, _, err := net.SplitHostPort(s.ExternalMetricsAddress)
		m.unless(err == nil, "external-metrics-address", s.ExternalMetricsAddress, text(err), "write an address such as :6443")
		m.unless(s.LoadSignals, "external-metrics-address", s.ExternalMetricsAddress, "there is no load to serve with --load-signals=false",
			"leave one of them out")
	}
	m.unless(s.ExternalMetricsCert == "" || s.ExternalMetricsKey != "", "external-metrics-cert", s.ExternalMetricsCert, "a certificate needs its key",
		"give --external-metrics-key too")
	m.unless(s.ExternalMetricsKey == "" || s.ExternalMetricsCert != "", "external-metrics-key", s.ExternalMetricsKey, "a key needs its certificate",
		"give --external-metrics-cert too")
	m.unless(s.ExternalMetricsCert == "" || s.ExternalMetricsAddress != "", "external-metrics-cert", s.ExternalMetricsCert, "nothing is served with it",
		"give --external-metrics-address too")
}

// serveAgain is how long to wait before external metrics are tried again.
const serveAgain = 15 * time.Second

// serveLoad serves external metrics, if asked to, until ctx ends. Whatever fails there is logged and tried again: nodes are more
// important. It is called while this replica leads. One that does not has no values, and refuses connections: the API server tries
// again with a new one, which may reach the leader. It would keep one on which it is answered.
func (p *program) serveLoad(ctx context.Context) {
	if p.ExternalMetricsAddress == "" || p.states == nil {
		return
	}
	logger := klog.FromContext(ctx)
	for ctx.Err() == nil {
		err := p.serveLoadOnce(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		logger.Error(err, "External metrics can't be served; trying again", "address", p.ExternalMetricsAddress, "after", serveAgain)
		select {
		case <-ctx.Done():
		case <-time.After(serveAgain):
		}
	}
}

func (p *program) serveLoadOnce(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.ExternalMetricsAddress)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // closed by the server, unless it has not begun
	klog.FromContext(ctx).Info("Serving external metrics", "address", listener.Addr().String(), "certificate", p.ExternalMetricsCert)
	return externalmetrics.Run(ctx, &presentLoads{states: p.states, mostAge: notCalledFor + p.core.ScanInterval, now: time.Now}, externalmetrics.Options{
		Listener: listener, CertFile: p.ExternalMetricsCert, KeyFile: p.ExternalMetricsKey, Kubeconfig: p.core.KubeClientOpts.KubeConfigPath,
	})
}

// presentLoads are the loads and floors that the engine of floors knows.
type presentLoads struct {
	states func() []ceilometer.State
	// mostAge is how old a state may be: with a loop that hangs, what was known once is known no more.
	mostAge time.Duration
	now     func() time.Time
}

var _ externalmetrics.Loads = (*presentLoads)(nil)

// present returns the states that are not too old.
func (p *presentLoads) present() []ceilometer.State {
	var present []ceilometer.State
	for _, s := range p.states() {
		if p.now().Sub(s.At) <= p.mostAge {
			present = append(present, s)
		}
	}
	return present
}

// Loads implements externalmetrics.Loads.
func (p *presentLoads) Loads() []externalmetrics.Load {
	var loads []externalmetrics.Load
	for _, s := range p.present() {
		for _, is := range s.Signals {
			loads = append(loads, externalmetrics.Load{
				Group: s.Group, Metric: is.Metric, Mean: is.Value, Machines: is.Machines, Target: is.Target, At: is.At,
				Opinion: is.Opinion && !is.At.IsZero(), // an empty group has an opinion and nothing that was measured
			})
		}
	}
	return loads
}

// Floors implements externalmetrics.Loads.
func (p *presentLoads) Floors() []externalmetrics.Floor {
	var floors []externalmetrics.Floor
	for _, s := range p.present() {
		if s.Applied {
			floors = append(floors, externalmetrics.Floor{Group: s.Group, Size: s.Floor, At: s.At})
		}
	}
	return floors
}
