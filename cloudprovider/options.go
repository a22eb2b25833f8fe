package cloudprovider

import (
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Defaults of Options.
const (
	// DefaultRefreshInterval lets core's usual scan interval of 10 s through and slows down loops without a pause.
	DefaultRefreshInterval = 5 * time.Second
	// DefaultRefreshTimeout is below --max-inactivity, after which the health check fails.
	DefaultRefreshTimeout = 2 * time.Minute
	// DefaultWriteTimeout bounds what core waits for in its own loop, and a removal that waits for a stack to settle.
	DefaultWriteTimeout = 3 * time.Minute
	// DefaultCleanupTimeout bounds the removal of members that could not be made: core orders it in its main loop, for
	// one group after the other, and orders it again in the next loop.
	DefaultCleanupTimeout = 30 * time.Second
	// DefaultGPULabel is the label that a node with a GPU carries, with the GPU's type as its value.
	DefaultGPULabel = "cluster-autoscaler-openstack/gpu-type"
)

// departedFor is how long a server that has gone is remembered after core last asked for its node. Core asks for every
// node in every loop, so that only servers without a node are forgotten.
const departedFor = time.Hour

// TemplateFunc builds what a new node of a group would look like. An error says why that is not known. The node belongs
// to the caller.
type TemplateFunc func(*nodegroups.Group) (*v1.Node, error)

// Options are a Provider's settings; zero values take the defaults.
type Options struct {
	// Template builds template nodes. Required.
	Template TemplateFunc
	// Reporter is told of problems; nil drops them.
	Reporter nodegroups.Reporter
	// Observer counts; nil counts nothing.
	Observer Observer
	// ResourceLimiter holds core's limits for the whole cluster; nil limits nothing.
	ResourceLimiter *cloudprovider.ResourceLimiter
	// GPULabel is the label that nodes with a GPU carry.
	GPULabel string
	// PriceFile is the path of a price list; empty for none.
	PriceFile string
	// RefreshInterval is the shortest time between two readings of the cloud; negative for none.
	RefreshInterval time.Duration
	// RefreshTimeout, WriteTimeout and CleanupTimeout bound the calls that wait for the cloud.
	RefreshTimeout, WriteTimeout, CleanupTimeout time.Duration
	// DryRun says that the groups below write nothing: decisions are reported as such.
	DryRun bool
	// Clock is the time; nil for the real one.
	Clock clock.PassiveClock
}

func (o Options) withDefaults() Options {
	if o.Reporter == nil {
		o.Reporter = nodegroups.ReporterFunc(func(nodegroups.Problem) {})
	}
	if o.Observer == nil {
		o.Observer = NoObserver{}
	}
	if o.ResourceLimiter == nil {
		o.ResourceLimiter = cloudprovider.NewResourceLimiter(nil, nil)
	}
	if o.GPULabel == "" {
		o.GPULabel = DefaultGPULabel
	}
	if o.RefreshInterval == 0 {
		o.RefreshInterval = DefaultRefreshInterval
	}
	if o.RefreshTimeout <= 0 {
		o.RefreshTimeout = DefaultRefreshTimeout
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = DefaultWriteTimeout
	}
	if o.CleanupTimeout <= 0 {
		o.CleanupTimeout = DefaultCleanupTimeout
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return o
}

// Observer counts what the adapter does. Implementations are safe for concurrent use and return at once.
type Observer interface {
	// Panicked: a panic of ours was caught in this entry point.
	Panicked(entry string)
	// Refreshed: the cloud has been read, or err says why not.
	Refreshed(took time.Duration, err error)
	// Decided: in a dry run, action (a Decision) would have been carried out on count members of group.
	Decided(group string, action Decision, count int)
	// Drifted: for a resource of a real node of group, the real amount divided by the template's.
	Drifted(group, resource string, ratio float64)
}

// Decision is something that cluster-autoscaler orders: one of the constants below.
type Decision = string

// The decisions.
const (
	DecisionGrow   Decision = "grow"
	DecisionRemove Decision = "remove"
	DecisionShrink Decision = "shrink"
)

// NoObserver counts nothing.
type NoObserver struct{}

// Panicked does nothing.
func (NoObserver) Panicked(string) {}

// Refreshed does nothing.
func (NoObserver) Refreshed(time.Duration, error) {}

// Decided does nothing.
func (NoObserver) Decided(string, Decision, int) {}

// Drifted does nothing.
func (NoObserver) Drifted(string, string, float64) {}
