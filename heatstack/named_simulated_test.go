package heatstack_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// A member that can't be made is named, and the update that names it fails because of another one. Heat's worker tries on, and makes a
// server when the cloud can: it is there, and the next update of any kind removes it.
func TestSimulatedServerOfANamedMember(t *testing.T) {
	s := newScene(t, "servers", 1)
	s.sim.SetNoValidHost("m1.small", true)
	s.patch(map[string]any{"node_count": 3})
	s.until("several tries have failed, so that the next one is far", func() bool { return len(s.sim.Deaths()) == 8 })
	s.until("there is no server of it", func() bool { return len(s.sim.Servers()) == 1 })
	s.sim.SetQuota("demo", simulator.Quota{Instances: 1, Cores: 100, RAMMiB: -1, Ports: -1})
	s.patch(map[string]any{"node_count": 3, "nodes_to_remove": []string{"1"}})
	s.until("the update has failed", func() bool { return s.status() == "UPDATE_FAILED" })
	s.sim.SetQuota("demo", simulator.DefaultQuota())
	s.sim.SetNoValidHost("m1.small", false)
	s.settle()
	s.refresh()

	expect := func(when string) {
		t.Helper()
		assert.Contains(t, s.members(), "1 deleting", when)
		assert.Contains(t, s.members(), "2 running", when)
		for index, named := range map[string]bool{"1": true, "2": false} {
			found := s.find(heatstack.HostName(s.member(index).Name))
			require.Len(t, found, 1, when)
			assert.Equal(t, index, found[0].Index, when)
			assert.Equal(t, named, found[0].Named, when)
			assert.False(t, found[0].Leaving, when)
		}
	}
	expect("after the failure")
	require.NoError(t, s.sim.Act(s.stack, "check")) // its end hides how the update ended
	s.settle()
	s.refresh()
	expect("after a check")

	// Whoever updates the stack next leaves it on the list. Nothing is sent here: the scene is a dry run.
	assert.Equal(t, []string{"1", "2"}, s.rehearse(0, s.member("2")).Parameters["nodes_to_remove"])

	s.patch(map[string]any{})
	s.settle()
	s.refresh()
	assert.NotContains(t, s.members(), "1 deleting")
	assert.Contains(t, s.members(), "2 running")
}

// until lets the cloud work until something is so.
func (s *scene) until(what string, isSo func() bool) {
	s.Helper()
	for range 1000 {
		if isSo() {
			return
		}
		wait, ok := s.sim.NextEvent()
		require.True(s, ok, "nothing happens any more: %s", what)
		s.clock.Step(max(wait, time.Millisecond))
	}
	require.Fail(s, "never: "+what)
}

// status is the stack's, as the cloud itself knows it.
func (s *scene) status() string {
	s.Helper()
	st, ok := s.sim.Stack(s.stack)
	require.True(s, ok)
	return st.Status
}
