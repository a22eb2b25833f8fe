package check

import (
	"cmp"
	"context"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// World is what there is to look at. A part that could not be had is nil, and its error says why: the checks that need it are
// skipped with that reason.
type World struct {
	// Session is the login that the autoscaler uses, or one like it.
	Session    *openstack.Session
	SessionErr error
	// Snapshot are the node groups, read a moment ago, as the autoscaler itself reads them. Heat reads their templates.
	Snapshot    *nodegroups.Snapshot
	SnapshotErr error
	Heat        heatstack.Heat
	// Kubernetes is the cluster.
	Kubernetes    kubernetes.Interface
	KubernetesErr error
	Setup         Setup
	// Timeout bounds each check; DefaultTimeout if zero.
	Timeout time.Duration
	// Clock tells the time; the real one if nil.
	Clock clock.WithTicker

	nodes    []v1.Node
	nodesErr error
	program  *program
	// home is the namespace in which cluster-autoscaler keeps its lease and its ConfigMaps (its flag --namespace).
	home string
	// templates remember what templates need.
	templates *templateNeeds
	// sourceErr says why load can't be read as the autoscaler's flags have it.
	sourceErr error
}

// DefaultTimeout bounds one check.
const DefaultTimeout = 30 * time.Second

// Setup is what the autoscaler is told.
type Setup struct {
	// Wanted says which stacks are node groups, in words for people.
	Wanted string
	// Namespace is where the autoscaler's Deployment is looked for, and where it keeps its status, its lease and its record of joins
	// unless the Deployment's flags say otherwise.
	Namespace string
	// Selector picks its Deployment by the labels of the pods; without one it is found as package installed says.
	Selector string
	// ServiceAccount is the account it runs as, NAME in Namespace or NAMESPACE/NAME; that of the Deployment that is found in Namespace if
	// empty.
	ServiceAccount string
	// Lease and StatusConfigMap are the names of its lease and of its status; those that the Deployment's flags give them if empty.
	Lease, StatusConfigMap string
	// Sources are the sources of load by their kind; those that the Deployment's flags name if nil. Defaults are what --load-config
	// says.
	Sources  map[string]ceilometer.Source
	Defaults ceilometer.Defaults
	// Aetos says that Prometheus is the cloud's own.
	Aetos bool
	// Template says how template nodes are made.
	Template nodegroups.TemplateOptions
	// Core is the version of cluster-autoscaler in the embedded program, such as 1.33.0.
	Core string
}

// Names that upstream uses.
const (
	defaultNamespace = "kube-system"
	defaultLease     = "cluster-autoscaler"
	defaultStatus    = "cluster-autoscaler-status"
)

func (w World) withDefaults() World {
	if w.Timeout <= 0 {
		w.Timeout = DefaultTimeout
	}
	w.templates = &templateNeeds{}
	if w.Clock == nil {
		w.Clock = clock.RealClock{}
	}
	w.Setup.Namespace = cmp.Or(w.Setup.Namespace, defaultNamespace)
	return w
}

// takeNames takes the names of what cluster-autoscaler keeps in the cluster from the Deployment's flags, where they are not given.
func (w *World) takeNames() {
	core := w.program.Core
	w.Setup.Lease = cmp.Or(w.Setup.Lease, core.Plain("leader-elect-resource-name"), defaultLease)
	w.Setup.StatusConfigMap = cmp.Or(w.Setup.StatusConfigMap, core.Plain("status-config-map-name"), defaultStatus)
	w.home = w.Setup.Namespace
	if w.program.Name != "" && core.Last("namespace") == "" {
		w.home = defaultNamespace // of its flag, wherever it runs
	}
	w.home = cmp.Or(core.Plain("namespace"), w.home)
}

// now is the time by the world's clock.
func (w *World) now() time.Time { return w.Clock.Now() }

// bounded is a context with the time of one check.
func (w *World) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, w.Timeout)
}
