package cloudprovider

import (
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// shows lets core show a node, as it does in every loop.
func (r *rig) shows(t *testing.T, node *v1.Node) {
	t.Helper()
	_, err := r.NodeGroupForNode(node)
	require.NoError(t, err)
}

func TestInstanceIdsHaveTheFormThatNodesHave(t *testing.T) {
	s0, s1 := fake.ServerID("a", 0), fake.ServerID("a", 1)
	for name, tt := range map[string]struct {
		nodes []*v1.Node
		want  []string
	}{
		"before any node": {nil, []string{threeSlashes + s0, threeSlashes + s1}},
		"with a region": {
			[]*v1.Node{nodeOf("a", 0, "openstack://RegionOne/"+s0)},
			[]string{"openstack://RegionOne/" + s0, "openstack://RegionOne/" + s1},
		},
		"bare": {[]*v1.Node{nodeOf("a", 0, s0)}, []string{s0, s1}},
		"each its own": {
			[]*v1.Node{nodeOf("a", 0, s0), nodeOf("a", 1, threeSlashes+s1)},
			[]string{s0, threeSlashes + s1},
		},
		"learnt from a control plane": {
			[]*v1.Node{nodeOf("control-plane", 0, "openstack://RegionOne/"+fake.ServerID("control-plane", 0))},
			[]string{"openstack://RegionOne/" + s0, "openstack://RegionOne/" + s1},
		},
		"upper case": {
			[]*v1.Node{nodeOf("a", 0, "openstack:///"+upper(s0))},
			[]string{"openstack:///" + upper(s0), threeSlashes + s1},
		},
		"another cloud's node teaches nothing": {
			[]*v1.Node{nodeOf("x", 0, "aws:///eu-1/i-0123456789")},
			[]string{threeSlashes + s0, threeSlashes + s1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil, fake.Stack("a", 2))
			for _, n := range tt.nodes {
				r.shows(t, n)
			}
			want := []string{tt.want[0] + " running", tt.want[1] + " running"}
			require.Equal(t, want, r.instances(t, "a"))
			require.NoError(t, r.Refresh())
			require.Equal(t, want, r.instances(t, "a"), "also after a refresh")
		})
	}
}

func upper(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] >= 'a' && b[i] <= 'f' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

func TestTheMostCommonFormIsTakenForServersWithoutANode(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 5))
	r.shows(t, nodeOf("a", 0, fake.ServerID("a", 0)))
	r.shows(t, nodeOf("a", 1, "openstack://R/"+fake.ServerID("a", 1)))
	r.shows(t, nodeOf("a", 2, "openstack://R/"+fake.ServerID("a", 2)))
	require.Equal(t, "openstack://R/"+fake.ServerID("a", 4)+" running", r.instances(t, "a")[4])

	// The two nodes with a region go: what is left decides.
	r.cloud.Change("a", func(s *nodegroups.Stack) {
		s.Members = append(s.Members[:1:1], s.Members[3:]...)
		s.Target = 3
	})
	require.NoError(t, r.Refresh())
	require.Equal(t, fake.ServerID("a", 4)+" running", r.instances(t, "a")[2])

	// With no node left, the form that was common stays.
	r.cloud.Change("a", func(s *nodegroups.Stack) { s.Members, s.Target = s.Members[1:], 2 })
	require.NoError(t, r.Refresh())
	require.Equal(t, fake.ServerID("a", 4)+" running", r.instances(t, "a")[1])
}

func TestANodeWhoseFormChangesIsFollowed(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	r.shows(t, nodeOf("a", 0, fake.ServerID("a", 0)))
	r.shows(t, nodeOf("a", 0, "openstack://R/"+fake.ServerID("a", 0)))
	require.Equal(t, []string{"openstack://R/" + fake.ServerID("a", 0) + " running"}, r.instances(t, "a"))
	require.Equal(t, map[string]int{"openstack://R/": 1}, r.ids.prefixes)
}

func TestAServerWhoseNodeHasNoProviderIDIsNotShown(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 2))
	silent := nodeOf("a", 0, "")
	group, err := r.NodeGroupForNode(silent)
	require.NoError(t, err)
	require.Equal(t, "a", group.Id(), "it is found by its system UUID")
	other := threeSlashes + fake.ServerID("a", 1) + " running"
	require.Equal(t, []string{other}, r.instances(t, "a"))
	require.Equal(t, 2, r.size(t, "a"), "it counts all the same: its node is registered")

	reports := r.reports.All()
	require.Len(t, reports, 1)
	require.Equal(t, nodegroups.ReasonNoProviderID, reports[0].Reason)
	require.Equal(t, "a-0", reports[0].Node)
	require.Contains(t, reports[0].Remedy, "cloud-provider-openstack")
	r.shows(t, silent)
	require.Len(t, r.reports.All(), 1, "it is reported once")

	require.NoError(t, group.DeleteNodes([]*v1.Node{silent}), "scale-down of such a node works")
	require.Equal(t, []string{"Remove [" + fake.ServerID("a", 0) + "]"}, r.orders())
}

func TestAServerIsShownAgain(t *testing.T) {
	shown := []string{threeSlashes + fake.ServerID("a", 0) + " running"}
	t.Run("when its node gets a provider id", func(t *testing.T) {
		r := newRig(t, nil, fake.Stack("a", 1))
		r.shows(t, nodeOf("a", 0, threeSlashes+fake.ServerID("a", 0)))
		r.shows(t, nodeOf("a", 0, ""))
		require.Empty(t, r.instances(t, "a"))
		r.shows(t, nodeOf("a", 0, threeSlashes+fake.ServerID("a", 0)))
		require.Equal(t, shown, r.instances(t, "a"))
	})
	t.Run("when its node is gone for a while", func(t *testing.T) {
		r := newRig(t, nil, fake.Stack("a", 1))
		r.shows(t, nodeOf("a", 0, ""))
		for range hiddenGenerations {
			require.NoError(t, r.Refresh())
			require.Empty(t, r.instances(t, "a"), "loops may end before they show nodes")
		}
		require.NoError(t, r.Refresh())
		require.Equal(t, shown, r.instances(t, "a"))
	})
}

func TestFakeNodesTeachNothing(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	r.shows(t, fakeNode(fake.ServerID("a", 0), "unregistered"))
	require.Equal(t, []string{threeSlashes + fake.ServerID("a", 0) + " running"}, r.instances(t, "a"))
}
