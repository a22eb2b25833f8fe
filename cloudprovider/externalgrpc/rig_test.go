package externalgrpc

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	core "k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc"
	"k8s.io/autoscaler/cluster-autoscaler/config"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// rig is a Server over a cloud in memory, and the stock client of 1.33.0 that talks to it over TCP.
type rig struct {
	cloud   *fake.Stacks
	reports *fake.Reports
	server  *Server
	address string
	// client is what a stock cluster-autoscaler works with.
	client core.CloudProvider
	// before is what the cloud does at the beginning of a call; it may be changed at any time.
	before atomic.Pointer[func(context.Context, fake.Call) error]
}

// interfere lets the cloud begin its calls with this.
func (r *rig) interfere(before func(context.Context, fake.Call) error) { r.before.Store(&before) }

// newRig serves the given stacks in plaintext on loopback. change may change the settings first.
func newRig(t *testing.T, change func(*Options, *cloudprovider.Options), stacks ...*nodegroups.Stack) *rig {
	t.Helper()
	return newFloorRig(t, nil, change, stacks...)
}

// newFloorRig is newRig with floors.
func newFloorRig(t *testing.T, floors nodegroups.Floors, change func(*Options, *cloudprovider.Options), stacks ...*nodegroups.Stack) *rig {
	t.Helper()
	r := &rig{cloud: fake.NewStacks(stacks...), reports: &fake.Reports{}}
	r.cloud.Before = func(ctx context.Context, call fake.Call) error {
		if before := r.before.Load(); before != nil {
			return (*before)(ctx, call)
		}
		return nil
	}
	opts := Options{Reporter: r.reports}
	below := cloudprovider.Options{Template: templateOf, RefreshInterval: -1, Reporter: r.reports}
	if change != nil {
		change(&opts, &below)
	}
	ctx, cancel := context.WithCancel(context.Background())
	provider, err := cloudprovider.New(ctx, nodegroups.NewManager(r.cloud, r.reports, nodegroups.ManagerOptions{Floors: floors}), below)
	require.NoError(t, err)
	r.server = New(ctx, provider, opts)
	ended := make(chan error, 1)
	listening := make(chan string, 1)
	go func() {
		ended <- r.server.Serve(ctx, Listen{Address: "127.0.0.1:0"}, func(a net.Addr) { listening <- a.String() })
	}()
	select {
	case r.address = <-listening:
	case err := <-ended:
		require.NoError(t, err, "the server did not begin")
	}
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
		r.server.Wait()
	})
	r.client = stock(t, fmt.Sprintf("address: %s\n", r.address))
	r.refresh(t)
	return r
}

// refresh has the client refresh. Where answers come soon, a reading on a busy computer may be answered a call later.
func (r *rig) refresh(t *testing.T) {
	t.Helper()
	eventually(t, "a reading", func() bool { return r.client.Refresh() == nil })
}

// stock returns the stock client with this cloud-config.
func stock(t *testing.T, cloudConfig string) core.CloudProvider {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cloud-config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(cloudConfig), 0o600))
	return externalgrpc.BuildExternalGrpc(config.AutoscalingOptions{CloudConfig: file}, core.NodeGroupDiscoveryOptions{},
		core.NewResourceLimiter(nil, nil))
}

func (r *rig) group(t *testing.T, name string) core.NodeGroup {
	t.Helper()
	for _, g := range r.client.NodeGroups() {
		if g.Id() == name {
			return g
		}
	}
	require.FailNow(t, "no such node group", name)
	return nil
}

func (r *rig) size(t *testing.T, name string) int {
	t.Helper()
	size, err := r.group(t, name).TargetSize()
	require.NoError(t, err)
	return size
}

// templateOf is a plain template.
func templateOf(g *nodegroups.Group) (*v1.Node, error) {
	capacity := v1.ResourceList{
		v1.ResourceCPU: *resource.NewQuantity(int64(g.Flavor.VCPUs), resource.DecimalSI), v1.ResourcePods: resource.MustParse("110"),
		v1.ResourceMemory: *resource.NewQuantity(int64(g.Flavor.RAMMiB)<<20, resource.BinarySI),
	}
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "template-" + g.Name, Labels: map[string]string{v1.LabelHostname: "template-" + g.Name, "pool": g.Name}},
		Spec:       v1.NodeSpec{Taints: []v1.Taint{{Key: "dedicated", Value: g.Name, Effect: v1.TaintEffectNoSchedule}}},
		Status:     v1.NodeStatus{Capacity: capacity, Allocatable: capacity},
	}, nil
}

// nodeOf is the node that a stack's member with this index has become.
func nodeOf(stack string, index int) *v1.Node {
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", stack, index)},
		Spec:       v1.NodeSpec{ProviderID: "openstack:///" + fake.ServerID(stack, index)},
	}
}

// eventually waits for something that another goroutine does at once.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, time.Minute, time.Millisecond, what)
}
