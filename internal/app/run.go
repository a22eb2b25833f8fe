package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/debuggingsnapshot"
	"k8s.io/autoscaler/cluster-autoscaler/loop"
	coremetrics "k8s.io/autoscaler/cluster-autoscaler/metrics"
	kubeutil "k8s.io/autoscaler/cluster-autoscaler/utils/kubernetes"
	"k8s.io/autoscaler/cluster-autoscaler/version"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/autoscaler"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/build"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/events"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/metrics"
	model "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status/collect"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// lastLoop is how long a loop that is under way may take to finish after SIGTERM. Kubernetes kills after 30 s by default.
const lastLoop = 20 * time.Second

// Main runs the program with these arguments and returns its exit code. It ends in good order on SIGTERM and SIGINT, and
// at once on a second one.
func Main(args []string, out, errs io.Writer) int {
	s, err := parse(args, out)
	switch {
	case errors.Is(err, errAnswered):
		return 0
	case err != nil:
		_, _ = fmt.Fprintf(errs, "cluster-autoscaler-openstack: %v\n", err)
		return 2
	}
	defer klog.Flush()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // from now on a signal ends the process
	if err := run(ctx, s); err != nil {
		klog.Flush()
		_, _ = fmt.Fprintf(errs, "cluster-autoscaler-openstack: %v\n", err)
		return 1
	}
	return 0
}

// program is what lives as long as the process.
type program struct {
	*settings
	client      kubernetes.Interface
	config      *rest.Config // of the client
	health      *coremetrics.HealthCheck
	snapshotter debuggingsnapshot.DebuggingSnapshotter
	metrics     *metrics.Metrics
	// observer is told of what is done; book is nil without a status page.
	observer observer
	book     *collect.Book
	recorder record.EventRecorder
	ready    *readiness
	// states explain the floors; nil without load signals, and before connect.
	states func() []ceilometer.State
	// manager is nil while this replica does not lead.
	manager atomic.Pointer[nodegroups.Manager]
}

// run runs the program until ctx ends.
func run(ctx context.Context, s *settings) error {
	klog.FromContext(ctx).Info("cluster-autoscaler-openstack", "version", build.Version(), "core", version.ClusterAutoscalerVersion, "dryRun", s.DryRun)
	config := kubeutil.GetKubeConfig(s.core.KubeClientOpts)
	if s.DryRun {
		inDryRun(config, s.core.ConfigNamespace, s.core.StatusConfigMapName)
	}
	p, stopRecorder, err := newProgram(ctx, s, config)
	if err != nil {
		return err
	}
	defer stopRecorder()
	p.metrics.Introduce(model.ModeEmbedded, embedded.coreVersion())
	p.health = coremetrics.NewHealthCheck(s.core.MaxInactivityTime, s.core.MaxFailingTime)
	p.snapshotter = debuggingsnapshot.NewDebuggingSnapshotter(s.core.DebuggingSnapshotEnabled)
	if err := p.register(); err != nil {
		return err
	}
	stopServer, err := serve(ctx, s.core.Address, newMux(s.core, p.health, p.ready, p.snapshotter))
	if err != nil {
		return err
	}
	defer stopServer()
	stopStatus, err := p.startStatus(ctx, embedded)
	if err != nil {
		return err
	}
	defer stopStatus()
	work := func() error { return p.autoscale(ctx) }
	if s.leader.LeaderElect {
		return lead(ctx, s.leader, p.client, s.core.ConfigNamespace, p.recorder, p.newLeader, work)
	}
	return work()
}

// newProgram makes what both forms of the program have, and begins nothing but to record Events, until stop.
func newProgram(ctx context.Context, s *settings, config *rest.Config) (p *program, stop func(), err error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, nil, fmt.Errorf("the connection to Kubernetes (--kubeconfig, --kubernetes): %w", err)
	}
	recorder, stop := events.NewRecorder(context.WithoutCancel(ctx), client)
	p = &program{settings: s, client: client, config: config, recorder: recorder, ready: newReadiness()}
	p.metrics = metrics.New(p.snapshot, nil)
	return p, stop, nil
}

// register makes core's metrics and ours known to /metrics.
func (p *program) register() error {
	coremetrics.RegisterAll(p.core.EmitPerNodeGroupMetrics)
	coremetrics.InitMetrics()
	coremetrics.UpdateCPULimitsCores(p.core.MinCoresTotal, p.core.MaxCoresTotal)
	coremetrics.UpdateMemoryLimitsBytes(p.core.MinMemoryTotal, p.core.MaxMemoryTotal)
	return p.registerOwn()
}

// registerOwn makes ours known.
func (p *program) registerOwn() error {
	if err := legacyregistry.Registerer().Register(p.metrics); err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	return nil
}

func (p *program) snapshot() *nodegroups.Snapshot {
	if m := p.manager.Load(); m != nil {
		return m.Snapshot()
	}
	return nodegroups.NewSnapshot(nil, nil)
}

// autoscale signs in and runs core's loop until ctx ends. Then the loop that is under way is finished, what waits to be
// sent is given up, and the status ConfigMap is removed.
func (p *program) autoscale(ctx context.Context) error {
	logger := klog.FromContext(ctx)
	defer p.leads()()
	p.ready.begin()
	c, err := p.connect(ctx)
	if err != nil {
		return orderly(ctx, err)
	}
	defer c.close()

	parts := autoscaler.Parts{Options: p.core, Client: p.client, Provider: c.provider, Snapshotter: p.snapshotter, BackOffs: p.backOffs()}
	if p.DryRun {
		parts.DryRun = func(node *v1.Node, pods int) {
			p.observer.Decided(groupOf(c.manager.Snapshot(), node), "remove", 1)
			logger.Info("Dry run: would have removed the node", "node", klog.KObj(node), "podsToMove", pods)
		}
	}
	a, err := autoscaler.New(parts)
	if err != nil {
		return err
	}
	nodes := a.Informers.Core().V1().Nodes().Lister()
	c.nodes.Watch(nodes)
	p.showNodes(nodes)
	stop := make(chan struct{})
	defer close(stop)
	if err := a.StartInformers(ctx, stop); err != nil {
		return orderly(ctx, err)
	}
	p.health.StartMonitoring()
	if err := a.Start(); err != nil {
		return fmt.Errorf("starting cluster-autoscaler: %w", err)
	}
	approved := p.startApprover(ctx, c)
	life := p.newLife(c)
	var looking sync.WaitGroup
	defer looking.Wait() // it ends with ctx, as this does
	looking.Go(func() { life.Run(ctx) })
	l := &looper{autoscaler: a, health: p.health, interval: p.core.ScanInterval}
	if p.core.FrequentLoopsEnabled && !p.DryRun { // every loop of a dry run that decides something would start the next
		l.trigger = loop.NewLoopTrigger(a, nil, loop.StartPodObserver(ctx, p.client), p.core.ScanInterval)
	}
	var background sync.WaitGroup
	defer background.Wait()
	background.Go(func() { p.serveLoad(ctx) })
	background.Go(func() { p.keepTokens(ctx, c, nodes) })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.run(ctx)
	}()
	<-ctx.Done()
	logger.Info("Ending: waiting for the loop that is under way", "atMost", lastLoop)
	select {
	case <-ended:
	case <-time.After(lastLoop):
		logger.Info("The loop is still waiting for the cloud; its orders are withdrawn if they were not sent")
	}
	approved()
	a.ExitCleanUp()
	return nil
}

// orderly is nil for an error that only says that the program was told to end.
func orderly(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// groupOf is the name of the group that a node is in, empty if it is in none.
func groupOf(snapshot *nodegroups.Snapshot, node *v1.Node) string {
	if g, _ := snapshot.ByNode(node); g != nil {
		return g.Name
	}
	return ""
}
