package simulator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// groupEnds lets time pass until the growth's new member is made, while the update still runs.
func (c *cloud) groupEnds(id string, n int) {
	c.t.Helper()
	for {
		made := 0
		for _, m := range c.stack(id).Members {
			if m.Status == "CREATE_COMPLETE" || m.Status == "UPDATE_COMPLETE" {
				made++
			}
		}
		if made == n {
			break
		}
		require.Equal(c.t, "UPDATE_IN_PROGRESS", c.stack(id).Status)
		c.clock.Step(20 * time.Millisecond)
	}
	require.Equal(c.t, "UPDATE_IN_PROGRESS", c.stack(id).Status)
}

func TestRemovalCarriedOutTwice(t *testing.T) {
	for name, create := range map[string]func(*cloud) string{
		"flat":   func(c *cloud) string { return c.flat("g", 1) },
		"nested": func(c *cloud) string { return c.nested("g", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			id := create(c)
			c.CarryOutTwice(id, 1)
			c.patch(id, params{"node_count": 2})
			c.groupEnds(id, 2)
			c.patch(id, params{"node_count": 1, "nodes_to_remove": []string{"0"}})
			c.settle()
			assert.Equal(t, "UPDATE_COMPLETE", c.stack(id).Status)
			assert.Equal(t, []string{"0"}, c.indices(id), "made again, and the one that nobody named is gone")
			assert.Equal(t, map[string]Cause{"0": NamedRemoval, "1": CountLowered}, c.causes(0))

			// What the first execution wrote down still holds.
			c.patch(id, nil)
			c.settle()
			assert.Equal(t, []string{"1"}, c.indices(id))
			assert.Len(t, c.Deaths(), 3)
		})
	}
}

func TestOnlyWhatOvertakesIsCarriedOutTwice(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 3)
	c.CarryOutTwice(id, 2)
	c.patch(id, params{"node_count": 2, "nodes_to_remove": []string{"0"}})
	c.settle()
	assert.Equal(t, []string{"1", "2"}, c.indices(id))
	c.patch(id, params{"node_count": 3})
	c.groupEnds(id, 3)
	c.patch(id, params{"node_count": 4, "nodes_to_remove": []string{}})
	c.settle()
	assert.Equal(t, []string{"1", "2", "3", "4"}, c.indices(id), "a growth does no harm")
	assert.Len(t, c.Deaths(), 1)
	c.ClearFaults()
	c.patch(id, params{"node_count": 5})
	c.groupEnds(id, 5)
	c.patch(id, params{"node_count": 4, "nodes_to_remove": []string{"1"}})
	c.settle()
	assert.Equal(t, []string{"2", "3", "4", "5"}, c.indices(id))
}

// With the real workers' pauses an update that overtakes is carried out once, twice, or cancelled by its own second worker.
func TestRetriesOfWorkers(t *testing.T) {
	outcomes := map[string]int{}
	for seed := range uint64(100) {
		timing := DefaultTiming()
		timing.Retry, timing.Nested, timing.Visit = 2*time.Second, 200*time.Millisecond, 500*time.Millisecond // an idle engine
		c := newCloud(t, func(o *Options) { o.Timing, o.Seed = &timing, seed })
		id := c.flat("g", 1)
		c.patch(id, params{"node_count": 2})
		c.groupEnds(id, 2)
		c.patch(id, params{"node_count": 1, "nodes_to_remove": []string{"0"}})
		c.settle()
		st := c.stack(id)
		switch {
		case st.Status == "UPDATE_FAILED":
			assert.Equal(t, "Resource UPDATE failed: resources.nodes: Stack UPDATE cancelled", st.Reason)
			outcomes["cancelled"]++
		case st.Members[0].Index == "0":
			outcomes["twice"]++
		default:
			require.Equal(t, []string{"1"}, c.indices(id))
			outcomes["once"]++
		}
	}
	for _, outcome := range []string{"once", "twice", "cancelled"} {
		assert.Greater(t, outcomes[outcome], 5, "%s: %v", outcome, outcomes)
	}
	t.Log(outcomes)
}

// A worker that finds a long update in its way cancels it after a while, and nothing is done twice.
func TestRetriesEndWithTheRunningUpdateCancelled(t *testing.T) {
	timing := DefaultTiming()
	timing.Retry, timing.Build = 2*time.Second, time.Minute
	c := newCloud(t, func(o *Options) { o.Timing = &timing })
	id := c.flat("g", 0)
	c.patch(id, params{"node_count": 1})
	c.clock.Step(20 * time.Second)
	require.Len(t, c.Servers(), 1)
	c.patch(id, params{"node_count": 2})
	c.clock.Step(10 * time.Second)
	assert.Len(t, c.Servers(), 2, "it does not wait for the first server")
	c.settle()
	assert.Equal(t, "UPDATE_COMPLETE", c.stack(id).Status)
	assert.Equal(t, []string{"0", "1"}, c.indices(id))
	assert.Empty(t, c.Deaths())
}

// A check does not call a member checked that a cancelled update has not come to.
func TestCheckOfAMemberThatWasNotBegun(t *testing.T) {
	for name, create := range map[string]func(*cloud) string{
		"flat":   func(c *cloud) string { return c.flat("g", 1) },
		"nested": func(c *cloud) string { return c.nested("g", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			timing := DefaultTiming()
			timing.Visit = time.Minute
			c := newCloud(t, func(o *Options) { o.Timing = &timing })
			id := create(c)
			c.patch(id, params{"node_count": 2})
			c.clock.Step(5 * time.Second)
			c.lock()
			c.stacks[id].resources["nodes"].nested.current.stop("Stack UPDATE cancelled")
			c.mu.Unlock()
			c.settle()
			require.NoError(t, c.Act(id, "check"))
			c.settle()
			st := c.stack(id)
			assert.Equal(t, "CHECK_FAILED", st.Status)
			assert.Contains(t, st.Reason, "Exception: resources.nodes.resources[1]: Resource 1 not created yet.")
			c.patch(id, nil)
			c.settle()
			assert.Equal(t, "UPDATE_COMPLETE", c.stack(id).Status)
			assert.Len(t, c.Servers(), 2)
		})
	}
}
