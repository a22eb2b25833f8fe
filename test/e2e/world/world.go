package world

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/cloudcontroller"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// World is one scenario.
type World struct {
	// Name is the namespace, the prefix of the stacks and the value of the nodes' label.
	Name string
	// Cloud is the OpenStack it runs on.
	Cloud *Cloud
	// Machines are the servers' machines.
	Machines *machines.Machines
	// Autoscaler is nil until StartAutoscaler.
	Autoscaler *Autoscaler

	// external: the autoscaler is a stock one, with the product beside it.
	external bool
	stock    *Autoscaler // nil unless external

	base       *Base
	kubeconfig string // the autoscaler's
	processes  *process.Group
	stop       context.CancelFunc
	running    sync.WaitGroup

	telemetry []*Telemetry

	mu      sync.Mutex
	groups  []*Group
	trouble error // what went wrong last in the background
}

// Options of New. The zero value is fine.
type Options struct {
	// BootDelay is how long a machine takes from being switched on to its kubelet's start.
	BootDelay time.Duration
	// OnMachine is told what happens to machines.
	OnMachine func(machines.Event)
	// OnError is told of what goes wrong in the background and may pass by itself.
	OnError func(error)
	// SwitchOn starts a server's machine if it is not to be a played one, see machines.Options.
	SwitchOn func(group *process.Group, server machines.Server, name, dir string) (*process.Process, error)
	// NoCloudController: nobody but the autoscaler deletes the Nodes of servers that are gone.
	NoCloudController bool
	// External puts the product as a gRPC server beside a stock cluster-autoscaler, instead of the one program that is both.
	External bool
}

const namespaceTimeout = time.Minute

// New makes a world on a base: a namespace, and machines for the cloud's servers. Close it in any case. name must be
// a short DNS label.
func New(ctx context.Context, base *Base, name string, cloud *Cloud, options Options) (*World, error) {
	dir, err := base.subdirectory(filepath.Join("w", name))
	if err != nil {
		return nil, err
	}
	logs, err := base.subdirectory("logs")
	if err != nil {
		return nil, err
	}
	w := &World{
		Name: name, Cloud: cloud, base: base, external: options.External, kubeconfig: filepath.Join(dir, "autoscaler.conf"), processes: process.NewGroup(logs),
	}
	w.Machines = machines.New(w.processes, cloud.Hypervisor, machines.Options{
		Binary: base.kubernetes, Dir: dir, BootDelay: options.BootDelay, OnEvent: options.OnMachine,
		SwitchOn: options.SwitchOn,
	})
	lifecycle := cloudcontroller.NodeLifecycle{
		Client: base.Cluster.Client, Cloud: cloud.Hypervisor, Poll: time.Second, OnError: w.remember("the cloud controller", options.OnError),
		Selector: worldLabel + "=" + name,
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	w.running.Go(func() { w.Machines.Run(background) })
	if !options.NoCloudController {
		w.running.Go(func() { lifecycle.Run(background) })
	}

	// One of the same name may still be on its way out: "go test -count" runs a test more than once.
	if err := w.Until(ctx, namespaceTimeout, "namespace "+name+" to be made", func(ctx context.Context) error {
		_, err := base.Cluster.Client.CoreV1().Namespaces().Create(ctx, &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		return err
	}); err != nil {
		return w, err
	}
	if err := base.Cluster.AutoscalerKubeconfig(ctx, name, w.kubeconfig); err != nil {
		return w, fmt.Errorf("the autoscaler's credentials: %w", err)
	}
	return w, base.Cluster.WaitForNamespace(ctx, name)
}

// Kubeconfig is the path of an administrator's kubeconfig.
func (w *World) Kubeconfig() string { return w.base.Cluster.Kubeconfig }

// Close ends the world: the autoscaler first, so that it does not repair what is being torn down; then the workloads,
// stacks and machines. Closing nil is fine.
func (w *World) Close(ctx context.Context) error {
	if w == nil {
		return nil
	}
	var errs []error
	if w.stock != nil {
		w.stock.process.Terminate(5 * time.Second)
		w.stock = nil
	}
	if w.Autoscaler != nil {
		w.Autoscaler.process.Terminate(5 * time.Second)
		w.Autoscaler = nil
	}
	for _, t := range w.telemetry {
		t.Stop()
	}
	client := w.base.Cluster.Client
	errs = append(errs, client.CoreV1().Namespaces().Delete(ctx, w.Name, metav1.DeleteOptions{}))
	for _, group := range w.Groups() {
		if !w.Cloud.Disposable {
			errs = append(errs, group.Delete(ctx))
		}
	}
	w.stop()
	w.running.Wait()
	w.processes.Stop()
	errs = append(errs, client.CoreV1().Nodes().DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: worldLabel + "=" + w.Name}))
	return errors.Join(errs...)
}

// StopAutoscaler asks the autoscaler to end and reports whether it did so by itself, with success.
func (w *World) StopAutoscaler() bool {
	clean := true
	if w.stock != nil {
		clean = w.stock.process.Terminate(stopTimeout)
		w.stock = nil
	}
	clean = w.Autoscaler.process.Terminate(stopTimeout) && clean
	w.Autoscaler = nil
	return clean
}

// KillAutoscaler ends the autoscaler in the middle of whatever it does, as a failing host would. It may be started again.
func (w *World) KillAutoscaler() {
	if w.stock != nil {
		w.stock.process.Kill()
		w.stock = nil
	}
	w.Autoscaler.process.Kill()
	w.Autoscaler = nil
}

// Groups lists the node groups that were made.
func (w *World) Groups() []*Group {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.groups)
}

// remember returns what is to be called when something goes wrong in the background: it keeps the error for Diagnosis, and tells it on.
func (w *World) remember(who string, tell func(error)) func(error) {
	return func(err error) {
		w.mu.Lock()
		w.trouble = fmt.Errorf("%s had trouble at %s, which may have passed: %w", who, time.Now().Format(time.TimeOnly), err)
		w.mu.Unlock()
		if tell != nil {
			tell(err)
		}
	}
}

// Diagnosis is what helps to understand a failure: machines that crashed, what went wrong in the background, and the end of the
// autoscaler's log.
func (w *World) Diagnosis() error {
	w.mu.Lock()
	errs := []error{w.Machines.Err(), w.trouble}
	w.mu.Unlock()
	if w.Autoscaler != nil {
		errs = append(errs, errors.New("the end of the autoscaler's log:\n"+w.Autoscaler.Log()))
	}
	if w.stock != nil {
		errs = append(errs, errors.New("the end of the stock cluster-autoscaler's log:\n"+w.stock.Log()))
	}
	return errors.Join(errs...)
}
