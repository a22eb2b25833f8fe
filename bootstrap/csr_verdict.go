package bootstrap

import "fmt"

// Decision is what was decided about a CertificateSigningRequest.
type Decision string

// Decisions. A request that is left pending may be decided by an administrator (kubectl certificate approve).
const (
	Approved Decision = "approved"
	Denied   Decision = "denied"
	Pending  Decision = "pending"
	// ignored is never shown: the request is somebody else's to decide.
	ignored Decision = "ignored"
)

// Reasons of decisions, as metrics, Events and conditions show them.
const (
	// Approved.
	ReasonNewMember     = "NewMember"     // a machine that was just made for the token's node group
	ReasonServingMember = "ServingMember" // a node of ours asks for its own names and addresses

	// Denied: it can't become right.
	ReasonMalformed        = "Malformed"        // no single PEM block, or a wrong signature
	ReasonWrongSigner      = "WrongSigner"      // a token asks for a serving certificate
	ReasonWrongDuration    = "WrongDuration"    //
	ReasonWrongUsages      = "WrongUsages"      //
	ReasonForbiddenSubject = "ForbiddenSubject" // another common name, organization or more
	ReasonForbiddenNames   = "ForbiddenNames"   // subject alternative names or extensions of a wrong kind
	ReasonForeignNames     = "ForeignNames"     // names or addresses that are not the server's
	ReasonUnknownToken     = "UnknownToken"     // revoked, expired or not minted by us
	ReasonNodeExists       = "NodeExists"       // the machine has joined already
	ReasonNotAMember       = "NotAMember"       // a server of the project that is in none of our stacks
	ReasonWrongNodeGroup   = "WrongNodeGroup"   // a member of another node group than the token's
	ReasonServerTooOld     = "ServerTooOld"     // it has been active for longer than a machine takes to join
	ReasonServerLeaving    = "ServerLeaving"    // it is being deleted
	ReasonAskedTooEarly    = "AskedTooEarly"    // the request is older than the server
	ReasonOtherServer      = "OtherServer"      // the Node's provider ID is that of another machine

	// Pending: it may become right, or an administrator has to look.
	ReasonNoSuchServer  = "NoSuchServer"  // Nova knows no server of this host name
	ReasonAmbiguousName = "AmbiguousName" // Nova knows several
	ReasonServerState   = "ServerState"   // neither BUILD nor ACTIVE
	ReasonNotYetAMember = "NotYetAMember" // just made, and Heat does not list it yet
	ReasonStaleNode     = "StaleNode"     // a Node of this name is left from an earlier machine
	ReasonSecondKey     = "SecondKey"     // another key was approved for the same machine
	ReasonTooMany       = "TooMany"       // the same key was approved for the same machine again and again
	ReasonNoNode        = "NoNode"        // a serving certificate for a Node that is not there, or has no provider ID yet
	ReasonCloud         = "CloudError"    // OpenStack did not answer
	ReasonAPI           = "APIError"      // Kubernetes did not answer, or refused
	ReasonBusy          = "Busy"          // too many requests at once
)

// verdict is a decision with its reason, in words for conditions, Events and the log. No text holds a token: of a token only
// the public half, its id, is known here.
type verdict struct {
	decision Decision
	reason   string
	// message says what is so, remedy what to do; the remedy is empty for an approval.
	message, remedy string
	// again: looking again later may help.
	again bool
	// err is the cause of a failure, for the log.
	err error
	// group is the node group, server the machine that was approved.
	group, server string
}

func (v *verdict) text() string {
	if v.remedy == "" {
		return v.message
	}
	return v.message + "; " + v.remedy
}

func denied(reason, message, remedy string) *verdict {
	return &verdict{decision: Denied, reason: reason, message: message, remedy: remedy}
}

// waiting leaves a request pending and looks at it again.
func waiting(reason, message, remedy string) *verdict {
	return &verdict{decision: Pending, reason: reason, message: message, remedy: remedy, again: true}
}

// left leaves a request pending for good.
func left(reason, message, remedy string) *verdict {
	return &verdict{decision: Pending, reason: reason, message: message, remedy: remedy}
}

func failed(reason, what string, err error) *verdict {
	return &verdict{
		decision: Pending, reason: reason, again: true, err: err,
		message: fmt.Sprintf("%s: %v", what, err), remedy: "it is tried again",
	}
}

var notOurs = &verdict{decision: ignored}
