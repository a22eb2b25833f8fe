package cloudprovider

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func TestForeignNodesBelongToNoGroupAndAreNoError(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	for name, node := range map[string]*v1.Node{
		"control plane":         nodeOf("cp", 0, threeSlashes+fake.ServerID("cp", 0)),
		"another cloud's":       nodeOf("x", 0, "gce://project/zone/name"),
		"without any id":        {ObjectMeta: metav1.ObjectMeta{Name: "n"}},
		"of a vanished server":  fakeNode(threeSlashes+fake.ServerID("a", 77), cloudprovider.FakeNodeUnregistered),
		"a forgotten stand-in":  fakeNode(nodegroups.PlaceholderID(fake.UUID("a"), 3), cloudprovider.FakeNodeCreateError),
		"a malformed one":       nodeOf("x", 0, "openstack://"),
		"our UUID, other cloud": nodeOf("x", 0, "aws:///"+fake.ServerID("a", 0)),
	} {
		t.Run(name, func(t *testing.T) {
			group, err := r.NodeGroupForNode(node)
			require.NoError(t, err)
			require.True(t, group == nil, "an interface that is nil, not one that holds nil")
			_, err = r.HasInstance(node)
			require.True(t, err == cloudprovider.ErrNotImplemented, "by identity")
		})
	}
	require.Empty(t, r.reports.All(), "foreign nodes are not worth a word")
}

func TestOneGroupIsOnePointerForEver(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 2), fake.Stack("b", 1))
	before := r.NodeGroups()
	require.Len(t, before, 2)
	node, err := r.NodeGroupForNode(nodeOf("a", 1, threeSlashes+fake.ServerID("a", 1)))
	require.NoError(t, err)
	require.True(t, node == before[0])
	r.cloud.Change("a", func(s *nodegroups.Stack) { s.Config.MaxSize = 99 })
	require.NoError(t, r.Refresh())
	after := r.NodeGroups()
	require.True(t, after[0] == before[0] && after[1] == before[1])
	require.Equal(t, 99, before[0].MaxSize(), "the old pointer tells what is new")

	r.cloud.Delete("b")
	require.NoError(t, r.Refresh())
	require.Len(t, r.NodeGroups(), 1)
	r.cloud.Put(fake.Stack("b", 3))
	require.NoError(t, r.Refresh())
	require.True(t, r.NodeGroups()[1] == before[1], "also when it comes back")
}

func TestAVanishedGroup(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 2))
	g := r.nodeGroup(t, "a")
	_, err := g.TemplateNodeInfo()
	require.NoError(t, err)
	r.cloud.Delete("a")
	require.NoError(t, r.Refresh())

	require.False(t, g.Exist())
	_, err = g.TargetSize()
	require.ErrorIs(t, err, errVanished, "an unknown size is never a size")
	_, err = g.Nodes()
	require.ErrorIs(t, err, errVanished)
	require.ErrorIs(t, g.DecreaseTargetSize(-1), errVanished)
	require.Error(t, g.IncreaseSize(1))
	require.Zero(t, g.MinSize())
	require.Zero(t, g.MaxSize())
	require.Contains(t, g.Debug(), "gone")
	info, err := g.TemplateNodeInfo()
	require.NoError(t, err, "the last good one")
	require.NotNil(t, info)
	_, err = g.GetOptions(defaults)
	require.True(t, err == cloudprovider.ErrNotImplemented)
}

func TestHasInstance(t *testing.T) {
	states := map[nodegroups.State]bool{
		nodegroups.Creating: true, nodegroups.Running: true, nodegroups.Failed: true,
		nodegroups.Deleting: false, nodegroups.Lost: false,
	}
	for state, want := range states {
		r := newRig(t, nil, fake.Stack("a", 1, in(0, state)))
		has, err := r.HasInstance(nodeOf("a", 0, threeSlashes+fake.ServerID("a", 0)))
		require.NoError(t, err)
		require.Equal(t, want, has, state)
	}
}

func TestAServerDeletedBehindOurBackHasNoInstance(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 2))
	node := nodeOf("a", 0, threeSlashes+fake.ServerID("a", 0))
	r.cloud.Change("a", func(s *nodegroups.Stack) { s.Members, s.Target = s.Members[1:], 1 })
	require.NoError(t, r.Refresh())
	for range 3 {
		has, err := r.HasInstance(node)
		require.NoError(t, err, "it was a member: core must not fall back to its guess")
		require.False(t, has)
		r.clock.SetTime(r.clock.Now().Add(50 * time.Minute))
		require.NoError(t, r.Refresh())
	}
	// Nobody asks any more: it is forgotten.
	r.clock.SetTime(r.clock.Now().Add(2 * departedFor))
	require.NoError(t, r.Refresh())
	require.Empty(t, r.departed)
	_, err := r.HasInstance(node)
	require.True(t, err == cloudprovider.ErrNotImplemented)
}

func TestRefreshFailsWhenTheCloudCannotBeRead(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	down := errors.New("503 Service Unavailable")
	r.cloud.Fail("Refresh", "", down)
	require.ErrorIs(t, r.Refresh(), down)
	require.Len(t, r.NodeGroups(), 1, "what was known stays")
	r.cloud.Fail("Refresh", "", nil)
	require.NoError(t, r.Refresh())
	require.Len(t, r.observed.refreshes, 3)
	require.NoError(t, r.observed.refreshes[2])
	require.ErrorIs(t, r.observed.refreshes[1], down)
}

func TestRefreshThrottlesItself(t *testing.T) {
	r := newRig(t, func(o *Options) { o.RefreshInterval = 5 * time.Second }, fake.Stack("a", 1))
	count := func() int { return len(r.observed.refreshes) }
	require.Equal(t, 1, count())
	for range 10 {
		require.NoError(t, r.Refresh())
	}
	require.Equal(t, 1, count())
	r.clock.SetTime(r.clock.Now().Add(5 * time.Second))
	down := errors.New("down")
	r.cloud.Fail("Refresh", "", down)
	require.ErrorIs(t, r.Refresh(), down)
	require.Equal(t, 2, count())
	require.ErrorIs(t, r.Refresh(), down, "a failure holds until the next reading: nothing is decided on stale data")
	require.Equal(t, 2, count())
}

func TestRefreshIsBoundedAndEndsWithCleanup(t *testing.T) {
	r := newRig(t, func(o *Options) { o.RefreshTimeout = time.Hour }, fake.Stack("a", 1))
	r.cloud.Before = func(ctx context.Context, _ fake.Call) error {
		deadline, ok := ctx.Deadline()
		require.True(t, ok)
		require.Less(t, time.Until(deadline), 61*time.Minute)
		require.NoError(t, r.Cleanup())
		<-ctx.Done()
		return ctx.Err()
	}
	require.ErrorIs(t, r.Refresh(), context.Canceled)
	require.ErrorIs(t, r.Refresh(), context.Canceled)
	require.NoError(t, r.Cleanup(), "twice is once")
}

func TestGPUs(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1), fake.Stack("gpu", 1, func(s *nodegroups.Stack) {
		s.Config.Capacity.Labels = map[string]string{DefaultGPULabel: "a100"}
	}))
	require.Equal(t, DefaultGPULabel, r.GPULabel())
	require.Equal(t, map[string]struct{}{"a100": {}}, r.GetAvailableGPUTypes())
	require.Nil(t, r.GetNodeGpuConfig(nodeOf("a", 0, "")))
	node := nodeOf("gpu", 0, "")
	node.Labels = map[string]string{DefaultGPULabel: "a100"}
	require.Equal(t, &cloudprovider.GpuConfig{Label: DefaultGPULabel, Type: "a100", ResourceName: "nvidia.com/gpu"}, r.GetNodeGpuConfig(node))
}

func TestWhatIsNotImplementedSaysSoByIdentity(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	_, err := r.GetAvailableMachineTypes()
	require.True(t, err == cloudprovider.ErrNotImplemented)
	made, err := r.NewNodeGroup("m1", nil, nil, nil, nil)
	require.True(t, err == cloudprovider.ErrNotImplemented)
	require.True(t, made == nil)
	g := r.nodeGroup(t, "a")
	require.True(t, g.AtomicIncreaseSize(1) == cloudprovider.ErrNotImplemented)
	require.True(t, g.Delete() == cloudprovider.ErrNotImplemented)
	created, err := g.Create()
	require.True(t, err == cloudprovider.ErrAlreadyExist)
	require.True(t, created == nil)
	require.False(t, g.Autoprovisioned())
	require.True(t, g.Exist())
	require.Equal(t, ProviderName, r.Name())
	limiter, err := r.GetResourceLimiter()
	require.NoError(t, err)
	require.Empty(t, limiter.GetResources())
}
