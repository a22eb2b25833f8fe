package nodegroups

import "time"

// State says where a member is in its life.
type State int

const (
	// Creating is ordered but not running yet. The member may have no server (a placeholder) or one in BUILD.
	Creating State = iota + 1
	// Running means that its server is there and not being deleted. Whether it is a Ready node is not known here.
	Running
	// Deleting means that its removal has been ordered, by us or by somebody else.
	Deleting
	// Failed means that it could not be made; Failure says why. It still counts in the target size until it is removed.
	Failed
	// Lost means that Heat still lists it, but its server was deleted behind Heat's back.
	Lost
)

// String returns the state in lower case, as metrics and logs show it.
func (s State) String() string {
	switch s {
	case Creating:
		return "creating"
	case Running:
		return "running"
	case Deleting:
		return "deleting"
	case Failed:
		return "failed"
	case Lost:
		return "lost"
	}
	return "unknown"
}

// Member is one machine of a node group: a member of the stack's OS::Heat::ResourceGroup.
type Member struct {
	// StackID is the id of the stack that holds the member.
	StackID string
	// Index is the member's name in the resource group, in practice a decimal number. It is what a removal names.
	// Empty for placeholders and while the cloud has not told it.
	Index string
	// ServerID is the Nova server's UUID, empty while there is none.
	ServerID string
	// Name is the server's name, empty while there is none.
	Name string
	// State says where the member is in its life.
	State State
	// Failure is set if and only if State is Failed.
	Failure *Failure
	// Status is Nova's word for the server, such as ACTIVE, SHUTOFF or ERROR, empty while there is none.
	Status string
	// Launched says that the server has run at least once.
	Launched bool
	// Flavor is the name of the server's flavor, empty if unknown.
	Flavor string
	// Zone is the server's availability zone, empty if unknown.
	Zone string
	// Created is when the server was created, zero while there is none.
	Created time.Time
	// Placeholder names a member that has been ordered and is not listed by the cloud yet. Stable as long as the member
	// is missing; empty for every member that the cloud lists with a server.
	Placeholder string
}

// ID is the server's UUID, or the placeholder's name while there is no server. Unique in a snapshot.
func (m *Member) ID() string {
	if m.ServerID != "" {
		return m.ServerID
	}
	return m.Placeholder
}
