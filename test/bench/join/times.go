package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	certificates "k8s.io/api/certificates/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiwatch "k8s.io/apimachinery/pkg/watch"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// moments are when things happened to a machine, as this process has seen them: the API server's own timestamps are in seconds.
type moments struct {
	active, asked, approved, ready time.Time
	taken                          bool
}

// watcher notes the moments of all machines by their names. Close it by stop.
type watcher struct {
	mu       sync.Mutex
	machines map[string]*moments
	stop     func()
}

// watch notes what happens from now on.
func watch(ctx context.Context, base *world.Base, sim *simulator.Simulator) (*watcher, error) {
	w := &watcher{machines: map[string]*moments{}}
	requests, err := base.Cluster.Client.CertificatesV1().CertificateSigningRequests().Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	nodes, err := base.Cluster.Client.CoreV1().Nodes().Watch(ctx, metav1.ListOptions{})
	if err != nil {
		requests.Stop()
		return nil, err
	}
	unsubscribe := sim.Subscribe(func(event simulator.ServerEvent) {
		if event.Type == simulator.ServerActive {
			w.note(event.Server.Name, func(m *moments) *time.Time { return &m.active })
		}
	})
	var done sync.WaitGroup
	done.Go(func() { w.followRequests(requests) })
	done.Go(func() { w.followNodes(nodes) })
	w.stop = func() {
		unsubscribe()
		requests.Stop()
		nodes.Stop()
		done.Wait()
	}
	return w, nil
}

// note writes down that something has happened now, if it has not happened before.
func (w *watcher) note(machine string, which func(*moments) *time.Time) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.machines[machine]
	if m == nil {
		m = &moments{}
		w.machines[machine] = m
	}
	if moment := which(m); moment.IsZero() {
		*moment = now
	}
}

func (w *watcher) followRequests(events apiwatch.Interface) {
	for event := range events.ResultChan() {
		csr, ok := event.Object.(*certificates.CertificateSigningRequest)
		if !ok || csr.Spec.SignerName != certificates.KubeAPIServerClientKubeletSignerName {
			continue
		}
		node := world.NodeOf(csr)
		w.note(node, func(m *moments) *time.Time { return &m.asked })
		if world.IsApproved(csr) {
			w.note(node, func(m *moments) *time.Time { return &m.approved })
		}
	}
}

func (w *watcher) followNodes(events apiwatch.Interface) {
	for event := range events.ResultChan() {
		if node, ok := event.Object.(*v1.Node); ok && world.IsReady(node) {
			w.note(node.Name, func(m *moments) *time.Time { return &m.ready })
		}
	}
}

// takeTimeout bounds the wait for a watch that lags behind what has been read.
const takeTimeout = 10 * time.Second

// take adds a machine's times to the result, unless it has been added before.
func (w *watcher) take(ctx context.Context, machine string, result *measurement) error {
	ctx, cancel := context.WithTimeout(ctx, takeTimeout)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		done, err := w.tryTake(machine, result)
		if done {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

func (w *watcher) tryTake(machine string, result *measurement) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.machines[machine]
	switch {
	case m == nil:
		return false, fmt.Errorf("nothing was seen of machine %s", machine)
	case m.taken:
		return true, nil
	case m.active.IsZero() || m.asked.IsZero() || m.approved.IsZero() || m.ready.IsZero():
		return false, fmt.Errorf("not all was seen of machine %s: %+v", machine, *m)
	}
	m.taken = true
	result.approvals = append(result.approvals, m.approved.Sub(m.asked))
	result.joins = append(result.joins, m.ready.Sub(m.active))
	return true, nil
}

// measurement is the times of all machines.
type measurement struct {
	approvals, joins durations
}

type durations []time.Duration

type summary struct{ mean, greatest time.Duration }

func (d durations) summary() summary {
	if len(d) == 0 {
		return summary{}
	}
	var sum time.Duration
	for _, one := range d {
		sum += one
	}
	return summary{sum / time.Duration(len(d)), slices.Max(d)}
}
