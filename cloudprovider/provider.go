package cloudprovider

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	caerrors "k8s.io/autoscaler/cluster-autoscaler/utils/errors"
	"k8s.io/autoscaler/cluster-autoscaler/utils/gpu"
	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// ProviderName is what Name answers and what --cloud-provider says.
const ProviderName = "openstack"

// Groups is what the adapter needs of node groups; *nodegroups.Manager has it. Snapshot is memory only.
type Groups interface {
	Refresh(ctx context.Context) error
	Snapshot() *nodegroups.Snapshot
	Grow(ctx context.Context, group string, by int) error
	Remove(ctx context.Context, group string, ids []string, force bool) error
	// Retire is Remove for members that are nodes, whose machines may have to be shut down first.
	Retire(ctx context.Context, group string, ids []string, force bool) error
	Shrink(ctx context.Context, group string, by int) error
}

// Provider is cluster-autoscaler's CloudProvider. It is safe for concurrent use: core asks from its loop, from the
// goroutines of its deletions and from a goroutine that lists all instances every two minutes.
type Provider struct {
	// ctx is the context of calls that core makes without one: it carries the logger and ends with Cleanup. The
	// interfaces of core 1.33 have no context parameter.
	ctx    context.Context
	cancel context.CancelFunc

	groups   Groups
	opts     Options
	observer Observer
	ids      *identities

	// byName holds one *nodeGroup per name for ever: core keys maps by the interface value.
	byName sync.Map
	// listed is what NodeGroups answered last.
	listed atomic.Pointer[[]cloudprovider.NodeGroup]
	prices atomic.Pointer[PriceList]

	refreshing sync.Mutex
	lastTry    time.Time
	lastErr    error
	priceFile  *priceFile
	// settled is the snapshot of the last reading.
	settled *nodegroups.Snapshot
	// driftAsked is when nodes were last asked to be compared with templates.
	driftAsked time.Time

	departedMu sync.Mutex
	// departed maps servers that used to be members and are gone to when core last asked for them.
	departed map[string]time.Time
}

// New returns a Provider over groups. Its life ends with ctx or with Cleanup. An error means that the price file can't
// be used.
func New(ctx context.Context, groups Groups, opts Options) (*Provider, error) {
	opts = opts.withDefaults()
	ctx, cancel := context.WithCancel(ctx)
	p := &Provider{
		ctx:      ctx,
		cancel:   cancel,
		groups:   groups,
		opts:     opts,
		observer: opts.Observer,
		ids:      newIdentities(),
		departed: map[string]time.Time{},
	}
	if opts.PriceFile != "" {
		p.priceFile = &priceFile{path: opts.PriceFile}
		if err := p.loadPrices(); err != nil {
			cancel()
			return nil, err
		}
	}
	return p, nil
}

// Name returns ProviderName.
func (p *Provider) Name() string { return ProviderName }

// NodeGroups returns all node groups, blocked ones too: core would forget the state of a group that is missing here.
func (p *Provider) NodeGroups() (list []cloudprovider.NodeGroup) {
	defer p.caught("CloudProvider.NodeGroups", "", func(error) {
		if last := p.listed.Load(); last != nil {
			list = *last
		}
	})
	groups := p.groups.Snapshot().Groups()
	list = make([]cloudprovider.NodeGroup, 0, len(groups))
	for _, g := range groups {
		list = append(list, p.group(g.Name))
	}
	p.listed.Store(&list)
	return list
}

// NodeGroup returns the node group of that name, and whether there is one now.
func (p *Provider) NodeGroup(name string) (cloudprovider.NodeGroup, bool) {
	if p.groups.Snapshot().Group(name) == nil {
		return nil, false
	}
	return p.group(name), true
}

// group returns the one *nodeGroup of that name.
func (p *Provider) group(name string) *nodeGroup {
	if known, ok := p.byName.Load(name); ok {
		return known.(*nodeGroup)
	}
	fresh := &nodeGroup{provider: p, name: name}
	fresh.driftDue.Store(true)
	made, _ := p.byName.LoadOrStore(name, fresh)
	return made.(*nodeGroup)
}

// NodeGroupForNode returns the group that node is a member of, and (nil, nil) for every node that is in none: a control
// plane's, another cloud's, one whose server is gone.
func (p *Provider) NodeGroupForNode(node *v1.Node) (group cloudprovider.NodeGroup, err error) {
	defer p.caught("CloudProvider.NodeGroupForNode", "", func(caught error) { group, err = nil, caught })
	g, member := p.groups.Snapshot().ByNode(node)
	if g == nil {
		p.ids.hint(node.Spec.ProviderID)
		return nil, nil
	}
	ng := p.group(g.Name)
	p.meet(ng, member, node)
	return ng, nil
}

// meet learns what node tells of its server. Nodes that core made up for instances without a node tell nothing.
func (p *Provider) meet(ng *nodeGroup, member *nodegroups.Member, node *v1.Node) {
	if _, fake := node.Annotations[cloudprovider.FakeNodeReasonAnnotation]; fake || member.ServerID == "" {
		return
	}
	if node.Spec.ProviderID != "" {
		p.ids.learn(member.ServerID, node.Spec.ProviderID)
	} else if p.ids.hide(member.ServerID) {
		p.report(nodegroups.Problem{
			Reason: nodegroups.ReasonNoProviderID, Severity: nodegroups.Warning, Group: ng.name, Node: node.Name,
			Key: "spec.providerID", Message: "the node does not say which server it is; it was found by its system UUID, " +
				"but it can't be cleaned up if it fails to come up",
			Remedy: "run cloud-provider-openstack's controller manager, or start the kubelet with --provider-id=openstack:///UUID",
		})
	}
	ng.compare(node)
}

// HasInstance says whether node's server is there and not being deleted: core takes the rest for deleted nodes, which it
// counts neither as ready nor as broken. A member that is being deleted does not count in the target size, so that
// counting it as ready would hide a node that is still to come. ErrNotImplemented for nodes that never were members.
func (p *Provider) HasInstance(node *v1.Node) (has bool, err error) {
	defer p.caught("CloudProvider.HasInstance", "", func(caught error) { has, err = false, caught })
	if _, member := p.groups.Snapshot().ByNode(node); member != nil {
		return member.State != nodegroups.Deleting && member.State != nodegroups.Lost, nil
	}
	if p.hasDeparted(node) {
		return false, nil
	}
	return false, cloudprovider.ErrNotImplemented
}

// Pricing returns the prices of the price file.
func (p *Provider) Pricing() (model cloudprovider.PricingModel, err caerrors.AutoscalerError) {
	defer p.caught("CloudProvider.Pricing", "", func(caught error) {
		model, err = nil, caerrors.ToAutoscalerError(caerrors.InternalError, caught)
	})
	list := p.prices.Load()
	if list == nil {
		return nil, caerrors.NewAutoscalerError(caerrors.ConfigurationError,
			"there are no prices: --expander=price needs --price-file, a file with the price per hour of each flavor")
	}
	return newPriceModel(list, p.flavorSizes(), p.flavorOf), nil
}

// GetAvailableMachineTypes is not implemented: a machine type alone makes no node group.
func (p *Provider) GetAvailableMachineTypes() ([]string, error) {
	return nil, cloudprovider.ErrNotImplemented
}

// NewNodeGroup is not implemented: node groups are made as Heat stacks, by whoever owns the template.
func (p *Provider) NewNodeGroup(string, map[string]string, map[string]string, []v1.Taint,
	map[string]resource.Quantity) (cloudprovider.NodeGroup, error) {
	return nil, cloudprovider.ErrNotImplemented
}

// GetResourceLimiter returns the limits of --cores-total, --memory-total and --gpu-total.
func (p *Provider) GetResourceLimiter() (*cloudprovider.ResourceLimiter, error) {
	return p.opts.ResourceLimiter, nil
}

// GPULabel is the label that tells nodes with a GPU, and its type.
func (p *Provider) GPULabel() string { return p.opts.GPULabel }

// GetAvailableGPUTypes returns the values that node groups give the GPU label.
func (p *Provider) GetAvailableGPUTypes() (types map[string]struct{}) {
	defer p.caught("CloudProvider.GetAvailableGPUTypes", "", func(error) { types = map[string]struct{}{} })
	types = map[string]struct{}{}
	for _, g := range p.groups.Snapshot().Groups() {
		if t := g.Config.Capacity.Labels[p.opts.GPULabel]; t != "" {
			types[t] = struct{}{}
		}
	}
	return types
}

// GetNodeGpuConfig returns what GPU the node has, nil if none.
func (p *Provider) GetNodeGpuConfig(node *v1.Node) (config *cloudprovider.GpuConfig) {
	defer p.caught("CloudProvider.GetNodeGpuConfig", "", func(error) { config = nil })
	return gpu.GetNodeGPUFromCloudProvider(p, node)
}

// Cleanup ends what is under way: orders that wait for the cloud are withdrawn. It may be called more than once.
func (p *Provider) Cleanup() error {
	p.cancel()
	return nil
}

// Refresh reads what changed in the cloud. An error aborts core's loop, so that nothing is decided on stale data. Within
// Options.RefreshInterval of the last reading the outcome of that is repeated: core may loop without pause.
func (p *Provider) Refresh() (err error) {
	defer p.caught("CloudProvider.Refresh", "", func(caught error) { err = caught })
	p.refreshing.Lock()
	defer p.refreshing.Unlock()
	if err := p.ctx.Err(); err != nil {
		return err
	}
	start := p.opts.Clock.Now()
	if !p.lastTry.IsZero() && start.Sub(p.lastTry) < p.opts.RefreshInterval {
		return p.lastErr
	}
	p.lastTry, p.lastErr = start, errors.New("the last refresh did not end")

	ctx, cancel := context.WithTimeout(p.ctx, p.opts.RefreshTimeout)
	defer cancel()
	err = p.groups.Refresh(ctx)
	p.lastErr = err
	p.observer.Refreshed(p.opts.Clock.Since(start), err)
	if err != nil {
		return err
	}
	p.settle()
	if err := p.loadPrices(); err != nil {
		p.report(nodegroups.Problem{
			Reason: nodegroups.ReasonBadPriceFile, Severity: nodegroups.Warning, Key: "--price-file", Value: p.opts.PriceFile,
			Message: err.Error(), Remedy: "mend the file; until then the prices read before hold",
		})
	}
	return nil
}

// settle does what follows from a new snapshot: it remembers the servers that have gone, and forgets what is not needed.
// The caller holds refreshing.
func (p *Provider) settle() {
	before, after := p.settled, p.groups.Snapshot()
	p.settled = after
	isMember := func(server string) bool {
		_, member := after.ByServer(server)
		return member != nil
	}
	p.ids.newGeneration(isMember)

	now := p.opts.Clock.Now()
	p.dueForDrift(now)
	p.departedMu.Lock()
	defer p.departedMu.Unlock()
	if before != nil {
		for _, g := range before.Groups() {
			for _, m := range g.Members {
				if m.ServerID != "" && !isMember(m.ServerID) {
					p.departed[m.ServerID] = now
				}
			}
		}
	}
	maps.DeleteFunc(p.departed, func(server string, asked time.Time) bool {
		return isMember(server) || now.Sub(asked) > departedFor
	})
}

// hasDeparted says whether node's server was a member and is gone.
func (p *Provider) hasDeparted(node *v1.Node) bool {
	server, err := nodegroups.ServerIDFromNode(node)
	if err != nil {
		return false
	}
	p.departedMu.Lock()
	defer p.departedMu.Unlock()
	_, gone := p.departed[server]
	if gone {
		p.departed[server] = p.opts.Clock.Now()
	}
	return gone
}

// loadPrices reads the price file if there is one and it has changed.
func (p *Provider) loadPrices() error {
	if p.priceFile == nil {
		return nil
	}
	list, err := p.priceFile.load()
	if list != nil {
		p.prices.Store(list)
		klog.FromContext(p.ctx).Info("Read the price file", "path", p.opts.PriceFile, "flavors", len(list.Flavors))
	}
	return err
}

// flavorSizes returns the size of each flavor that a node group makes its members of.
func (p *Provider) flavorSizes() map[string]size {
	sizes := map[string]size{}
	for _, g := range p.groups.Snapshot().Groups() {
		if f := g.Flavor; f != nil {
			sizes[f.Name] = size{cpus: float64(f.VCPUs), gib: float64(f.RAMMiB) / 1024}
		}
	}
	return sizes
}

// flavorOf returns the flavor of a node's server, empty if it is not a member's.
func (p *Provider) flavorOf(node *v1.Node) string {
	g, member := p.groups.Snapshot().ByNode(node)
	switch {
	case member != nil && member.Flavor != "":
		return member.Flavor
	case g != nil && g.Flavor != nil:
		return g.Flavor.Name
	}
	return ""
}

// report passes a problem on.
func (p *Provider) report(problem nodegroups.Problem) { p.opts.Reporter.Report(problem) }

var _ cloudprovider.CloudProvider = (*Provider)(nil)
