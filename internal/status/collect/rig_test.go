package collect

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	testclock "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// rig is a Book over groups in memory.
type rig struct {
	*Book
	clock   *testclock.FakeClock
	stacks  *nodegroupstest.Stacks
	manager *nodegroups.Manager
	orders  *Orders
	nodes   cache.Indexer
}

func newRig(t *testing.T, stacks ...*nodegroups.Stack) *rig {
	t.Helper()
	return newRigOf(t, Program{Name: "program", Mode: status.ModeEmbedded}, stacks...)
}

func newRigOf(t *testing.T, program Program, stacks ...*nodegroups.Stack) *rig {
	t.Helper()
	clock := testclock.NewFakeClock(nodegroupstest.Epoch.Add(time.Hour))
	r := &rig{Book: NewBook(program, clock), clock: clock, stacks: nodegroupstest.NewStacks(stacks...), nodes: cache.NewIndexer(cache.MetaNamespaceKeyFunc, nil)}
	r.manager = nodegroups.NewManager(r.stacks, r.Book, nodegroups.ManagerOptions{Clock: clock})
	r.orders = r.Watch(r.manager)
	r.Connect(Sources{
		Snapshot: r.manager.Snapshot, Reading: r.manager.Reading,
		Region: func() string { return "region-1" }, Project: func() string { return "project" },
	})
	r.refresh(t)
	return r
}

func (r *rig) refresh(t *testing.T) {
	t.Helper()
	require.NoError(t, r.orders.Refresh(t.Context()))
	r.Refreshed(0, nil)
}

// watchNodes makes Nodes of these servers known, Ready ones.
func (r *rig) watchNodes(t *testing.T, servers ...string) {
	t.Helper()
	for _, id := range servers {
		require.NoError(t, r.nodes.Add(node(id, v1.ConditionTrue)))
	}
	r.WatchNodes(corelisters.NewNodeLister(r.nodes))
}

func node(server string, ready v1.ConditionStatus) *v1.Node {
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "node-" + server}, Spec: v1.NodeSpec{ProviderID: "openstack:///" + server},
		Status: v1.NodeStatus{Conditions: []v1.NodeCondition{{Type: v1.NodeReady, Status: ready}}},
	}
}

// newest is the newest decision.
func (r *rig) newest(t *testing.T) status.Decision {
	t.Helper()
	all := r.Status().Decisions
	require.NotEmpty(t, all)
	return all[0]
}

// floors is nodegroups.Floors of one group.
type floors map[string]nodegroups.Floor

func (f floors) Update(context.Context, []*nodegroups.Group) map[string]nodegroups.Floor { return f }
