package cloudprovider

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	testclock "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// rig is a provider over a cloud in memory.
type rig struct {
	*Provider
	cloud    *fake.Stacks
	reports  *fake.Reports
	observed *observed
	clock    *testclock.FakePassiveClock
}

// newRig returns a provider that has read its cloud once. change may change the options first.
func newRig(t *testing.T, change func(*Options), stacks ...*nodegroups.Stack) *rig {
	t.Helper()
	r := &rig{
		cloud: fake.NewStacks(stacks...), reports: &fake.Reports{}, observed: &observed{},
		clock: testclock.NewFakePassiveClock(time.Now()),
	}
	opts := Options{Template: templateOf, Reporter: r.reports, Observer: r.observed, Clock: r.clock, RefreshInterval: -1}
	if change != nil {
		change(&opts)
	}
	p, err := New(context.Background(), nodegroups.NewManager(r.cloud, r.reports, nodegroups.ManagerOptions{}), opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Cleanup()) })
	r.Provider = p
	require.NoError(t, p.Refresh())
	return r
}

// nodeGroup returns the group of that name as core sees it.
func (r *rig) nodeGroup(t *testing.T, name string) cloudprovider.NodeGroup {
	t.Helper()
	for _, g := range r.NodeGroups() {
		if g.Id() == name {
			return g
		}
	}
	require.FailNow(t, "no such node group", name)
	return nil
}

func (r *rig) size(t *testing.T, name string) int {
	t.Helper()
	size, err := r.nodeGroup(t, name).TargetSize()
	require.NoError(t, err)
	return size
}

// ids are the instances of a group as "id state" or "id creating error-code".
func (r *rig) instances(t *testing.T, name string) []string {
	t.Helper()
	list, err := r.nodeGroup(t, name).Nodes()
	require.NoError(t, err)
	states := map[cloudprovider.InstanceState]string{
		cloudprovider.InstanceRunning: "running", cloudprovider.InstanceCreating: "creating", cloudprovider.InstanceDeleting: "deleting",
	}
	out := []string{}
	for _, i := range list {
		text := i.Id + " " + states[i.Status.State]
		if e := i.Status.ErrorInfo; e != nil {
			text += fmt.Sprintf(" %v/%s: %s", e.ErrorClass, e.ErrorCode, e.ErrorMessage)
		}
		out = append(out, text)
	}
	return out
}

// orders are the calls that change the cloud, such as "Grow 2" or "Remove [id]".
func (r *rig) orders() []string {
	var out []string
	for _, c := range r.cloud.Calls() {
		switch c.Method {
		case "Grow", "Shrink":
			out = append(out, fmt.Sprintf("%s %d", c.Method, c.By))
		case "Remove":
			out = append(out, fmt.Sprintf("%s %v", c.Method, c.IDs))
		}
	}
	return out
}

// observed is an Observer that keeps what it is told.
type observed struct {
	mu        sync.Mutex
	panics    []string
	refreshes []error
	decisions []string
	drifts    map[string]float64
}

func (o *observed) Panicked(entry string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.panics = append(o.panics, entry)
}

func (o *observed) Refreshed(_ time.Duration, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refreshes = append(o.refreshes, err)
}

func (o *observed) Decided(group string, action Decision, count int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.decisions = append(o.decisions, fmt.Sprintf("%s %s %d", group, action, count))
}

func (o *observed) Drifted(group, name string, ratio float64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.drifts == nil {
		o.drifts = map[string]float64{}
	}
	o.drifts[group+" "+name] = ratio
}

// templateOf is a plain template: what the flavor says, nothing reserved.
func templateOf(g *nodegroups.Group) (*v1.Node, error) {
	if g.Flavor == nil {
		return nil, fmt.Errorf("no flavor")
	}
	resources := v1.ResourceList{
		v1.ResourceCPU:              *resource.NewQuantity(int64(g.Flavor.VCPUs), resource.DecimalSI),
		v1.ResourceMemory:           *resource.NewQuantity(int64(g.Flavor.RAMMiB)<<20, resource.BinarySI),
		v1.ResourceEphemeralStorage: *resource.NewQuantity(int64(g.Flavor.DiskGiB)<<30, resource.BinarySI),
		v1.ResourcePods:             *resource.NewQuantity(110, resource.DecimalSI),
	}
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "template-" + g.Name, Labels: map[string]string{
			v1.LabelInstanceTypeStable: g.Flavor.Name, v1.LabelOSStable: "linux", v1.LabelArchStable: "amd64", "group": g.Name,
		}},
		Status: v1.NodeStatus{
			Capacity: resources, Allocatable: resources,
			Conditions: []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue}},
		},
	}, nil
}

// nodeOf is the node of a stack's member, with this provider id.
func nodeOf(stack string, index int, providerID string) *v1.Node {
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", stack, index)},
		Spec:       v1.NodeSpec{ProviderID: providerID},
		Status:     v1.NodeStatus{NodeInfo: v1.NodeSystemInfo{SystemUUID: fake.ServerID(stack, index)}},
	}
}

// fakeNode is what core makes of an instance without a node.
func fakeNode(id, reason string) *v1.Node {
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: id, Annotations: map[string]string{cloudprovider.FakeNodeReasonAnnotation: reason}},
		Spec:       v1.NodeSpec{ProviderID: id},
	}
}

// in puts a member of a stack into a state.
func in(index int, state nodegroups.State) func(*nodegroups.Stack) {
	return func(s *nodegroups.Stack) {
		m := &s.Members[index]
		m.State = state
		switch state {
		case nodegroups.Failed:
			m.Failure = &nodegroups.Failure{Class: nodegroups.OutOfResources, Code: nodegroups.CodeQuotaExceeded, Message: "Quota exceeded for cores"}
		case nodegroups.Deleting:
			s.Target--
		case nodegroups.Creating, nodegroups.Running, nodegroups.Lost:
		}
	}
}

const threeSlashes = "openstack:///"

func ref[T any](v T) *T { return &v }
