package heatstack

import (
	"context"
	"fmt"
	"time"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const (
	// lostFirst and lostLast bound the time between two searches for lost members of one stack.
	lostFirst, lostLast = time.Minute, 10 * time.Minute
	// lostMany is how many lost members are believed at once while no server of the stack lives. More of them look like a
	// wrong answer of Nova, and Heat has to agree first.
	lostMany = 2
)

// lostWatch says when to look for lost members.
type lostWatch struct {
	next time.Time
	wait time.Duration
}

// due tells whether a stack at rest has fewer living servers than it should, and has had for a while.
func (l *lostWatch) due(ref stackRef, detail *StackDetail, live []Server, now time.Time) bool {
	size, ok := parseSize(detail.Parameters[ref.Config.Parameters.Size])
	if !ok || !hasCompleted(detail.Status) || len(live) >= size {
		*l = lostWatch{}
		return false
	}
	if l.wait == 0 { // a server that was just started may not be in the list yet
		l.wait, l.next = lostFirst, now.Add(lostFirst)
		return false
	}
	if now.Before(l.next) {
		return false
	}
	l.wait = min(l.wait*2, lostLast)
	l.next = now.Add(l.wait)
	return true
}

func serverIDs(servers []Server) map[string]bool {
	out := make(map[string]bool, len(servers))
	for i := range servers {
		out[servers[i].ID] = true
	}
	return out
}

// mendLost looks for members whose servers were deleted behind Heat's back, and removes them by name; those without which
// the group would be below its minimum are made anew.
func (w *writer) mendLost(ctx context.Context, live map[string]bool) {
	log := klog.FromContext(ctx)
	l, err := w.see(ctx, true)
	if err != nil {
		log.V(2).Info("Looking for lost members failed", "err", err)
		return
	}
	if phaseOf(l.Status, false) != phaseAtRest && !hasCompleted(l.Status) {
		return
	}
	lost, isDoubtful, err := w.findLost(ctx, l, live)
	if err != nil {
		return
	}
	if v := newView(l.observation); len(lost) == 0 && !v.listed.containsAll(v.intended) {
		// Heat says that it is through and has forgotten a member. An update that changes nothing makes it.
		_ = w.enqueue(newIntent(wantRetry, w.all.opts.Clock.Now())) // fails only when the writers are closed
		return
	}
	if len(lost) == 0 {
		return
	}
	p := problemError(nodegroups.ReasonMemberLost,
		fmt.Sprintf("%d servers were deleted behind Heat's back, the first is %s", len(lost), lost[0].ServerID),
		"nothing: the members are removed, or made anew where the minimum size wants them")
	p.Key, p.Value = "member", lost[0].Index
	w.report(p)
	if isDoubtful {
		w.check(ctx, l)
		return
	}
	w.replaceLost(ctx, l, lost)
}

// findLost asks Nova for each listed server that is not among the living. isDoubtful: no server of the stack is left at all.
func (w *writer) findLost(ctx context.Context, l *look, live map[string]bool) (lost []MemberRow, isDoubtful bool, err error) {
	confirmed, others, asked := 0, 0, 0
	for _, row := range l.Rows {
		if row.ServerID == "" || isBeingDeleted(row.Status) {
			continue
		}
		if live[row.ServerID] || asked == deadChecks {
			others++
			continue
		}
		asked++
		server, err := w.all.nova.GetServer(ctx, row.ServerID)
		switch {
		case err != nil && !isNotFound(err):
			return nil, false, err
		case err == nil && server.Status != "DELETED":
			others++
			continue
		}
		lost = append(lost, row)
		if row.Status == "CHECK_FAILED" {
			confirmed++
		}
	}
	return lost, others == 0 && len(lost) > lostMany && confirmed < len(lost), nil
}

// replaceLost orders the removal of lost members above the minimum size and the making anew of the others.
func (w *writer) replaceLost(ctx context.Context, l *look, lost []MemberRow) {
	now := w.all.opts.Clock.Now()
	surplus := min(max(l.Count-l.ref.Config.MinSize, 0), len(lost))
	if surplus > 0 {
		i := newIntent(wantRemoval, now)
		for _, row := range lost[:surplus] {
			i.members = append(i.members, nodegroups.Member{StackID: l.ref.ID, Index: row.Index, ServerID: row.ServerID})
		}
		_ = w.enqueue(i) // fails only when the writers are closed
	}
	if surplus == len(lost) {
		return
	}
	for _, row := range lost[surplus:] {
		if row.Status == "CHECK_FAILED" || w.all.opts.DryRun {
			continue
		}
		if err := w.all.heat.MarkUnhealthy(ctx, row, "its server was deleted"); err != nil {
			klog.FromContext(ctx).Error(err, "Marking a lost member failed", "stack", l.ref.Name, "member", row.Index)
			return
		}
	}
	_ = w.enqueue(newIntent(wantRetry, now))
}
