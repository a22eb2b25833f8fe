package heatstack

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func TestAMemberDeletedBehindHeatsBackIsLost(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 3)
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	f.takeCalls()

	f.change("a-1", toDeleted)
	refresh(t, f, c)
	assert.Equal(t, []string{"GetServer a-1", "ListMembers a", idle[0], idle[1]}, f.takeCalls())
	assert.Equal(t, []string{"0 running", "1 lost", "2 running"}, states(shown(t, c, "a")))
	assert.Equal(t, "a-1", shown(t, c, "a").Members[1].ServerID)
	_, problems := c.List()
	assert.Equal(t, []string{nodegroups.ReasonMemberLost}, reasons(problems))
	assert.Nil(t, shown(t, c, "a").Blocked)

	refresh(t, f, c)
	assert.Equal(t, idle, f.takeCalls(), "it is known now")
	assert.Equal(t, []string{"0 running", "1 lost", "2 running"}, states(shown(t, c, "a")))

	// Made anew.
	f.move(f.stacks["a"], "UPDATE_IN_PROGRESS", nil)
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "2 running", "- creating"}, states(shown(t, c, "a")))
	f.member("a", 1).ID = "a-new"
	f.servers["a-new"] = f.servers["a-1"]
	delete(f.servers, "a-1")
	f.stacks["a"].members[1].ServerID = "a-new"
	f.stacks["a"].members = f.stacks["a"].members[:3]
	f.move(f.stacks["a"], "UPDATE_COMPLETE", nil)
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "1 running", "2 running"}, states(shown(t, c, "a")))
	_, problems = c.List()
	assert.Empty(t, problems)
}

func TestAListedServerIsLostOnlyWhenNovaSaysSo(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 2)
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	// Nova's list of changes lies: the server is there.
	alive := *f.servers["a-1"]
	f.change("a-1", toDeleted)
	f.fail["GetServer a-1"] = answered(http.StatusBadGateway)
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "1 running"}, states(shown(t, c, "a")), "not confirmed")

	delete(f.fail, "GetServer a-1")
	f.servers["a-1"] = &alive
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "1 running"}, states(shown(t, c, "a")))
	assert.Equal(t, "node-1", shown(t, c, "a").Members[1].Name)
}

func TestServersWithoutMetadataAreToldByHeat(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 2)
	for _, s := range f.servers {
		s.Metadata = nil
	}
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "1 running"}, states(shown(t, c, "a")))
	f.takeCalls()
	refresh(t, f, c)
	assert.Equal(t, idle, f.takeCalls())

	// Growing: one call for the members at each refresh.
	w.write(t, "a", map[string]any{"node_count": 3})
	s := f.member("a", 2)
	s.Metadata, s.Status, s.Launched = nil, "BUILD", false
	assert.Equal(t, []string{"0 running", "1 running", "- creating"}, states(shown(t, c, "a")))
	f.takeCalls()
	refresh(t, f, c)
	assert.Equal(t, []string{"ListMembers a", idle[0], idle[1]}, f.takeCalls())
	assert.Equal(t, []string{"0 running", "1 running", "2 creating"}, states(shown(t, c, "a")))
	f.change("a-2", func(s *Server) { s.Status, s.Launched = "ERROR", false; s.Fault = "No valid host was found." })
	refresh(t, f, c)
	assert.Equal(t, "2 failed", states(shown(t, c, "a"))[2])
	f.change("a-2", func(s *Server) { s.Status = "ACTIVE" })
	f.move(st, "UPDATE_COMPLETE", nil)
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "1 running", "2 running"}, states(shown(t, c, "a")))
	f.takeCalls()
	refresh(t, f, c)
	assert.Equal(t, idle, f.takeCalls())
}

func TestTheFaultOfAServerWithoutAHostIsAskedForOnce(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 1)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	w.write(t, "a", map[string]any{"node_count": 2})
	f.member("a", 1)
	f.change("a-1", func(s *Server) { s.Status, s.Launched, s.Fault = "ERROR", false, "No valid host was found." })
	f.takeCalls()
	refresh(t, f, c)
	assert.Contains(t, f.takeCalls(), "GetServer a-1")
	failure := shown(t, c, "a").Members[1].Failure
	require.NotNil(t, failure)
	assert.Equal(t, nodegroups.OutOfResources, failure.Class)
	assert.Equal(t, nodegroups.CodeNoValidHost, failure.Code)
	refresh(t, f, c)
	assert.NotContains(t, f.takeCalls(), "GetServer a-1", "its fault does not change")
	assert.Equal(t, failure, shown(t, c, "a").Members[1].Failure)
}

func TestMembersOfAFailedStackAreListedOnce(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 2)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	f.move(st, "UPDATE_IN_PROGRESS", map[string]string{"node_count": "4"})
	f.move(st, "UPDATE_FAILED", nil)
	st.detail.Reason = quotaReason
	st.members = append(st.members,
		MemberRow{Index: "2", Status: "CREATE_FAILED", Reason: memberReason}, MemberRow{Index: "3", Status: "INIT_COMPLETE"})
	refresh(t, f, c)
	a := shown(t, c, "a")
	assert.True(t, a.Failed)
	assert.Equal(t, 4, a.Target)
	assert.Equal(t, quotaReason, a.Reason)
	assert.Equal(t, []string{"0 running", "1 running", "2 failed", "3 failed"}, states(a))
	assert.Equal(t, nodegroups.OutOfResources, a.Members[3].Failure.Class)
	assert.Equal(t, sighting{"UPDATE_FAILED", true, 2}, w.seen["a"])

	f.takeCalls()
	f.clock.Step(-5 * time.Second)
	refresh(t, f, c)
	assert.Equal(t, idle, f.takeCalls())
	assert.Same(t, a, shown(t, c, "a"))
}

func TestDisagreementIsLookedIntoEverMoreRarely(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 2)
	st.detail.Parameters["node_count"] = "3" // and nobody will ever make the third
	c, _ := newTestCloud(f, nil)
	lists := 0
	for range 360 { // an hour
		refresh(t, f, c)
		for _, call := range f.takeCalls() {
			if call == "ListMembers a" {
				lists++
			}
		}
	}
	assert.GreaterOrEqual(t, lists, 6)
	assert.LessOrEqual(t, lists, 10)
	assert.Equal(t, []string{"0 running", "1 running", "- creating"}, states(shown(t, c, "a")))
}

func TestAListThatFailsOrIsOvertakenChangesNothing(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 2)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	f.change("a-1", toDeleted)
	f.fail["ListMembers a"] = answered(http.StatusInternalServerError)
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "- creating"}, states(shown(t, c, "a")))

	delete(f.fail, "ListMembers a")
	newer := StackDetail{StackRow: st.detail.StackRow, Parameters: map[string]string{"node_count": "1", "nodes_to_remove": "1"}}
	f.during["ListMembers a"] = func() { w.hooks.observed(&newer) }
	f.clock.Step(time.Minute)
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running"}, states(shown(t, c, "a")))
}

func TestIndicesThatSomebodyNamedAreDeleting(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 3)
	st.detail.Parameters["nodes_to_remove"] = "2" // left over from long ago, when there was no 2
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "1 running", "2 running"}, states(shown(t, c, "a")))

	f.move(st, "UPDATE_IN_PROGRESS", map[string]string{"node_count": "2", "nodes_to_remove": "1,2"})
	refresh(t, f, c)
	a := shown(t, c, "a")
	assert.Equal(t, 2, a.Target)
	assert.Equal(t, []string{"0 running", "1 deleting", "2 running"}, states(a))

	w.removing["a"] = map[string]bool{"a-0": true}
	f.change("a-1", toDeleted)
	refresh(t, f, c)
	assert.Equal(t, []string{"0 deleting", "2 running", "- creating"}, states(shown(t, c, "a")))
}

func TestLeftoverListIsReadWhenAnUpdateIsRunningAtTheStart(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 2)
	f.move(st, "UPDATE_IN_PROGRESS", map[string]string{"node_count": "1", "nodes_to_remove": `["0"]`})
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	assert.Equal(t, []string{"0 deleting", "1 running"}, states(shown(t, c, "a")))
	require.Nil(t, shown(t, c, "a").Blocked)
}
