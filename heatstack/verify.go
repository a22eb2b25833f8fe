package heatstack

import (
	"context"
	"fmt"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// verify looks whether the members that were named have gone, and only those.
func (w *writer) verify(ctx context.Context) {
	l, err := w.see(ctx, true)
	if err != nil || isBusy(l.Status) {
		w.mu.Lock()
		w.verified = "" // at the next sight of the stack at rest
		w.mu.Unlock()
		return
	}
	living := map[string]bool{}
	for _, row := range l.Rows {
		if row.ServerID != "" && !isBeingDeleted(row.Status) {
			living[row.ServerID] = true
		}
	}
	v := newView(l.observation)
	gone, again, missing := w.sortOut(v, living)
	wrong := w.countWrong(ctx, missing)
	if gone > 0 || wrong > 0 {
		w.all.hooks.removed(l.ref.ID, gone, wrong)
		w.all.hooks.observed(l.detail)
	}
	if len(again) > 0 {
		w.report(lostUpdate())
		w.nameAgain(again)
	}
}

// nameAgain orders once more that victims go, in the way in which it was ordered before.
func (w *writer) nameAgain(again []victim) {
	members := map[intentKind][]nodegroups.Member{}
	for _, x := range again {
		kind := wantRemoval
		if x.Replaced {
			kind = wantReplacement
		}
		members[kind] = append(members[kind], nodegroups.Member{ServerID: x.ServerID})
	}
	for kind, list := range members {
		i := newIntent(kind, w.all.opts.Clock.Now())
		i.members, i.second = list, true
		_ = w.enqueue(i) // fails only when the writers are closed
	}
}

// sortOut takes what is settled off the removals: gone counts victims that have gone, again are victims that have to be
// named once more, missing are members that should have stayed and did not.
func (w *writer) sortOut(v *view, living map[string]bool) (gone int, again, missing []victim) {
	w.mu.Lock()
	defer w.mu.Unlock()
	named := map[string]bool{}
	for _, r := range w.removals {
		for _, x := range r.victims {
			named[x.ServerID] = true
		}
	}
	seen := map[string]bool{}
	var open []*removal
	for _, r := range w.removals {
		var left []victim
		for _, x := range r.victims {
			row, isListed := v.rows[x.Index]
			switch {
			case x.ServerID == "":
			case isListed && row.ServerID == x.ServerID && hasFailed(v.Status):
				left = append(left, x) // the recovery of the stack tries again
			case !living[x.ServerID]:
				gone++
			case !r.second:
				again = append(again, x)
			}
		}
		for _, k := range r.keep {
			if !living[k.ServerID] && !named[k.ServerID] && !v.living[k.Index] && !seen[k.ServerID] {
				seen[k.ServerID] = true
				missing = append(missing, k)
			}
		}
		if len(left) > 0 {
			r.victims, r.keep = left, nil
			open = append(open, r)
		}
	}
	w.removals = open
	return gone, again, missing
}

// countWrong raises the alarm for servers that went although nobody had named them. A member that somebody has deleted in
// Nova is still listed by Heat and not among them.
func (w *writer) countWrong(ctx context.Context, missing []victim) int {
	wrong := 0
	for _, m := range missing {
		if isDead, err := w.isDead(ctx, m.ServerID); err != nil || !isDead {
			continue
		}
		wrong++
		klog.FromContext(ctx).Error(nil, "A server was removed that nobody had named", "server", m.ServerID, "member", m.Index)
		p := problemError(nodegroups.ReasonWrongRemoval,
			fmt.Sprintf("server %s, member %d, went with an update of ours that did not name it", m.ServerID, m.Index),
			"find out who else changes the stack or its members at the same time; then report a bug")
		p.Key, p.Value = "member", m.ServerID
		w.report(p)
	}
	return wrong
}
