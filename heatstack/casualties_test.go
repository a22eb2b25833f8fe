package heatstack

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// dead adds a server that was deleted again after Nova could not start it.
func (f *cloudFake) dead(id, name string) {
	f.servers[id] = &Server{
		ID: id, Name: name, Status: "DELETED", Fault: "No valid host was found. There are not enough hosts available.",
		Created: f.clock.Now(), Updated: f.clock.Now(),
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
	f.dead("x", "node-2")
	refresh(t, f, c)
	a := shown(t, c, "a")
	assert.Equal(t, []string{"0 running", "1 running", "2 failed", "- creating"}, states(a))
	assert.Equal(t, nodegroups.OutOfResources, a.Members[2].Failure.Class)
	assert.Equal(t, nodegroups.CodeNoValidHost, a.Members[2].Failure.Code)
	placeholder := a.Members[2].Placeholder
	require.NotEmpty(t, placeholder)
	assert.Equal(t, []string{"0 running", "1 running"}, states(shown(t, c, "b")), "it is not being updated")

	// Heat tries again: nothing new for cluster-autoscaler, until it works.
	refresh(t, f, c)
	assert.Equal(t, placeholder, shown(t, c, "a").Members[2].Placeholder)
	s := f.member("a", 2)
	s.Status, s.Launched = "BUILD", false
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "1 running", "2 failed", "- creating"}, states(shown(t, c, "a")))
	f.change("a-2", func(s *Server) { s.Status, s.Launched = "ACTIVE", true })
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "1 running", "2 running", "- creating"}, states(shown(t, c, "a")))

	// The next update begins without a past.
	f.dead("y", "node-3")
	refresh(t, f, c)
	assert.Equal(t, "3 failed", states(shown(t, c, "a"))[3])
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
		w.write(t, id, map[string]any{"node_count": 1})
		s := f.member(id, 0)
		s.Status, s.Launched = "BUILD", false
	}
	f.servers["b-0"].Metadata = nil // Heat tells it
	refresh(t, f, c)
	for _, id := range []string{"a-0", "b-0"} {
		f.change(id, func(s *Server) { s.Status, s.Fault = "DELETED", "No valid host was found." })
	}
	refresh(t, f, c)
	assert.Equal(t, []string{"0 failed"}, states(shown(t, c, "a")))
	assert.Equal(t, []string{"0 failed"}, states(shown(t, c, "b")))
}

func TestDeletedServersThatAreNoCasualties(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 2)
	c, w := newTestCloud(f, nil)
	refresh(t, f, c)
	f.dead("early", "node-2")
	f.clock.Step(time.Second)
	w.write(t, "a", map[string]any{"node_count": 3})
	for id, change := range map[string]func(*Server){
		"ran":     func(s *Server) { s.Launched = true },
		"healthy": func(s *Server) { s.Fault = "" },
		"foreign": func(s *Server) { s.Name = "db-2" },
		"odd":     func(s *Server) { s.Name = "node-x" },
	} {
		f.dead(id, "node-2")
		change(f.servers[id])
	}
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "1 running", "- creating"}, states(shown(t, c, "a")))
}
