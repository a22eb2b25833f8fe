package nodelife

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// repair replaces broken members, within budgets: see budget.go for how many, held.go for why not, illness.go for what counts
// as broken. What it has done is remembered for an hour by this process only; after a restart every illness has to last its
// time again before anything is done about it.
type repair struct {
	life *Life
	// cases are the members that are ill, by server.
	cases map[string]*illness
	// history are the replacements of the last hour and those that have not ended.
	history []*replacement
	pauses  map[string]*pause // by group
	// outage: in this look, too many nodes are not Ready.
	outage bool
}

// look replaces what is due and allowed, the longest ill first.
func (r *repair) look(ctx context.Context, s *sight) {
	r.settle(s)
	r.follow(s)
	r.outage = isOutage(s)
	held := map[Held]int{}
	cases := slices.SortedFunc(maps.Values(r.cases), func(a, b *illness) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.member.ServerID, b.member.ServerID))
	})
	for _, c := range cases {
		if ctx.Err() != nil {
			return
		}
		if !r.isDue(c, s.now) {
			continue
		}
		why, isWell := r.restraint(c, s), false
		if why == "" {
			why, isWell = r.confirm(ctx, c, s.now)
		}
		switch {
		case isWell:
			delete(r.cases, c.member.ServerID)
		case why != "":
			held[Held{c.group.Name, why}]++
			r.tellHeld(c, why)
		default:
			r.replace(ctx, c, s)
		}
	}
	r.life.opts.Observer.HeldBack(held)
}

// replace orders a replacement and books it before, so that an answer that gets lost is not taken for no order.
func (r *repair) replace(ctx context.Context, c *illness, s *sight) {
	booked := &replacement{group: c.group.Name, victim: c.member.ServerID, at: s.now, before: map[string]bool{}}
	for _, m := range c.group.Members {
		booked.before[m.ServerID] = true
	}
	r.history = append(r.history, booked)
	delete(r.cases, c.member.ServerID) // should it stay, it has to be ill for as long again
	logger := klog.FromContext(ctx).WithValues("nodeGroup", c.group.Name, "server", c.member.ServerID, "reason", c.ailment)
	if r.life.opts.DryRun {
		booked.ended = true
		logger.Info("Dry run: would have replaced a broken member")
		r.life.opts.Observer.Decided(c.group.Name, "replace", 1)
		return
	}
	err := r.life.groups.Replace(ctx, c.group.Name, c.member.ServerID)
	switch {
	case errors.Is(err, nodegroups.ErrBeingRemoved):
		booked.ended = true // cluster-autoscaler was faster; that is as good
		return
	case err != nil:
		logger.Error(err, "A broken member could not be replaced")
		booked.ended = !errors.Is(err, nodegroups.ErrOutcomeUnknown) && !errors.Is(err, context.DeadlineExceeded)
		r.failed(c.group.Name, s.now)
		p := c.problem(nodegroups.ReasonRepairFailed)
		p.Key, p.Value = "server", c.member.ServerID
		p.Message = fmt.Sprintf("it is broken (%s) and its replacement was refused: %v", c.ailment, err)
		p.Remedy = "see what the cloud says; it is tried again later"
		r.report(p)
		return
	}
	r.life.opts.Observer.Replaced(c.group.Name, c.ailment)
	p := c.problem(nodegroups.ReasonMemberReplaced)
	p.Key, p.Value = "server", c.member.ServerID
	p.Message = fmt.Sprintf("it is broken (%s), so another member is made in its place", c.ailment)
	p.Remedy = "nothing"
	r.report(p)
}

func (r *repair) report(p nodegroups.Problem) {
	p.Severity = nodegroups.Warning
	r.life.opts.Reporter.Report(p)
}
