package heatstack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const (
	// recoverFirst is the time from seeing a failed stack to the first retry, doubled for each further one. It leaves
	// cluster-autoscaler the time to take failed members away by name, which is what mends most failures.
	recoverFirst = time.Minute
	// recoverTries is how often a failed stack is retried before a human has to look.
	recoverTries = 3
	// checkEvery is the least time between two check actions of one stack: each asks the cloud for every resource.
	checkEvery = 10 * time.Minute
)

// cancelledByHeat is the end of the reason of an update that has overtaken another one and was cancelled by a worker of Heat's that had
// waited for the group on its behalf, while another one was carrying it out (heat/engine/check_resource.py, handle_preempt). Nothing is
// wrong with the stack: the rest of the update only has to be ordered again, once no worker can come late any more.
const cancelledByHeat = "Stack UPDATE cancelled"

// recovery is the state of mending one stack. It needs the writer's lock.
type recovery struct {
	tries int
	// next is when the next retry is due, zero while the stack has not failed.
	next time.Time
	// updated is the failed update, by its updated_time.
	updated   string
	nextCheck time.Time
	lost      lostWatch
}

func (r *recovery) reset() { r.tries, r.next = 0, time.Time{} }

// observe takes in a stack at rest. due: a retry should be made now; spent: there were enough of them.
func (r *recovery) observe(detail *StackDetail, isOurs bool, now time.Time) (due, spent bool) {
	if !hasFailed(detail.Status) || phaseOf(detail.Status, false) == phaseClosed {
		r.reset()
		return false, false
	}
	if r.updated != detail.Updated && !isOurs {
		r.reset() // somebody has done something about it
	}
	r.updated = detail.Updated
	switch {
	case r.next.IsZero():
		r.next = now.Add(recoverFirst)
		if isOurs && strings.HasSuffix(detail.Reason, cancelledByHeat) {
			r.next = now.Add(overtakenFor)
		}
		return false, false
	case now.Before(r.next):
		return false, false
	case r.tries >= recoverTries:
		return false, true
	}
	r.tries++
	r.next = now.Add(recoverFirst << r.tries)
	return true, false
}

// asksForMore tells an update that callers wanted from the writer's own retry.
func asksForMore(shares []share) bool {
	for _, s := range shares {
		if s.sends() && s.intent.kind != wantRetry {
			return true
		}
	}
	return false
}

// stackFailed is the problem of a stack that could not be mended.
func stackFailed(detail *StackDetail) nodegroups.Problem {
	p := problemError(nodegroups.ReasonStackFailed,
		fmt.Sprintf("the stack is in %s after %d retries: %s", detail.Status, recoverTries, detail.Reason),
		"see openstack stack failures list; any update of the stack, or a larger quota and an update, starts the retries anew")
	p.Key, p.Value = "status", detail.Status
	return p
}

// Observe implements stackWriter.
func (ws *writers) Observe(_ context.Context, ref stackRef, detail *StackDetail, settled bool, live []Server) {
	w := ws.of(ref.ID, nil)
	if w == nil {
		if !settled || !needsAttention(ref, detail, live) {
			return
		}
		w = ws.of(ref.ID, &ref)
	}
	w.mu.Lock()
	w.ref = ref
	if key := detail.key(); key != w.seen {
		w.seen = key
		w.nudge()
	}
	if !settled {
		w.mu.Unlock()
		return
	}
	now := ws.opts.Clock.Now()
	isOurs := w.last != nil && w.last.updated == detail.Updated
	due, spent := w.recovery.observe(detail, isOurs, now)
	busy := w.unresolved() > 0
	unverified := len(w.removals) > 0 || (w.last != nil && w.last.unconfirmed)
	if unverified && (w.verified != w.seen || now.After(w.verifyNext)) {
		w.verified, w.verifyNext = w.seen, now.Add(recoverFirst)
		w.chores.verify = true
	}
	if !unverified && !busy && w.recovery.lost.due(ref, detail, live, now) {
		w.chores.lost = serverIDs(live)
	}
	chores := w.chores.any()
	w.mu.Unlock()
	switch {
	case due && !busy:
		_ = w.enqueue(newIntent(wantRetry, now)) // fails only when the writers are closed
	case chores:
		ws.mu.Lock()
		if !ws.closed {
			w.mu.Lock()
			w.start()
			w.mu.Unlock()
		}
		ws.mu.Unlock()
	}
	if spent {
		w.report(stackFailed(detail))
	}
}

// needsAttention tells whether a stack that nobody has written to yet has to be mended.
func needsAttention(ref stackRef, detail *StackDetail, live []Server) bool {
	size, ok := parseSize(detail.Parameters[ref.Config.Parameters.Size])
	return hasFailed(detail.Status) || (ok && len(live) < size)
}

// chores is what a refresh has found to be due.
type chores struct {
	// verify: removals may have been carried out.
	verify bool
	// lost: fewer servers live than Heat should have. It holds the living ones.
	lost map[string]bool
}

func (c *chores) any() bool { return c.verify || c.lost != nil }

// doChores does what is due.
func (w *writer) doChores(parent context.Context) {
	w.mu.Lock()
	todo := w.chores
	w.chores = chores{}
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(parent, w.all.opts.WriteTimeout)
	defer cancel()
	if todo.verify {
		w.verify(ctx)
	}
	if todo.lost != nil {
		w.mendLost(ctx, todo.lost)
	}
}

// checkedInstead starts a check of a stack that can't be updated because a living member is CHECK_FAILED: Heat may find it in
// order this time. The intents wait for the result. False if there is no such member, or if that was tried not long ago.
func (w *writer) checkedInstead(ctx context.Context, l *look, shares []share) bool {
	var reason error
	for _, s := range shares {
		for _, d := range s.decisions {
			var p nodegroups.Problem
			if errors.As(d.err, &p) && p.Reason == nodegroups.ReasonUnhealthyMember {
				reason = d.err
			}
		}
	}
	if reason == nil || !w.check(ctx, l) {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range shares {
		s.intent.waits = reason
	}
	return true
}

// check starts Heat's check action if that has not been done for a while.
func (w *writer) check(ctx context.Context, l *look) bool {
	now := w.all.opts.Clock.Now()
	w.mu.Lock()
	isDue := !now.Before(w.recovery.nextCheck) && !w.all.opts.DryRun
	if isDue {
		w.recovery.nextCheck = now.Add(checkEvery)
	}
	w.mu.Unlock()
	if !isDue {
		return false
	}
	if err := w.all.heat.Check(ctx, l.ref.Name, l.ref.ID); err != nil {
		klog.FromContext(ctx).Error(err, "Checking a stack failed", "stack", l.ref.Name)
		return false
	}
	return true
}
