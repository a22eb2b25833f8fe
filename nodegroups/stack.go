package nodegroups

import (
	"context"
	"time"
)

// Stack is what is known of one Heat stack that is a node group, or a shard of one. Values are immutable once handed out.
type Stack struct {
	ID, Name string
	// Project is the id of the OpenStack project that owns the stack; Region the region it is in, empty if the cloud has one.
	Project, Region string
	// Config is what the stack's tags, its node_group_annotations parameter and --nodes say.
	Config Config
	// Status is Heat's word for it, such as UPDATE_IN_PROGRESS; Reason is Heat's explanation.
	Status, Reason string
	// Busy: an update is running. Failed: the last action failed.
	Busy, Failed bool
	// Known is false while the size has never been read. Such a stack has no target and no group may use it.
	Known bool
	// Target is the number of members that has been ordered: the size parameter plus growth that was accepted but not
	// sent yet. It includes failed and lost members.
	Target int
	// Members holds every member, the missing ones as placeholders, sorted by index, placeholders last.
	// len(Members) >= Target minus nothing: members being deleted come on top of it.
	Members []Member
	// Flavor is what new members will get; nil if it is not known.
	Flavor *Flavor
	// BootVolumeGiB is the size of a new member's boot volume, 0 if it boots from the flavor's disk.
	BootVolumeGiB int
	// Zone is the availability zone of new members, empty if unknown.
	Zone string
	// Arch is the architecture of new members in Kubernetes' words (amd64, arm64), empty if unknown.
	Arch string
	// Blocked says why the stack must not be written to; nil if it may.
	Blocked *Problem
	// GrowthBlocked says why the stack must not grow although it may shrink; nil if it may grow, as far as it is not Blocked.
	GrowthBlocked *Problem
	// Read is when the stack was last read from Heat.
	Read time.Time
}

// Flavor is the size of a machine.
type Flavor struct {
	ID, Name string
	VCPUs    int
	// RAMMiB, DiskGiB and EphemeralGiB are in Nova's units: MiB, GiB, GiB.
	RAMMiB, DiskGiB, EphemeralGiB int
	// ExtraSpecs such as resources:VGPU or pci_passthrough:alias.
	ExtraSpecs map[string]string
}

// Stacks is what node groups need from the cloud. Package heatstack implements it.
// All methods are safe for concurrent use. Refresh is never called twice at the same time.
type Stacks interface {
	// Refresh reads what changed. An error means that nothing could be learnt: what was known before stays. A single stack
	// that cannot be read is not an error but a problem of that stack.
	Refresh(ctx context.Context) error
	// List returns the stacks as last read, with confirmed writes already included, and the problems that hold now.
	// It is memory only.
	List() ([]*Stack, []Problem)
	// Grow orders by more members. It returns when Heat has confirmed the order, or has accepted to queue it (a busy
	// stack of Heat's classic engine, or of an engine that is not known yet); then it counts in Target. An error means that
	// nothing was ordered, except one that wraps ErrOutcomeUnknown.
	Grow(ctx context.Context, stackID string, by int) error
	// Remove orders the removal of exactly these members. It is idempotent: members that are gone or going are no error.
	// An error means that nothing, or not everything, was ordered; whatever was not ordered still counts.
	Remove(ctx context.Context, stackID string, members []Member) error
	// Replace orders the removal of exactly these members and the making of as many new ones, in one update, so that the size
	// stays. It is idempotent in the same way as Remove; a member that is to be removed as well is removed and not replaced.
	Replace(ctx context.Context, stackID string, members []Member) error
	// Shrink withdraws the order of members that have never been made, first of growth that waits and was not sent yet. It never
	// removes a server. An error if there are fewer than by of them; what was only waiting is withdrawn all the same.
	Shrink(ctx context.Context, stackID string, by int) error
}
