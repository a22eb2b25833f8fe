package simulator

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// resource is a resource of a stack.
type resource struct {
	st             *stack
	name, kind     string
	action, status string
	reason         string
	physical       string
	created        time.Time
	updated        time.Time
	requires       []string
	properties     map[string]any // as last applied
	busy           bool           // something is being done to it
	generation     int            // of what is being done; whoever has an older number is to stop
	waiter         func()         // what a newer traversal will do when this is over
	waiterOf       *traversal     // that traversal
	server         *server
	nested         *stack
	relics         []relic         // what it has been replaced for, to be deleted
	skipped        map[string]bool // of a group: indices that are never used again
	members        []string        // of an autoscaling group: names, oldest first
	sure           []*latecomer    // ordered by CarryOutTwice
}

// relic is something that a resource has been replaced for.
type relic struct {
	server *server
	nested *stack
}

// begin starts something; the number is to be compared with generation before going on.
func (r *resource) begin(action string) int {
	r.generation++
	r.busy = true
	r.set(action, "IN_PROGRESS", "state changed")
	return r.generation
}

// end finishes what begin started, well if failure is empty.
func (r *resource) end(t *traversal, failure string) {
	r.busy = false
	if failure == "" {
		r.set(r.action, "COMPLETE", "state changed")
	} else {
		r.set(r.action, "FAILED", failure)
	}
	r.settled(t, failure)
}

// settled tells the traversals that this resource has come to rest.
func (r *resource) settled(t *traversal, failure string) {
	next, isOther := r.waiter, r.waiterOf != t
	r.waiter, r.waiterOf = nil, nil
	if next != nil && isOther {
		next()
		return
	}
	if failure == "" {
		t.complete(r.name)
	} else {
		t.fail(r, failure)
	}
	r.repeatSure()
}

func (r *resource) set(action, status, reason string) {
	r.action, r.status, r.reason, r.updated = action, status, reason, r.st.sim.now
	r.st.note(stackEvent{resource: r.name, physical: r.physical, kind: r.kind, status: action + "_" + status, reason: reason})
}

func (r *resource) state() string { return r.action + "_" + r.status }

// path is the resource's part of an error message's path.
func (r *resource) path() string {
	if _, number := memberNumber(r.name); number {
		return "resources[" + r.name + "]"
	}
	return "resources." + r.name
}

// failure words an error of this resource.
func (r *resource) failure(kind, message string) string {
	return fmt.Sprintf("%s: %s: %s", kind, r.path(), message)
}

// nestedFailure words the failure of the resource's nested stack as Heat does: a path through both if the nested
// resource failed in the same action, the nested stack's whole reason otherwise.
func (r *resource) nestedFailure(action, reason string) string {
	marker := "Resource " + action + " failed: "
	if _, rest, ok := strings.Cut(reason, marker); ok {
		if parts := strings.SplitN(rest, ": ", 3); len(parts) == 3 {
			return parts[0] + ": " + r.path() + "." + parts[1] + ": " + parts[2]
		}
	}
	if r.st.classic {
		_, after, ok := strings.Cut(reason, " failed: ")
		if ok {
			reason = after
		}
	}
	return r.path() + ": " + reason
}

// reference is what get_resource gives: the id, or the name while there is none.
func (r *resource) reference() string {
	if r.nested != nil {
		// A nested stack may say itself what it is called: heat/engine/resources/template_resource.py, get_reference_id.
		if own, given := r.nested.output("OS::stack_id"); given && text(own) != "" {
			return text(own)
		}
		return fmt.Sprintf("arn:openstack:heat::%s:stacks/%s/%s", r.st.project.ID, r.nested.name, r.nested.id)
	}
	if r.physical != "" {
		return r.physical
	}
	return r.name
}

// memberName is the index of the group member that this resource is or belongs to; empty outside groups.
func (r *resource) memberName() string {
	for at := r; at != nil; at = at.st.parent {
		if up := at.st.parent; up != nil && up.isGroup() {
			return at.name
		}
	}
	return ""
}

func (r *resource) isGroup() bool { return r.kind == groupType || r.kind == scalingGroupType }

// demise says why a server of this resource is being deleted, and in whose name.
func (r *resource) demise() (Cause, string) {
	root := r.st.root()
	switch {
	case root.action == "DELETE":
		return StackDeleted, root.by
	case root.rollingBack:
		return RolledBack, root.by
	}
	for at := r; at != nil; at = at.st.parent {
		if up := at.st.parent; up != nil && up.kind == groupType {
			if up.skipped[at.name] {
				return NamedRemoval, root.by
			}
			return CountLowered, root.by
		}
	}
	return CountLowered, root.by
}

// start makes the resource what its properties say.
func (r *resource) start(t *traversal, properties map[string]any) {
	switch r.st.typeOf(r.kind) {
	case serverType:
		r.startServer(t, properties)
	case groupType, scalingGroupType:
		r.startGroup(t, properties)
	case nestedType:
		r.startNested(t, properties)
	case portType:
		r.startPort(t, properties)
	default:
		r.startPlain(t, properties)
	}
}

// startRemove deletes the resource and everything it has been replaced for.
func (r *resource) startRemove(t *traversal) {
	generation := r.begin("DELETE")
	if r.server != nil {
		if failure, ok := r.mayAskNova(http.MethodDelete, "/servers/"+r.server.id); !ok {
			r.end(t, failure)
			return
		}
	}
	left := 1
	gone := func() {
		left--
		if left > 0 || r.generation != generation {
			return
		}
		r.st.sim.after(r.st.sim.timing.Poll, func() {
			if r.generation != generation {
				return
			}
			r.busy = false
			r.set("DELETE", "COMPLETE", "state changed")
			if r.st.resources[r.name] == r {
				delete(r.st.resources, r.name)
			}
			delete(r.st.sim.configs, r.physical)
			if r.kind == portType && r.physical != "" {
				r.st.project.used.Ports--
			}
			r.settled(t, "")
		})
	}
	cause, by := r.demise()
	if r.server != nil {
		left++
		r.st.sim.remove(r.server, cause, by, gone)
	}
	if r.nested != nil {
		left++
		r.deleteNested(r.nested, gone)
	}
	for _, old := range r.relics {
		if old.server != nil {
			left++
			r.st.sim.remove(old.server, Replaced, by, gone)
		}
		if old.nested != nil {
			left++
			r.deleteNested(old.nested, gone)
		}
	}
	gone()
}

// deleteNested deletes a nested stack and calls done when it is gone.
func (r *resource) deleteNested(nested *stack, done func()) {
	nested.done = func(string) { done() }
	if nested.action == "DELETE" && nested.status == "COMPLETE" {
		nested.tell("")
		return
	}
	nested.converge("DELETE", 0)
}

// cleanUp deletes what the resource has been replaced for, then calls done.
func (r *resource) cleanUp(done func()) {
	relics := r.relics
	r.relics = nil
	left := 1
	gone := func() {
		left--
		if left == 0 {
			done()
		}
	}
	for _, old := range relics {
		if old.server != nil {
			left++
			r.st.sim.remove(old.server, Replaced, r.st.root().by, gone)
		}
		if old.nested != nil {
			left++
			r.deleteNested(old.nested, gone)
		}
	}
	gone()
}
