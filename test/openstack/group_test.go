package simulator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type params = map[string]any

func TestGroupRemovesAndAdds(t *testing.T) {
	for _, kind := range []string{"flat", "nested"} {
		t.Run(kind, func(t *testing.T) {
			c := newCloud(t)
			create := c.nested
			if kind == "flat" {
				create = func(name string, n int) string { return c.flat(name, n) }
			}
			id := create("g", 3)
			require.Equal(t, "CREATE_COMPLETE", c.stack(id).Status)
			require.Equal(t, []string{"0", "1", "2"}, c.indices(id))

			for _, step := range []struct {
				name string
				set  params
				want []string
				dead map[string]Cause
			}{
				{"grow", params{"node_count": 5}, []string{"0", "1", "2", "3", "4"}, nil},
				{"remove one by index", params{"node_count": 4, "nodes_to_remove": []string{"1"}}, []string{"0", "2", "3", "4"}, map[string]Cause{"1": NamedRemoval}},
				{"grow leaves the gap", params{"node_count": 5}, []string{"0", "2", "3", "4", "5"}, nil},
				{"the blacklist outlives the parameter", params{"node_count": 6, "nodes_to_remove": []string{}}, []string{"0", "2", "3", "4", "5", "6"}, nil},
				{"an unknown name kills the highest", params{"node_count": 5, "nodes_to_remove": []string{"nobody"}}, []string{"0", "2", "3", "4", "5"}, map[string]Cause{"6": CountLowered}},
				{"an index that was never there too", params{"node_count": 4, "nodes_to_remove": "77"}, []string{"0", "2", "3", "4"}, map[string]Cause{"5": CountLowered}},
				{"removal with the count kept replaces", params{"nodes_to_remove": []int{0}}, []string{"2", "3", "4", "5"}, map[string]Cause{"0": NamedRemoval}},
				{"down to nothing", params{"node_count": 0}, []string{}, map[string]Cause{"2": CountLowered, "3": CountLowered, "4": CountLowered, "5": CountLowered}},
			} {
				before := len(c.Deaths())
				c.patch(id, step.set)
				assert.Equal(t, "UPDATE_IN_PROGRESS", c.stack(id).Status, step.name)
				c.settle()
				assert.Equal(t, "UPDATE_COMPLETE", c.stack(id).Status, step.name)
				assert.Equal(t, step.want, c.indices(id), step.name)
				if step.dead == nil {
					step.dead = map[string]Cause{}
				}
				assert.Equal(t, step.dead, c.causes(before), step.name)
			}
			_, used := c.GetQuota("demo")
			assert.Equal(t, Quota{}, used, "everything is given back")
		})
	}
}

func TestModeUpdateForgetsTheBlacklist(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 5)
	c.patch(id, params{"node_count": 3, "nodes_to_remove": []string{"1", "2"}})
	c.settle()
	require.Equal(t, []string{"0", "3", "4"}, c.indices(id))
	c.patch(id, params{"nodes_to_remove": []string{}, "mode": "update"})
	c.settle()
	assert.Equal(t, []string{"0", "1", "2"}, c.indices(id))
}

func TestRemovalByReference(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 3)
	c.patch(id, params{"node_count": 2, "nodes_to_remove": []string{c.stack(id).Members[0].ServerID}})
	c.settle()
	assert.Equal(t, []string{"1", "2"}, c.indices(id), "a server's id names the member of a group of servers")

	nested := c.nested("n", 3)
	c.patch(nested, params{"node_count": 2, "nodes_to_remove": []string{c.stack(nested).Members[0].ServerID}})
	c.settle()
	assert.Equal(t, []string{"0", "1"}, c.indices(nested), "but not that of a group of nested stacks: the highest dies")
}

func TestSupersedingUpdatesKeepWhatIsUnderWay(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 2)
	c.patch(id, params{"node_count": 4})
	c.clock.Step(5 * time.Second)
	var started []string
	for _, s := range c.Servers()[2:] {
		started = append(started, s.ID)
	}
	require.NotEmpty(t, started)
	c.patch(id, params{"node_count": 5})
	c.settle()
	assert.Equal(t, "UPDATE_COMPLETE", c.stack(id).Status)
	assert.Equal(t, []string{"0", "1", "2", "3", "4"}, c.indices(id))
	assert.Empty(t, c.Deaths())
	for _, s := range started {
		server, _ := c.Server(s)
		assert.Equal(t, "ACTIVE", server.Status, "a server that was under way is kept")
	}
}

func TestRemovalsOneRightAfterTheOther(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 6)
	c.patch(id, params{"node_count": 5, "nodes_to_remove": []string{"1"}})
	c.patch(id, params{"node_count": 4, "nodes_to_remove": []string{"3"}})
	c.settle()
	assert.Equal(t, []string{"0", "2", "4", "5"}, c.indices(id))
}

func TestRemovalListSupersededBeforeTheGroupSawIt(t *testing.T) {
	timing := DefaultTiming()
	timing.Group = time.Second
	c := newCloud(t, func(o *Options) { o.Timing = &timing })
	id := c.flat("g", 6)
	c.patch(id, params{"node_count": 5, "nodes_to_remove": []string{"1"}})
	c.patch(id, params{"node_count": 4, "nodes_to_remove": []string{"3"}})
	c.settle()
	assert.Equal(t, []string{"0", "1", "2", "4"}, c.indices(id), "the first list is lost and the highest index dies")
}

func TestRemovalOfMembersBeingMade(t *testing.T) {
	for _, kind := range []string{"flat", "nested"} {
		t.Run(kind, func(t *testing.T) {
			c := newCloud(t)
			var id string
			if kind == "flat" {
				id = c.flat("g", 1)
			} else {
				id = c.nested("g", 1)
			}
			c.patch(id, params{"node_count": 3})
			for len(c.Servers()) < 2 {
				c.clock.Step(50 * time.Millisecond)
			}
			index := c.Servers()[1].Index
			c.patch(id, params{"node_count": 2, "nodes_to_remove": []string{index}})
			c.settle()
			assert.Equal(t, "UPDATE_COMPLETE", c.stack(id).Status)
			assert.Len(t, c.Servers(), 2)
			assert.NotContains(t, c.indices(id), index)
			assert.Equal(t, map[string]Cause{index: NamedRemoval}, c.causes(0))
		})
	}
}

func TestUpdateTimeGrowsWithTheStack(t *testing.T) {
	c := newCloud(t)
	started := func(size int) time.Duration {
		id := c.flat("g"+time.Duration(size).String(), size)
		before := len(c.Births())
		from := c.Now()
		c.patch(id, params{"node_count": size + 1})
		for len(c.Births()) == before {
			c.clock.Step(100 * time.Millisecond)
		}
		return c.Now().Sub(from)
	}
	small, large := started(6), started(60)
	assert.Greater(t, large, 60*time.Second)
	assert.Less(t, small, large/4)
}

func TestWrongParameters(t *testing.T) {
	c := newCloud(t)
	id := c.flat("g", 1)
	for value, message := range map[any]string{
		"abc": "Parameter 'node_count' is invalid: could not convert string to float: 'abc'",
		-1:    "Parameter 'node_count' is invalid: -1 is out of range (min: 0, max: 1000)",
	} {
		assert.EqualError(t, c.PatchStack(id, params{"node_count": value}), message)
	}
	assert.Equal(t, "CREATE_COMPLETE", c.stack(id).Status)
	nested := c.nested("n", 1)
	assert.EqualError(t, c.PatchStack(nested, params{"node_count": -1}),
		"Property error: : resources.nodes.properties.count: : -1 is out of range (min: 0, max: None)")

	require.NoError(t, c.PatchStack(id, params{"nodecount": 5}))
	c.settle()
	assert.Equal(t, []string{"0"}, c.indices(id), "a name that the template does not know is dropped without a word")
}
