package nodelife

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// watcher checks every order against what is true at that moment.
type watcher struct {
	*rig
	t       *rapid.T
	ordered []order
	// sizes are those that the groups have to keep.
	sizes map[string]int
}

type order struct {
	group string
	at    time.Time
}

// Replace implements Groups.
func (w *watcher) Replace(ctx context.Context, group, server string) error {
	now := w.clock.Now()
	m, node := w.nova.machines[server], w.node(server)
	require.NotNil(w.t, m, "a server that is gone has nothing to be replaced")
	isDown := m.Status == "SHUTOFF" && m.stoppedBy == "" || m.Status == "ERROR"
	require.True(w.t, isDown, "%s is %s, stopped by %q", server, m.Status, m.stoppedBy)
	require.NoError(w.t, m.err, "a server that can't be read")
	require.False(w.t, node != nil && nodegroups.IsReady(node), "a Ready node")
	require.NoError(w.t, w.groups.Reading().Err, "while the cloud can't be read")

	inGroup, inAll := 1, 1
	for _, o := range w.ordered {
		if now.Sub(o.at) < time.Hour {
			inAll++
			if o.group == group {
				inGroup++
			}
		}
	}
	require.LessOrEqual(w.t, inGroup, groupPerHour)
	require.LessOrEqual(w.t, inAll, DefaultRepairsPerHour)
	w.ordered = append(w.ordered, order{group, now})
	return w.rig.groups.Replace(ctx, group, server)
}

func (w *watcher) Snapshot() *nodegroups.Snapshot { return w.rig.groups.Snapshot() }
func (w *watcher) Reading() nodegroups.Reading    { return w.rig.groups.Reading() }

// draw picks a member of a group that has a server and a node.
func (w *watcher) draw() (stack, server string) {
	stack = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(w.t, "stack")
	var servers []string
	for _, m := range w.groups.Snapshot().Group(stack).Members {
		if m.State == nodegroups.Running && w.node(m.ServerID) != nil && w.nova.machines[m.ServerID] != nil {
			servers = append(servers, m.ServerID)
		}
	}
	if len(servers) == 0 {
		return stack, ""
	}
	return stack, rapid.SampledFrom(servers).Draw(w.t, "server")
}

// set changes a server's status everywhere, and whether its node is Ready.
func (w *watcher) set(stack, server, status, by string, ready v1.ConditionStatus) {
	w.nova.change(server, func(m *machine) { m.Status, m.stoppedBy = status, by })
	w.cloud.Change(stack, func(s *nodegroups.Stack) {
		for i := range s.Members {
			if s.Members[i].ServerID == server {
				s.Members[i].Status = status
			}
		}
	})
	w.change(server, func(n *v1.Node) { n.Status.Conditions[0].Status = ready })
}

// deliver completes a stack's update; the new servers become nodes or not.
func (w *watcher) deliver(stack string, join bool) {
	w.cloud.Deliver(stack)
	w.refresh()
	for _, m := range w.groups.Snapshot().Group(stack).Members {
		if m.ServerID != "" && w.nova.machines[m.ServerID] == nil && join {
			w.join(m.ServerID)
		}
	}
}

// TestRepairProperties: whatever happens in whichever order, no healthy machine and none that somebody has stopped is replaced,
// no budget is exceeded, and every group keeps its size.
func TestRepairProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := func(name string) func(*nodegroups.Stack) { return fake.InGroup(name, 0, 40) }
		r := newRig(t, nil, fake.Stack("a", 1, in("a")), fake.Stack("b", 6, in("b")), fake.Stack("c", 12, in("c")))
		r.step = time.Minute
		w := &watcher{rig: r, t: t, sizes: map[string]int{"a": 1, "b": 6, "c": 12}}
		r.Life.groups = w
		for range rapid.IntRange(5, 25).Draw(t, "steps") {
			stack, server := w.draw()
			if server == "" {
				w.deliver(stack, true)
				r.after(time.Minute)
				continue
			}
			switch what := rapid.IntRange(0, 11).Draw(t, "what"); what {
			case 0, 1, 2:
				w.set(stack, server, rapid.SampledFrom([]string{"ERROR", "SHUTOFF"}).Draw(t, "status"), "", v1.ConditionUnknown)
			case 3:
				w.set(stack, server, "SHUTOFF", "operator", v1.ConditionUnknown)
			case 4:
				w.set(stack, server, "ERROR", "", v1.ConditionTrue) // a failed resize
			case 5:
				w.set(stack, server, "ACTIVE", "", v1.ConditionTrue) // it comes back
			case 6:
				r.nova.change(server, func(m *machine) { m.Status = "ACTIVE" }) // the list is old
			case 7:
				r.nova.change(server, func(m *machine) { m.err = errNova })
			case 8:
				r.cloud.Fail("Refresh", "", map[bool]error{true: errNova}[rapid.Bool().Draw(t, "away")])
			case 9:
				w.deliver(stack, rapid.Bool().Draw(t, "join"))
			case 10:
				r.cloud.Fail("Replace", "", map[bool]error{true: fmt.Errorf("no")}[rapid.Bool().Draw(t, "refuse")])
			default:
				for _, name := range []string{"a", "b", "c"} {
					w.deliver(name, true)
				}
			}
			r.after(time.Duration(rapid.IntRange(1, 20).Draw(t, "minutes")) * time.Minute)
			for name, size := range w.sizes {
				require.Equal(t, size, r.groups.Snapshot().Group(name).Target, "the size of %s", name)
			}
			underWay := map[string]int{}
			all := 0
			for _, p := range r.repair.history {
				if !p.ended {
					underWay[p.group]++
					all++
				}
			}
			require.LessOrEqual(t, all, clusterAtOnce)
			for name, n := range underWay {
				require.LessOrEqual(t, n, max(1, w.sizes[name]/10))
			}
		}
	})
}
