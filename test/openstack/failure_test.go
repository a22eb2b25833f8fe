package simulator

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// limit sets the quota of instances and leaves the rest alone.
func (c *cloud) limit(instances int) {
	q := DefaultQuota()
	q.Instances = instances
	c.SetQuota("demo", q)
}

func (c *cloud) failed(id string) []string {
	list := []string{}
	for _, m := range c.stack(id).Members {
		if m.Status == "CREATE_FAILED" {
			list = append(list, m.Index)
		}
	}
	return list
}

func TestQuotaFailsTheUpdateInSeconds(t *testing.T) {
	for kind, reason := range map[string]string{
		"flat":   `^Resource UPDATE failed: resources\.nodes: Resource CREATE failed: Forbidden: resources\[\d\]: Quota exceeded for instances: Requested 1, but already used 3 of 3 instances \(HTTP 403\) \(Request-ID: req-[0-9a-f-]{36}\)$`,
		"nested": `^Resource UPDATE failed: resources\.nodes: Resource CREATE failed: Forbidden: resources\[\d\]\.resources\.server: Quota exceeded for instances: Requested 1, but already used 3 of 3 instances \(HTTP 403\) \(Request-ID: req-[0-9a-f-]{36}\)$`,
	} {
		t.Run(kind, func(t *testing.T) {
			c := newCloud(t)
			var id string
			if kind == "flat" {
				id = c.flat("g", 3)
			} else {
				id = c.nested("g", 3)
			}
			c.limit(3)
			c.patch(id, params{"node_count": 5})
			took := c.settle()
			assert.Less(t, took, 15*time.Second)
			st := c.stack(id)
			assert.Equal(t, "UPDATE_FAILED", st.Status)
			assert.Regexp(t, reason, st.Reason)
			assert.Equal(t, "5", st.Parameters["node_count"], "the parameter keeps the new count")
			assert.Len(t, c.Servers(), 3)
			assert.NotEmpty(t, c.failed(id))
		})
	}
}

func TestRecoveriesFromQuota(t *testing.T) {
	setUp := func(t *testing.T) (*cloud, string) {
		c := newCloud(t)
		id := c.flat("g", 3)
		c.limit(4)
		c.patch(id, params{"node_count": 6})
		c.settle()
		require.Equal(t, "UPDATE_FAILED", c.stack(id).Status)
		return c, id
	}
	t.Run("the failed member is named and the count lowered", func(t *testing.T) {
		c, id := setUp(t)
		c.limit(10)
		c.patch(id, params{"node_count": 5, "nodes_to_remove": c.failed(id)[:1]})
		c.settle()
		assert.Equal(t, "UPDATE_COMPLETE", c.stack(id).Status)
		assert.Len(t, c.Servers(), 5)
		assert.Empty(t, c.Deaths())
	})
	t.Run("the quota is raised and the update repeated", func(t *testing.T) {
		c, id := setUp(t)
		c.limit(10)
		c.patch(id, nil)
		c.settle()
		assert.Equal(t, "UPDATE_COMPLETE", c.stack(id).Status)
		assert.Equal(t, []string{"0", "1", "2", "3", "4", "5"}, c.indices(id))
		assert.Len(t, c.Servers(), 6)
	})
	t.Run("the count is put back", func(t *testing.T) {
		c, id := setUp(t)
		c.patch(id, params{"node_count": 3})
		c.settle()
		assert.Equal(t, "UPDATE_COMPLETE", c.stack(id).Status)
		assert.Equal(t, []string{"0", "1", "2"}, c.indices(id))
		c.limit(10)
		c.patch(id, params{"node_count": 4})
		c.settle()
		assert.Equal(t, []string{"0", "1", "2", "3"}, c.indices(id), "the indices were not blacklisted")
	})
	t.Run("rollback", func(t *testing.T) {
		c := newCloud(t)
		id := c.flat("g", 3)
		c.limit(4)
		no := false
		require.NoError(t, c.humanUpdate(id, patch{existing: true, parameters: params{"node_count": 6}, disableRollback: &no, by: "human"}))
		c.settle()
		assert.Equal(t, "ROLLBACK_COMPLETE", c.stack(id).Status)
		assert.Equal(t, "3", c.stack(id).Parameters["node_count"])
		assert.Len(t, c.Servers(), 3)
		for _, cause := range c.causes(0) {
			assert.Equal(t, RolledBack, cause)
		}
	})
}

func TestNoValidHostIsRetriedForAMinuteAndAHalf(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 1)
	c.SetNoValidHost("m1.small", true)
	c.patch(id, params{"node_count": 2})
	seen := map[string]bool{}
	start := c.Now()
	for c.stack(id).Status == "UPDATE_IN_PROGRESS" {
		for _, m := range c.stack(id).Members {
			if m.Index == "1" && m.ServerID != "" {
				seen[m.ServerID] = true
			}
		}
		c.clock.Step(200 * time.Millisecond)
	}
	assert.InDelta(t, 90, c.Now().Sub(start).Seconds(), 30)
	assert.Len(t, seen, 6, "the server's id changes with every attempt")
	st := c.stack(id)
	assert.Equal(t, "UPDATE_FAILED", st.Status)
	assert.Equal(t, `Resource UPDATE failed: resources.nodes: Resource CREATE failed: ResourceInError: resources[1]: Went to status ERROR due to "Message: No valid host was found. , Code: 500"`, st.Reason)
	servers := c.Servers()
	require.Len(t, servers, 2)
	assert.Equal(t, "ERROR", servers[1].Status, "the last one stays until the member is removed")

	before := len(c.Deaths())
	c.SetNoValidHost("m1.small", false)
	c.patch(id, params{"node_count": 1, "nodes_to_remove": []string{"1"}})
	c.settle()
	assert.Equal(t, "UPDATE_COMPLETE", c.stack(id).Status)
	assert.Len(t, c.Servers(), 1)
	require.Len(t, c.Deaths(), before+1)
	assert.False(t, c.Deaths()[before].WasRunning)
}

func TestCapacityIsUsedUp(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 1)
	c.SetCapacity("m1.small", 2)
	c.patch(id, params{"node_count": 3})
	c.settle()
	assert.Equal(t, "UPDATE_FAILED", c.stack(id).Status)
	running := 0
	for _, s := range c.Servers() {
		if s.Status == "ACTIVE" {
			running++
		}
	}
	assert.Equal(t, 2, running)
}

func TestServersDeletedBehindHeatsBack(t *testing.T) {
	for _, kind := range []string{"flat", "nested"} {
		t.Run(kind, func(t *testing.T) {
			c := newCloud(t)
			var id string
			if kind == "flat" {
				id = c.flat("g", 3)
			} else {
				id = c.nested("g", 3)
			}
			lost := c.stack(id).Members[1].ServerID
			c.DeleteServer(lost)
			c.settle()
			c.patch(id, nil)
			c.settle()
			assert.Equal(t, lost, c.stack(id).Members[1].ServerID, "an update does not notice")
			assert.Len(t, c.Servers(), 2)

			require.NoError(t, c.Act(id, "check"))
			c.settle()
			st := c.stack(id)
			assert.Equal(t, "CHECK_FAILED", st.Status)
			assert.Contains(t, st.Reason, "Instance "+lost+" could not be found")
			assert.Equal(t, "CHECK_FAILED", st.Members[1].Status)
			assert.Equal(t, "CHECK_COMPLETE", st.Members[0].Status)
			c.patch(id, nil)
			c.settle()
			st = c.stack(id)
			assert.Equal(t, "UPDATE_COMPLETE", st.Status)
			assert.Equal(t, "1", st.Members[1].Index)
			assert.NotEqual(t, lost, st.Members[1].ServerID, "made anew at the same index")
			assert.Len(t, c.Servers(), 3)

			c.DeleteServer(st.Members[2].ServerID)
			c.settle()
			c.patch(id, params{"node_count": 2, "nodes_to_remove": []string{"2"}})
			c.settle()
			assert.Equal(t, "UPDATE_COMPLETE", c.stack(id).Status, "removing a member whose server is gone is no error")
			assert.Len(t, c.Servers(), 2)
		})
	}
}

func TestCheckDuringAnUpdate(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 2)
	c.patch(id, params{"node_count": 3})
	c.clock.Step(2 * time.Second)
	require.NoError(t, c.Act(id, "check"))
	c.settle()
	st := c.stack(id)
	assert.Equal(t, "CHECK_FAILED", st.Status)
	assert.Equal(t, "Resource CHECK failed: ['The resource nodes is already being updated.']", st.Reason)
	assert.Len(t, c.Servers(), 3, "the update below goes on")
}

func TestCheckRightAfterAnUpdate(t *testing.T) {
	timing := DefaultTiming()
	timing.Group = time.Second
	c := newCloud(t, func(o *Options) { o.Timing = &timing })
	id := c.flat("g", 4)
	c.patch(id, params{"node_count": 3, "nodes_to_remove": []string{"1"}})
	require.NoError(t, c.Act(id, "check"))
	c.settle()
	assert.Equal(t, []string{"0", "2", "3"}, c.indices(id), "the update is carried out all the same")
}

func TestSuspendDuringAnUpdate(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 2)
	c.patch(id, params{"node_count": 3})
	c.clock.Step(2 * time.Second)
	require.NoError(t, c.Act(id, "suspend"))
	c.settle()
	assert.Equal(t, "SUSPEND_FAILED", c.stack(id).Status)
	assert.EqualError(t, c.PatchStack(id, nil), "Updating a stack when it is suspended is not supported.", "though it failed")
	require.NoError(t, c.Act(id, "resume"))
	c.settle()
	c.patch(id, nil)
	c.settle()
	assert.Equal(t, "UPDATE_COMPLETE", c.stack(id).Status)
}

func TestCheckOfBrokenServers(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 2)
	for _, m := range c.stack(id).Members {
		c.BreakServer(m.ServerID, "host died")
	}
	require.NoError(t, c.Act(id, "check"))
	c.settle()
	assert.Equal(t, `Resource CHECK failed: ['["Error: resources.nodes.resources[0]: \'status\': expected \'ACTIVE\', got \'ERROR\'", `+
		`"Error: resources[1]: \'status\': expected \'ACTIVE\', got \'ERROR\'"]']`, c.stack(id).Reason)
	c.patch(id, nil)
	c.settle()
	assert.Equal(t, map[string]Cause{"0": Replaced, "1": Replaced}, c.causes(0))
}

func TestAnUnhealthyMemberIsReplacedThoughItsServerLives(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 3)
	old := c.stack(id).Members[0].ServerID
	c.mu.Lock()
	r := c.stacks[id].resources["nodes"].nested.resources["0"]
	require.Nil(t, r.markUnhealthy(true, "gone"))
	c.mu.Unlock()
	c.patch(id, params{"node_count": 4})
	c.settle()
	assert.Equal(t, "UPDATE_COMPLETE", c.stack(id).Status)
	assert.NotEqual(t, old, c.stack(id).Members[0].ServerID)
	assert.Equal(t, map[string]Cause{"0": Replaced}, c.causes(0))
	assert.True(t, c.Deaths()[0].WasRunning)
}

func TestUserDataPolicies(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 2)
	c.patch(id, params{"node_count": 3, "bootstrap_token": "cccccc.dddddddddddddddd"})
	c.settle()
	assert.Empty(t, c.Deaths(), "IGNORE leaves running servers alone")
	servers := c.Servers()
	assert.Contains(t, servers[0].UserData, "aaaaaa.bbbbbbbbbbbbbbbb")
	assert.Contains(t, servers[2].UserData, "cccccc.dddddddddddddddd")

	replacing := regexp.MustCompile(`user_data_update_policy: IGNORE`).ReplaceAllString(flatTemplate, "user_data_update_policy: REPLACE")
	require.NoError(t, c.ReplaceTemplate(id, replacing, nil))
	c.settle()
	before := len(c.Deaths())
	c.patch(id, params{"bootstrap_token": "eeeeee.ffffffffffffffff"})
	c.settle()
	assert.Equal(t, map[string]Cause{"0": Replaced, "1": Replaced, "2": Replaced}, c.causes(before))
	assert.Len(t, c.Servers(), 3)
}

func TestClassicEngine(t *testing.T) {
	c := newCloud(t, func(o *Options) { o.Classic = true })
	id := c.flat("g", 2)
	c.patch(id, params{"node_count": 3})
	err := c.PatchStack(id, params{"node_count": 4})
	require.EqualError(t, err, "Stack g already has an action (UPDATE) in progress.")
	c.settle()
	assert.Equal(t, "3", c.stack(id).Parameters["node_count"])
	c.limit(3)
	c.patch(id, params{"node_count": 4})
	c.settle()
	assert.Equal(t, "UPDATE_FAILED", c.stack(id).Status)
	assert.Regexp(t, `^resources\.nodes: Forbidden: resources\[3\]: Quota exceeded`, c.stack(id).Reason)
}

func TestDeleteDuringAnUpdate(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 2)
	c.patch(id, params{"node_count": 6})
	c.clock.Step(6 * time.Second)
	c.DeleteStack(id)
	assert.Equal(t, "DELETE_IN_PROGRESS", c.stack(id).Status)
	c.settle()
	assert.Equal(t, "DELETE_COMPLETE", c.stack(id).Status)
	assert.Empty(t, c.Servers())
	assert.Empty(t, c.Stacks())
	_, used := c.GetQuota("demo")
	assert.Equal(t, Quota{}, used)
}
