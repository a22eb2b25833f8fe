// Package world is what the status page is tested on: the real provider, floors and collector on a simulated OpenStack, with a clock of
// their own that is moved by minutes.
package world

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	testclock "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status/collect"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// speed is how many seconds of the cloud are one of ours.
const speed = 2000

// patience is how long the cloud may take for an order.
const patience = 30 * time.Second

// World is a simulated cloud and everything above it. Close it in the end.
type World struct {
	Sim      *simulator.Simulator
	Provider *cloudprovider.Provider
	Manager  *nodegroups.Manager
	Book     *collect.Book
	Clock    *testclock.FakeClock
	Load     *Load

	nodes cache.Indexer
	dir   string
	cloud *heatstack.Cloud
}

// Options of New.
type Options struct {
	// Mode is one of status' Mode constants.
	Mode string
	// Stacks are the node groups.
	Stacks []Stack
}

// Stack is a stack that is a node group.
type Stack struct {
	Name, Flavor string
	Size         int
	Tags         []string
}

// New makes a world in which every stack is complete and has been read once, with the Nodes of its members.
func New(ctx context.Context, o Options) (*World, error) {
	w := &World{
		Sim:   simulator.New(simulator.Options{Speed: speed, MaxResources: -1, TokenLife: 24 * 365 * time.Hour}),
		Clock: testclock.NewFakeClock(time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)),
		Load:  &Load{percent: map[string]float64{}},
		nodes: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{}),
	}
	w.Load.clock = w.Clock
	if err := w.start(ctx, o); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (w *World) start(ctx context.Context, o Options) error {
	if err := w.Sim.Start("127.0.0.1:0"); err != nil {
		return err
	}
	for _, s := range o.Stacks {
		parameters := map[string]any{"node_count": s.Size}
		if s.Flavor != "" {
			parameters["flavor"] = s.Flavor
		}
		spec := simulator.StackSpec{Name: s.Name, Template: simulator.GroupTemplate, Parameters: parameters, Tags: append([]string{"autoscaled"}, s.Tags...)}
		if _, err := w.Sim.CreateStack("demo", spec); err != nil {
			return err
		}
	}
	for range 1000 {
		if w.Sim.Settled() {
			break
		}
		w.Sim.FastForward(time.Minute)
	}
	var err error
	if w.dir, err = os.MkdirTemp("", "page-"); err != nil {
		return err
	}
	if err := w.connect(ctx, o.Mode); err != nil {
		return err
	}
	// The Nodes are there before the first point of history is taken.
	if err := w.Manager.Refresh(ctx); err != nil {
		return err
	}
	if err := w.register(); err != nil {
		return err
	}
	return w.Minute()
}

// connect wires everything as the program does.
func (w *World) connect(ctx context.Context, mode string) error {
	conf := filepath.Join(w.dir, "cloud.conf")
	if err := os.WriteFile(conf, []byte(w.Sim.CloudConf("demo", "demo")), 0o600); err != nil {
		return err
	}
	session, err := openstack.NewSession(ctx, openstack.Options{CloudConfig: conf, Rate: -1})
	if err != nil {
		return err
	}
	discovery, err := heatstack.ParseDiscovery("heat:tag=autoscaled")
	if err != nil {
		return err
	}
	w.Book = collect.NewBook(collect.Program{Name: "cluster-autoscaler-openstack", Version: "v1.2.3", Mode: mode}, w.Clock)
	w.Book.Lead(true)
	w.Book.NewLeader("control-plane-0_2c9e")
	w.Book.WatchNodes(corelisters.NewNodeLister(w.nodes))
	w.cloud = heatstack.New(heatstack.NewHeat(session), heatstack.NewNova(session), heatstack.Options{
		Discovery: []heatstack.Discovery{discovery}, Region: session.Region(), Gather: time.Millisecond, Reporter: w.Book, Removed: w.Book.Removed,
		Reload: func(ctx context.Context) error { _, err := session.Reload(ctx); return err },
	})
	floors := ceilometer.NewFloors(ceilometer.Options{
		Sources: map[string]ceilometer.Source{ceilometer.SourceGnocchi: w.Load}, Defaults: ceilometer.Defaults{Source: ceilometer.SourceGnocchi},
		Observer: told{w.Book}, Reporter: w.Book, Clock: w.Clock,
	})
	w.Book.ShowLoad(floors.States)
	w.Manager = nodegroups.NewManager(w.cloud, w.Book, nodegroups.ManagerOptions{Floors: floors, Clock: w.Clock})
	build := func(g *nodegroups.Group) (*v1.Node, error) {
		return nodegroups.TemplateNode(g, nodegroups.TemplateOptions{})
	}
	w.Book.Connect(collect.Sources{
		Snapshot: w.Manager.Snapshot, Reading: w.Manager.Reading, Region: session.Region, Project: session.ProjectID, Template: build,
	})
	w.Provider, err = cloudprovider.New(ctx, w.Book.Watch(w.Manager), cloudprovider.Options{
		Template: build, Reporter: w.Book, Observer: refreshed{cloudprovider.NoObserver{}, w.Book}, RefreshInterval: -1,
	})
	return err
}

// refreshed is a Book as cloudprovider's observer.
type refreshed struct {
	cloudprovider.NoObserver
	book *collect.Book
}

// Refreshed tells the Book.
func (r refreshed) Refreshed(took time.Duration, err error) { r.book.Refreshed(took, err) }

// told is a Book as ceilometer's observer.
type told struct{ *collect.Book }

// ReadingDone does nothing.
func (told) ReadingDone(context.Context, ceilometer.Reading) {}

// Close ends it.
func (w *World) Close() {
	if w.Provider != nil {
		_ = w.Provider.Cleanup()
	}
	if w.cloud != nil {
		w.cloud.Close()
	}
	w.Sim.Close()
	_ = os.RemoveAll(w.dir)
}

// Minute lets a minute pass and has the cloud read.
func (w *World) Minute() error {
	w.Clock.Step(time.Minute)
	if err := w.Provider.Refresh(); err != nil {
		return err
	}
	return w.register()
}

// register makes the Nodes those of the servers that run.
func (w *World) register() error {
	var list []any
	for _, g := range w.Manager.Snapshot().Groups() {
		for _, m := range g.Members {
			if m.State == nodegroups.Running {
				list = append(list, Node(m))
			}
		}
	}
	return w.nodes.Replace(list, "")
}

// Node is the Node of a member, which is Ready.
func Node(m *nodegroups.Member) *v1.Node {
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: m.Name},
		Spec:       v1.NodeSpec{ProviderID: "openstack:///" + m.ServerID},
		Status:     v1.NodeStatus{Conditions: []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue}}},
	}
}

// Until reads the cloud until it is as wanted. Its clock stands.
func (w *World) Until(wanted func() bool) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err := w.Provider.Refresh(); err != nil {
			return err
		}
		if wanted() {
			return w.register()
		}
	}
	return fmt.Errorf("the simulated cloud did not do what was ordered within %s", patience)
}

// Running counts a node group's running members.
func (w *World) Running(group string) int {
	if g := w.Manager.Snapshot().Group(group); g != nil {
		return g.Count(nodegroups.Running)
	}
	return 0
}

// Modes, for callers that need no more of package status.
const (
	Embedded = status.ModeEmbedded
	External = status.ModeExternal
)
