package nodelife

import (
	"context"
	"time"

	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Groups is what this package needs of node groups; *nodegroups.Manager has it.
type Groups interface {
	// Snapshot and Reading are memory only.
	Snapshot() *nodegroups.Snapshot
	Reading() nodegroups.Reading
	// Replace orders a member's replacement at the same size; see nodegroups.Manager.
	Replace(ctx context.Context, group, serverID string) error
}

// Machines is what this package needs of the compute service; *heatstack.Machines has it.
type Machines interface {
	// Server reads one server. Only if the service itself says that there is none, the error is nodegroups.ErrNoServer.
	Server(ctx context.Context, id string) (nodegroups.Server, error)
	// LastStop returns the id of the user who ordered the last stop of a server that is SHUTOFF; "" if nobody did.
	LastStop(ctx context.Context, id string) (user string, err error)
	// Stop tells a server to shut down and returns at once.
	Stop(ctx context.Context, id string) error
}

// Observer counts. Implementations are safe for concurrent use and return at once.
type Observer interface {
	// Replaced counts a replacement that was ordered for this reason.
	Replaced(group, reason string)
	// HeldBack is told after each look which broken members are not replaced, and why.
	HeldBack(members map[Held]int)
	// NodeDeleted counts a Node whose server is gone.
	NodeDeleted(group string)
	// NodeReady tells how long after the making of its server a new node of the group was Ready.
	NodeReady(group string, after time.Duration)
	// Decided counts a decision of a dry run.
	Decided(group, action string, count int)
}

// Held are broken members of one node group that are not replaced for one reason.
type Held struct{ Group, Reason string }

// Options configure a Life.
type Options struct {
	// Repair: broken members are replaced, in groups whose annotation does not say otherwise.
	Repair bool
	// RepairAfter is how long a machine must have been down. Default DefaultRepairAfter.
	RepairAfter time.Duration
	// RepairsPerHour bounds the replacements in the whole cluster. Default DefaultRepairsPerHour.
	RepairsPerHour int
	// ProvisionTime is how long a member may take to become a node where its group does not say: --max-node-provision-time.
	ProvisionTime time.Duration
	// ForcedRemoval: cluster-autoscaler removes members that have not become nodes below the minimum size too
	// (--force-delete-unregistered-nodes), so that there is nothing left to do about them here.
	ForcedRemoval bool
	// DeleteNodes: Nodes whose server is gone are deleted.
	DeleteNodes bool
	// Cloud returns the CloudName of the credentials in force.
	Cloud func() string
	// DryRun: decide and report, and change nothing.
	DryRun bool
	// Interval is the time between two looks. Default DefaultInterval.
	Interval time.Duration
	// GoneAfter is the least time between the two answers that prove a server gone. Default DefaultGoneAfter.
	GoneAfter time.Duration
	// Reporter is told of every decision; nobody if nil.
	Reporter nodegroups.Reporter
	// Observer counts; nobody if nil.
	Observer Observer
	// Clock tells the time; the real one if nil.
	Clock clock.WithTicker
}

// Defaults of Options.
const (
	// DefaultRepairAfter lets an operator's hand, a host's reboot with resume_guests_state_on_host_boot and the eviction
	// of pods (300 s, --default-unreachable-toleration-seconds) come first.
	DefaultRepairAfter = 5 * time.Minute
	// DefaultRepairsPerHour is more than single machines break, and few enough for somebody to look when it is spent.
	DefaultRepairsPerHour = 10
	// DefaultInterval is that of cluster-autoscaler's own loop.
	DefaultInterval = 10 * time.Second
	// DefaultGoneAfter outlasts a restart of the API behind a proxy and the lag of a replicated database.
	DefaultGoneAfter = 10 * time.Second
)

func (o Options) withDefaults() Options {
	if o.RepairAfter <= 0 {
		o.RepairAfter = DefaultRepairAfter
	}
	if o.RepairsPerHour <= 0 {
		o.RepairsPerHour = DefaultRepairsPerHour
	}
	if o.ProvisionTime <= 0 {
		o.ProvisionTime = 15 * time.Minute // cluster-autoscaler's default
	}
	if o.Interval <= 0 {
		o.Interval = DefaultInterval
	}
	if o.GoneAfter <= 0 {
		o.GoneAfter = DefaultGoneAfter
	}
	if o.Cloud == nil {
		o.Cloud = func() string { return "" }
	}
	if o.Reporter == nil {
		o.Reporter = nodegroups.ReporterFunc(func(nodegroups.Problem) {})
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return o
}

// nobody counts nothing.
type nobody struct{}

func (nobody) Replaced(string, string)         {}
func (nobody) NodeReady(string, time.Duration) {}
func (nobody) HeldBack(map[Held]int)           {}
func (nobody) NodeDeleted(string)              {}
func (nobody) Decided(string, string, int)     {}
