package nodegroups

import "errors"

// Kinds of errors that Manager returns besides a Problem; match them with errors.Is.
var (
	// ErrUnknownGroup: there is no node group of that name in the snapshot.
	ErrUnknownGroup = errors.New("unknown node group")
	// ErrUnknownMember: the group has no member with that id, now or lately.
	ErrUnknownMember = errors.New("not a member of the node group")
	// ErrAboveMax: the growth would take the group above its maximum size.
	ErrAboveMax = errors.New("above the node group's maximum size")
	// ErrBelowMin: the removal would take the group below its minimum size.
	ErrBelowMin = errors.New("below the node group's minimum size")
	// ErrNotMissing: fewer members are missing than the shrink wants to withdraw.
	ErrNotMissing = errors.New("not that many members are missing")
	// ErrBeingRemoved: the member is on its way out by another order.
	ErrBeingRemoved = errors.New("the member is being removed")
	// ErrNoMachine: the member has no server, so that there is nothing to replace.
	ErrNoMachine = errors.New("the member has no server")
	// ErrInvalidDelta: a growth or shrink by less than one.
	ErrInvalidDelta = errors.New("the change of size must be positive")
)

// ErrOutcomeUnknown is for implementations of Stacks: an error that wraps it says that nobody can tell whether the order
// has been taken, because the cloud did not answer. Such an order is not given to another stack instead.
var ErrOutcomeUnknown = errors.New("it is not known whether the order was taken")
