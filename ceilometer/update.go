package ceilometer

import (
	"context"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// update is Update, one at a time.
func (f *Floors) update(ctx context.Context, groups []*nodegroups.Group) map[string]nodegroups.Floor {
	f.remember(ctx, groups)
	f.ask(ctx, f.questions())
	now := f.opts.Clock.Now()
	floors := make(map[string]nodegroups.Floor, len(f.groups))
	states := make(map[string]State, len(f.groups))
	for _, g := range groups {
		m := f.groups[g.Name]
		if m == nil || m.group != g {
			continue // without annotations about load, or a second group of that name
		}
		if g.Blocked == nil {
			f.evaluate(ctx, m, now)
		}
		if m.state.Applied {
			states[g.Name] = m.state
			floors[g.Name] = nodegroups.Floor{Size: m.state.Floor, Reason: m.state.Reason}
		}
	}
	f.states.Store(&states)
	return floors
}

// remember makes the memories those of the groups that have a policy now. A group that is blocked, or whose size is not known, keeps
// what it had, and begins nothing.
func (f *Floors) remember(ctx context.Context, groups []*nodegroups.Group) {
	before := f.groups
	f.groups = make(map[string]*memory, len(groups))
	for _, g := range groups {
		if f.groups[g.Name] != nil {
			continue
		}
		m := before[g.Name]
		if m == nil {
			if g.Blocked != nil || !g.Config.Load.Given() {
				continue
			}
			m = &memory{signals: map[string]*signalMemory{}}
		}
		if m.group != g {
			has := true
			if g.Blocked == nil || m.group == nil {
				has = m.follow(g, &f.opts)
			}
			if !has {
				continue // its annotations about load have been taken away
			}
			m.group = g
		}
		for _, p := range m.problems {
			f.opts.Reporter.Report(p)
		}
		f.groups[g.Name] = m
	}
	for name, m := range before {
		if f.groups[name] == nil && m.state.Applied {
			f.opts.Observer.FloorChanged(ctx, Change{
				State: State{Group: name, At: f.opts.Clock.Now(), Reason: "the node group has no annotations about load any more, or is gone"},
				From:  m.state.Floor, Had: true,
			})
		}
	}
}

// questions are those of all groups that are not blocked.
func (f *Floors) questions() map[question][]Subject {
	all := map[question][]Subject{}
	for _, m := range f.groups {
		if m.group.Blocked != nil || len(m.subject.Machines) == 0 {
			continue
		}
		for i := range m.policy.Signals {
			q := m.policy.question(i)
			all[q] = append(all[q], m.subject)
		}
	}
	return all
}

// question is what is read for a signal.
func (p *Policy) question(signal int) question {
	return question{p.Signals[signal].Metric, p.Window, p.Granularity, p.PollingInterval}
}

// subjectOf is a group as telemetry knows it. Machines that are off have no points, and no load.
func subjectOf(g *nodegroups.Group, serverGroup string) Subject {
	s := Subject{Group: g.Name, ServerGroup: serverGroup}
	flavors := map[string]*nodegroups.Flavor{}
	for _, stack := range g.Stacks {
		if stack.Flavor != nil {
			flavors[stack.Flavor.Name] = stack.Flavor
		}
	}
	for _, m := range g.Members {
		if m.State != nodegroups.Running || m.ServerID == "" || m.Status == nodegroups.ServerShutOff || m.Status == nodegroups.ServerError {
			continue
		}
		machine := Machine{ServerID: m.ServerID, Created: m.Created}
		if flavor := flavors[m.Flavor]; flavor != nil {
			machine.VCPUs, machine.RAMMiB = flavor.VCPUs, flavor.RAMMiB
		}
		s.Machines = append(s.Machines, machine)
	}
	return s
}

// longestPause is how far two evaluations may be apart; what is longer was no time in which telemetry could have spoken.
const longestPause = 2 * time.Minute
