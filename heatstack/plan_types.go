package heatstack

import (
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// observation is what a plan is made from: one stack as Heat shows it now.
type observation struct {
	// Status is Heat's ACTION_STATUS of the stack.
	Status string
	// Count and List are the size and the removal parameter.
	Count int
	List  []string
	// Append: Heat remembers every index that was ever named (removal_policies_mode append). Otherwise it forgets those
	// that the list does not hold, so that a list that gets shorter brings old indices back and kills the highest ones.
	Append bool
	// Own: Count and List are what we wrote last, so that a running or failed update is ours.
	Own bool
	// OwnList: List was written by a plan of ours, which only names listed members. Anybody else's list may name members
	// that did not exist when it was written, and Heat would remove them at the next update of any kind.
	OwnList bool
	// Unconfirmed: our last update was accepted and its parameters do not show yet, as Heat's classic engine does it.
	Unconfirmed bool
	// Restless: an update of ours has overtaken another one, or followed one that had not been finished, or somebody else has updated the
	// stack, so lately that a worker of Heat's may still wait to carry that update out once more.
	Restless bool
	// Hidden: an update is running that is not ours, and Count and List may be those before it: Heat's classic engine shows them
	// until the update has ended. A count that is made from them could be below the one that is coming.
	Hidden bool
	// Members says that Rows, Group and Dead have been read. A plan that needs them says so.
	Members bool
	Rows    []MemberRow
	Group   GroupState
	// Nested: members are stacks with a server each, not servers.
	Nested bool
	// Dead holds the servers of CHECK_FAILED members that Nova has confirmed to be gone or broken. All others count as alive.
	Dead map[string]bool
}

// wishes are the intents that one plan is made for. The results are in the same order.
type wishes struct {
	Grow   []int
	Shrink []int
	Remove []nodegroups.Member
	// Replace are members that go while as many new ones come. One that Remove names too is removed.
	Replace []nodegroups.Member
	// Retry asks for an update even if nothing changes: Heat then tries failed members again.
	Retry bool
	// Max is the largest count that may be written, 0 for no limit.
	Max int
}

// verdict is what a plan says about one intent.
type verdict int

const (
	// verdictWait: not now; look again later.
	verdictWait verdict = iota
	// verdictSend: it is part of the update.
	verdictSend
	// verdictDone: there is nothing to do any more.
	verdictDone
	// verdictRefuse: it can't be done; the error says why.
	verdictRefuse
)

// decision is a verdict and its reason.
type decision struct {
	verdict verdict
	// err says why an intent is refused, or what it waits for.
	err error
}

// victim is a member that an update names.
type victim struct {
	Index    int
	ServerID string
	// Replaced: another member is made in its place.
	Replaced bool
}

// plan is what to do about wishes.
type plan struct {
	// NeedMembers: nothing could be decided; read the members and plan again.
	NeedMembers bool
	// Patch: send Count, and List unless it is nil.
	Patch bool
	Count int
	List  []string
	// Makes: servers may be made by the update: new ones, or ones in place of members that failed or are not there.
	Makes bool
	// Victims are the members that go; Keep are the healthy members with a server that must not. Known only with Members.
	Victims, Keep []victim
	// Grow, Shrink, Remove and Replace are the decisions on the wishes. Retry is the one on wishes.Retry.
	Grow, Shrink, Remove, Replace []decision
	Retry                         decision
}

// problemError is an error that names its reason as Problems do. The writer completes it with the group and the stack.
func problemError(reason, message, remedy string) nodegroups.Problem {
	return nodegroups.Problem{Reason: reason, Severity: nodegroups.Warning, Message: message, Remedy: remedy}
}
