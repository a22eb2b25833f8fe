package externalgrpc

import (
	"context"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Provider is the cloud provider that is served.
type Provider interface {
	cloudprovider.CloudProvider
	// NodeGroup returns the node group of that name, and whether there is one now.
	NodeGroup(name string) (cloudprovider.NodeGroup, bool)
}

// Options are a Server's settings; zero values take the defaults.
type Options struct {
	// AnswerWithin is how long a call that changes or reads the cloud may keep its caller waiting, whatever the caller's own
	// deadline. Default DefaultAnswerWithin.
	AnswerWithin time.Duration
	// Node returns the cluster's Node of that name, nil if it is not known. Without it (nil) nodes without a provider id are in no
	// group, and templates are not compared with real nodes.
	Node func(name string) *v1.Node
	// Refreshed is told of each call of Refresh: as long as there are some, the caller is the leader. May be nil.
	Refreshed func()
	// Reporter is told of orders that failed after they had been answered; nil drops them.
	Reporter nodegroups.Reporter
	// Clock tells the time; nil for the real one.
	Clock clock.WithTicker
}

// DefaultAnswerWithin is below the 5 s after which a stock client gives a call up (grpc_timeout of its cloud-config).
const DefaultAnswerWithin = 4 * time.Second

// Server answers a stock cluster-autoscaler. It is safe for concurrent use. Questions are answered from memory; orders are
// carried out in the background, each until its own end, and answered when they have ended or when the caller would not wait
// any longer: TargetSize counts those that are still under way.
type Server struct {
	protos.UnimplementedCloudProviderServer

	logger   klog.Logger
	provider Provider
	opts     Options
	orders   *orders
	reading  *reading
	// oldClient: it has been said once that a client is too old for options of a group's own.
	oldClient sync.Once
}

// New returns a Server for provider. The logger comes from ctx.
func New(ctx context.Context, provider Provider, opts Options) *Server {
	if opts.AnswerWithin <= 0 {
		opts.AnswerWithin = DefaultAnswerWithin
	}
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Reporter == nil {
		opts.Reporter = nodegroups.ReporterFunc(func(nodegroups.Problem) {})
	}
	return &Server{logger: klog.FromContext(ctx), provider: provider, opts: opts, orders: newOrders(), reading: &reading{}}
}

// Wait returns when no order and no reading of the cloud is under way any more. It is called after Serve has returned.
func (s *Server) Wait() {
	s.orders.running.Wait()
	s.reading.running.Wait()
}

// Cleanup does nothing: the server outlives the client that says it.
func (s *Server) Cleanup(context.Context, *protos.CleanupRequest) (*protos.CleanupResponse, error) {
	return &protos.CleanupResponse{}, nil
}

// GPULabel answers with the label of nodes that have a GPU.
func (s *Server) GPULabel(context.Context, *protos.GPULabelRequest) (*protos.GPULabelResponse, error) {
	return &protos.GPULabelResponse{Label: s.provider.GPULabel()}, nil
}
