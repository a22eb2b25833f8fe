package heatstack

import (
	"context"
	"time"

	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// This file holds what the reading half (Cloud) and the writing half (writers) of the package share.

// stackWriter is the writing half as the reading half sees it. *writers implements it.
// All methods are safe for concurrent use. Pending, Removing and Observe return at once and never call the cloud; Pending
// and Removing may be called while the reading half holds its lock, Observe never is.
type stackWriter interface {
	// Grow orders by more members; see nodegroups.Stacks.
	Grow(ctx context.Context, ref stackRef, by int) error
	// Remove orders the removal of exactly these members; see nodegroups.Stacks.
	Remove(ctx context.Context, ref stackRef, members []nodegroups.Member) error
	// Replace orders the removal of exactly these members and as many new ones; see nodegroups.Stacks.
	Replace(ctx context.Context, ref stackRef, members []nodegroups.Member) error
	// Shrink withdraws the order of members that were never made; see nodegroups.Stacks.
	Shrink(ctx context.Context, ref stackRef, by int) error
	// Pending is growth that was accepted and that the size parameter, which was read as size, does not show yet.
	Pending(stackID string, size int) int
	// Removing holds the ids of servers whose removal was ordered by us and that are not gone yet. The map belongs to
	// the caller.
	Removing(stackID string) map[string]bool
	// Observe shows a stack that was just read, or that is at rest, with the servers that are alive in it.
	Observe(ctx context.Context, ref stackRef, detail *StackDetail, settled bool, live []Server)
	// Close ends all writers. Intents that were not sent are given up with an error.
	Close()
}

// stackRef is what the writing half has to know of a stack in order to change it.
type stackRef struct {
	ID, Name, Project string
	Config            nodegroups.Config
	Template          templateFacts
}

// templateFacts is what the stack's template says of its members and of how they are removed.
type templateFacts struct {
	// Group is the resource name of the OS::Heat::ResourceGroup whose count is the size parameter.
	Group string
	// Nested says that the group's members are nested stacks; otherwise they are servers directly.
	Nested bool
	// RemovalMode is removal_policies_mode when it is constant: removalAppend (Heat's default) or removalUpdate.
	// Empty when the template takes it from a parameter.
	RemovalMode string
	// RemovalModeParameter is the parameter that removal_policies_mode is taken from, empty if it is constant.
	RemovalModeParameter string
	// JoinProblem says why the stack must not get minted bootstrap tokens, and so must not grow; nil if it may, or if its
	// members join by their own means.
	JoinProblem *nodegroups.Problem
	// Outdated says that somebody has updated the stack since the template was read.
	Outdated bool
}

// Values of removal_policies_mode. With append Heat remembers every index that was ever named; with update only those
// that the list holds now, so that an index left out is made anew (heat/engine/resources/openstack/heat/resource_group.py).
const (
	removalAppend = "append"
	removalUpdate = "update"
)

// mode is the removal_policies_mode in force for a stack with these parameters.
func (t templateFacts) mode(parameters map[string]string) string {
	if t.RemovalModeParameter != "" {
		return parameters[t.RemovalModeParameter]
	}
	return t.RemovalMode
}

// writerHooks is how the writing half tells the reading half. All hooks are set, safe for concurrent use and return at
// once, except template, which may call Heat.
//
// The hooks take the reading half's lock, and under that lock Pending and Removing are called: so the writing half holds
// no lock of its own when it calls a hook, and Pending and Removing tell the new truth before observed is called.
type writerHooks struct {
	// observed is called after every read of a stack by the writer, so that Target is right when the write returns.
	observed func(detail *StackDetail)
	// report passes a problem on. It is remembered as holding until the stack is next read in good order.
	report func(p nodegroups.Problem)
	// template returns the facts of the stack's template, from memory if they are known.
	template func(ctx context.Context, ref stackRef) (templateFacts, error)
	// superseded is called when an update of ours may have been lost to somebody else's: that one's template may be another.
	superseded func(stackID string)
	// removed counts removals that were verified and servers that went without being named.
	removed func(stackID string, verified, wrong int)
}

// writerOptions configure the writing half. The zero value is usable.
type writerOptions struct {
	// Clock tells the time; the real one if nil.
	Clock clock.WithTicker
	// Gather is how long the first intent waits for others to share its PATCH; 200 ms if zero.
	Gather time.Duration
	// WriteTimeout is Options.WriteTimeout.
	WriteTimeout time.Duration
	// DryRun plans and reports, and never writes.
	DryRun bool
	// Joining is Options.Joining.
	Joining Joining
}
