package heatstack

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServerCacheSharesMemory(t *testing.T) {
	cache := newServerCache()
	specs := func() map[string]string { return map[string]string{"resources:VGPU": "1"} }
	cache.apply([]Server{
		{ID: "1", Flavor: FlavorRow{Name: "gpu", VCPUs: 8, ExtraSpecs: specs()}},
		{ID: "2", Flavor: FlavorRow{Name: "gpu", VCPUs: 8, ExtraSpecs: specs()}},
		{ID: "3", Flavor: FlavorRow{Name: "gpu", VCPUs: 4, ExtraSpecs: specs()}},
	}, map[string]bool{})
	cache.byID["1"].Flavor.ExtraSpecs["shared"] = "yes"
	assert.Equal(t, "yes", cache.byID["2"].Flavor.ExtraSpecs["shared"])
	assert.Equal(t, 4, cache.byID["3"].Flavor.VCPUs, "a flavor of the same name and another size")
}

func TestServerCacheTellsWhichStacksChanged(t *testing.T) {
	cache := newServerCache()
	server := Server{ID: "1", Status: "BUILD", Metadata: map[string]string{metadataStack: "a"}}
	apply := func(s Server) map[string]bool {
		touched := map[string]bool{}
		cache.apply([]Server{s}, touched)
		return touched
	}
	assert.Equal(t, map[string]bool{"a": true}, apply(server))
	assert.Empty(t, apply(server), "nothing has changed")
	server.Status = "ACTIVE"
	assert.Equal(t, map[string]bool{"a": true}, apply(server))
	unknown := server
	unknown.Status, unknown.Metadata = "UNKNOWN", nil
	assert.Empty(t, apply(unknown), "its cell can't be reached")
	assert.Equal(t, "ACTIVE", cache.byID["1"].Status)
	failed := server
	failed.Status, failed.Launched = "ERROR", false
	apply(failed)
	assert.True(t, cache.byID["1"].Launched, "it was seen running")
	moved := server
	moved.Metadata = map[string]string{metadataStack: "b"}
	assert.Equal(t, map[string]bool{"a": true, "b": true}, apply(moved))
	assert.NotContains(t, cache.byStack, "a")
	assert.Equal(t, map[string]bool{"b": true}, apply(Server{ID: "1", Status: "SOFT_DELETED"}))
	assert.Empty(t, cache.byID)
	assert.Empty(t, cache.byStack)
	cache.drop("1", nil)

	cache.list("c", []MemberRow{{ServerID: "9"}, {ServerID: ""}})
	assert.Equal(t, map[string]bool{"c": true}, apply(Server{ID: "9", Status: "ACTIVE"}), "by Heat's list")
	cache.list("c", nil)
	assert.Empty(t, cache.listed)
}

func TestAllServersAreListedNowAndThen(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 2)
	f.servers["other"] = &Server{ID: "other", Status: "ACTIVE", Updated: f.clock.Now()}
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	full := 0
	for range 180 { // half an hour
		refresh(t, f, c)
		for _, call := range f.takeCalls() {
			if call == "ListServers all" {
				full++
			}
		}
	}
	assert.InDelta(t, 3, full, 1)

	delete(f.servers, "other")
	f.clock.Step(2 * fullListInterval)
	refresh(t, f, c)
	assert.NotContains(t, f.takeCalls(), "GetServer other", "it is nobody's member")
	assert.NotContains(t, c.servers.byID, "other")
}

func TestAMemberMissingInTheFullListIsAskedFor(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 3)
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	// The list has a hole, the server itself is there.
	hidden := f.servers["a-0"]
	f.during["GetServer a-0"] = func() { f.servers["a-0"] = hidden }
	delete(f.servers, "a-0")
	f.fail["GetServer a-1"] = answered(http.StatusServiceUnavailable)
	delete(f.servers, "a-1")
	f.clock.Step(2 * fullListInterval)
	refresh(t, f, c)
	assert.Equal(t, []string{"0 running", "1 running", "2 running"}, states(shown(t, c, "a")))

	delete(f.fail, "GetServer a-1")
	f.takeCalls()
	refresh(t, f, c)
	calls := f.takeCalls()
	assert.Contains(t, calls, "ListServers all", "tried again at once")
	assert.Contains(t, calls, "GetServer a-1")
	assert.Equal(t, []string{"0 running", "1 lost", "2 running"}, states(shown(t, c, "a")))
}

func TestManyMembersMissingAreLookedUpInTheChanges(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 30)
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	f.clock.Step(time.Minute)
	for i := range 29 {
		f.change(fmt.Sprintf("a-%d", i), toDeleted)
	}
	f.clock.Step(2 * fullListInterval) // Nova was away so long
	f.takeCalls()
	broken := errors.New("broken")
	f.fail["ListServers changed"] = broken
	f.clock.Step(time.Second)
	require.ErrorIs(t, c.Refresh(t.Context()), broken)
	delete(f.fail, "ListServers changed")
	f.takeCalls()
	refresh(t, f, c)
	calls := f.takeCalls()
	assert.Contains(t, calls, "ListServers changed")
	assert.LessOrEqual(t, len(calls), 6+verifiedPerRefresh, "%v", calls)
	for range 3 {
		refresh(t, f, c)
	}
	all := states(shown(t, c, "a"))
	assert.Equal(t, "0 lost", all[0])
	assert.Equal(t, "28 lost", all[28])
	assert.Equal(t, "29 running", all[29])
}

func TestIncrementalListsReachBack(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 2)
	for _, noDate := range []bool{false, true} {
		f.noDate = noDate
		c, _ := newTestCloud(f, nil)
		refresh(t, f, c)
		// Written before the last list, visible only now.
		late := f.servers["a-1"]
		late.Status, late.TaskState, late.Updated = "ACTIVE", "deleting", f.clock.Now().Add(-3*time.Second)
		refresh(t, f, c)
		assert.Equal(t, "1 deleting", states(shown(t, c, "a"))[1], "noDate=%v", noDate)
		late.TaskState = ""
	}
}
