package nodegroups

import (
	"net/netip"
	"time"
)

// Machine is a server as the cloud knew it at the moment it was asked, with proof of where it belongs. Unlike a Member it is
// not from a snapshot, and what it says of its node group does not rest on the server's metadata, which everybody in the
// project may write.
type Machine struct {
	// ServerID is the Nova server's UUID, Name its name.
	ServerID, Name string
	// HostName is the name that the machine has inside, and so its node's.
	HostName string
	// Group, Stack and Index say of which node group, stack (by name) and place the orchestration service itself confirms
	// that the server is a member. All are empty if it does not.
	Group, Stack, Index string
	// Status is Nova's word for the server, for texts. Building and Active say whether it is one of the two in which a
	// machine may join.
	Status           string
	Building, Active bool
	// Leaving says that the server is being deleted, or that its removal from the group has begun.
	Leaving bool
	// Named says that its removal has been ordered by an update of the stack that is under way or has failed, and has not begun: a member
	// that could not be made, and that was named for it, may get a server all the same. The next update of any kind removes it.
	Named bool
	// Created is when the server was ordered; Launched when it became active last, zero if it never was or the cloud does not
	// tell.
	Created, Launched time.Time
	// Addresses are the server's own, floating ones included.
	Addresses []netip.Addr
}

// Since is from when on a machine could ask to join: when it became active, or when it was ordered if that is not known.
func (m *Machine) Since() time.Time {
	if m.Launched.IsZero() {
		return m.Created
	}
	return m.Launched
}
