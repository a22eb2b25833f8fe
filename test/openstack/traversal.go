package simulator

import (
	"fmt"
	"slices"
	"time"
)

// traversal is one walk of Heat over a stack's resources: an update, a creation or a deletion. A stack has one that
// counts; those before it have been superseded and what they started runs on without consequence for the stack.
type traversal struct {
	st         *stack
	action     string
	ended      bool
	pending    map[string]bool     // resources that are not what they should be yet
	missing    map[string]int      // how many others a resource still waits for
	dependents map[string][]string // who waits for it
	removing   map[string]bool
	queue      []string // ready to be visited
	stepping   bool
}

// converge starts to make the stack what its template says, superseding whatever was under way.
func (st *stack) converge(action string, delay time.Duration) {
	s := st.sim
	t := &traversal{st: st, action: action, pending: map[string]bool{}, missing: map[string]int{}, dependents: map[string][]string{}, removing: map[string]bool{}}
	st.current = t
	st.acting++
	st.set(action, "IN_PROGRESS", fmt.Sprintf("Stack %s started", action))
	var changed, kept, fresh []string
	for name, d := range st.tmpl.resources {
		if action == "DELETE" {
			break
		}
		if yes, err := st.condition(d.condition); err != nil || !yes {
			continue
		}
		if r := st.resources[name]; r == nil {
			fresh = append(fresh, name)
		} else {
			kept = append(kept, name)
		}
	}
	wanted := make(map[string]bool, len(fresh)+len(kept))
	for _, list := range [][]string{fresh, kept} {
		slices.SortFunc(list, compareNames)
		for _, name := range list {
			wanted[name] = true
		}
	}
	for _, name := range fresh {
		st.resources[name] = &resource{st: st, name: name, kind: st.tmpl.resources[name].kind, action: "INIT", status: "COMPLETE", created: s.now, updated: s.now}
	}
	for name := range st.resources {
		if !wanted[name] {
			t.removing[name] = true
			changed = append(changed, name)
			t.pending[name] = true
			// Whoever needs this one goes first.
			for other, o := range st.resources {
				if !wanted[other] && slices.Contains(o.requires, name) {
					t.missing[name]++
					t.dependents[other] = append(t.dependents[other], name)
				}
			}
		}
	}
	slices.SortFunc(changed, compareNames)
	for name := range wanted {
		t.pending[name] = true
		d := st.tmpl.resources[name]
		st.resources[name].requires = st.tmpl.requires(d)
		for _, needed := range st.resources[name].requires {
			if wanted[needed] {
				t.missing[name]++
				t.dependents[needed] = append(t.dependents[needed], name)
			}
		}
	}
	// Heat's order is anybody's guess; what is there already comes before what is new.
	shuffle := func(list []string) {
		s.rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	shuffle(kept)
	shuffle(fresh)
	for _, list := range [][]string{changed, kept, fresh} {
		for _, name := range list {
			if t.missing[name] == 0 {
				t.queue = append(t.queue, name)
			}
		}
	}
	if st.parent == nil && st.timeoutMinutes > 0 {
		s.schedule(&event{at: s.now.Add(time.Duration(st.timeoutMinutes) * time.Minute), run: t.timeOut, dead: t.over})
	}
	t.stepping = true
	s.after(delay, t.step)
}

// over says whether the traversal has ended or been superseded. A check or a suspension in its middle does not end it.
func (t *traversal) over() bool { return t.st.current != t || t.ended }

// end ends the traversal and says whether the stack's state is still its to change.
func (t *traversal) end() bool {
	t.ended = true
	return t.st.action == t.action && t.st.inProgress()
}

// step visits the next resource and comes back for the one after it.
func (t *traversal) step() {
	if t.over() {
		return
	}
	if len(t.pending) == 0 {
		t.finish()
		return
	}
	if len(t.queue) == 0 {
		t.stepping = false
		return
	}
	name := t.queue[0]
	t.queue = t.queue[1:]
	cost := t.st.sim.timing.Visit
	if t.removing[name] {
		cost /= 2
	}
	if t.st.classic {
		cost /= 5
	}
	if t.st.parent == nil {
		cost = 0 // a root stack has few resources, and what is nested in it pays
	}
	t.visit(name)
	t.st.sim.after(cost, t.step)
}

// visit looks at one resource and starts what has to be done to it.
func (t *traversal) visit(name string) {
	r := t.st.resources[name]
	if r == nil {
		t.complete(name)
		return
	}
	if !r.busy {
		t.act(r)
		return
	}
	removing := t.removing[name]
	if removing && r.action != "DELETE" && (r.nested != nil || t.st.root().action == "DELETE") {
		// Deleting a stack stops its workers: what is being made is aborted.
		t.act(r)
		return
	}
	act := func() {
		if !t.over() {
			t.act(r)
		}
	}
	r.waiter, r.waiterOf = act, t
	if r.nested != nil && r.action != "DELETE" && !t.comeLate(r) {
		// A nested stack's update is cancelled first, which takes a while. A deletion is waited for.
		generation := r.generation
		t.st.sim.after(t.st.sim.timing.Supersede, func() {
			if r.waiter != nil && r.generation == generation && !t.over() {
				r.waiter = nil
				t.act(r)
			}
		})
	}
}

// act starts what has to be done to a resource that nobody else works on.
func (t *traversal) act(r *resource) {
	r.waiter, r.waiterOf = nil, nil // of a traversal that this one supersedes
	if t.removing[r.name] {
		if t.st.resources[r.name] == r {
			r.startRemove(t)
		} else {
			t.complete(r.name) // another traversal's deletion was waited for
		}
		return
	}
	if t.st.resources[r.name] != r {
		// It was being deleted and is wanted again.
		now := t.st.sim.now
		r = &resource{st: t.st, name: r.name, action: "INIT", status: "COMPLETE", created: now, requires: r.requires, kind: r.kind}
		t.st.resources[r.name] = r
	}
	d := t.st.tmpl.resources[r.name]
	properties := d.properties
	if !d.resolved {
		resolved, err := t.st.resolve(properties)
		if err != nil {
			r.begin("CREATE")
			r.end(t, r.failure(err.kind, err.message))
			return
		}
		properties = object(resolved)
	}
	r.kind = d.kind
	r.start(t, properties)
}

// complete notes that a resource is what it should be.
func (t *traversal) complete(name string) {
	if t.over() || !t.pending[name] {
		return
	}
	delete(t.pending, name)
	for _, dependent := range t.dependents[name] {
		t.missing[dependent]--
		if t.missing[dependent] == 0 {
			t.queue = append(t.queue, dependent)
		}
	}
	if !t.stepping {
		t.stepping = true
		t.st.sim.after(0, t.step)
	}
}

// finish ends a traversal that has done everything.
func (t *traversal) finish() {
	st := t.st
	st.shown = nil
	if !t.end() {
		st.tell("")
		return
	}
	st.set(st.action, "COMPLETE", fmt.Sprintf("Stack %s completed successfully", st.action))
	if st.action == "DELETE" {
		st.deleted = st.sim.now
		if st.parent == nil && st.project.byName[st.name] == st {
			delete(st.project.byName, st.name)
		}
		if st.parent != nil {
			delete(st.sim.stacks, st.id)
		}
	}
	st.tell("")
}

// fail ends a traversal because one resource failed. The others' work runs on, but nothing new is begun.
func (t *traversal) fail(r *resource, reason string) {
	if t.over() {
		return
	}
	st := t.st
	message := fmt.Sprintf("Resource %s failed: %s", r.action, reason)
	if st.classic && st.parent == nil {
		message = reason
	}
	t.stop(message)
}

func (t *traversal) timeOut() {
	if !t.over() {
		t.stop("Timed out")
	}
}

func (t *traversal) stop(message string) {
	st := t.st
	action := st.action
	st.shown = nil
	if !t.end() {
		st.tell(message)
		return
	}
	st.set(action, "FAILED", message)
	if st.parent == nil && !st.disableRollback && st.before != nil && (action == "UPDATE" || action == "CREATE") {
		st.restore(*st.before)
		st.rollingBack = true
		st.converge("ROLLBACK", st.sim.timing.Poll)
		return
	}
	st.tell(message)
}

// tell lets the parent resource know that the stack has settled.
func (st *stack) tell(failure string) {
	if done := st.done; done != nil {
		st.done = nil
		done(failure)
	}
}
