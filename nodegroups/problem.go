package nodegroups

import "fmt"

// Severity says what a problem does to its node group.
type Severity int

const (
	// Warning is reported; the group is served all the same.
	Warning Severity = iota + 1
	// Blocking is reported; the group (or this stack of it) is left alone until it is mended.
	Blocking
)

// Problem is something an operator has to know or mend. It names the thing, the value and the remedy.
// Problems are values: two that are == are the same problem.
type Problem struct { //nolint:errname // it is a value first, an error second
	// Reason is a short CamelCase word: the Event's reason and the metric's label. One of the Reason constants.
	Reason   string
	Severity Severity
	// Group is the node group's name, empty if the problem belongs to no group.
	Group string
	// Stack is the stack's name, empty if the problem belongs to no stack.
	Stack string
	// Node is the name of the Kubernetes node it is about, empty if it is about none.
	Node string
	// Key and Value are the annotation, tag, parameter or flag at fault; empty if none is.
	Key, Value string
	// Message says what is wrong; Remedy says what to do. Both are sentences without a final full stop.
	Message, Remedy string
}

// Reasons of problems.
const (
	ReasonBadAnnotation       = "BadAnnotation"       // a known key with a value that can't be used
	ReasonUnknownAnnotation   = "UnknownAnnotation"   // a key we don't know where only ours may be
	ReasonMisspeltTag         = "MisspeltTag"         // a tag that looks like one of ours
	ReasonMissingLimit        = "MissingLimit"        // no max size
	ReasonMinAboveMax         = "MinAboveMax"         //
	ReasonMissingParameter    = "MissingParameter"    // the stack has no size or removal parameter
	ReasonUnsafeTemplate      = "UnsafeTemplate"      // the template can't remove a named member
	ReasonUnknownFlavor       = "UnknownFlavor"       //
	ReasonConflictingStacks   = "ConflictingStacks"   // shards of one group that disagree
	ReasonDuplicateGroup      = "DuplicateGroup"      // one group name in several projects
	ReasonStackNotFound       = "StackNotFound"       // named by --nodes, not there
	ReasonStackUnreadable     = "StackUnreadable"     //
	ReasonStackFailed         = "StackFailed"         // *_FAILED and the repair budget is used up
	ReasonStackState          = "StackState"          // suspended, being deleted, adopted...
	ReasonUnhealthyMember     = "UnhealthyMember"     // the next update would replace a living server
	ReasonStrayMember         = "StrayMember"         // the next update would remove a living server
	ReasonWrongRemoval        = "WrongRemoval"        // a server went that nobody named
	ReasonMemberLost          = "MemberLost"          // a server was deleted behind Heat's back
	ReasonLostUpdate          = "LostUpdate"          // Heat accepted an update and forgot it
	ReasonForeignUpdate       = "ForeignUpdate"       // somebody else is updating the stack
	ReasonTooManyResources    = "TooManyResources"    // near Heat's max_resources_per_stack
	ReasonTemplateDrift       = "TemplateDrift"       // a real node differs from the template node
	ReasonCredentialsRejected = "CredentialsRejected" //
	ReasonPartialGrowth       = "PartialGrowth"       // only a part of a growth could be ordered
	ReasonNoTemplate          = "NoTemplate"          // what a new node would look like is not known
	ReasonNoProviderID        = "NoProviderID"        // a node does not say which server it is
	ReasonSizeMismatch        = "SizeMismatch"        // members that were ordered and never came, and can't be withdrawn
	ReasonUnsafeBootstrap     = "UnsafeBootstrap"     // the template can't take a minted bootstrap token
	ReasonNoBootstrapToken    = "NoBootstrapToken"    // what a new member needs to join can't be had
	ReasonTokenNotRevoked     = "TokenNotRevoked"     // a bootstrap token that is not needed any more could not be deleted
	ReasonMemberReplaced      = "MemberReplaced"      // a broken machine is being replaced
	ReasonRepairHeldBack      = "RepairHeldBack"      // a broken machine is not replaced, and why
	ReasonRepairFailed        = "RepairFailed"        // a replacement was refused, or did not become a node
	ReasonNodeDeleted         = "NodeDeleted"         // the Node object of a server that is gone was deleted
	ReasonManyServersGone     = "ManyServersGone"     // so many servers seem to be gone that it is not believed
	ReasonShutdownFailed      = "ShutdownFailed"      // a machine was removed without having been shut down
	ReasonBadPriceFile        = "BadPriceFile"        // the price file can't be read or used
	ReasonBlanketApproval     = "BlanketApproval"     // the cluster approves nodes' certificates without proof
	ReasonSecondKey           = "SecondKey"           // a second machine claims to be one that was let in
	ReasonLateFailure         = "LateFailure"         // an order failed after it had been answered
	ReasonNoPermission        = "NoPermission"        // Kubernetes refuses something that we need
	ReasonBadLoadPolicy       = "BadLoadPolicy"       // annotations and defaults about load that don't fit together
	ReasonBadLoadFile         = "BadLoadFile"         // the file with the defaults of load signals can't be read or used
	ReasonNoLoadSignal        = "NoLoadSignal"        // telemetry has nothing to believe about a node group
)

// Error makes a Problem usable as an error.
func (p Problem) Error() string {
	s := p.Message
	if p.Key != "" {
		s = fmt.Sprintf("%s=%q: %s", p.Key, p.Value, s)
	}
	if p.Node != "" {
		s = fmt.Sprintf("node %q: %s", p.Node, s)
	}
	if p.Stack != "" {
		s = fmt.Sprintf("stack %q: %s", p.Stack, s)
	}
	if p.Group != "" {
		s = fmt.Sprintf("node group %q: %s", p.Group, s)
	}
	if p.Remedy != "" {
		s += "; " + p.Remedy
	}
	return s
}

// Reporter is told of problems and notable changes, and passes them on as logs, metrics and Events.
// Implementations are safe for concurrent use, return at once and never fail.
type Reporter interface {
	// Report is called every time a problem is seen or happens; a Reporter that writes Events drops repetitions.
	Report(p Problem)
}

// ReporterFunc is a function as a Reporter.
type ReporterFunc func(Problem)

// Report calls f.
func (f ReporterFunc) Report(p Problem) { f(p) }
