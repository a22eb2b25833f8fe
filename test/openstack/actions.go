package simulator

import (
	"fmt"
	"strings"
)

// act starts one of Heat's actions on a stack: check, suspend or resume.
func (st *stack) act(action, by string) *apiError {
	word := strings.ToUpper(action)
	switch action {
	case "check", "suspend", "resume":
	case "cancel_update", "cancel_without_rollback":
		return st.cancel()
	default:
		return &apiError{400, "HTTPBadRequest", fmt.Sprintf("Invalid action %s specified", action)}
	}
	if st.inProgress() && st.classic {
		return &apiError{409, "ActionInProgress", fmt.Sprintf("Stack %s already has an action (%s) in progress.", st.name, st.action)}
	}
	st.by = by
	st.set(word, "IN_PROGRESS", fmt.Sprintf("Stack %s started", word))
	st.acting++
	mine := st.acting
	st.sim.after(st.sim.timing.Check, func() {
		if st.acting != mine {
			return
		}
		failures := st.apply(word)
		if len(failures) == 0 {
			st.set(word, "COMPLETE", fmt.Sprintf("Stack %s completed successfully", word))
			return
		}
		st.set(word, "FAILED", actionFailure(word, failures))
	})
	return nil
}

// actionFailure words the failure of a stack's action; a check names all that failed, as a Python list.
func actionFailure(action string, failures []string) string {
	if action != "CHECK" {
		return fmt.Sprintf("Resource %s failed: %s", action, failures[0])
	}
	quoted := make([]string, len(failures))
	for i, f := range failures {
		quoted[i] = "'" + strings.ReplaceAll(f, "'", `\'`) + "'"
		if strings.Contains(f, "'") && !strings.Contains(f, `"`) {
			quoted[i] = `"` + f + `"`
		}
	}
	return "Resource CHECK failed: [" + strings.Join(quoted, ", ") + "]"
}

// apply carries an action out on all resources and lists what failed.
func (st *stack) apply(action string) (failures []string) {
	for _, r := range st.sorted() {
		failure := ""
		switch {
		case r.busy:
			// Measured: an action in the middle of an update is accepted, and fails at once while the update goes on below.
			failures = append(failures, fmt.Sprintf("The resource %s is already being updated.", r.name))
			continue
		case action == "CHECK" && r.state() == "INIT_COMPLETE":
			// An update that was cancelled has not come to it (heat/engine/resource.py, check).
			switch r.st.typeOf(r.kind) {
			case serverType, nestedType, groupType, scalingGroupType: // the others can't be checked and stay as they are
				r.set(action, "FAILED", fmt.Sprintf("Can not check %s, resource not created yet.", r.name))
				failures = append(failures, r.failure("Exception", fmt.Sprintf("Resource %s not created yet.", r.name)))
			}
			continue
		case action != "CHECK" && (r.status == "FAILED" || r.status == "IN_PROGRESS"):
			failure = fmt.Sprintf("Error: %s: State ('%s', '%s') invalid for %s", r.path(), r.action, r.status, strings.ToLower(action))
			failures = append(failures, failure)
			continue
		case r.nested != nil:
			inner := r.nested.apply(action)
			if len(inner) == 0 {
				r.nested.set(action, "COMPLETE", fmt.Sprintf("Stack %s completed successfully", action))
			} else {
				reason := actionFailure(action, inner)
				r.nested.set(action, "FAILED", reason)
				failure = r.nestedFailure(action, reason)
			}
		case r.kind == serverType && action == "CHECK":
			failure = r.checkServer()
		case r.kind == serverType && r.server != nil && r.server.status != "DELETED":
			r.server.status, r.server.vmState, r.server.power = "SUSPENDED", "suspended", 4
			if action == "RESUME" {
				r.server.status, r.server.vmState, r.server.power = "ACTIVE", "active", 1
			}
			st.sim.touch(r.server)
		}
		if failure == "" {
			r.set(action, "COMPLETE", "state changed")
		} else {
			r.set(action, "FAILED", failure)
			failures = append(failures, failure)
		}
	}
	return failures
}

// cancel stops an update where it is.
func (st *stack) cancel() *apiError {
	if st.action != "UPDATE" || !st.inProgress() {
		return &apiError{400, "NotSupported", fmt.Sprintf("Cancelling update when stack is ('%s', '%s') is not supported.", st.action, st.status)}
	}
	st.current.stop("Stack UPDATE cancelled")
	return nil
}

// markUnhealthy makes Heat replace a resource at the next update, or takes that back.
func (r *resource) markUnhealthy(unhealthy bool, reason string) *apiError {
	if r.busy {
		return &apiError{409, "ActionInProgress", fmt.Sprintf("Stack %s already has an action (%s) in progress.", r.st.name, r.action)}
	}
	if reason == "" {
		reason = "state changed"
	}
	if unhealthy {
		r.set("CHECK", "FAILED", reason)
	} else if r.state() == "CHECK_FAILED" {
		r.set("CHECK", "COMPLETE", reason)
	}
	return nil
}
