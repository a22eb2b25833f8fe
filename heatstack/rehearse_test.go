package heatstack_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// rehearse asks, and makes sure that nothing was sent.
func (s *scene) rehearse(by int, remove ...nodegroups.Member) *heatstack.Rehearsal {
	s.Helper()
	before := s.sim.CountCalls(simulator.Heat, "PATCH") + s.sim.CountCalls(simulator.Heat, "POST")
	r, err := s.cloud.Rehearse(s.Context(), s.stack, by, remove)
	require.NoError(s, err)
	require.Equal(s, before, s.sim.CountCalls(simulator.Heat, "PATCH")+s.sim.CountCalls(simulator.Heat, "POST"), "a rehearsal changes nothing")
	return r
}

func TestRehearseGrowth(t *testing.T) {
	for _, kind := range []string{"servers", "stacks"} {
		t.Run(kind, func(t *testing.T) {
			s := newScene(t, kind, 2)
			r := s.rehearse(2)
			assert.True(t, r.Sends)
			require.NoError(t, r.Why)
			assert.Equal(t, map[string]any{"node_count": 4}, r.Parameters)
			assert.Equal(t, []string{"2", "3"}, r.New)
			assert.Equal(t, "CREATE_COMPLETE", r.Status)
		})
	}
}

func TestRehearseRemoval(t *testing.T) {
	s := newScene(t, "servers", 3)
	stack, _ := s.shown()
	r := s.rehearse(0, stack.Members[1])
	assert.True(t, r.Sends)
	assert.Equal(t, map[string]any{"node_count": 2, "nodes_to_remove": []string{"1"}}, r.Parameters)
	assert.Equal(t, []heatstack.RehearsedMember{{Index: "1", ServerID: stack.Members[1].ServerID}}, r.Named)
	assert.Empty(t, r.New)

	// What Heat will not use again is not among the next indices.
	s.patch(r.Parameters)
	s.settle()
	s.refresh()
	assert.Equal(t, []string{"3"}, s.rehearse(1).New)
}

func TestRehearseSaysWhyNot(t *testing.T) {
	s := newScene(t, "servers", 2)
	r := s.rehearse(8)
	assert.False(t, r.Sends)
	require.ErrorContains(t, r.Why, "maximum size 9")
	assert.Equal(t, 2, r.Size)

	s.sim.PauseCompute()
	s.patch(map[string]any{"node_count": 3})
	r = s.rehearse(0, nodegroups.Member{ServerID: s.sim.Servers()[0].ID, Index: "0", State: nodegroups.Running})
	assert.False(t, r.Sends)
	require.ErrorContains(t, r.Why, "UPDATE_IN_PROGRESS")

	s.sim.SetTags(s.stack, "autoscaled", "node-group-max-size=9", "size-parameter=none")
	s.refresh()
	require.ErrorContains(t, s.rehearse(1).Why, "none")

	_, err := s.cloud.Rehearse(t.Context(), "none", 1, nil)
	require.ErrorIs(t, err, heatstack.ErrUnknownStack)
}
