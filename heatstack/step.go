package heatstack

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/klog/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// readTries is how many reads in a row may fail before the callers are told. One bad answer should not make
// cluster-autoscaler back off from a group for minutes.
const readTries = 3

// share is what a plan decided on one intent.
type share struct {
	intent    *intent
	decisions []decision
}

// step looks, plans, sends and reads back, once. sent: something was; again: it has to be done anew at once, because the
// update was lost.
func (w *writer) step(parent context.Context, intents []*intent, tries int) (sent, again bool) {
	ctx, cancel := context.WithTimeout(parent, w.all.opts.WriteTimeout)
	defer cancel()
	l, p, shares, err := w.plan(ctx, intents)
	if err != nil {
		w.readFailed(intents, err)
		return false, false
	}
	w.failures = 0
	if w.checkedInstead(ctx, l, shares) {
		return false, false
	}
	w.decide(ctx, l, shares)
	if l.Unconfirmed || l.Hidden {
		w.queueGrowth(l, shares)
	}
	if !p.Patch {
		return false, false
	}
	log := klog.FromContext(ctx).WithValues("stack", l.ref.Name, "size", p.Count, "was", l.Count, "remove", p.List, "victims", p.Victims)
	if w.all.opts.DryRun {
		log.Info("Dry run: the stack would be updated")
		w.mu.Lock()
		done := w.carriedOut(shares)
		w.mu.Unlock()
		w.answer(done)
		return false, false
	}
	join, err := w.join(ctx, l, p)
	if err != nil {
		refused, alone := w.withoutServers(shares, err)
		if refused {
			return false, alone // what is left, such as a removal, is planned anew without the servers
		}
	}
	if join != nil { // it was not made in a moment
		isSame, err := w.isUnchanged(ctx, l)
		if err != nil {
			w.readFailed(intents, err)
			return false, false
		}
		if !isSame {
			return false, true
		}
	}
	if !w.commit(shares) {
		w.nudge()
		return false, false
	}
	o := w.newOrder(l, p)
	result := w.send(ctx, l, p, o, join)
	log.V(2).Info("Updated the stack", "outcome", result.outcome, "err", result.err)
	return w.conclude(l, p, o, shares, result, tries)
}

// plan reads as much as it has to and decides.
func (w *writer) plan(ctx context.Context, intents []*intent) (*look, plan, []share, error) {
	wish := w.wishes(intents)
	l, err := w.see(ctx, false)
	if err != nil {
		return nil, plan{}, nil, err
	}
	p := makePlan(l.observation, wish)
	if p.NeedMembers {
		if l, err = w.see(ctx, true); err != nil {
			return nil, plan{}, nil, err
		}
		p = makePlan(l.observation, wish)
	}
	rest := p
	shares := make([]share, 0, len(intents))
	for _, i := range intents {
		shares = append(shares, share{i, rest.decisionsOn(i)})
	}
	return l, p, shares, nil
}

func (w *writer) wishes(intents []*intent) wishes {
	w.mu.Lock()
	defer w.mu.Unlock()
	return wishesOf(intents, w.ref.Config.MaxSize)
}

// readFailed keeps the intents for another try, or gives up on those whose callers still wait.
func (w *writer) readFailed(intents []*intent, err error) {
	w.failures++
	var problem nodegroups.Problem
	final := w.failures >= readTries || isRefused(err) || errors.As(err, &problem)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range intents {
		i.waits = err
		if final && (!i.queued || isNotFound(err)) {
			i.resolve(err)
		}
	}
}

// decide answers what needs no update.
func (w *writer) decide(ctx context.Context, l *look, shares []share) {
	for _, s := range shares {
		if s.intent.names() {
			w.decideRemoval(ctx, l, s)
			continue
		}
		var problem nodegroups.Problem
		if s.intent.kind == wantRetry && errors.As(s.decisions[0].err, &problem) {
			w.report(problem) // there is no caller who could be told
		}
		w.mu.Lock()
		switch d := s.decisions[0]; d.verdict {
		case verdictRefuse:
			s.intent.resolve(d.err)
		case verdictDone:
			s.intent.resolve(nil)
		case verdictWait:
			s.intent.waits = d.err
		case verdictSend:
		}
		w.mu.Unlock()
	}
}

// decideRemoval answers the parts of a removal or replacement that need no update, and the removal itself if no part is left.
func (w *writer) decideRemoval(ctx context.Context, l *look, s share) {
	var kept []nodegroups.Member
	var refused []error
	var waits error
	for n, d := range s.decisions {
		member := s.intent.members[n]
		switch d.verdict {
		case verdictRefuse:
			refused = append(refused, d.err)
		case verdictDone:
			if err := w.orphaned(ctx, l, member); err != nil {
				refused = append(refused, err)
			}
		case verdictWait:
			kept, waits = append(kept, member), d.err
		case verdictSend:
			kept = append(kept, member)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.intent.members, s.intent.refused, s.intent.waits = kept, append(s.intent.refused, refused...), waits
	if len(kept) == 0 {
		s.intent.resolve(nil)
	}
}

// orphaned is the error of a server that Heat does not list although it lives: no update of the stack can remove it.
func (w *writer) orphaned(ctx context.Context, l *look, m nodegroups.Member) error {
	if m.ServerID == "" {
		return nil
	}
	for _, row := range l.Rows {
		if row.ServerID == m.ServerID {
			return nil // it is on its way out
		}
	}
	server, err := w.all.nova.GetServer(ctx, m.ServerID)
	isAlive := err == nil && server.Status != "DELETED" && server.TaskState != "deleting"
	if !isAlive { // or Nova does not say, and the caller's next try asks again
		return nil
	}
	return fmt.Errorf("server %s lives but is not a member of the stack: delete it by hand if it is not needed", m.ServerID)
}

// commit makes the intents that are in the update irrevocable, unless one was withdrawn meanwhile.
func (w *writer) commit(shares []share) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range shares {
		if s.sends() && s.intent.withdrawn {
			return false
		}
	}
	for _, s := range shares {
		if s.sends() {
			s.intent.committed = true
		}
	}
	return true
}

func (s share) sends() bool {
	for _, d := range s.decisions {
		if d.verdict == verdictSend {
			return true
		}
	}
	return false
}

// carriedOut marks the intents that were in an update that Heat has taken, and returns those that are to be answered. It
// needs the lock.
func (w *writer) carriedOut(shares []share) (done []*intent) {
	for _, s := range shares {
		if !s.sends() {
			continue
		}
		if s.intent.names() {
			s.intent.members = s.waitingMembers()
			if len(s.intent.members) > 0 {
				s.intent.committed, s.intent.withdrawn = false, s.intent.abandoned
				continue
			}
		}
		s.intent.resolved = true
		done = append(done, s.intent)
	}
	return done
}

// answer tells the callers of intents that are done.
func (w *writer) answer(done []*intent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range done {
		i.resolve(nil)
	}
}

// waitingMembers are the members of a removal that the plan left for later. The others have been dealt with by decide and
// are not among the intent's members any more.
func (s share) waitingMembers() []nodegroups.Member {
	var out []nodegroups.Member
	n := 0
	for _, d := range s.decisions {
		switch d.verdict {
		case verdictWait:
			out = append(out, s.intent.members[n])
			n++
		case verdictSend:
			n++
		case verdictDone, verdictRefuse:
		}
	}
	return out
}
