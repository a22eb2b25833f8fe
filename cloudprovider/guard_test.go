package cloudprovider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"pgregory.net/rapid"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// broken is Groups that panics on demand.
type broken struct {
	Groups
	on bool
}

func (b *broken) Snapshot() *nodegroups.Snapshot {
	if b.on {
		panic("a bug")
	}
	return b.Groups.Snapshot()
}

func TestPanicsBecomeSafeAnswers(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 3, fake.InGroup("a", 1, 9)))
	b := &broken{Groups: r.groups}
	r.groups = b
	g := r.nodeGroup(t, "a")
	node := nodeOf("a", 0, threeSlashes+fake.ServerID("a", 0))
	list, err := g.Nodes()
	require.NoError(t, err)
	require.Equal(t, 3, r.size(t, "a"))
	_, err = g.TemplateNodeInfo()
	require.NoError(t, err)

	b.on = true
	entries := map[string]func(){
		"CloudProvider.NodeGroups": func() {
			require.Equal(t, []cloudprovider.NodeGroup{g}, r.NodeGroups(), "an empty list would make core forget all groups")
		},
		"CloudProvider.NodeGroupForNode": func() {
			got, err := r.NodeGroupForNode(node)
			var panicked *PanicError
			require.ErrorAs(t, err, &panicked, "(nil, nil) would say that the node is not ours")
			require.Contains(t, err.Error(), "a bug")
			require.True(t, got == nil)
		},
		"CloudProvider.HasInstance": func() {
			_, err := r.HasInstance(node)
			require.Error(t, err)
		},
		"CloudProvider.GetAvailableGPUTypes": func() { require.Empty(t, r.GetAvailableGPUTypes()) },
		"CloudProvider.Refresh":              func() { require.Error(t, r.Refresh()) },
		"NodeGroup.TargetSize": func() {
			size, err := g.TargetSize()
			require.NoError(t, err, "an error would abort the loop for all groups")
			require.Equal(t, 3, size)
		},
		"NodeGroup.MinSize": func() { require.Equal(t, 3, g.MinSize(), "nothing is taken away") },
		"NodeGroup.MaxSize": func() { require.Equal(t, 3, g.MaxSize(), "nothing is added") },
		"NodeGroup.Nodes": func() {
			got, err := g.Nodes()
			require.NoError(t, err)
			require.Equal(t, list, got)
		},
		"NodeGroup.TemplateNodeInfo": func() {
			info, err := g.TemplateNodeInfo()
			require.NoError(t, err)
			require.NotNil(t, info)
		},
		"NodeGroup.GetOptions": func() {
			_, err := g.GetOptions(defaults)
			require.True(t, err == cloudprovider.ErrNotImplemented)
		},
		"NodeGroup.Exist":              func() { require.True(t, g.Exist()) },
		"NodeGroup.Debug":              func() { require.Equal(t, "a", g.Debug()) },
		"NodeGroup.DeleteNodes":        func() { require.Error(t, g.DeleteNodes([]*v1.Node{node})) },
		"NodeGroup.ForceDeleteNodes":   func() { require.Error(t, g.ForceDeleteNodes([]*v1.Node{node})) },
		"NodeGroup.DecreaseTargetSize": func() { require.Error(t, g.DecreaseTargetSize(-1)) },
	}
	for entry, call := range entries {
		before := len(r.observed.panics)
		require.NotPanics(t, call, entry)
		require.Equal(t, []string{entry}, r.observed.panics[before:], "it is counted")
	}

	fresh := r.group("never-seen")
	_, err = fresh.Nodes()
	require.Error(t, err, "no list is not an empty list")
	barren, err := fresh.TemplateNodeInfo()
	require.NoError(t, err)
	require.True(t, barren.Node().Status.Allocatable.Pods().IsZero())

	b.on = false
	require.NoError(t, r.Refresh(), "and life goes on")
	require.Equal(t, 3, r.size(t, "a"))
}

func TestPanicsOfWritesBecomeErrors(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	r.cloud.Before = func(context.Context, fake.Call) error { return nil }
	r.Provider.groups = &brokenWrites{r.groups}
	require.ErrorContains(t, r.nodeGroup(t, "a").IncreaseSize(1), "internal error in NodeGroup.IncreaseSize")
	require.Equal(t, []string{"NodeGroup.IncreaseSize"}, r.observed.panics)
}

type brokenWrites struct{ Groups }

func (*brokenWrites) Grow(context.Context, string, int) error { panic(errors.New("a bug")) }

// anyStack draws a stack in any state, sensible or not.
func anyStack(t *rapid.T, name string) *nodegroups.Stack {
	s := fake.Stack(name, rapid.IntRange(0, 6).Draw(t, "size"))
	s.Target = rapid.IntRange(-1, 9).Draw(t, "target")
	s.Known = rapid.Bool().Draw(t, "known")
	s.Config.Name = rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "group")
	s.Config.MinSize, s.Config.MaxSize = rapid.IntRange(0, 5).Draw(t, "min"), rapid.IntRange(0, 5).Draw(t, "max")
	for i := range s.Members {
		m := &s.Members[i]
		m.State = nodegroups.State(rapid.IntRange(0, 6).Draw(t, "state"))
		switch rapid.IntRange(0, 4).Draw(t, "shape") {
		case 0:
			m.ServerID = ""
		case 1:
			m.ServerID, m.Index, m.Placeholder = "", "", nodegroups.PlaceholderID(s.ID, i)
		case 2:
			m.ServerID = "not a uuid"
		}
		if rapid.Bool().Draw(t, "failure") {
			m.Failure = &nodegroups.Failure{}
		}
	}
	if rapid.Bool().Draw(t, "blocked") {
		fake.BlockedBy(nodegroups.ReasonStackFailed)(s)
	}
	if rapid.Bool().Draw(t, "no flavor") {
		s.Flavor = nil
	}
	if rapid.Bool().Draw(t, "options") {
		s.Config.Options.MaxNodeProvisionTime = ref(defaults.MaxNodeProvisionTime)
	}
	return s
}

// TestNoStateOfTheCloudPanicsOrIsAnsweredByNothing asks everything core can ask, about clouds in any state.
func TestNoStateOfTheCloudPanicsOrIsAnsweredByNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var stacks []*nodegroups.Stack
		for i := range rapid.IntRange(0, 3).Draw(rt, "stacks") {
			stacks = append(stacks, anyStack(rt, fmt.Sprint("s", i)))
		}
		r := newRig(t, nil, stacks...)
		if rapid.Bool().Draw(rt, "writes fail") {
			for _, method := range []string{"Grow", "Remove", "Shrink"} {
				r.cloud.Fail(method, "", errors.New("refused"))
			}
		}
		nodes := []*v1.Node{{}, nodeOf("x", 0, ""), nodeOf("x", 0, "gce://x"), nodeOf("s0", 0, "")}
		for _, g := range r.NodeGroups() {
			list, err := g.Nodes()
			require.NoError(rt, err)
			for _, i := range list {
				require.NotEmpty(rt, i.Id)
				require.NotNil(rt, i.Status)
				if e := i.Status.ErrorInfo; e != nil {
					require.NotEmpty(rt, e.ErrorCode)
					require.NotZero(rt, e.ErrorClass)
					require.Equal(rt, cloudprovider.InstanceCreating, i.Status.State, "no other form is cleaned up")
				}
				nodes = append(nodes, fakeNode(i.Id, rapid.SampledFrom([]string{
					cloudprovider.FakeNodeUnregistered, cloudprovider.FakeNodeCreateError}).Draw(rt, "reason")))
			}
		}
		for _, g := range r.NodeGroups() {
			size, err := g.TargetSize()
			require.NoError(rt, err)
			require.GreaterOrEqual(rt, size, 0)
			require.GreaterOrEqual(rt, g.MaxSize(), 0)
			require.GreaterOrEqual(rt, g.MinSize(), 0)
			require.NotEmpty(rt, g.Debug())
			require.True(rt, g.Exist())
			info, err := g.TemplateNodeInfo()
			require.NoError(rt, err)
			require.NotNil(rt, info.Node())
			opts, err := g.GetOptions(defaults)
			require.True(rt, (opts == nil) == (err == cloudprovider.ErrNotImplemented))
			_ = g.IncreaseSize(rapid.IntRange(-1, 3).Draw(rt, "grow"))
			_ = g.DeleteNodes(nodes[rapid.IntRange(0, len(nodes)-1).Draw(rt, "from"):])
			_ = g.ForceDeleteNodes(nodes[len(nodes)-1:])
			if by := rapid.IntRange(1, 5).Draw(rt, "decrease"); by <= size {
				require.NoError(rt, g.DecreaseTargetSize(-by), "it must not stop the loop")
			}
		}
		for _, node := range nodes {
			group, err := r.NodeGroupForNode(node)
			require.NoError(rt, err)
			require.True(rt, group == nil || slices.Contains(r.NodeGroups(), group))
			_, err = r.HasInstance(node)
			require.True(rt, err == nil || err == cloudprovider.ErrNotImplemented)
			_ = r.GetNodeGpuConfig(node)
		}
		require.NotNil(rt, r.GetAvailableGPUTypes())
		require.NoError(rt, r.Refresh())
		require.Empty(rt, r.observed.panics)
	})
}
