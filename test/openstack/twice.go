package simulator

import (
	"maps"
	"time"
)

// lockTries is how often a worker of Heat's tries to get hold of a resource (heat.conf, client_retry_limit, and one more).
const lockTries = 3

// latecomer is a worker of Heat's convergence engine that has found a group held by an earlier update. It knows the group as it was
// then, and tries again for a while. What it does when a try succeeds may be a second execution of its update: when the earlier
// update lets go of the group, Heat sends another worker for the same update, with fresh knowledge (heat/engine/check_resource.py,
// retrigger_check_resource), and nobody tells the first one. With its old knowledge it finds that a named member is none any more, so
// does not exclude its index (heat/engine/resources/openstack/heat/resource_group.py, _get_new_skiplist_entries), makes it again and
// deletes the highest member instead. What is written down about the group stays as it was, so that the next update of any kind deletes
// that member once more. If the first worker's last try succeeds, it is the other one that comes late.
//
// Measured on Zed, two engine processes, 2 busy cores: 50 removals from a group of one or three members found it held by a growth that ended
// within a second. 6 of them were carried out twice, with a member lost that nobody had named; 27 were cancelled ("Resource UPDATE failed:
// resources.nodes: Stack UPDATE cancelled"), with what they had begun carried out all the same. First executions began 0.3 to 1.2 s after the
// PATCH, second ones 3.2 to 4.1 s after it; the last try of a worker was 7.4 s after it. One engine process does it too: 3 of 11. None of 34
// removals that came sooner before the growth's end was carried out twice: their workers' patience ended first, and the growth was cancelled.
// 29 growths on top of a removal, 20 on top of two other growths: some were cancelled, nobody was lost. The larger the group, the longer the
// first execution and the rarer a second one. The pauses are random and the window is as long as Heat's poll of the group, a second, so that
// no case of the conformance suite can make it happen for sure. A classic engine answers 409 instead.
type latecomer struct {
	t          *traversal
	r          *resource
	properties map[string]any  // what its update wants the group to be
	skipped    map[string]bool // the indices never to be used again, as it knows them
	generation int             // of the hold that it found
}

// comeLate lets a worker of t wait for a group that is held, if it may ever try again. It says whether that worker gives up later.
func (t *traversal) comeLate(r *resource) bool {
	s := t.st.sim
	isSure := s.twice[t.st.root().id] > 0
	if r.kind != groupType || t.st.classic || s.timing.Retry <= 0 && !isSure {
		return false
	}
	d := t.st.tmpl.resources[r.name]
	properties, err := t.st.resolve(d.properties)
	if err != nil {
		return false
	}
	l := &latecomer{t: t, r: r, properties: object(properties), skipped: maps.Clone(r.skipped), generation: r.generation}
	if isSure {
		s.twice[t.st.root().id]--
		r.sure = append(r.sure, l)
		return false
	}
	l.after(l.pause(), func() { l.try(lockTries - 2) })
	r.waiter = func() { // sends another worker
		s.after(s.timing.Poll/4, func() {
			if !t.over() {
				t.visit(r.name)
			}
		})
	}
	return true
}

// after lets run happen in d. Until then the cloud is not settled.
func (l *latecomer) after(d time.Duration, run func()) {
	s := l.t.st.sim
	s.late++
	s.after(d, func() { s.late--; run() })
}

// pause is how long the worker waits before its next try.
func (l *latecomer) pause() time.Duration {
	s := l.t.st.sim
	return time.Duration(s.rng.Int64N(int64(s.timing.Retry) + 1))
}

// isPointless: the group is gone or going.
func (l *latecomer) isPointless() bool {
	return l.r.st.resources[l.r.name] != l.r || l.r.action == "DELETE" || l.r.nested == nil
}

// try is one more try, with so many left after it.
func (l *latecomer) try(left int) {
	r := l.r
	switch {
	case l.isPointless():
	case !r.busy:
		l.carryOut()
	case left > 0:
		l.after(l.pause(), func() { l.try(left - 1) })
	default:
		l.preempt()
	}
}

// carryOut does what the worker's update wants, whether or not that has been done, and whatever has been ordered since.
func (l *latecomer) carryOut() {
	if l.r.state() == "CHECK_FAILED" {
		return // would be replaced as a whole
	}
	l.r.updateGroup(l.t, l.properties, l.skipped)
}

// preempt ends the worker's patience: it cancels the update that holds the group, in order to be told when that lets go. If the
// group has changed hands meanwhile, what it cancels is its own update, carried out by another worker, or a later one: the
// stack then is UPDATE_FAILED, "Stack UPDATE cancelled", and what had been begun is finished all the same.
func (l *latecomer) preempt() {
	r := l.r
	nested, next := r.nested, r.waiterOf
	switch {
	case r.generation != l.generation:
		if nested.inProgress() && !nested.current.over() {
			nested.current.stop("Stack " + nested.action + " cancelled")
		}
	case next != nil && !next.over():
		next.act(r)
	}
}

// repeatSure lets the workers that are sure to come late do so, now that their update has been carried out once.
func (r *resource) repeatSure() {
	for n, l := range r.sure {
		if r.generation > l.generation {
			r.sure = append(r.sure[:n:n], r.sure[n+1:]...)
			l.after(r.st.sim.timing.Poll, l.insist)
			return
		}
	}
}

// insist tries until it succeeds, or another update has come.
func (l *latecomer) insist() {
	switch {
	case l.isPointless(), l.t.st.current != l.t:
	case l.r.busy:
		l.after(max(l.r.st.sim.timing.Poll, time.Millisecond), l.insist)
	default:
		l.carryOut()
	}
}

// CarryOutTwice lets Heat carry out a second time each of the next n updates of a stack that overtake a running one, shortly after it
// was carried out, with what was known of the stack's group when the update arrived, unless another update has come by then. A real
// cloud does so now and then: see Timing.Retry.
func (s *Simulator) CarryOutTwice(stackID string, n int) {
	s.lock()
	defer s.mu.Unlock()
	s.twice[stackID] = n
}
