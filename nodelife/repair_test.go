package nodelife

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func TestABrokenMachineIsReplacedAtTheSameSize(t *testing.T) {
	for status, ailment := range map[string]string{"ERROR": ailmentError, "SHUTOFF": ailmentShutOff} {
		t.Run(status, func(t *testing.T) {
			r := newRig(t, nil, fake.Stack("a", 5, fake.InGroup("a", 5, 5)))
			server := r.breaks("a", 1, status)
			r.after(DefaultRepairAfter - 20*time.Second)
			assert.Empty(t, r.orders(), "it may come back by itself")
			r.after(30 * time.Second)
			assert.Equal(t, replaced(server), r.orders())
			assert.Equal(t, 5, r.groups.Snapshot().Group("a").Target)
			assert.Equal(t, map[string]int{"a " + ailment: 1}, r.counts.replaced)
			assert.True(t, r.told(nodegroups.ReasonMemberReplaced, nodeName(server), ailment, `stack "a"`))

			r.cloud.Deliver("a")
			delete(r.nova.machines, server)
			r.join(fake.ServerID("a", 5))
			r.after(30 * time.Minute)
			assert.Len(t, r.orders(), 1)
			assert.Nil(t, r.node(server), "and the Node of the old one is gone")
			assert.True(t, r.repair.history == nil || r.repair.history[0].ended)
		})
	}
}

// What must never be replaced, and what is said about it.
func TestWhatIsNotReplaced(t *testing.T) {
	off := false
	for name, test := range map[string]struct {
		status string // SHUTOFF if empty
		opts   func(*Options)
		stack  func(*nodegroups.Stack)
		change func(r *rig, server string)
		held   string // empty: it is not even a case
	}{
		"a Ready node with a server in ERROR": {status: "ERROR", change: func(r *rig, server string) {
			r.change(server, func(n *v1.Node) { n.Status.Conditions[0].Status = v1.ConditionTrue })
		}},
		"a node that cluster-autoscaler removes": {change: func(r *rig, server string) {
			r.change(server, func(n *v1.Node) {
				n.Spec.Taints = []v1.Taint{{Key: toBeDeletedTaint, Effect: v1.TaintEffectNoSchedule}}
			})
		}},
		"an active server whose node is silent": {status: "ACTIVE"},
		"a paused server":                       {status: "PAUSED"},
		"a member that is being deleted": {change: func(r *rig, _ string) {
			r.cloud.Change("a", func(s *nodegroups.Stack) { s.Members[1].State = nodegroups.Deleting })
		}},
		"a server that is fine by now": {change: func(r *rig, server string) {
			r.nova.change(server, func(m *machine) { m.Status = "ACTIVE" })
		}},
		"a server that is being started": {change: func(r *rig, server string) {
			r.nova.change(server, func(m *machine) { m.TaskState = "powering-on" })
		}},
		"a server that is gone": {change: func(r *rig, server string) { delete(r.nova.machines, server) }},
		"what an operator has stopped": {change: func(r *rig, server string) {
			r.nova.change(server, func(m *machine) { m.stoppedBy = "operator" })
		}, held: heldStoppedByUser},
		"what may have been stopped by an operator": {change: func(r *rig, server string) {
			r.nova.change(server, func(m *machine) { m.stopErr = errNova })
		}, held: heldCloud},
		"a server that can't be read": {change: func(r *rig, server string) {
			r.nova.change(server, func(m *machine) { m.err = errNova })
		}, held: heldCloud},
		"what we have stopped ourselves": {change: func(r *rig, server string) {
			r.change(server, func(n *v1.Node) { n.Annotations = map[string]string{StoppedAnnotation: "2026-01-02T03:04:05Z"} })
		}, held: heldStoppedByUs},
		"a node that must not be scaled down": {change: func(r *rig, server string) {
			r.change(server, func(n *v1.Node) { n.Annotations = map[string]string{noScaleDownAnnotation: "true"} })
		}, held: heldNoScaleDown},
		"repair is off":               {opts: func(o *Options) { o.Repair = false }, held: heldDisabled},
		"repair is off for the group": {stack: func(s *nodegroups.Stack) { s.Config.Life.AutoRepair = &off }, held: heldDisabled},
		"a blocked group":             {stack: fake.BlockedBy(nodegroups.ReasonStackState), held: heldBlocked},
		"a stack that is being updated": {stack: func(s *nodegroups.Stack) {
			s.Busy, s.Status = true, "UPDATE_IN_PROGRESS"
		}, held: heldStackBusy},
		"a cloud that can't be read": {change: func(r *rig, _ string) { r.cloud.Fail("Refresh", "", errNova) }, held: heldCloud},
	} {
		t.Run(name, func(t *testing.T) {
			changes := []func(*nodegroups.Stack){fake.InGroup("a", 1, 9)}
			if test.stack != nil {
				changes = append(changes, test.stack)
			}
			r := newRig(t, test.opts, fake.Stack("a", 5, changes...))
			status := test.status
			if status == "" {
				status = "SHUTOFF"
			}
			server := r.breaks("a", 1, status)
			r.refresh()
			if test.change != nil {
				test.change(r, server)
			}
			r.after(2 * DefaultRepairAfter)
			assert.Empty(t, r.orders())
			want := map[Held]int{}
			if test.held != "" {
				want[Held{"a", test.held}] = 1
			}
			assert.Equal(t, want, r.counts.held)
			if test.held != heldDisabled {
				assert.Equal(t, test.held != "", r.told(nodegroups.ReasonRepairHeldBack, nodeName(server), test.held))
			}
		})
	}
}

func TestNovaIsNotAskedInEveryLookWhoStoppedAServer(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 5))
	server := r.breaks("a", 1, "SHUTOFF")
	r.nova.change(server, func(m *machine) { m.stoppedBy = "operator" })
	r.after(DefaultRepairAfter + askAgainAfter)
	assert.Len(t, r.nova.asked, 1)
	r.nova.change(server, func(m *machine) { m.stoppedBy = "" }) // started and off again by itself
	r.after(askAgainAfter)
	assert.Equal(t, replaced(server), r.orders())
}

// A group's annotation wins over the flag.
func TestRepairByAnnotationAlone(t *testing.T) {
	on := true
	r := newRig(t, func(o *Options) { o.Repair = false }, fake.Stack("a", 5, func(s *nodegroups.Stack) { s.Config.Life.AutoRepair = &on }))
	server := r.breaks("a", 1, "ERROR")
	r.after(2 * DefaultRepairAfter)
	assert.Equal(t, replaced(server), r.orders())
}

// A member that does not become a node is cluster-autoscaler's to remove, unless the minimum size forbids it that.
func TestMembersThatDoNotBecomeNodes(t *testing.T) {
	for name, test := range map[string]struct {
		minimum int
		floor   int
		state   nodegroups.State
		status  string
		opts    func(*Options)
		own     time.Duration // the group's own provision time
		ailment string
		after   time.Duration
	}{
		"above the minimum":         {minimum: 2, state: nodegroups.Running, status: "ACTIVE"},
		"at the minimum":            {minimum: 3, state: nodegroups.Running, status: "ACTIVE", ailment: ailmentNeverJoined, after: 16 * time.Minute},
		"at the floor":              {minimum: 1, floor: 3, state: nodegroups.Running, status: "ACTIVE", ailment: ailmentNeverJoined, after: 16 * time.Minute},
		"above the floor":           {minimum: 1, floor: 2, state: nodegroups.Running, status: "ACTIVE"},
		"in BUILD":                  {minimum: 3, state: nodegroups.Creating, status: "BUILD", ailment: ailmentStuckInBuild, after: 16 * time.Minute},
		"the group's own time":      {minimum: 3, state: nodegroups.Running, status: "ACTIVE", own: 5 * time.Minute, ailment: ailmentNeverJoined, after: 6 * time.Minute},
		"the flag's time":           {minimum: 3, state: nodegroups.Running, status: "ACTIVE", opts: func(o *Options) { o.ProvisionTime = 8 * time.Minute }, ailment: ailmentNeverJoined, after: 9 * time.Minute},
		"removed below the minimum": {minimum: 3, state: nodegroups.Running, status: "ACTIVE", opts: func(o *Options) { o.ForcedRemoval = true }},
		"in RESCUE":                 {minimum: 3, state: nodegroups.Running, status: "RESCUE"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, test.opts, fake.Stack("a", 3, fake.InGroup("a", test.minimum, 9), func(s *nodegroups.Stack) {
				s.Members[2].State, s.Members[2].Status, s.Members[2].Launched = test.state, test.status, test.status != "BUILD"
				s.Busy = test.status == "BUILD"
				if test.own > 0 {
					s.Config.Options.MaxNodeProvisionTime = &test.own
				}
			}))
			if test.floor > 0 {
				r.floors = map[string]nodegroups.Floor{"a": {Size: test.floor}}
				r.refresh()
			}
			server := fake.ServerID("a", 2)
			r.nova.change(server, func(m *machine) { m.Status, m.Launched = test.status, test.status != "BUILD" })
			require.NoError(t, r.client.Tracker().Delete(v1.SchemeGroupVersion.WithResource("nodes"), "", nodeName(server)))
			if test.ailment == "" {
				r.after(time.Hour)
				assert.Empty(t, r.orders())
				return
			}
			r.after(test.after - 10*time.Second)
			assert.Empty(t, r.orders(), "cluster-autoscaler comes first")
			r.after(20 * time.Second)
			assert.Equal(t, replaced(server), r.orders())
			assert.Equal(t, map[string]int{"a " + test.ailment: 1}, r.counts.replaced)
		})
	}
}

// A network outage must not replace a fleet.
func TestNothingIsReplacedInAnOutage(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 6, fake.InGroup("workers", 0, 9)), fake.Stack("b", 3, fake.InGroup("workers", 0, 9)))
	for i := range 3 {
		r.breaks("a", i, "ERROR")
	}
	r.unready(fake.ServerID("b", 0))
	r.after(time.Hour)
	assert.Empty(t, r.orders())
	assert.Equal(t, map[Held]int{{"workers", heldOutage}: 3}, r.counts.held)
	r.change(fake.ServerID("b", 0), func(n *v1.Node) { n.Status.Conditions[0].Status = v1.ConditionTrue })
	r.after(10 * time.Second)
	assert.Len(t, r.orders(), 1, "a third of the nodes may be down")
}

func TestTheOnlyNodeIsReplacedToo(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	server := r.breaks("a", 0, "ERROR")
	r.after(2 * DefaultRepairAfter)
	assert.Equal(t, replaced(server), r.orders())
}

func TestBudgets(t *testing.T) {
	// Groups of 30, so that a tenth is three at once.
	r := newRig(t, nil, fake.Stack("a", 30, fake.InGroup("a", 0, 99)), fake.Stack("b", 30, fake.InGroup("b", 0, 99)), fake.Stack("c", 30, fake.InGroup("c", 0, 99)))
	r.step = time.Minute
	for i := range 6 {
		r.breaks("a", i, "ERROR")
		r.breaks("b", i, "ERROR")
	}
	deliver := func() {
		for _, name := range []string{"a", "b", "c"} {
			r.cloud.Deliver(name)
		}
		r.refresh()
		for _, g := range r.groups.Snapshot().Groups() {
			for _, m := range g.Members {
				if r.nova.machines[m.ServerID] == nil {
					r.join(m.ServerID)
				}
			}
		}
	}
	r.after(DefaultRepairAfter + time.Minute)
	assert.LessOrEqual(t, len(r.orders()), clusterAtOnce)
	r.cloud.Settle("a") // the stacks are at rest, and the new servers are no nodes yet
	r.cloud.Settle("b")
	r.after(time.Minute)
	assert.Len(t, r.orders(), clusterAtOnce, "in the whole cluster")
	assert.NotZero(t, r.counts.held[Held{"a", heldGroupAtOnce}]+r.counts.held[Held{"b", heldGroupAtOnce}])
	assert.NotZero(t, r.counts.held[Held{"a", heldClusterAtOnce}]+r.counts.held[Held{"b", heldClusterAtOnce}])
	for range 10 {
		deliver()
		r.after(time.Minute)
	}
	assert.Len(t, r.orders(), 2*groupPerHour, "in one hour")
	assert.NotZero(t, r.counts.held[Held{"a", heldGroupPerHour}])
	for i := range 3 {
		r.breaks("c", i, "ERROR")
	}
	for range 10 {
		deliver()
		r.after(time.Minute)
	}
	assert.Len(t, r.orders(), DefaultRepairsPerHour)
	assert.Equal(t, 1, r.counts.held[Held{"c", heldClusterPerHour}])
	for range 60 {
		deliver()
		r.after(time.Minute)
	}
	assert.Len(t, r.orders(), 15, "the next hour has a budget of its own")
	assert.Empty(t, r.counts.held)
}

// Replacements that do not become nodes: each pause is longer than the one before, and a success ends that.
func TestAGroupIsLeftAloneAfterAFailedReplacement(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 20))
	first, second := r.breaks("a", 0, "ERROR"), r.breaks("a", 1, "ERROR")
	r.after(DefaultRepairAfter + 10*time.Second)
	r.cloud.Settle("a")
	r.after(time.Minute)
	require.ElementsMatch(t, replaced(first, second), r.orders(), "two of twenty at once")
	third := r.breaks("a", 2, "ERROR")
	r.after(21 * time.Minute)
	assert.True(t, r.told(nodegroups.ReasonRepairFailed, "has not become a node in time"))
	assert.Equal(t, map[Held]int{{"a", heldBackOff}: 1}, r.counts.held)
	r.after(pauseFirst - 3*time.Minute)
	assert.Len(t, r.orders(), 2)
	r.after(2*pauseFirst + 5*time.Minute) // two have failed
	assert.Contains(t, r.orders(), replaced(third)[0])

	r.cloud.Deliver("a")
	for _, i := range []int{20, 21, 22} {
		r.join(fake.ServerID("a", i))
	}
	r.after(time.Minute)
	assert.Empty(t, r.repair.pauses)
}

func TestAReplacementThatIsRefused(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 5))
	server := r.breaks("a", 0, "ERROR")
	refused := errors.New("heat says no")
	r.cloud.Fail("Replace", "a", refused)
	r.after(2 * DefaultRepairAfter)
	assert.Equal(t, replaced(server), r.orders(), "once")
	assert.True(t, r.told(nodegroups.ReasonRepairFailed, "heat says no", nodeName(server)))
	assert.Empty(t, r.counts.replaced)
	r.cloud.Fail("Replace", "a", nil)
	r.after(DefaultRepairAfter + pauseFirst)
	assert.Len(t, r.orders(), 2)
}

// cluster-autoscaler removes the member between our look and our order.
func TestAReplacementThatComesTooLate(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 5))
	r.breaks("a", 0, "ERROR")
	r.after(DefaultRepairAfter - 10*time.Second)
	r.Life.groups = tooLate{r.groups}
	r.after(20 * time.Second)
	assert.Empty(t, r.orders())
	assert.False(t, r.told(nodegroups.ReasonRepairFailed))
	assert.Empty(t, r.repair.pauses)
}

type tooLate struct{ *nodegroups.Manager }

func (tooLate) Replace(context.Context, string, string) error { return nodegroups.ErrBeingRemoved }

func TestAGroupThatIsSmallerNowIsWhole(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 5))
	server := r.breaks("a", 0, "ERROR")
	r.after(DefaultRepairAfter + 10*time.Second)
	require.Equal(t, replaced(server), r.orders())
	r.cloud.Change("a", func(s *nodegroups.Stack) {
		s.Members, s.Target, s.Busy, s.Status = s.Members[1:5], 4, false, "UPDATE_COMPLETE"
	})
	r.after(10 * time.Second)
	assert.True(t, r.repair.history[0].ended)
	r.after(time.Hour)
	assert.Empty(t, r.repair.history)
	assert.Empty(t, r.repair.pauses)
}

func TestAGroupThatIsGone(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 5))
	r.breaks("a", 0, "ERROR")
	r.after(DefaultRepairAfter + 10*time.Second)
	require.Len(t, r.orders(), 1)
	r.cloud.Delete("a")
	r.after(time.Minute)
	assert.True(t, r.repair.history[0].ended)
	assert.Empty(t, r.repair.cases)
}

func TestADryRunReplacesNothing(t *testing.T) {
	r := newRig(t, func(o *Options) { o.DryRun = true }, fake.Stack("a", 5))
	r.breaks("a", 0, "ERROR")
	r.after(DefaultRepairAfter + time.Minute)
	assert.Empty(t, r.orders())
	assert.Equal(t, map[string]int{"a replace": 1}, r.counts.decided)
	assert.Empty(t, r.counts.replaced)
}
