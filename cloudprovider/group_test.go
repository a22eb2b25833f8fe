package cloudprovider

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/config"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

var defaults = config.NodeGroupAutoscalingOptions{
	ScaleDownUtilizationThreshold:    0.5,
	ScaleDownGpuUtilizationThreshold: 0.6,
	ScaleDownUnneededTime:            10 * time.Minute,
	ScaleDownUnreadyTime:             20 * time.Minute,
	MaxNodeProvisionTime:             15 * time.Minute,
}

func TestInstancesShowEveryStateInCoresWords(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 5,
		in(1, nodegroups.Creating), in(2, nodegroups.Failed), in(3, nodegroups.Deleting), in(4, nodegroups.Lost)))
	require.NoError(t, r.nodeGroup(t, "a").IncreaseSize(1))
	id := func(i int) string { return threeSlashes + fake.ServerID("a", i) }
	require.ElementsMatch(t, []string{
		id(0) + " running",
		id(1) + " creating",
		id(2) + " creating OutOfResource/QuotaExceeded: Quota exceeded for cores",
		id(3) + " deleting",
		id(4) + " deleting",
		nodegroups.PlaceholderID(fake.UUID("a"), 0) + " creating",
	}, r.instances(t, "a"))
	require.Equal(t, 5, r.size(t, "a"))
}

func TestFailedMembersAlwaysHaveAClassACodeAndWords(t *testing.T) {
	for name, tt := range map[string]struct {
		failure *nodegroups.Failure
		want    cloudprovider.InstanceErrorInfo
	}{
		"none": {nil, cloudprovider.InstanceErrorInfo{
			ErrorClass: cloudprovider.OtherErrorClass, ErrorCode: "CloudError", ErrorMessage: "the cloud gave no reason"}},
		"empty": {&nodegroups.Failure{}, cloudprovider.InstanceErrorInfo{
			ErrorClass: cloudprovider.OtherErrorClass, ErrorCode: "CloudError", ErrorMessage: "the cloud gave no reason"}},
		"no host": {&nodegroups.Failure{Class: nodegroups.OutOfResources, Code: nodegroups.CodeNoValidHost, Message: "No valid host was found."},
			cloudprovider.InstanceErrorInfo{
				ErrorClass: cloudprovider.OutOfResourcesErrorClass, ErrorCode: "NoValidHost", ErrorMessage: "No valid host was found."}},
		"other": {&nodegroups.Failure{Class: nodegroups.OtherFailure, Code: nodegroups.CodeNotFound, Message: "Image x not found"},
			cloudprovider.InstanceErrorInfo{
				ErrorClass: cloudprovider.OtherErrorClass, ErrorCode: "NotFound", ErrorMessage: "Image x not found"}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, &tt.want, errorInfo(tt.failure)) })
	}
}

func TestABlockedGroupIsFrozenAtItsSize(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 3, fake.InGroup("a", 1, 10), fake.BlockedBy(nodegroups.ReasonUnsafeTemplate)))
	g := r.nodeGroup(t, "a")
	require.Equal(t, []int{3, 3, 3}, []int{g.MinSize(), r.size(t, "a"), g.MaxSize()})
	require.Len(t, r.instances(t, "a"), 3)
	var problem nodegroups.Problem
	require.ErrorAs(t, g.IncreaseSize(1), &problem)
	require.Equal(t, nodegroups.ReasonUnsafeTemplate, problem.Reason)
	require.Error(t, g.DeleteNodes([]*v1.Node{nodeOf("a", 0, threeSlashes+fake.ServerID("a", 0))}))
	require.Empty(t, r.orders())
	require.Contains(t, g.Debug(), "blocked")
}

func TestMembersThatNobodyCanTakeOutAreNotWaitedFor(t *testing.T) {
	r := newRig(t, nil,
		fake.Stack("a1", 3, fake.InGroup("a", 0, 10), in(1, nodegroups.Failed), in(2, nodegroups.Lost), fake.BlockedBy(nodegroups.ReasonStackFailed)),
		fake.Stack("a2", 2, fake.InGroup("a", 0, 10), in(1, nodegroups.Failed)))
	require.Equal(t, 3, r.size(t, "a"), "the blocked stack's one living member, and both of the other stack's")
	g := r.nodeGroup(t, "a")
	require.Equal(t, []int{0, 10}, []int{g.MinSize(), g.MaxSize()}, "the other stack can still grow")
}

func TestGetOptions(t *testing.T) {
	r := newRig(t, nil, fake.Stack("plain", 1), fake.Stack("own", 1, func(s *nodegroups.Stack) {
		s.Config.Options.ScaleDownUnneededTime = ref(time.Minute)
	}), fake.Stack("all", 1, func(s *nodegroups.Stack) {
		s.Config.Options = nodegroups.Options{
			ScaleDownUtilizationThreshold: ref(0.1), ScaleDownGpuUtilizationThreshold: ref(0.2),
			ScaleDownUnneededTime: ref(1 * time.Second), ScaleDownUnreadyTime: ref(2 * time.Second), MaxNodeProvisionTime: ref(3 * time.Second),
			ZeroOrMaxNodeScaling: ref(true), IgnoreDaemonSetsUtilization: ref(true),
		}
	}))
	opts, err := r.nodeGroup(t, "plain").GetOptions(defaults)
	require.True(t, err == cloudprovider.ErrNotImplemented, "by identity")
	require.Nil(t, opts)

	opts, err = r.nodeGroup(t, "own").GetOptions(defaults)
	require.NoError(t, err)
	want := defaults
	want.ScaleDownUnneededTime = time.Minute
	require.Equal(t, &want, opts)
	require.Equal(t, 10*time.Minute, defaults.ScaleDownUnneededTime, "the caller's defaults are not touched")

	opts, err = r.nodeGroup(t, "all").GetOptions(defaults)
	require.NoError(t, err)
	require.Equal(t, &config.NodeGroupAutoscalingOptions{
		ScaleDownUtilizationThreshold: 0.1, ScaleDownGpuUtilizationThreshold: 0.2,
		ScaleDownUnneededTime: time.Second, ScaleDownUnreadyTime: 2 * time.Second, MaxNodeProvisionTime: 3 * time.Second,
		ZeroOrMaxNodeScaling: true, IgnoreDaemonSetsUtilization: true,
	}, opts)
}

func TestTemplateNodeInfo(t *testing.T) {
	var fail error
	var none bool
	r := newRig(t, func(o *Options) {
		o.Template = func(g *nodegroups.Group) (*v1.Node, error) {
			if fail != nil || none {
				return nil, fail
			}
			return templateOf(g)
		}
	}, fake.Stack("a", 0), fake.Stack("b", 0))
	fail = errors.New("flavor m9 is unknown")
	barren, err := r.nodeGroup(t, "a").TemplateNodeInfo()
	require.NoError(t, err, "an error would end the scale-ups of all groups")
	require.True(t, barren.Node().Status.Allocatable.Pods().IsZero(), "no pod fits on a node that nobody knows")
	require.Equal(t, []string{nodegroups.ReasonNoTemplate}, r.reports.Reasons())
	require.Contains(t, r.reports.All()[0].Message, "flavor m9 is unknown")

	fail = nil
	info, err := r.nodeGroup(t, "a").TemplateNodeInfo()
	require.NoError(t, err)
	require.Equal(t, "2", info.Node().Status.Capacity.Cpu().String())
	info.Node().Labels["spoilt"] = "by core"

	for _, none = range []bool{false, true} {
		if !none {
			fail = errors.New("the flavor has gone")
		} else {
			fail = nil
		}
		again, err := r.nodeGroup(t, "a").TemplateNodeInfo()
		require.NoError(t, err, "the last good template holds")
		require.NotContains(t, again.Node().Labels, "spoilt", "every caller gets its own copy")
	}
	barren, err = r.nodeGroup(t, "b").TemplateNodeInfo()
	require.NoError(t, err)
	require.True(t, barren.Node().Status.Allocatable.Pods().IsZero())
}

func TestDrift(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	g, err := r.nodeGroup(t, "a").TemplateNodeInfo()
	require.NoError(t, err)
	node := nodeOf("a", 0, threeSlashes+fake.ServerID("a", 0))
	node.Labels = g.Node().Labels
	node.Status.Allocatable = g.Node().Status.Allocatable.DeepCopy()
	node.Status.Allocatable[v1.ResourceMemory] = resource.MustParse("3Gi")
	r.shows(t, node)
	require.Empty(t, r.observed.drifts, "a node that is not ready tells nothing")
	node.Status.Conditions = []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue}}
	r.shows(t, node)
	require.Equal(t, map[string]float64{"a cpu": 1, "a memory": 0.75, "a ephemeral-storage": 1, "a pods": 1}, r.observed.drifts)
	require.Equal(t, []string{nodegroups.ReasonTemplateDrift}, r.reports.Reasons())
	require.Contains(t, r.reports.All()[0].Error(), "25 % less")

	r.shows(t, node)
	require.NoError(t, r.Refresh())
	r.shows(t, node)
	require.Len(t, r.reports.All(), 1, "now and then is enough")
	r.clock.SetTime(r.clock.Now().Add(driftEvery))
	require.NoError(t, r.Refresh())
	node.Status.Allocatable[v1.ResourceMemory] = resource.MustParse("5Gi")
	node.Labels = map[string]string{"group": "b"}
	node.Spec.Taints = []v1.Taint{{Key: "dedicated", Value: "x", Effect: v1.TaintEffectNoSchedule}}
	r.shows(t, node)
	var keys []string
	for _, p := range r.reports.All()[1:] {
		keys = append(keys, p.Key)
		require.NotEmpty(t, p.Remedy)
	}
	require.Equal(t, []string{"group", v1.LabelArchStable, v1.LabelOSStable, v1.LabelInstanceTypeStable, "dedicated"}, keys,
		"more memory than promised is no harm")
}
