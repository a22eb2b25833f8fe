package nodelife

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	kubefake "k8s.io/client-go/kubernetes/fake"
	corelisters "k8s.io/client-go/listers/core/v1"
	ktesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func TestMain(m *testing.M) {
	flags := flag.NewFlagSet("klog", flag.PanicOnError)
	klog.InitFlags(flags)
	_ = flags.Set("stderrthreshold", "FATAL") // panics if it fails
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	os.Exit(m.Run())
}

const here = "region-1/project" // the CloudName of nodegroupstest's stacks

var errNova = errors.New("nova is away")

// machine is a server of a fake Nova.
type machine struct {
	nodegroups.Server
	stoppedBy string
	err       error // of reading it
	stopErr   error // of reading who stopped it
}

// compute is a Nova in memory.
type compute struct {
	mu       sync.Mutex
	machines map[string]*machine
	asked    []string // ids of reads of who stopped a server
	reads    int
	stops    []string
	onStop   func(m *machine) error
}

func (c *compute) Server(_ context.Context, id string) (nodegroups.Server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads++
	m := c.machines[id]
	switch {
	case m == nil:
		return nodegroups.Server{}, nodegroups.ErrNoServer
	case m.err != nil:
		return nodegroups.Server{}, m.err
	}
	return m.Server, nil
}

func (c *compute) LastStop(_ context.Context, id string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, id)
	return c.machines[id].stoppedBy, c.machines[id].stopErr
}

func (c *compute) Stop(_ context.Context, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stops = append(c.stops, id)
	return c.onStop(c.machines[id])
}

// change changes a server in Nova.
func (c *compute) change(id string, what func(*machine)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	what(c.machines[id])
}

// counts is an Observer.
type counts struct {
	mu       sync.Mutex
	replaced map[string]int
	held     map[Held]int
	deleted  map[string]int
	decided  map[string]int
	ready    map[string][]time.Duration
}

func (c *counts) Replaced(group, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replaced[group+" "+reason]++
}

func (c *counts) NodeReady(group string, after time.Duration) {
	c.ready[group] = append(c.ready[group], after)
}

func (c *counts) HeldBack(members map[Held]int) { c.held = members }

func (c *counts) NodeDeleted(group string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deleted[group]++
}

func (c *counts) Decided(group, action string, count int) { c.decided[group+" "+action] += count }

// rig is a Life over a cloud, a Nova and a cluster in memory.
type rig struct {
	*Life
	t       require.TestingT
	cloud   *fake.Stacks
	nova    *compute
	groups  *nodegroups.Manager
	reports *fake.Reports
	counts  *counts
	clock   *clocktesting.FakeClock
	client  *kubefake.Clientset
	indexer cache.Indexer
	step    time.Duration // between two looks
	floors  map[string]nodegroups.Floor
}

// Update implements nodegroups.Floors.
func (r *rig) Update(context.Context, []*nodegroups.Group) map[string]nodegroups.Floor {
	return r.floors
}

// newRig returns a rig in which every member of the stacks has an active server and a Ready node.
func newRig(t require.TestingT, change func(*Options), stacks ...*nodegroups.Stack) *rig {
	r := &rig{
		t: t, cloud: fake.NewStacks(stacks...), nova: &compute{machines: map[string]*machine{}}, reports: &fake.Reports{},
		counts: &counts{replaced: map[string]int{}, deleted: map[string]int{}, decided: map[string]int{}, ready: map[string][]time.Duration{}},
		clock:  clocktesting.NewFakeClock(fake.Epoch.Add(time.Hour)), client: kubefake.NewClientset(),
		indexer: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{}), step: 10 * time.Second,
	}
	r.groups = nodegroups.NewManager(r.cloud, nil, nodegroups.ManagerOptions{Clock: r.clock, Floors: r})
	opts := Options{
		Repair: true, DeleteNodes: true, Clock: r.clock, Reporter: r.reports, Observer: r.counts, Cloud: func() string { return here },
	}
	if change != nil {
		change(&opts)
	}
	cluster := NewCluster(r.client)
	cluster.Watch(corelisters.NewNodeLister(r.indexer))
	r.Life = New(r.groups, r.nova, cluster, opts)
	r.client.PrependReactor("delete", "nodes", r.deletion)
	for _, s := range stacks {
		for i := range s.Members {
			r.join(s.Members[i].ServerID)
		}
	}
	r.refresh()
	return r
}

// deletion holds the preconditions of a deletion, which the fake API server does not know.
func (r *rig) deletion(action ktesting.Action) (bool, runtime.Object, error) {
	deletion := action.(ktesting.DeleteActionImpl)
	p := deletion.DeleteOptions.Preconditions
	if p == nil || p.UID == nil || p.ResourceVersion == nil {
		return true, nil, errors.New("a deletion without preconditions")
	}
	return false, nil, nil
}

// nodeName is the name of a server's node.
func nodeName(server string) string { return "node-" + server }

// join makes an active server and a Ready node.
func (r *rig) join(server string) {
	r.nova.mu.Lock()
	r.nova.machines[server] = &machine{Server: nodegroups.Server{ID: server, Status: "ACTIVE", Launched: true}}
	r.nova.mu.Unlock()
	r.put(&v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: nodeName(server), UID: types.UID("uid-" + server)},
		Spec:       v1.NodeSpec{ProviderID: "openstack:///" + server},
		Status:     v1.NodeStatus{Conditions: []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue}}},
	})
}

// put makes a node, or changes it.
func (r *rig) put(node *v1.Node) {
	ctx := context.Background()
	if _, err := r.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
		_, err = r.client.CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{})
		require.NoError(r.t, err)
	}
}

// node reads a server's node, nil if there is none.
func (r *rig) node(server string) *v1.Node {
	node, err := r.client.CoreV1().Nodes().Get(context.Background(), nodeName(server), metav1.GetOptions{})
	if err != nil {
		return nil
	}
	return node
}

// change changes a server's node.
func (r *rig) change(server string, what func(*v1.Node)) {
	node := r.node(server)
	what(node)
	r.put(node)
}

// unready lets a node's kubelet be silent.
func (r *rig) unready(server string) {
	r.change(server, func(n *v1.Node) { n.Status.Conditions[0].Status = v1.ConditionUnknown })
}

// status changes a server's status, in Nova and in what is known of the stack.
func (r *rig) status(stack string, index int, status string) string {
	server := fake.ServerID(stack, index)
	r.nova.change(server, func(m *machine) { m.Status = status })
	r.cloud.Change(stack, func(s *nodegroups.Stack) {
		for i := range s.Members {
			if s.Members[i].ServerID == server {
				s.Members[i].Status = status
			}
		}
	})
	return server
}

// breaks lets a member's machine break: its status, and its node's silence.
func (r *rig) breaks(stack string, index int, status string) string {
	server := r.status(stack, index, status)
	r.unready(server)
	return server
}

func (r *rig) refresh() { _ = r.groups.Refresh(context.Background()) }

// after lets time pass, with a look and a reading of the cloud every 10 s, as it is in reality, or every r.step.
func (r *rig) after(d time.Duration) {
	for range max(1, int(d/r.step)) {
		r.clock.Step(r.step)
		r.refresh()
		r.look()
	}
}

// look looks once at the nodes as the API server has them.
func (r *rig) look() {
	list, err := r.client.CoreV1().Nodes().List(context.Background(), metav1.ListOptions{})
	require.NoError(r.t, err)
	objects := make([]any, 0, len(list.Items))
	for i := range list.Items {
		objects = append(objects, &list.Items[i])
	}
	require.NoError(r.t, r.indexer.Replace(objects, ""))
	r.Look(context.Background())
}

// orders are what the cloud was asked to do, such as "Replace a 1".
func (r *rig) orders() []string {
	out := []string{}
	for _, c := range r.cloud.Calls() {
		if c.Method == "Refresh" {
			continue
		}
		for _, id := range c.IDs {
			out = append(out, c.Method+" "+nodeName(id))
		}
	}
	return out
}

func replaced(servers ...string) []string {
	out := []string{}
	for _, s := range servers {
		out = append(out, "Replace "+nodeName(s))
	}
	return out
}

// told says whether something was reported with this reason and these words.
func (r *rig) told(reason string, words ...string) bool {
	return slices.ContainsFunc(r.reports.All(), func(p nodegroups.Problem) bool {
		text := p.Error()
		return p.Reason == reason && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	})
}
