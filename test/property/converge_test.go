package property

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// converge lets the autoscaler go on in fair weather, as it would every 20 seconds, until everything is as ordered. Forty minutes
// must do: Heat's retries, three retries of ours and the search for lost members fit in it.
func (w *world) converge() {
	w.note("fair weather, and on")
	w.fairWeather()
	var why string
	for n := range 120 {
		// Virtual time flies; what the autoscaler does beside its refreshes needs real time, more of it on a busy machine.
		time.Sleep(time.Duration(n*n) * 10 * time.Microsecond)
		w.refresh()
		w.cleanUp()
		w.judge()
		if why = w.unsettled(); why == "" {
			return
		}
		w.finishInterrupted()
		w.pass(20 * time.Second)
	}
	w.fail("stuck: %s", why)
}

// finishInterrupted lets a human repeat a removal that a check has cut short before Heat began with it: the count is lowered and
// the member is still there. So with an update that Heat has cancelled while a check was running, before it began with a member: the
// stack's status does not tell. The autoscaler leaves that alone until it has an order of its own.
func (w *world) finishInterrupted() {
	for _, st := range w.sim.Stacks() {
		isUnbegun := slices.ContainsFunc(st.Members, func(m simulator.Member) bool { return m.Status == "INIT_COMPLETE" })
		if st.Status == "CHECK_COMPLETE" && (len(st.Members) > size(st) || isUnbegun) {
			w.note("human repeats an update of %s", st.Name)
			w.humanPatch(st, map[string]any{})
		}
	}
}

// unsettled says what is not as it should be: at rest, every member running, as many as ordered, no server too many.
func (w *world) unsettled() string {
	if !w.sim.Settled() {
		return "the cloud is busy"
	}
	servers := map[string]int{}
	for _, s := range w.sim.Servers() {
		if s.Status != "ACTIVE" {
			return "server " + s.ID + " is in " + s.Status
		}
		servers[s.Stack]++
	}
	seen := map[string]*nodegroups.Stack{}
	for _, s := range w.stacks() {
		seen[s.ID] = s
	}
	for _, st := range w.sim.Stacks() {
		s := seen[st.ID]
		switch {
		case s == nil || !s.Known:
			return st.Name + " is not known"
		case s.Blocked != nil:
			return st.Name + " is blocked: " + s.Blocked.Error()
		case s.Failed || st.Status != s.Status:
			return st.Name + " is in " + st.Status
		case s.Target != size(st) || servers[st.ID] != s.Target || len(s.Members) != s.Target:
			return st.Name + " has not the size that was ordered"
		}
		for _, m := range s.Members {
			if m.State != nodegroups.Running {
				return st.Name + " has a member " + m.ID() + " in " + m.State.String()
			}
		}
	}
	return ""
}

// lastOrders proves that every group still works: it removes one member exactly, and grows by one.
func (w *world) lastOrders() {
	for _, s := range w.stacks() {
		want := map[string]bool{}
		for _, m := range s.Members {
			want[m.ServerID] = true
		}
		if len(s.Members) > 0 {
			victim := s.Members[w.rng.IntN(len(s.Members))]
			w.note("last: remove %s=%.8s", victim.Index, victim.ServerID)
			w.allow(victim.ServerID)
			delete(want, victim.ServerID)
			w.must(func(ctx context.Context) error { return w.cloud.Remove(ctx, s.ID, []nodegroups.Member{victim}) })
		}
		w.note("last: grow %s", s.Name)
		w.must(func(ctx context.Context) error { return w.cloud.Grow(ctx, s.ID, 1) })
		w.converge()
		n := 0
		for _, server := range w.sim.Servers() {
			if server.Stack == s.ID {
				n++
				delete(want, server.ID)
			}
		}
		maps.DeleteFunc(want, func(id string, _ bool) bool { return w.helped[id] })
		if len(want) > 0 || n != now(w, s.ID).Target {
			w.fail("the last orders did not do what they said: %d servers, missing %v", n, want)
		}
	}
	w.judge()
}

// helpStray lets a human do what a StrayMember asks for: a late worker has made a member again for an update of somebody else's.
func (w *world) helpStray(err error) {
	var problem nodegroups.Problem
	if !errors.As(err, &problem) || problem.Reason != nodegroups.ReasonStrayMember {
		return
	}
	for _, st := range w.sim.Stacks() {
		if st.Name != problem.Stack {
			continue
		}
		for _, m := range st.Members {
			if slices.Contains(names(st), m.Index) {
				w.allow(m.ServerID)
				w.helped[m.ServerID] = true
			}
		}
		w.note("human drains the stray of %s and updates it", st.Name)
		w.humanPatch(st, map[string]any{})
		w.settle()
	}
}

func now(w *world, id string) *nodegroups.Stack {
	for _, s := range w.stacks() {
		if s.ID == id {
			return s
		}
	}
	w.fail("stack %s has vanished", id)
	return nil
}

// must gives an order until it is taken, as cluster-autoscaler would in its next loops: a race that waits for our next
// update is still a reason to refuse it.
func (w *world) must(order func(context.Context) error) {
	w.t.Helper()
	var err error
	for range 4 {
		w.during(func(ctx context.Context) { err = order(ctx) })
		if err == nil {
			return
		}
		w.note("  %v", err)
		w.helpStray(err)
		w.refresh()
	}
	w.fail("an order in fair weather failed: %v", err)
}
