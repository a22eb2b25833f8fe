package check

import (
	"context"
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/installed"
)

// check is one row of the list of checks.
type check struct {
	name string
	// about says in one line what is looked at, for --help and the documentation.
	about string
	needs need
	run   func(ctx context.Context, w *World, f *findings)
}

// need is what a check can't do without.
type need int

const (
	needSession need = 1 << iota
	needGroups
	needKubernetes
	needNodes
)

var checks = []check{
	{"credentials", "where they are from, how they sign in, how long they are good for, TLS", 0, checkCredentials},
	{"endpoints", "whether each service that is needed is in the catalog and answers, and its version", needSession, checkEndpoints},
	{"clock", "how far the cloud's clock is from this machine's", needSession, checkClock},
	{"access", "what the credentials allow, against what is needed: access rules, and requests that change nothing", needSession, checkAccess},
	{"quotas", "whether the node groups can reach their greatest sizes", needSession | needGroups, checkQuotas},
	{"stacks", "whether each stack is fit to be a node group", 0, checkStacks},
	{"references", "whether flavor, image, network and key pair of each stack are there", needSession | needGroups, checkReferences},
	{"telemetry", "whether load is known: newest point, granularity, polling interval", needSession | needGroups, checkTelemetry},
	{"nodes", "whether nodes and members are told apart: provider ids, foreign nodes, members without a node", needGroups | needKubernetes | needNodes, checkNodes},
	{"template", "whether real nodes are what a new one is expected to be", needGroups | needKubernetes | needNodes, checkTemplate},
	{"permissions", "whether the service account has every right that the autoscaler needs", needKubernetes, checkPermissions},
	{"approval", "whether the cluster approves nodes' certificates without proof", needGroups | needKubernetes, checkApproval},
	{"autoscaler", "whether one runs and leads: lease, status, flags, version", needKubernetes, checkAutoscaler},
}

// Names lists the checks with what they look at, in their order.
func Names() [][2]string {
	out := make([][2]string, 0, len(checks))
	for _, c := range checks {
		out = append(out, [2]string{c.name, c.about})
	}
	return out
}

// atOnce bounds how many checks run side by side, so that the cloud is not stormed.
const atOnce = 4

// Run runs the checks with these names, all if there are none, and returns what they found in the order of the checks. Each has
// its own time, and none ends another. The error names a check that does not exist.
func Run(ctx context.Context, world World, names ...string) ([]Finding, error) {
	chosen, err := choose(names)
	if err != nil {
		return nil, err
	}
	w := world.withDefaults()
	w.look(ctx)
	results := make([]*findings, len(chosen))
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, c := range chosen {
		results[i] = &findings{check: c.name}
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i] = w.runOne(ctx, c)
		})
	}
	all.Wait()
	var out []Finding
	for _, r := range results {
		out = append(out, r.all...)
	}
	return out, nil
}

func choose(names []string) ([]check, error) {
	if len(names) == 0 {
		return checks, nil
	}
	var chosen []check
	for _, c := range checks {
		for _, name := range names {
			if c.name == name {
				chosen = append(chosen, c)
				break
			}
		}
	}
	for _, name := range names {
		known := false
		for _, c := range checks {
			known = known || c.name == name
		}
		if !known {
			return nil, fmt.Errorf("there is no check %q", name)
		}
	}
	return chosen, nil
}

// runOne runs a check within its time. One that does not come back in time is left behind: it only reads.
func (w *World) runOne(ctx context.Context, c check) *findings {
	if why := w.lacks(c.needs); why != "" {
		f := &findings{check: c.name}
		f.skip(c.name, "", "%s", why)
		return f
	}
	ctx, cancel := w.bounded(ctx)
	defer cancel()
	done := make(chan *findings, 1)
	go func() {
		f := &findings{check: c.name}
		defer func() {
			if r := recover(); r != nil {
				f.fail(c.name, "report it, with what is said here", "the check itself has failed: %v", r)
			}
			done <- f
		}()
		c.run(ctx, w, f)
		if len(f.all) == 0 {
			f.skip(c.name, "", "there is nothing to look at")
		}
	}()
	select {
	case f := <-done:
		return f
	case <-ctx.Done():
		f := &findings{check: c.name}
		f.fail(c.name, "see why the service is slow, or give --timeout", "no answer within %s", w.Timeout)
		return f
	}
}

// lacks says why a check can't be made, "" if it can.
func (w *World) lacks(n need) string {
	switch {
	case n&needSession != 0 && w.Session == nil:
		return "not signed in to OpenStack, see the check credentials"
	case n&needGroups != 0 && w.Snapshot == nil:
		return "the node groups could not be read: " + text(w.SnapshotErr, "not signed in to OpenStack, see the check credentials")
	case n&needKubernetes != 0 && w.Kubernetes == nil:
		return "no connection to Kubernetes: " + text(w.KubernetesErr, "none was given")
	case n&needNodes != 0 && w.nodesErr != nil:
		return "the Nodes could not be listed: " + w.nodesErr.Error()
	}
	return ""
}

func text(err error, otherwise string) string {
	if err != nil {
		return err.Error()
	}
	return otherwise
}

// look reads what several checks need.
func (w *World) look(ctx context.Context) {
	w.program = &program{}
	defer w.takeLoadFlags()
	defer w.takeNames()
	if w.Kubernetes == nil {
		return
	}
	ctx, cancel := w.bounded(ctx)
	defer cancel()
	list, err := w.Kubernetes.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		w.nodesErr = err
	} else {
		w.nodes = list.Items
	}
	w.program = findProgram(ctx, w.Kubernetes, installed.Where{Namespace: w.Setup.Namespace, Selector: w.Setup.Selector})
}
