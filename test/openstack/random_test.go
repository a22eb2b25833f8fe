package simulator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"
)

// TestRandomHistories lets everything happen to a stack that can, and checks that the cloud's books are right at the end.
func TestRandomHistories(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		clock := clocktesting.NewFakeClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
		timing := DefaultTiming()
		timing.Group = time.Duration(rapid.IntRange(0, 2).Draw(rt, "group delay")) * time.Second
		if rapid.Bool().Draw(rt, "workers try again") {
			timing.Retry = 2 * time.Second
		}
		sim := New(Options{Clock: clock, Timing: &timing, Seed: rapid.Uint64().Draw(rt, "seed"), Classic: rapid.Bool().Draw(rt, "classic")})
		defer sim.Close()
		c := &cloud{sim, rt, clock}
		var id string
		if rapid.Bool().Draw(rt, "nested") {
			id = c.nested("g", 3)
		} else {
			id = c.flat("g", 3)
		}
		index := rapid.SampledFrom([]string{"0", "1", "2", "3", "4", "5", "nobody"})
		actions := map[string]func(*rapid.T){
			"patch": func(rt *rapid.T) {
				_ = c.PatchStack(id, params{"node_count": rapid.IntRange(0, 6).Draw(rt, "count"), "nodes_to_remove": rapid.SliceOfN(index, 0, 2).Draw(rt, "remove")})
			},
			"twice":    func(rt *rapid.T) { c.CarryOutTwice(id, rapid.IntRange(1, 2).Draw(rt, "updates")) },
			"no-op":    func(*rapid.T) { _ = c.PatchStack(id, nil) },
			"check":    func(*rapid.T) { _ = c.Act(id, "check") },
			"quota":    func(rt *rapid.T) { c.limit(rapid.IntRange(2, 8).Draw(rt, "instances")) },
			"no hosts": func(rt *rapid.T) { c.SetNoValidHost("m1.small", rapid.Bool().Draw(rt, "none")) },
			"time flies": func(rt *rapid.T) {
				clock.Step(time.Duration(rapid.IntRange(1, 200).Draw(rt, "tenths")) * 100 * time.Millisecond)
			},
			"lose a server": func(rt *rapid.T) {
				if servers := c.Servers(); len(servers) > 0 {
					c.DeleteServer(servers[rapid.IntRange(0, len(servers)-1).Draw(rt, "which")].ID)
				}
			},
		}
		rt.Repeat(actions)

		// Whatever has happened: with room and a check, two updates put everything right.
		c.limit(-1)
		c.ClearFaults()
		c.SetNoValidHost("m1.small", false)
		c.settle()
		require.NoError(rt, c.Act(id, "check"))
		c.settle()
		c.patch(id, params{"node_count": 4, "nodes_to_remove": []string{}})
		c.settle()
		st := c.stack(id)
		require.Equal(rt, "UPDATE_COMPLETE", st.Status, st.Reason)
		require.Len(rt, st.Members, 4)
		of := map[string]bool{}
		for _, m := range st.Members {
			server, ok := c.Server(m.ServerID)
			require.True(rt, ok, m)
			require.Equal(rt, "ACTIVE", server.Status)
			require.Equal(rt, m.Index, server.Index)
			of[m.ServerID] = true
		}
		for _, s := range c.Servers() {
			require.True(rt, of[s.ID], "server %s (%s) belongs to no member", s.Name, s.Status)
		}
		_, used := c.GetQuota("demo")
		require.Equal(rt, 4, used.Instances)
		if st.Members[0].Group == "nodes" && sim.stacks[id].tmpl.params["group"] == nil {
			require.Equal(rt, 4, used.Ports)
		}
		require.Len(rt, c.Births(), len(c.Deaths())+4)

		c.DeleteStack(id)
		c.settle()
		require.Empty(rt, c.Servers())
		_, used = c.GetQuota("demo")
		require.Equal(rt, Quota{}, used)
	})
}
