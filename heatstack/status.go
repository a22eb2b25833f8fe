package heatstack

import "strings"

// Heat's status of a stack or resource is ACTION_STATUS, such as UPDATE_IN_PROGRESS.

func hasCompleted(status string) bool { return strings.HasSuffix(status, "_COMPLETE") }
func hasFailed(status string) bool    { return strings.HasSuffix(status, "_FAILED") }
func isBusy(status string) bool       { return strings.HasSuffix(status, "_IN_PROGRESS") }

// isCarriedOut says that the last update of a stack in this status was carried out. The end of another action, such as a check, hides
// how the update before it ended.
func isCarriedOut(status string) bool { return phaseOf(status, false) == phaseAtRest }

func isSettled(status string) bool { return hasCompleted(status) || hasFailed(status) }

// isServed says whether a stack in this status is one that can have members at all.
func isServed(status string) bool {
	action, _, _ := strings.Cut(status, "_")
	switch action {
	case "CREATE", "UPDATE", "CHECK", "ROLLBACK", "RESUME", "ADOPT", "SNAPSHOT", "RESTORE":
		return true
	}
	return false // DELETE, SUSPEND, INIT
}
