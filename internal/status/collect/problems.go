package collect

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status/known"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// seldom are problems that are looked for more rarely than in every loop: they are taken to hold until two looks were missed.
var seldom = map[string]time.Duration{
	nodegroups.ReasonTemplateDrift:   25 * time.Minute, // cloudprovider looks every 10
	nodegroups.ReasonBlanketApproval: 12 * time.Minute, // bootstrap looks every 5
	nodegroups.ReasonNoPermission:    12 * time.Minute,
	nodegroups.ReasonNoProviderID:    tellAgain, // these are told once
	nodegroups.ReasonSizeMismatch:    tellAgain,
	nodegroups.ReasonSecondKey:       tellAgain,
}

// isOver says whether a problem that was last reported so long ago does not hold any more.
func isOver(reason string, since time.Duration) bool { return since > cmp.Or(seldom[reason], holdsFor) }

// Report writes a problem down if it is news; it implements nodegroups.Reporter. Most problems that hold are reported at every loop.
func (b *Book) Report(p nodegroups.Problem) {
	key := p
	key.Message = ""
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	s := b.problems[key]
	if s == nil {
		b.makeRoom(now)
		s = &seen{}
		b.problems[key] = s
	}
	since := now.Sub(s.told)
	isNews := since >= tellAgain || s.message != p.Message && since >= reworded || isOver(p.Reason, now.Sub(s.last))
	s.last = now
	if !isNews {
		return
	}
	s.message, s.told = p.Message, now
	d := decisionOf(&p)
	if b.program.DryRun && d.Kind == status.DecisionDeleteNode {
		d.Result = status.ResultDryRun
	}
	b.write(d)
}

// makeRoom forgets problems that do not hold any more, when there are too many. It needs mu.
func (b *Book) makeRoom(now time.Time) {
	if len(b.problems) < rememberedProblems {
		return
	}
	maps.DeleteFunc(b.problems, func(p nodegroups.Problem, s *seen) bool { return isOver(p.Reason, now.Sub(s.last)) })
	if len(b.problems) >= rememberedProblems {
		clear(b.problems)
	}
}

// happened are reports of something that is over when it is told: it does not hold.
var happened = map[string]bool{nodegroups.ReasonMemberReplaced: true, nodegroups.ReasonNodeDeleted: true}

// decisionOf is a problem as a decision.
func decisionOf(p *nodegroups.Problem) status.Decision {
	d := status.Decision{
		Kind: status.DecisionProblem, Group: p.Group, Stack: p.Stack, Node: p.Node, Code: p.Reason, Result: status.ResultWaiting, Reason: p.Message,
	}
	if p.Key == "server" && p.Value != "" {
		d.Servers = []string{p.Value}
	} else if p.Key != "" {
		d.Reason = p.Key + "=" + p.Value + ": " + d.Reason
	}
	switch p.Reason {
	case nodegroups.ReasonMemberReplaced:
		d.Kind, d.Result, d.Code = status.DecisionReplace, status.ResultOK, ""
	case nodegroups.ReasonRepairHeldBack:
		d.Kind = status.DecisionReplace
	case nodegroups.ReasonRepairFailed:
		d.Kind, d.Result = status.DecisionReplace, status.ResultFailed
	case nodegroups.ReasonNodeDeleted:
		d.Kind, d.Result, d.Code = status.DecisionDeleteNode, status.ResultOK, ""
	case nodegroups.ReasonWrongRemoval:
		d.Result = status.ResultWrong
	case nodegroups.ReasonLateFailure, nodegroups.ReasonPartialGrowth, nodegroups.ReasonShutdownFailed:
		d.Result = status.ResultFailed
	}
	if !happened[p.Reason] && p.Remedy != "" {
		d.Reason += "; " + p.Remedy
	}
	return d
}

// holding returns what holds, those of the snapshot and those that are reported elsewhere, blocking ones first. It needs mu.
func (b *Book) holding(s *nodegroups.Snapshot, now time.Time) []status.Problem {
	all := slices.Clone(s.Problems())
	there := make(map[nodegroups.Problem]bool, len(all))
	for _, p := range all {
		p.Message = ""
		there[p] = true
	}
	for p, is := range b.problems {
		if there[p] || happened[p.Reason] || is.derived || isOver(p.Reason, now.Sub(is.last)) {
			continue
		}
		p.Message = is.message
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b nodegroups.Problem) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Stack, b.Stack),
			cmp.Compare(a.Node, b.Node), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
	})
	out := make([]status.Problem, 0, len(all))
	for i := range all {
		out = append(out, *known.Problem(&all[i]))
	}
	return out
}
