package heatstack

import (
	"context"
	"time"
)

// Heat is what this package needs from the orchestration service. Every method is one HTTP call (paging excepted).
// Errors are those of package internal/openstack's client: test them with the functions in errors.go.
type Heat interface {
	// ListStacks lists the stacks that carry all of tags; all stacks of the project for no tags.
	// Rows have no parameters.
	ListStacks(ctx context.Context, tags []string) ([]StackRow, error)
	// GetStack reads one stack with its parameters; outputs are not resolved, which would cost seconds.
	// id may be empty: then the stack is looked up by name. The error satisfies isNotFound if Heat itself says that there is none.
	GetStack(ctx context.Context, name, id string) (*StackDetail, error)
	// GetTemplate reads the stack's template.
	GetTemplate(ctx context.Context, name, id string) (map[string]any, error)
	// GetFiles reads the files that were given to Heat with the stack's template, nested templates among them, by name.
	GetFiles(ctx context.Context, name, id string) (map[string]string, error)
	// ListMembers lists the members of the stack's resource group called group, with the server of each: both for
	// groups of servers and for groups of nested stacks that hold one server each. Group "" means the only one.
	ListMembers(ctx context.Context, name, id, group string) ([]MemberRow, error)
	// GetGroup reads the state that Heat keeps for the resource group called group, above all which indices it will never
	// use again. One cheap call (GET .../resources/{group}, attribute removed_rsrc_list).
	GetGroup(ctx context.Context, name, id, group string) (*GroupState, error)
	// Patch updates the stack with existing template and the given parameters, and with rollback disabled.
	// Success means that Heat has accepted it, no more: read the parameters back.
	Patch(ctx context.Context, name, id string, parameters map[string]any) error
	// Check starts Heat's check action, which compares every resource with the cloud.
	Check(ctx context.Context, name, id string) error
	// MarkUnhealthy makes Heat replace this resource at the next update.
	MarkUnhealthy(ctx context.Context, member MemberRow, reason string) error
}

// Nova is what this package needs from the compute service.
type Nova interface {
	// ListServers lists the project's servers with details. With a non-zero changesSince only those that changed since
	// then, deleted ones included (State DELETED). The time is the server's clock at the answer, from its Date header.
	ListServers(ctx context.Context, changesSince time.Time) ([]Server, time.Time, error)
	// GetServer reads one server. The error satisfies isNotFound if Nova itself says that there is none.
	GetServer(ctx context.Context, id string) (*Server, error)
	// ListFlavors lists all flavors the project may use, with extra specs where the cloud shows them.
	ListFlavors(ctx context.Context) ([]FlavorRow, error)
}

// StackRow is a stack in a list.
type StackRow struct {
	ID, Name, Project string
	Tags              []string
	Status, Reason    string
	// Updated is Heat's updated_time as text ("" before the first update): compared, never computed with.
	Updated string
}

// StackDetail is a stack with its parameters.
type StackDetail struct {
	StackRow
	// Parameters as Heat returns them: all strings; a list as "1,2", JSON as text, a hidden one as "******".
	Parameters map[string]string
}

// GroupState is what Heat itself remembers of a resource group. With it the indices that Heat intends to have are known
// exactly, not guessed:
//
//	intended(count, removed, list, members) = the first count numbers 0, 1, 2... that are not in
//	    mode append: removed + (list where it names a listed member)
//	    mode update: list where it names a listed member or an entry of removed
//
// A name in the removal list that is neither a listed member (FAILED, INIT_COMPLETE and DELETE_IN_PROGRESS ones count) nor
// already in removed is ignored: gaps that were never made cannot be named in advance. So before a PATCH the planner
// compares intended() before and after, and refuses what would drop a member that nobody named. A missing index below a
// living one (an unlisted sibling of a failed creation, as the classic engine leaves it) can therefore not be shrunk
// away: it has to be listed first, by a no-op update that retries it.
// Source: heat/engine/resources/openstack/heat/resource_group.py, _get_new_skiplist_entries and _resource_names (Zed);
// before an update's group step has run, entries of a superseded update are not in removed yet, so the list that is in
// the parameter has to be sent again while an update is in progress.
type GroupState struct {
	// Removed are the indices Heat has blacklisted (attribute removed_rsrc_list), never to be used again in mode append.
	Removed []string
	// Status is Heat's ACTION_STATUS of the group resource.
	Status string
	// NestedID is the id of the group's nested stack, whose resources are the members.
	NestedID string
}

// MemberRow is one member of a resource group.
type MemberRow struct {
	// Index is the member's name in the group.
	Index string
	// ServerID is the physical id of the member's server, empty while there is none.
	ServerID string
	// Status is Heat's ACTION_STATUS of the server resource, such as CREATE_FAILED; of the member if it has no server yet.
	Status, Reason string
	// StackName, StackID and Resource address the server resource itself (for MarkUnhealthy): the nested stack that holds
	// it and its name there.
	StackName, StackID, Resource string
}

// Server is a Nova server.
type Server struct {
	ID, Name string
	// Status is Nova's: ACTIVE, BUILD, ERROR, SHUTOFF, DELETED...; TaskState may be "deleting" and empty otherwise.
	Status, TaskState string
	Metadata          map[string]string
	Flavor            FlavorRow
	Zone              string
	Created           time.Time
	Updated           time.Time
	// Launched says that the server has run at least once (Nova's launched_at is set). An ERROR before that means that it
	// could not be made; an ERROR after that may be about a resize or a migration of a machine that still runs.
	Launched bool
	// Fault is Nova's explanation of an ERROR.
	Fault string
}

// FlavorRow is a Nova flavor; units as in nodegroups.Flavor. In a Server its ID may be empty.
type FlavorRow struct {
	ID, Name                             string
	VCPUs, RAMMiB, DiskGiB, EphemeralGiB int
	ExtraSpecs                           map[string]string
}
