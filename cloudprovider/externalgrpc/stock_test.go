package externalgrpc

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	core "k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/autoscaler/cluster-autoscaler/config"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/framework"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func TestTheStockClientSeesWhatTheProviderSays(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 3, fake.InGroup("a", 1, 7)), fake.Stack("b", 0))
	require.Len(t, r.client.NodeGroups(), 2)
	a := r.group(t, "a")
	require.Equal(t, 1, a.MinSize())
	require.Equal(t, 7, a.MaxSize())
	require.Contains(t, a.Debug(), "target 3")
	require.Equal(t, 3, r.size(t, "a"))

	for index := range 3 {
		g, err := r.client.NodeGroupForNode(nodeOf("a", index))
		require.NoError(t, err)
		require.Equal(t, "a", g.Id())
		require.Equal(t, 1, g.MinSize(), "scale-down asks this object")
		require.Equal(t, 7, g.MaxSize())
	}
	instances, err := a.Nodes()
	require.NoError(t, err)
	require.Len(t, instances, 3)
	require.Equal(t, nodeOf("a", 0).Spec.ProviderID, instances[0].Id)
	require.Equal(t, core.InstanceRunning, instances[0].Status.State)
	require.Nil(t, instances[0].Status.ErrorInfo)
	require.Equal(t, cloudprovider.DefaultGPULabel, r.client.GPULabel())
	require.Empty(t, r.client.GetAvailableGPUTypes())
	require.NoError(t, r.client.Cleanup(), "it does not end the server")
	require.NoError(t, r.client.Refresh())
}

// floorOf is a floor of group a, as high as it says.
type floorOf struct{ size atomic.Int32 }

func (f *floorOf) Update(context.Context, []*nodegroups.Group) map[string]nodegroups.Floor {
	return map[string]nodegroups.Floor{"a": {Size: int(f.size.Load()), Reason: "load"}}
}

// A client keeps the least size from two answers: the one grows a group to it, the other keeps nodes.
func TestTheStockClientSeesAFloor(t *testing.T) {
	floor := &floorOf{}
	r := newFloorRig(t, floor, nil, fake.Stack("a", 3, fake.InGroup("a", 1, 7)))
	for _, test := range []struct{ floor, want int32 }{{0, 1}, {5, 5}, {99, 7}, {2, 2}, {0, 1}} {
		floor.size.Store(test.floor)
		require.NoError(t, r.client.Refresh())
		require.EqualValues(t, test.want, r.group(t, "a").MinSize(), "floor %d", test.floor)
		g, err := r.client.NodeGroupForNode(nodeOf("a", 0))
		require.NoError(t, err)
		require.EqualValues(t, test.want, g.MinSize(), "floor %d", test.floor)
		require.Equal(t, 3, r.size(t, "a"), "a floor is no size")
	}
}

func TestForeignNodesAreInNoGroup(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	for name, node := range map[string]*v1.Node{
		"control plane": nodeOf("control-plane", 0), "another cloud's": {Spec: v1.NodeSpec{ProviderID: "gce://x/y/z"}}, "nameless": {},
	} {
		g, err := r.client.NodeGroupForNode(node)
		require.NoError(t, err, name)
		require.True(t, g == nil, name)
	}
}

func TestANodeWithoutProviderIDIsFoundByItsName(t *testing.T) {
	full := nodeOf("a", 0)
	full.Spec.ProviderID, full.Status.NodeInfo.SystemUUID = "", fake.ServerID("a", 0)
	r := newRig(t, func(o *Options, _ *cloudprovider.Options) {
		o.Node = func(name string) *v1.Node {
			if name == full.Name {
				return full
			}
			return nil
		}
	}, fake.Stack("a", 1))
	g, err := r.client.NodeGroupForNode(&v1.Node{ObjectMeta: metav1.ObjectMeta{Name: full.Name}})
	require.NoError(t, err)
	require.Equal(t, "a", g.Id())
	g, err = r.client.NodeGroupForNode(&v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "other"}})
	require.NoError(t, err)
	require.True(t, g == nil)
}

func TestTheStockClientGrowsAndShrinksTheGroup(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 2))
	require.NoError(t, r.group(t, "a").IncreaseSize(2))
	require.Equal(t, 4, r.size(t, "a"))
	require.NoError(t, r.group(t, "a").DeleteNodes([]*v1.Node{nodeOf("a", 0)}))
	require.Equal(t, 3, r.size(t, "a"))
	require.NoError(t, r.group(t, "a").DeleteNodes([]*v1.Node{nodeOf("a", 0)}), "core repeats itself")
	require.Equal(t, 3, r.size(t, "a"))
	require.NoError(t, r.group(t, "a").DecreaseTargetSize(-1))
	require.Equal(t, 2, r.size(t, "a"))

	require.ErrorContains(t, r.group(t, "a").IncreaseSize(0), "1 or more")
	require.ErrorContains(t, r.group(t, "a").IncreaseSize(99), "maximum")
	require.Error(t, r.group(t, "a").DeleteNodes([]*v1.Node{nodeOf("b", 0)}))
	require.Equal(t, 2, r.size(t, "a"), "what was refused changes nothing")
}

func TestAFailedMemberIsShownWithClassAndCode(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 0))
	require.NoError(t, r.group(t, "a").IncreaseSize(1))
	r.cloud.FailPlaceholders("a", nodegroups.Failure{Class: nodegroups.OutOfResources, Code: "QUOTA", Message: "Quota exceeded for cores"})
	require.NoError(t, r.client.Refresh())
	instances, err := r.group(t, "a").Nodes()
	require.NoError(t, err)
	require.Len(t, instances, 1)
	require.Equal(t, core.InstanceCreating, instances[0].Status.State)
	require.Equal(t, &core.InstanceErrorInfo{
		ErrorClass: core.OutOfResourcesErrorClass, ErrorCode: "QUOTA", ErrorMessage: "Quota exceeded for cores",
	}, instances[0].Status.ErrorInfo)
}

func TestGroupsWithoutOptionsTakeTheDefaults(t *testing.T) {
	minute, threshold := 7*time.Minute, 0.25
	r := newRig(t, nil, fake.Stack("plain", 1), fake.Stack("own", 1, func(s *nodegroups.Stack) {
		s.Config.Options = nodegroups.Options{ScaleDownUnneededTime: &minute, ScaleDownUtilizationThreshold: &threshold}
	}))
	defaults := config.NodeGroupAutoscalingOptions{
		ScaleDownUtilizationThreshold: 0.5, ScaleDownGpuUtilizationThreshold: 0.4, ScaleDownUnneededTime: time.Minute,
		ScaleDownUnreadyTime: 2 * time.Minute, MaxNodeProvisionTime: 15 * time.Minute, IgnoreDaemonSetsUtilization: true,
	}
	none, err := r.group(t, "plain").GetOptions(defaults)
	require.NoError(t, err, "clients before 1.29 know no error that means no more than that there are no options")
	require.Nil(t, none)
	own, err := r.group(t, "own").GetOptions(defaults)
	require.NoError(t, err)
	want := defaults
	want.ScaleDownUnneededTime, want.ScaleDownUtilizationThreshold = minute, threshold
	require.Equal(t, &want, own)
}

func TestTemplate(t *testing.T) {
	r := newRig(t, func(_ *Options, below *cloudprovider.Options) {
		below.Template = func(g *nodegroups.Group) (*v1.Node, error) {
			if g.Name == "unknown" {
				return nil, errors.New("the flavor is not known")
			}
			return templateOf(g)
		}
	}, fake.Stack("a", 0), fake.Stack("unknown", 0))
	info, err := r.group(t, "a").TemplateNodeInfo()
	require.NoError(t, err)
	want, err := templateOf(&nodegroups.Group{Name: "a", Flavor: fake.Stack("a", 0).Flavor})
	require.NoError(t, err)
	require.Equal(t, want.Status.Capacity.Cpu().MilliValue(), info.Node().Status.Capacity.Cpu().MilliValue())
	require.Equal(t, want.Spec.Taints, info.Node().Spec.Taints)
	require.Equal(t, "a", info.Node().Labels["pool"])
	info, err = r.group(t, "unknown").TemplateNodeInfo()
	require.NoError(t, err, "an error would end the loop for all groups")
	require.NotNil(t, info, "a stock client ends with a panic")
	require.Zero(t, info.Node().Status.Allocatable.Pods().Value(), "nothing fits on what is not known")
}

// blank is a provider whose one group has what no group of ours has: no template, and members with an error that has no code.
type blank struct {
	Provider
	template *framework.NodeInfo
}

func (b blank) NodeGroup(string) (core.NodeGroup, bool) {
	return blankGroup{template: b.template}, true
}

type blankGroup struct {
	core.NodeGroup
	template *framework.NodeInfo
}

func (g blankGroup) TemplateNodeInfo() (*framework.NodeInfo, error) { return g.template, nil }

func (blankGroup) Nodes() ([]core.Instance, error) {
	return []core.Instance{
		{Id: "plain"},
		{Id: "failed", Status: &core.InstanceStatus{State: core.InstanceCreating, ErrorInfo: &core.InstanceErrorInfo{
			ErrorClass: core.OtherErrorClass, ErrorMessage: "it fell over",
		}}},
		{Id: "leaving", Status: &core.InstanceStatus{State: core.InstanceDeleting}},
	}, nil
}

// A stock client ends with a panic if it is told of a template without a node.
func TestNoTemplateIsNoEmptyTemplate(t *testing.T) {
	for name, template := range map[string]*framework.NodeInfo{"none": nil, "empty": framework.NewNodeInfo(nil, nil)} {
		answer, err := New(t.Context(), blank{template: template}, Options{}).
			NodeGroupTemplateNodeInfo(t.Context(), &protos.NodeGroupTemplateNodeInfoRequest{Id: "a"})
		require.Equal(t, codes.Unimplemented, status.Code(err), name)
		require.Nil(t, answer, name)
	}
}

// A stock client drops an error without a code, and core then waits for the machine until its time is up.
func TestAnErrorWithoutACodeGetsOne(t *testing.T) {
	answer, err := New(t.Context(), blank{}, Options{}).NodeGroupNodes(t.Context(), &protos.NodeGroupNodesRequest{Id: "a"})
	require.NoError(t, err)
	require.Len(t, answer.GetInstances(), 3)
	require.Nil(t, answer.GetInstances()[0].GetStatus())
	failed := answer.GetInstances()[1].GetStatus()
	require.Equal(t, protos.InstanceStatus_instanceCreating, failed.GetInstanceState())
	require.NotEmpty(t, failed.GetErrorInfo().GetErrorCode())
	require.Equal(t, "it fell over", failed.GetErrorInfo().GetErrorMessage())
	require.EqualValues(t, core.OtherErrorClass, failed.GetErrorInfo().GetInstanceErrorClass())
	require.Equal(t, protos.InstanceStatus_instanceDeleting, answer.GetInstances()[2].GetStatus().GetInstanceState())
}

func TestNoPricesAreAnError(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	model, err := r.client.Pricing()
	require.Nil(t, err)
	_, priceErr := model.NodePrice(nodeOf("a", 0), time.Now(), time.Now().Add(time.Hour))
	require.ErrorContains(t, priceErr, "--price-file")
	_, priceErr = model.PodPrice(&v1.Pod{}, time.Now(), time.Now().Add(time.Hour))
	require.ErrorContains(t, priceErr, "--price-file")
}

func TestAVanishedGroupIsAnErrorNotASize(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	g := r.group(t, "a")
	r.cloud.Delete("a")
	require.NoError(t, r.client.Refresh())
	_, err := g.TargetSize()
	require.ErrorContains(t, err, `there is no node group "a"`)
	_, err = g.Nodes()
	require.Error(t, err)
	require.Error(t, g.IncreaseSize(1))
	require.Error(t, g.DeleteNodes([]*v1.Node{nodeOf("a", 0)}))
	require.Error(t, g.DecreaseTargetSize(-1))
	_, err = g.GetOptions(config.NodeGroupAutoscalingOptions{})
	require.Error(t, err)
	_, err = g.TemplateNodeInfo()
	require.Error(t, err)
}
