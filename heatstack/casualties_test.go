package heatstack

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const noHost = `ResourceInError: resources.server: Went to status ERROR due to "Message: No valid host was found. , Code: 500"`

// dies adds a server that was deleted again because Nova could not start it.
func (f *cloudFake) dies(stackID, id, index string) {
	f.servers[id] = &Server{ID: id, Status: "DELETED", Created: f.clock.Now(), Updated: f.clock.Now()}
	if stackID != "" {
		f.failures[stackID] = append(f.failures[stackID], serverFailure{serverID: id, reason: noHost, index: index})
	}
}

func TestAServerThatNovaCouldNotStartIsAFailureThoughNobodySawIt(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 2)
	f.stack("b", 2)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	f.clock.Step(time.Second)
	w.write(t, "a", map[string]any{"node_count": 4})
	f.dies("a", "x", "2")
	f.takeCalls()
	refresh(t, f, c)
	assert.Equal(t, []string{"ListFailures a", idle[0], idle[1]}, f.takeCalls())
	a := shown(t, c, "a")
	assert.Equal(t, []string{"0 running", "1 running", "2 failed", "- creating"}, states(a))
	assert.Equal(t, &nodegroups.Failure{Class: nodegroups.OutOfResources, Code: nodegroups.CodeNoValidHost, Message: noHost}, a.Members[2].Failure)
	placeholder := a.Members[2].Placeholder
	require.NotEmpty(t, placeholder)
	assert.Equal(t, []string{"0 running", "1 running"}, states(shown(t, c, "b")), "it is not being updated")

	// Heat tries again: nothing new for cluster-autoscaler, until it works.
	refresh(t, f, c)
	assert.Equal(t, idle, f.takeCalls())
	assert.Equal(t, placeholder, shown(t, c, "a").Members[2].Placeholder)
	s := f.member("a", 2)
	s.Status, s.Launched = "BUILD", false
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "1 running", "2 failed", "- creating"}, states(shown(t, c, "a")))
	f.change("a-2", func(s *Server) { s.Status, s.Launched = "ACTIVE", true })
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "1 running", "2 running", "- creating"}, states(shown(t, c, "a")))

	// An event that does not tell the index.
	f.dies("a", "y", "")
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "1 running", "2 running", "- failed"}, states(shown(t, c, "a")))

	// The next update begins without a past.
	f.move(st, "UPDATE_IN_PROGRESS", nil)
	refresh(t, f, c)
	assert.Equal(t, "- creating", states(shown(t, c, "a"))[3])
}

func TestCasualtiesThatWereSeenAlive(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 0)
	f.stack("b", 0)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	for _, id := range []string{"a", "b"} {
		w.write(t, id, map[string]any{"node_count": 2})
		s := f.member(id, 0)
		s.Status, s.Launched = "BUILD", false
	}
	f.servers["b-0"].Metadata = nil // Heat lists it
	refresh(t, f, c)
	f.dies("a", "a-0", "")
	f.dies("b", "b-0", "0")
	f.takeCalls()
	refresh(t, f, c)
	calls := f.takeCalls()
	assert.Equal(t, 1, count(calls, "ListFailures a"))
	assert.Equal(t, 1, count(calls, "ListFailures b"))
	assert.Equal(t, []string{"0 failed", "- creating"}, states(shown(t, c, "a")), "the metadata told the index")
	assert.Equal(t, []string{"0 failed", "- creating"}, states(shown(t, c, "b")))
}

func TestDeletedServersThatAreNoCasualties(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 2)
	f.stack("full", 1)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	f.dies("a", "early", "2")
	f.clock.Step(time.Second)
	w.write(t, "a", map[string]any{"node_count": 3})
	w.write(t, "full", map[string]any{"node_count": 1})
	f.dies("a", "ran", "2")
	f.servers["ran"].Launched = true
	refresh(t, f, c)
	assert.Zero(t, count(f.takeCalls(), "ListFailures a"))

	f.dies("", "foreign", "")
	refresh(t, f, c)
	calls := f.takeCalls()
	assert.Equal(t, 1, count(calls, "ListFailures a"), "it might have been a member")
	assert.Zero(t, count(calls, "ListFailures full"), "no member is missing there")
	assert.Equal(t, []string{"0 running", "1 running", "- creating"}, states(shown(t, c, "a")))
}

func TestCasualtiesAreAskedForAgain(t *testing.T) {
	f := newCloudFake()
	st := f.stack("a", 0)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	w.write(t, "a", map[string]any{"node_count": 1})
	f.dies("a", "x", "0")
	f.fail["ListFailures a"] = answered(http.StatusInternalServerError)
	refresh(t, f, c)
	assert.Equal(t, []string{"- creating"}, states(shown(t, c, "a")))
	delete(f.fail, "ListFailures a")
	f.during["ListFailures a"] = func() { w.write(t, "a", map[string]any{"node_count": 1}); delete(f.during, "ListFailures a") }
	refresh(t, f, c)
	assert.Equal(t, []string{"0 failed"}, states(shown(t, c, "a")))

	f.dies("a", "y", "0")
	f.during["ListFailures a"] = func() {
		d := st.detail
		d.Status, d.Parameters = "UPDATE_COMPLETE", map[string]string{"node_count": "0", "nodes_to_remove": ""}
		w.hooks.observed(&d)
	}
	refresh(t, f, c)
	assert.Empty(t, c.stacks["a"].faults, "the update ended meanwhile")
}
