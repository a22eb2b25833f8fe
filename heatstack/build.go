package heatstack

import (
	"fmt"
	"strconv"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// build makes what is shown of a stack. The values it makes are never changed afterwards; a stack that did not move keeps them.
// It needs the lock.
func (c *Cloud) build(st *stackState) {
	st.dirty = false
	pending := c.writers.Pending(st.row.ID, st.size)
	st.view = tellMembers(&memberSources{
		stackID: st.row.ID, status: st.row.Status, reason: st.row.Reason,
		size: st.size, pending: pending,
		removal: st.newRemovals(), removing: c.writers.Removing(st.row.ID),
		listing: st.listing, listed: st.listed, current: st.current(),
		servers: c.servers.byStack[st.row.ID], server: func(id string) *Server { return c.servers.byID[id] },
		lost: st.lost, faults: st.faults,
	})
	value := &nodegroups.Stack{
		ID: st.row.ID, Name: st.row.Name, Project: st.row.Project, Region: c.opts.Region,
		Config: st.config, Status: st.row.Status, Reason: st.row.Reason,
		Busy: isBusy(st.row.Status), Failed: hasFailed(st.row.Status),
		Known: st.known, Read: st.readAt,
	}
	if st.known {
		value.Target, value.Members = max(0, st.size+pending), st.view.members
	}
	newest := newestServer(nil, st.view.live)
	value.Zone = st.parameters[st.config.Parameters.Zone]
	if value.Zone == "" && newest != nil {
		value.Zone = newest.Zone
	}
	if gib, err := strconv.Atoi(st.parameters[st.config.Parameters.BootVolumeGiB]); err == nil && gib > 0 {
		value.BootVolumeGiB = gib
	}
	var flavorProblem *nodegroups.Problem
	value.Flavor, flavorProblem = c.flavorOf(st, newest)

	st.problems = c.problemsOf(st)
	if flavorProblem != nil {
		st.problems = append(st.problems, *flavorProblem)
	}
	for i := range st.problems {
		p := &st.problems[i]
		p.Group, p.Stack = st.config.Name, st.row.Name
		if p.Severity == nodegroups.Blocking && value.Blocked == nil {
			blocked := *p
			value.Blocked = &blocked
		}
	}
	if p := st.template.JoinProblem; p != nil && st.templateProblem == nil {
		blocked := *p
		blocked.Group, blocked.Stack = st.config.Name, st.row.Name
		value.GrowthBlocked = &blocked
		st.problems = append(st.problems, blocked)
	}
	st.value = value
	st.detail = &StackDetail{StackRow: st.row, Parameters: st.parameters}
}

// flavorOf is what new members get: what the stack's parameter says, else what the newest member has.
func (c *Cloud) flavorOf(st *stackState, newest *Server) (*nodegroups.Flavor, *nodegroups.Problem) {
	key := st.config.Parameters.Flavor
	if name := st.parameters[key]; name != "" {
		if f := c.flavors.find(name); f != nil {
			return f, nil
		}
		if c.flavors.read.IsZero() {
			return nil, nil // that the list can't be read is reported elsewhere
		}
		return nil, &nodegroups.Problem{
			Reason: nodegroups.ReasonUnknownFlavor, Severity: nodegroups.Warning, Key: key, Value: name,
			Message: "the project has no flavor of this name or id", Remedy: "create the flavor, or give the stack another",
		}
	}
	switch {
	case newest == nil:
		return nil, nil
	case newest.Flavor.VCPUs == 0:
		return c.flavors.find(newest.Flavor.ID), nil
	}
	return flavorOf(newest.Flavor), nil
}

// problemsOf collects what is wrong with a stack, but for its flavor. Group and stack are filled in by the caller.
func (c *Cloud) problemsOf(st *stackState) []nodegroups.Problem {
	var all []nodegroups.Problem
	if st.readProblem != nil {
		all = append(all, *st.readProblem)
	}
	if !isServed(st.row.Status) {
		all = append(all, nodegroups.Problem{
			Reason: nodegroups.ReasonStackState, Severity: nodegroups.Blocking, Key: "status", Value: st.row.Status,
			Message: "a stack in this state can't be scaled", Remedy: "resume the stack, or take its tags away",
		})
	}
	if st.read {
		all = append(all, st.configProblems...)
		missing := st.missingParameters()
		all = append(all, missing...)
		if st.templateProblem != nil && len(missing) == 0 {
			all = append(all, *st.templateProblem)
		}
	}
	for _, m := range st.view.members {
		if m.State == nodegroups.Lost {
			all = append(all, nodegroups.Problem{
				Reason: nodegroups.ReasonMemberLost, Severity: nodegroups.Warning, Key: "member", Value: m.Index,
				Message: fmt.Sprintf("server %s was deleted behind Heat's back", m.ServerID),
				Remedy:  "leave it to the autoscaler, which has the member removed or made anew",
			})
		}
	}
	return append(all, st.reported...)
}

// missingParameters says which parameters a stack lacks that it can't be scaled without. Heat accepts an update of a parameter that is not
// there, and drops it.
func (st *stackState) missingParameters() []nodegroups.Problem {
	problems := make([]nodegroups.Problem, 0, 2)
	for _, want := range []struct {
		name, what string
		annotation nodegroups.Key
	}{
		{st.config.Parameters.Size, "size", nodegroups.KeySizeParameter},
		{st.config.Parameters.Removal, "members to remove", nodegroups.KeyRemovalParameter},
	} {
		value, ok := st.parameters[want.name]
		problem := nodegroups.Problem{
			Reason: nodegroups.ReasonMissingParameter, Severity: nodegroups.Blocking, Key: want.name, Value: value,
			Remedy: fmt.Sprintf("add the parameter to the template, or name the right one by the annotation %s", want.annotation),
		}
		switch {
		case !ok:
			problem.Message = fmt.Sprintf("the stack has no parameter of this name for its %s", want.what)
		case want.annotation == nodegroups.KeySizeParameter && !isCount(value):
			problem.Message = "the size parameter does not hold a whole number from 0 up"
		default:
			continue
		}
		problems = append(problems, problem)
	}
	return problems
}

func isCount(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 0
}
