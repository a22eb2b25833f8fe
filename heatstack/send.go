package heatstack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// outcome says what became of an update.
type outcome string

const (
	// sentConfirmed: the parameters show it.
	sentConfirmed outcome = "confirmed"
	// sentAccepted: Heat has taken it and shows the old parameters until it is through, as the classic engine does.
	sentAccepted outcome = "accepted"
	// sentConflict: a classic engine is busy. Nothing was done.
	sentConflict outcome = "conflict"
	// sentLater: too many requests. Nothing was done.
	sentLater outcome = "later"
	// sentRefused: Heat will not do it.
	sentRefused outcome = "refused"
	// sentLost: it was taken, or may have been, and the parameters show something else.
	sentLost outcome = "lost"
	// sentUnknown: nobody knows.
	sentUnknown outcome = "unknown"
)

// sendResult is what became of an update, with the stack as it was read back.
type sendResult struct {
	outcome outcome
	err     error
	detail  *StackDetail
}

// readBackAfter are the pauses between the looks at a stack whose update does not show yet. Heat sets the status and the
// parameters before it answers 202 (measured on Zed); a classic engine does so in a thread that may be a moment late.
var readBackAfter = [...]time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond, time.Second}

// lateAfter are the further pauses after an update without an answer, which may still be on its way: one that arrived after the next
// one of ours would put its older size in that one's place, and take away what has been made since. Its message to the engine
// lives for a minute (heat.conf, rpc_response_timeout; oslo.messaging gives a call's message its timeout as time to live).
var lateAfter = [...]time.Duration{
	2 * time.Second, 3 * time.Second, 5 * time.Second, 10 * time.Second, 10 * time.Second, 10 * time.Second, 10 * time.Second, 10 * time.Second,
}

// overtakenFor is how long Heat's workers may still try to carry out an update that has overtaken another one. A worker tries three
// times, each time up to 2 s after the one before (heat/engine/resource.py, client_retry_limit). If the last try succeeds, the worker that
// Heat has sent meanwhile for the same update finds the group held in its turn, and tries for as long. The rest is for a busy engine, which
// needs up to a second to begin. Measured on Zed: second executions began 3.2 to 4.1 s after the PATCH, the last try of a worker was 7.4 s after it.
const overtakenFor = 15 * time.Second

// newOrder is what a plan will have ordered when it is sent.
func (w *writer) newOrder(l *look, p plan) *order {
	o := &order{count: p.Count, list: p.List, listOurs: true, beforeCount: l.Count, beforeList: l.List}
	if p.List == nil {
		o.list, o.listOurs = l.List, l.OwnList || len(l.List) == 0
	}
	return o
}

// send patches the stack and reads it back. What is read back never shows the token in join: Heat hides it.
func (w *writer) send(ctx context.Context, l *look, p plan, o *order, join *joinParameters) sendResult {
	names := l.ref.Config.Parameters
	parameters := map[string]any{names.Size: p.Count}
	if p.List != nil {
		parameters[names.Removal] = p.List
	}
	err := w.all.heat.Patch(join.addTo(ctx, parameters), l.ref.Name, l.ref.ID, parameters)
	// After an update that was cancelled, or hidden by a check, Heat may still hold the group, and nothing shows it in the last second.
	mayMeetAnother := isBusy(l.Status) || phaseOf(l.Status, l.Own) == phaseUnfinished
	if mayMeetAnother && (err == nil || isUnknownOutcome(err)) {
		w.mu.Lock()
		w.quietUntil = w.all.opts.Clock.Now().Add(overtakenFor)
		w.mu.Unlock()
	}
	switch {
	case err == nil:
	case isConflict(err):
		return sendResult{outcome: sentConflict, err: err}
	case isRateLimited(err):
		return sendResult{outcome: sentLater, err: err}
	case !isUnknownOutcome(err):
		return sendResult{outcome: sentRefused, err: err}
	}
	return w.readBack(ctx, l, o, err)
}

// readBack finds out what became of an update. patchErr is nil if Heat has accepted it, else its outcome is unknown.
func (w *writer) readBack(ctx context.Context, l *look, o *order, patchErr error) sendResult {
	// After a failed request its context may have no time left.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.all.opts.WriteTimeout)
	defer cancel()
	w.mu.Lock()
	mayHideIt := !w.isConvergent && !isBusy(l.Status) // a classic engine would not have accepted it on top of another
	w.mu.Unlock()
	var result sendResult
	pauses, isLate := readBackAfter[:], mayArriveLate(patchErr)
	if isLate {
		pauses = slices.Concat(pauses, lateAfter[:])
	}
	for _, pause := range pauses {
		if pause > 0 && !w.pause(pause) {
			return sendResult{outcome: sentUnknown, err: errors.Join(errClosed, patchErr)}
		}
		detail, err := w.all.heat.GetStack(ctx, l.ref.Name, l.ref.ID)
		if err != nil {
			result = sendResult{outcome: sentUnknown, err: errors.Join(patchErr, err)}
			if ctx.Err() != nil {
				return result // the time for one change is shorter than it may be late
			}
			continue
		}
		now := *l
		now.detail = detail
		if err := now.understand(); err != nil {
			return sendResult{outcome: sentUnknown, err: errors.Join(patchErr, err), detail: detail}
		}
		result = sendResult{detail: detail, err: patchErr}
		switch {
		case o.shows(now.Count, now.List) && o.moved(l, detail):
			result.outcome = sentConfirmed
			return result
		case o.showsBefore(now.Count, now.List) && patchErr == nil && mayHideIt && isBusy(detail.Status):
			result.outcome = sentAccepted
			return result
		case o.showsBefore(now.Count, now.List):
			result.outcome = sentLost // perhaps it only does not show yet
		default:
			result.outcome = sentLost
			if !isLate {
				return result
			}
		}
	}
	return result
}

// moved tells an update that repeats the same parameters from one that never arrived: Heat stamps every update.
func (o *order) moved(l *look, detail *StackDetail) bool {
	return !o.shows(l.Count, l.List) || detail.Updated != l.detail.Updated || isBusy(detail.Status)
}

// pause waits on the clock; false if the writer is being closed.
func (w *writer) pause(d time.Duration) bool {
	timer := w.all.opts.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-w.all.ctx.Done():
		return false
	}
}

// conclude answers the intents of an update that was sent.
func (w *writer) conclude(l *look, p plan, o *order, shares []share, r sendResult, tries int) (sent, again bool) {
	if r.detail != nil {
		o.updated = r.detail.Updated
	}
	switch r.outcome {
	case sentConfirmed, sentAccepted:
		o.unconfirmed = r.outcome == sentAccepted
		w.mu.Lock()
		w.last = o
		if isBusy(r.detail.Status) && !o.unconfirmed && !o.shows(l.Count, l.List) {
			w.isConvergent = true
		}
		if len(p.Victims) > 0 {
			r := &removal{victims: p.Victims, keep: p.Keep, order: o, second: isSecond(shares)}
			if w.othersAtWork {
				r.keep = nil
			}
			w.removals = append(w.removals, r)
		}
		done := w.carriedOut(shares)
		if asksForMore(shares) {
			w.recovery.reset()
		}
		w.mu.Unlock()
		w.all.hooks.observed(r.detail) // before the callers go on, so that they see the new size
		w.answer(done)
		return true, false
	case sentConflict, sentLater:
		w.uncommit(shares, r.err)
		if r.outcome == sentConflict {
			w.queueGrowth(l, shares)
		}
		return false, false
	case sentRefused:
		w.fail(shares, r.err)
		return false, false
	case sentLost:
		w.forgetLast()
		w.all.hooks.superseded(l.ref.ID)
		w.all.hooks.observed(r.detail)
		problem := lostUpdate()
		why := error(problem)
		if r.err == nil {
			w.report(problem)
		} else {
			why = withoutAnswer(r.err)
		}
		if tries+1 < sendTries {
			w.uncommit(shares, why)
			return false, true
		}
		w.fail(shares, why)
		return false, false
	case sentUnknown:
		w.forgetLast()
		w.all.hooks.superseded(l.ref.ID)
		w.fail(shares, withoutAnswer(r.err))
	}
	return false, false
}

// withoutAnswer marks the error of an update that Heat has not answered, or that could not be read back: it may have been taken.
func withoutAnswer(err error) error { return fmt.Errorf("%w: %w", nodegroups.ErrOutcomeUnknown, err) }

// forgetLast: we don't know any more what the stack's parameters are due to.
func (w *writer) forgetLast() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = nil
}

// queueGrowth answers those who want growth of a stack whose engine is busy and is, or may be, a classic one: the growth is queued,
// and counts.
func (w *writer) queueGrowth(l *look, shares []share) {
	var queued []*intent
	w.mu.Lock()
	for _, s := range shares {
		if s.intent.kind == wantGrowth && !s.intent.resolved && !s.intent.withdrawn {
			s.intent.queued = true
			queued = append(queued, s.intent)
		}
	}
	w.mu.Unlock()
	w.all.hooks.observed(l.detail)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range queued {
		i.answer(nil)
	}
}

// uncommit puts intents back that were not sent.
func (w *writer) uncommit(shares []share, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range shares {
		if s.sends() {
			s.intent.committed, s.intent.waits, s.intent.withdrawn = false, err, s.intent.abandoned
		}
	}
}

// fail answers the intents that were in an update.
func (w *writer) fail(shares []share, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range shares {
		if s.sends() {
			s.intent.resolve(err)
		}
	}
}

// isSecond tells whether a removal in the update has been ordered before.
func isSecond(shares []share) bool {
	for _, s := range shares {
		if s.sends() && s.intent.second {
			return true
		}
	}
	return false
}
