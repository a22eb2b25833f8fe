package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apiserver/pkg/server/mux"
	"k8s.io/apiserver/pkg/server/routes"
	kubeutil "k8s.io/autoscaler/cluster-autoscaler/utils/kubernetes"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider/externalgrpc"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/build"
	model "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
)

// ExternalMain runs the program that serves node groups to a stock cluster-autoscaler over gRPC, with these arguments, and returns
// its exit code. It ends in good order on SIGTERM and SIGINT, and at once on a second one.
func ExternalMain(args []string, out, errs io.Writer) int {
	s, err := parseFor(external, args, out)
	switch {
	case errors.Is(err, errAnswered):
		return 0
	case err != nil:
		_, _ = fmt.Fprintf(errs, "%s: %v\n", external.name, err)
		return 2
	}
	defer klog.Flush()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // from now on a signal ends the process
	if err := runExternal(ctx, s); err != nil {
		klog.Flush()
		_, _ = fmt.Fprintf(errs, "%s: %v\n", external.name, err)
		return 1
	}
	return 0
}

// runExternal runs the program until ctx ends.
func runExternal(ctx context.Context, s *settings) error {
	klog.FromContext(ctx).Info(external.name, "version", build.Version(), "address", s.GRPC.Address)
	config := kubeutil.GetKubeConfig(s.core.KubeClientOpts)
	p, stopRecorder, err := newProgram(ctx, s, config)
	if err != nil {
		return err
	}
	defer stopRecorder()
	p.metrics.Introduce(model.ModeExternal, external.coreVersion())
	if err := p.registerOwn(); err != nil {
		return err
	}
	stopServer, err := serve(ctx, s.core.Address, externalMux(p.ready, s.core.EnableProfiling))
	if err != nil {
		return err
	}
	defer stopServer()
	stopStatus, err := p.startStatus(ctx, external)
	if err != nil {
		return err
	}
	defer stopStatus()
	return p.serveNodeGroups(ctx)
}

// externalMux serves /metrics, /health-check and /readyz. The program is well as long as it answers: whether it is asked is the stock
// autoscaler's matter, and a replica that does not lead is not.
func externalMux(ready http.Handler, profiling bool) http.Handler {
	m := mux.NewPathRecorderMux(external.name)
	m.Handle("/metrics", legacyregistry.Handler())
	m.HandleFunc("/health-check", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "OK") })
	m.Handle("/readyz", ready)
	if profiling {
		routes.Profiling{}.Install(m)
	}
	return m
}

// serveNodeGroups signs in and answers until ctx ends; then orders that are under way are finished or given up.
func (p *program) serveNodeGroups(ctx context.Context) error {
	p.ready.begin()
	c, err := p.connect(ctx)
	if err != nil {
		return orderly(ctx, err)
	}
	defer c.close()

	nodes, err := watchNodes(ctx, p.client)
	if err != nil {
		return orderly(ctx, err)
	}
	c.nodes.Watch(nodes)
	p.showNodes(nodes)

	called := make(chan struct{}, 1)
	server := externalgrpc.New(ctx, c.provider, externalgrpc.Options{
		Node: func(name string) *v1.Node {
			node, err := nodes.Get(name)
			if err != nil {
				return nil
			}
			return node
		},
		Refreshed: func() {
			select {
			case called <- struct{}{}:
			default:
			}
		},
		Reporter: c.reporter,
	})
	// What is done while somebody asks ends when nobody is answered any more, for whatever reason.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		whileCalled(ctx, called, notCalledFor+p.core.ScanInterval, nil, func(ctx context.Context) {
			klog.FromContext(ctx).Info("A cluster-autoscaler asks: looking after nodes")
			defer p.leads()()
			wait := p.startApprover(ctx, c)
			defer wait()
			var tokens sync.WaitGroup
			defer tokens.Wait()
			tokens.Go(func() { p.keepTokens(ctx, c, nodes) })
			var serving sync.WaitGroup
			defer serving.Wait()
			serving.Go(func() { p.serveLoad(ctx) })
			p.newLife(c).Run(ctx)
		})
	}()
	l := p.GRPC
	l.Registerer = legacyregistry.Registerer()
	err = server.Serve(ctx, l, func(at net.Addr) {
		p.ready.works()
		klog.FromContext(ctx).Info("Serving node groups to a stock cluster-autoscaler", "address", at.String(), "tls", l.CertFile != "")
	})
	err = orderly(ctx, err)
	stop()
	<-ended
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		server.Wait()
	}()
	select {
	case <-finished:
	case <-time.After(lastLoop):
		klog.FromContext(ctx).Info("Orders still wait for the cloud; they are withdrawn if they were not sent")
	}
	return err
}

// watchNodes watches the cluster's Nodes until ctx ends, and returns when all are known.
func watchNodes(ctx context.Context, client kubernetes.Interface) (corelisters.NodeLister, error) {
	factory := informers.NewSharedInformerFactory(client, 0)
	nodes := factory.Core().V1().Nodes().Lister()
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return nil, fmt.Errorf("watching %v did not begin", kind)
		}
	}
	return nodes, nil
}
